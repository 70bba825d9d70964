"""No child process of the tests outlives its block, and one that would is found at the end of the run."""

import os
import signal
import subprocess
from pathlib import Path

from doubles.child_process import child_process, survivors

FOREVER = "sleep 3600"


def is_running(pid: int) -> bool:
    """Whether a process exists and has not ended."""
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


def test_what_a_child_started_ends_with_the_child() -> None:
    with child_process(["sh", "-c", f"{FOREVER} & echo $!; wait"], stdout=subprocess.PIPE) as process:
        assert process.stdout
        grandchild = int(process.stdout.readline())
        assert is_running(grandchild)

    assert process.returncode == -signal.SIGTERM
    assert not is_running(grandchild)


def test_what_a_child_left_behind_ends_with_the_block() -> None:
    with child_process(["sh", "-c", f"{FOREVER} & echo $!"], stdout=subprocess.PIPE) as process:
        assert process.stdout
        orphan = int(process.stdout.readline())
        process.wait()
        assert is_running(orphan)

    assert not is_running(orphan)


def test_a_child_that_ignores_the_request_to_end_is_killed() -> None:
    with child_process(["sh", "-c", f"trap '' TERM; echo; {FOREVER}"], patience=0.1, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()

    assert process.returncode == -signal.SIGKILL


def test_an_orphan_in_a_group_of_its_own_is_found() -> None:
    with child_process(["setsid", "--fork", "sh", "-c", f"echo $$; exec {FOREVER}"], stdout=subprocess.PIPE) as process:
        assert process.stdout
        orphan = int(process.stdout.readline())

    assert orphan in survivors()
    os.kill(orphan, signal.SIGKILL)
    os.waitpid(orphan, 0)
    assert orphan not in survivors()
