"""The emulator in a process of its own, for tests that need real sockets: started, controlled, and ended."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec

from doubles.child_process import child_process
from doubles.emulator.faults import Scriptable
from doubles.emulator.routes import BASE
from doubles.emulator.state import State

_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Control:
    """The side door of a running emulator; `url` is a value for `CLOUDFLARE_API_URL`."""

    url: str
    client: httpx.Client

    def state(self) -> State:
        """Return the emulator's whole state."""
        return msgspec.json.decode(self._ask("GET", "state").content, type=State)

    def seed(self, state: State) -> None:
        """Replace the state, and let `reset` return to it."""
        self._ask("PUT", "state", state)

    def reset(self) -> None:
        """Return to the seed: no faults, no log, a full rate limit."""
        self._ask("POST", "reset")

    def log(self) -> list[dict[str, Any]]:
        """Return the calls so far."""
        calls: list[dict[str, Any]] = self._ask("GET", "log").json()
        return calls

    def clear_log(self) -> None:
        """Forget the calls, so that the next is number 1."""
        self._ask("DELETE", "log")

    def arm(self, *faults: Scriptable) -> None:
        """Add faults to the script."""
        self._ask("POST", "faults", faults)

    def script(self) -> list[dict[str, Any]]:
        """Return the faults, with how often each struck."""
        armed: list[dict[str, Any]] = self._ask("GET", "faults").json()
        return armed

    def disarm(self) -> None:
        """Empty the script."""
        self._ask("DELETE", "faults")

    def write_foreign(self, tunnel: str, document: str) -> None:
        """Replace a tunnel's document as another writer would."""
        self._ask("POST", "foreign-write", {"tunnel": tunnel, "document": document})

    def until_held(self, seconds: float = 10.0) -> list[dict[str, Any]]:
        """Return the calls that are held, waiting up to this many seconds for the first."""
        held: list[dict[str, Any]] = self._ask("GET", f"held?wait={seconds}").json()
        return held

    def release(self, *, proceed: bool = True) -> None:
        """Let the held calls go on, or end them there."""
        self._ask("POST", "release", {"proceed": proceed})

    def _ask(self, method: str, door: str, value: object = None) -> httpx.Response:
        body = None if value is None else msgspec.json.encode(value)
        response = self.client.request(method, f"/_control/{door}", content=body)
        if response.is_error:
            raise AssertionError(response.text)
        return response


@contextmanager
def emulator_process(state: State) -> Iterator[Control]:
    """Run an emulator with this seed on a free loopback port until the block ends."""
    command = [sys.executable, "-m", "doubles.emulator", "--seed", "-"]
    paths = {"PYTHONPATH": str(Path(__file__).parents[2])}
    with child_process(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=paths) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(msgspec.json.encode(state))
        process.stdin.close()
        url = process.stdout.readline().decode().strip()
        assert url, "the emulator did not start; its error is above"
        with httpx.Client(base_url=url.removesuffix(BASE), timeout=_PATIENCE, trust_env=False) as client:
            yield Control(url, client)
