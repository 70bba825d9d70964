"""The backends behind a process of ours, reached past it: in memory, and on an emulated Cloudflare.

Both take the requests in the table of `memory_process`.
"""

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
    """Return the settings with which a process of ours uses an emulator."""
    return {"CLOUDFLARE_API_URL": control.url, "CLOUDFLARE_API_TOKEN": API_TOKEN}


class Backend(Protocol):
    """Takes a request for the account: `state`, `put` or `disturb`, as in the table of `memory_process`."""

    @property
    def name(self) -> str:
        """The name, which no other backend has."""
        ...

    @property
    def fresh(self) -> str:
        """The document of a tunnel without any rules but the catch-all."""
        ...

    def __call__(self, request: str, **arguments: Any) -> Any: ...


@dataclass(frozen=True, slots=True)
class MemoryBackend:
    """The memory of a `memory_process`, given its socket."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.parent.name

    @property
    def fresh(self) -> str:
        return '{"ingress":[{"service":"http_status:404"}]}'

    def __call__(self, request: str, **arguments: Any) -> Any:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.path))
            connection.sendall(json.dumps({"request": request, **arguments}).encode() + b"\n")
            with connection.makefile() as answers:
                return json.loads(answers.readline())


@dataclass(frozen=True, slots=True)
class CloudflareBackend:
    """An emulated Cloudflare, given its control API; it must have the zones that are put."""

    control: Control

    @property
    def name(self) -> str:
        return "emulator"

    @property
    def fresh(self) -> str:
        # With the member that Cloudflare adds to a document, so that documents can be compared byte for byte.
        return '{"ingress":[{"service":"http_status:404"}],"warp-routing":{"enabled":false}}'

    def __call__(self, request: str, **arguments: Any) -> Any:
        answers: dict[str, Callable[..., Any]] = {"state": self._state, "put": self._put, "disturb": self._disturb}
        return answers[request](**arguments)

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
