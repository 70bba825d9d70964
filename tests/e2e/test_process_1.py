"""The process as number 1 of a PID namespace, as in a container: Linux drops a signal that it has no handler for."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest

from doubles.child_process import child_process
from doubles.process import SERVE, bare_environment, free_ports, is_open, wait_until
from doubles.raw_connections import UNFINISHED, connections

MEMORY = {"BACKEND": "memory", "DOMAIN_FILTER": "example.com", "EXPOSED_HOST": "127.0.0.1"}
# A user without privileges may make a PID namespace only in a user namespace.
NAMESPACE = (
    "unshare",
    *(() if os.geteuid() == 0 else ("--user", "--map-root-user")),
    "--pid",
    "--fork",
    "--mount-proc",
)


PORTS = ("PORT", "EXPOSED_PORT")


@contextmanager
def process_1(*ports: int) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Yield `unshare`, which ends with the exit code of process 1, and the id of process 1 outside its namespace."""
    environment = {**bare_environment(), **MEMORY, **dict(zip(PORTS, map(str, ports), strict=True))}
    command = [*NAMESPACE, sys.executable, *SERVE]
    with child_process(command, env=environment, stderr=subprocess.DEVNULL, patience=0) as unshare:
        children = Path(f"/proc/{unshare.pid}/task/{unshare.pid}/children")
        wait_until(lambda: bool(children.read_text()))
        yield unshare, int(children.read_text())


def catches(pid: int, number: signal.Signals) -> bool:
    """Whether a process has a handler for a signal."""
    status = Path(f"/proc/{pid}/status").read_text()
    mask = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(mask >> (number - 1) & 1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("delay", [0, 0.05, 0.2, 0.5, 1.0])
def test_a_signal_at_any_moment_of_the_start_ends_process_1(number: signal.Signals, delay: float) -> None:
    with process_1(*free_ports(2)) as (unshare, pid):
        wait_until(lambda: catches(pid, number) and catches(pid, signal.SIGTERM))
        Event().wait(delay)
        os.kill(pid, number)

        assert unshare.wait(10) in {0, 128 + number}


def test_the_handlers_are_there_before_the_imports() -> None:
    """Which take most of a second; until Python itself runs, nothing can be done (docs/limits.md)."""
    with process_1(*free_ports(2)) as (_, pid):
        wait_until(lambda: catches(pid, signal.SIGTERM))

        assert "granian" not in Path(f"/proc/{pid}/maps").read_text()
        assert "msgspec" not in Path(f"/proc/{pid}/maps").read_text()


def test_a_signal_ends_process_1_in_order_though_requests_are_unfinished() -> None:
    port, exposed = free_ports(2)
    with process_1(port, exposed) as (unshare, pid):
        wait_until(lambda: is_open(exposed))
        with connections(f"http://127.0.0.1:{port}", 2, UNFINISHED["half a body"]):
            os.kill(pid, signal.SIGTERM)

            assert unshare.wait(10) == 0


def test_a_second_signal_ends_process_1_at_once() -> None:
    port, exposed = free_ports(2)
    with process_1(port, exposed) as (unshare, pid):
        wait_until(lambda: is_open(exposed))
        with connections(f"http://127.0.0.1:{port}", 2, UNFINISHED["half a body"]):
            os.kill(pid, signal.SIGTERM)
            wait_until(lambda: not is_open(port))
            os.kill(pid, signal.SIGTERM)

            assert unshare.wait(5) == 128 + signal.SIGTERM
