"""The real process, started on free ports of the loopback interface, and stopped."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from threading import Event
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

from doubles.child_process import LONG, child_process

_FIRST = 10_000 + os.getpid() % 100 * 200
_PORTS = cycle(range(_FIRST, _FIRST + 200))
SERVE = ("-m", "tunnel_webhook", "serve")


@dataclass(frozen=True, slots=True)
class RunningWebhook:
    """A process that serves, its URLs, and the file with its standard output and error."""

    webhook_url: str
    exposed_url: str
    process: subprocess.Popen[bytes]
    log: Path

    def events(self) -> list[dict[str, Any]]:
        """Return the events logged so far; each line must be JSON."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def stop(self) -> int:
        """Send SIGTERM and return the exit code."""
        self.process.terminate()
        return self.process.wait(LONG)


@contextmanager
def running_webhook(environment: Mapping[str, str], command: Sequence[str] = SERVE) -> Iterator[RunningWebhook]:
    """Start Python with these arguments, wait until it is up, and end the process when the block ends.

    It is up when both ports are open and its first contact with the backend has ended, however that went.
    The process has this environment, ports, and nothing more than `bare_environment`.
    """
    ports = dict(zip(("PORT", "EXPOSED_PORT"), map(str, free_ports(2)), strict=True))
    complete = {**bare_environment(), **ports, "EXPOSED_HOST": "127.0.0.1", **environment}
    with tempfile.TemporaryDirectory() as directory:
        log = Path(directory) / "log"
        with log.open("wb") as file:
            running = child_process([sys.executable, *command], env=complete, stdout=file, stderr=subprocess.STDOUT)
            with running as process:
                for name in ports:
                    _wait_for(int(complete[name]), process, log)
                webhook_url, exposed_url = (f"http://127.0.0.1:{complete[name]}" for name in ports)
                _wait_for_contact(exposed_url)
                yield RunningWebhook(webhook_url, exposed_url, process, log)


def bare_environment() -> dict[str, str]:
    """Return the variables that every process of the tests inherits: the search path, and those of coverage."""
    inherited = os.environ  # noqa: TID251 -- what a child process inherits
    return {name: text for name, text in inherited.items() if name == "PATH" or name.startswith("COVERAGE_")}


def free_ports(number: int) -> list[int]:
    """Return free ports of the loopback interface, which no other run and no client takes before they are used.

    They are below the ephemeral ports, in a range that depends on the process id, and are not handed out again at once.
    """
    return list(islice(filter(_is_free, _PORTS), number))


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, for at most half a minute."""
    for _ in range(int(LONG / 0.005)):
        if holds():
            return
        Event().wait(0.005)
    message = f"{holds} does not hold after {LONG:g} s"
    raise TimeoutError(message)


def is_open(port: int) -> bool:
    """Whether a process listens on a port of the loopback interface."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _is_free(port: int) -> bool:
    return not is_open(port)


def _wait_for_contact(exposed_url: str) -> None:
    def has_ended() -> bool:
        try:
            with urlopen(f"{exposed_url}/readyz", timeout=LONG) as answer:  # noqa: S310 -- of this machine
                body = answer.read()
        except HTTPError as error:
            body = error.read()
        return json.loads(body)["seconds_since_contact"] is not None

    wait_until(has_ended)


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(int(LONG / 0.02)):
        if is_open(port):
            return
        with suppress(subprocess.TimeoutExpired):
            code = process.wait(0.02)
            message = f"the process ended with {code} instead of serving:\n{log.read_text()}"
            raise RuntimeError(message)
    message = f"port {port} is not open after {LONG:g} s:\n{log.read_text()}"
    raise TimeoutError(message)
