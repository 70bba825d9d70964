"""The real process, started on free ports of the loopback interface and stopped again."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from doubles.child_process import LONG, child_process

_FIRST = 10_000 + os.getpid() % 100 * 200
_PORTS = cycle(range(_FIRST, _FIRST + 200))
SERVE = ("-m", "tunnel_webhook", "serve")


@dataclass(frozen=True, slots=True)
class RunningWebhook:
    """A process that serves, its addresses, and the file of its log (standard output and standard error)."""

    webhook_url: str
    exposed_url: str
    process: subprocess.Popen[bytes]
    log: Path

    def events(self) -> list[dict[str, Any]]:
        """Return the lines of its log so far; each must be JSON."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def stop(self) -> int:
        """Send SIGTERM and return the exit code."""
        self.process.terminate()
        return self.process.wait(LONG)


@contextmanager
def running_webhook(environment: Mapping[str, str], command: Sequence[str] = SERVE) -> Iterator[RunningWebhook]:
    """Start Python with these arguments and this environment, wait for both ports, and end it with the block.

    The environment holds nothing else but the search path, the ports, and what coverage needs.
    """
    ports = dict(zip(("PORT", "EXPOSED_PORT"), map(str, free_ports(2)), strict=True))
    served = {**bare_environment(), **ports, "EXPOSED_HOST": "127.0.0.1", **environment}
    with tempfile.TemporaryDirectory() as directory:
        log = Path(directory) / "log"
        with log.open("wb") as file:
            running = child_process([sys.executable, *command], env=served, stdout=file, stderr=subprocess.STDOUT)
            with running as process:
                for name in ports:
                    _wait_for(int(served[name]), process, log)
                webhook_url, exposed_url = (f"http://127.0.0.1:{served[name]}" for name in ports)
                yield RunningWebhook(webhook_url, exposed_url, process, log)


def bare_environment() -> dict[str, str]:
    """Return the variables that every process of ours needs."""
    inherited = os.environ  # noqa: TID251 -- a process that is started is an edge, too
    return {name: text for name, text in inherited.items() if name == "PATH" or name.startswith("COVERAGE_")}


def free_ports(number: int) -> list[int]:
    """Return free ports of the loopback interface, which no other run and no client takes before they are used.

    They are below the ephemeral ports, in a range that depends on the process id, and are not handed out again at once.
    """
    return list(islice(filter(_is_free, _PORTS), number))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(int(LONG / 0.02)):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        with suppress(subprocess.TimeoutExpired):
            code = process.wait(0.02)
            message = f"the process ended with {code} instead of serving:\n{log.read_text()}"
            raise RuntimeError(message)
    message = f"port {port} is not open after {LONG:g} s:\n{log.read_text()}"
    raise TimeoutError(message)
