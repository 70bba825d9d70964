"""The back doors into the account behind a process of ours: they answer the questions of `memory_process`, wherever it is kept."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from msgspec import convert, to_builtins
from msgspec.structs import replace

from doubles import side_doors
from doubles.emulator import API_TOKEN, Control, Respond, Slow
from doubles.emulator.faults import When

_CALLS = {
    "tunnels.load": ("GET", "/configurations$"),
    "tunnels.save": ("PUT", "/configurations$"),
    "zones.load": ("GET", "/dns_records$"),
    "zones.save": ("POST", "/dns_records/batch$"),
}
_ANSWERS: Mapping[str, Respond] = {
    "temporary": Respond(status=503, headers={"retry-after": "3600"}),
    "permanent": Respond(
        status=403, body='{"success":false,"errors":[{"code":10000,"message":"Authentication error"}]}'
    ),
}


def on_emulator(control: Control) -> dict[str, str]:
    """Return the settings that lead a process of ours to an emulator, beside those that say what it shall do there."""
    return {"CLOUDFLARE_API_URL": control.url, "CLOUDFLARE_API_TOKEN": API_TOKEN}


class Door(Protocol):
    """Asks an account: `state`, `put` or `disturb`, as the table of `memory_process` says."""

    @property
    def name(self) -> str:
        """What tells it from the doors of other accounts."""
        ...

    @property
    def fresh(self) -> tuple[str, int]:
        """The document and the version of a tunnel in which nobody has written yet."""
        ...

    def __call__(self, ask: str, **given: Any) -> Any: ...


@dataclass(frozen=True, slots=True)
class SocketDoor:
    """The door of a `memory_process`, given its socket."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.parent.name

    @property
    def fresh(self) -> tuple[str, int]:
        return "null", 0

    def __call__(self, ask: str, **given: Any) -> Any:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.path))
            connection.sendall(json.dumps({"ask": ask, **given}).encode() + b"\n")
            with connection.makefile() as answers:
                return json.loads(answers.readline())


@dataclass(frozen=True, slots=True)
class EmulatorDoor:
    """The account of an emulated Cloudflare, given its side door; the zones are those that it has."""

    control: Control

    @property
    def name(self) -> str:
        return "emulator"

    @property
    def fresh(self) -> tuple[str, int]:
        # With the member that Cloudflare adds to a document, so that what others wrote can be compared to the byte.
        return '{"ingress":[{"service":"http_status:404"}],"warp-routing":{"enabled":false}}', 1

    def __call__(self, ask: str, **given: Any) -> Any:
        answers: dict[str, Callable[..., Any]] = {"state": self._state, "put": self._put, "disturb": self._disturb}
        return answers[ask](**given)

    @property
    def _account(self) -> side_doors.SideDoor:
        return side_doors.EmulatorDoor(self.control.state, self.control.seed)

    def _state(self) -> Any:
        return to_builtins(self._account.read(), enc_hook=str)

    def _put(self, **contents: Any) -> None:
        self._account.write(convert(contents, side_doors.Contents))

    def _disturb(self, step: str, delay: float, failure: str, times: int) -> None:
        self.control.disarm()
        if not times:
            return
        moment, _, name = step.partition(" ")
        method, path = _CALLS[name]
        when: When = "after" if moment == "after" else "before"
        if delay:
            self.control.arm(Slow(method=method, path=path, times=times, seconds=delay, when=when))
        if failure:
            self.control.arm(replace(_ANSWERS[failure], method=method, path=path, times=times, effect=when == "after"))
