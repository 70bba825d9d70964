"""Child processes of the tests. Each leads a process group that ends with its block, so that none outlives a run.

Killing the child alone is not enough: what it started lives on. `unshare --kill-child` does not help either, since
Linux clears the parent-death signal of a process that changes its user (prctl(2), PR_SET_PDEATHSIG).
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

LONG = 30.0
_PR_SET_CHILD_SUBREAPER = 36


@contextmanager
def child_process(
    command: Sequence[str | Path], *, patience: float = LONG, **options: Any
) -> Iterator[subprocess.Popen[Any]]:
    """Start a program with the options of Popen; at the end of the block, end it and everything it started.

    It is terminated, and after `patience` seconds killed; 0 kills it at once.
    """
    with subprocess.Popen(command, start_new_session=True, **options) as process:
        try:
            yield process
        finally:
            _end_group(process, patience)


def _end_group(process: subprocess.Popen[Any], patience: float) -> None:
    if patience:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    # What it started is ours to wait for since `adopt_orphans`, and a killed process is not gone at once.
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-process.pid, 0)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, so that `survivors` finds it."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def survivors() -> dict[int, str]:
    """Return the command line of every descendant of this process that is running, by process id."""
    parents = {int(entry.name): _parent(entry) for entry in Path("/proc").iterdir() if entry.name.isdigit()}
    family = {os.getpid()}
    while children := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= children
    return {pid: command for pid in family - {os.getpid()} if (command := _command(pid))}


def _parent(entry: Path) -> int:
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def _command(pid: int) -> str:
    """Return a command line, which is empty for a process that has ended but has not been waited for."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""
