"""The side door, over HTTP: what a test may read and do, as routes under `/_control`.

| request                          | does                                                                         |
|----------------------------------|------------------------------------------------------------------------------|
| `GET /_control/state`            | the whole state, documents as text                                           |
| `PUT /_control/state`            | replaces the state; `reset` returns to it                                    |
| `POST /_control/reset`           | back to the seed: no faults, no log, a full rate limit                       |
| `GET`, `DELETE /_control/log`    | the calls so far; forgets them, so that the next is number 1                 |
| `GET`, `DELETE /_control/faults` | the script, with how often each fault struck; empties it                     |
| `POST /_control/faults`          | adds a list of faults (`faults.py`), each with its `kind`                    |
| `POST /_control/foreign-write`   | `{"tunnel", "document"}`: replaces a document as another writer would        |
| `GET /_control/held?wait=5`      | the calls that are held, after waiting up to this many seconds for the first |
| `POST /_control/release`         | `{"proceed"}`: lets the held calls go on, or ends them there                 |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from doubles.emulator.emulator import Emulator
from doubles.emulator.envelope import Request, Response
from doubles.emulator.faults import Scriptable
from doubles.emulator.state import State
from doubles.emulator.values import Value

PREFIX = "/_control/"


class ForeignDocument(Value, frozen=True):
    """Another writer's document for a tunnel."""

    tunnel: str
    document: str


class Release(Value, frozen=True):
    """How to release the held calls."""

    proceed: bool


async def handle(emulator: Emulator, request: Request, patience: float | None = None) -> Response:
    """Return the answer to a call of the API, or of the side door."""
    if not request.path.startswith(PREFIX):
        return await emulator.handle(request, patience)
    name = request.path.removeprefix(PREFIX)
    if request.method == "GET" and name == "held":
        return _json(await emulator.until_held(float(request.asked("wait", "0"))))
    door = _DOORS.get((request.method, name))
    if door is None:
        return _text(404, f"there is no {request.method} {request.path}; see the table in control.py\n")
    try:
        return _json(door(emulator, request.body))
    except (msgspec.ValidationError, msgspec.DecodeError, KeyError) as error:
        return _text(400, f"{error}\n")


def _json(value: Any) -> Response:
    return Response(200, msgspec.json.encode(value, enc_hook=repr))


def _text(status: int, text: str) -> Response:
    return Response(status, text.encode(), {"content-type": "text/plain"})


def _arm(emulator: Emulator, body: bytes) -> None:
    emulator.arm(*msgspec.json.decode(body, type=list[Scriptable]))


def _disarm(emulator: Emulator, _: bytes) -> None:
    emulator.script = ()


def _write(emulator: Emulator, body: bytes) -> None:
    write = msgspec.json.decode(body, type=ForeignDocument)
    emulator.write_foreign(write.tunnel, write.document)


_DOORS: Mapping[tuple[str, str], Callable[[Emulator, bytes], Any]] = {
    ("GET", "state"): lambda emulator, _: emulator.state,
    ("PUT", "state"): lambda emulator, body: emulator.seed(msgspec.json.decode(body, type=State)),
    ("POST", "reset"): lambda emulator, _: emulator.reset(),
    ("GET", "log"): lambda emulator, _: emulator.log,
    ("DELETE", "log"): lambda emulator, _: emulator.log.clear(),
    ("GET", "faults"): lambda emulator, _: emulator.script,
    ("POST", "faults"): _arm,
    ("DELETE", "faults"): _disarm,
    ("POST", "foreign-write"): _write,
    ("POST", "release"): lambda emulator, body: emulator.release(
        proceed=msgspec.json.decode(body, type=Release).proceed
    ),
}
