"""The script of faults: which call is struck, and by what.

| fault          | the effect of the call                    | what the client sees                                    |
|----------------|-------------------------------------------|---------------------------------------------------------|
| `Respond`      | none; with `effect`, its own              | this status, body, content type and these headers       |
| `Distort`      | its own                                   | the true answer with another body or type, or cut short |
| `Drop`         | none; with `when="after"`, its own        | a connection that is reset, closed, or refused          |
| `Slow`         | its own, even if the client stops waiting | the true answer, this many seconds late                 |
| `Pause`        | its own, once it is released              | the true answer, once it is released, or nothing        |
| `Lie`          | none: it strikes only GET                 | a false answer of one of the kinds in `lies.py`         |
| `ForeignWrite` | its own, after another writer's           | the true answer                                         |
| `Intervention` | its own, after a change of the state that | the true answer                                         |
|                | a test wrote in Python                    |                                                         |

A fault counts the calls, once it is armed, that have its `method` and a path (without `/client/v4` and the query)
in which its regular expression `path` is found. It strikes the `nth` of them and the `times - 1` that follow; with 0
`times`, all that follow. A `Lie` with `seconds` strikes all that follow within this time instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

import msgspec
from msgspec.structs import replace

from doubles.emulator.envelope import Request, Response
from doubles.emulator.state import State
from doubles.emulator.values import Value

When = Literal["before", "after"]
Falsehood = Literal[
    "refusal",
    "no result",
    "null",
    "blank",
    "no ingress",
    "no rules",
    "another tunnel",
    "version",
    "partial",
    "stale",
    "empty",
    "repeated page",
    "total",
    "deleted",
]
"""What a lie says (`lies.py`)."""

_CONFIGURATION, _LIST = "/configurations$", "(/zones|/dns_records)$"
SUBJECTS: Mapping[Falsehood, str] = {
    "refusal": "",
    "no result": "",
    "null": _CONFIGURATION,
    "blank": _CONFIGURATION,
    "no ingress": _CONFIGURATION,
    "no rules": _CONFIGURATION,
    "another tunnel": _CONFIGURATION,
    "version": _CONFIGURATION,
    "partial": f"({_CONFIGURATION}|{_LIST})",
    "stale": "",
    "empty": _LIST,
    "repeated page": _LIST,
    "total": _LIST,
    "deleted": "/cfd_tunnel/[^/]+$",
}
"""The paths that a lie can concern, as regular expressions."""

HTML = "<html><head><title>502 Bad Gateway</title></head><body><h1>Error 502</h1></body></html>"


class Target(Value, frozen=True, kw_only=True):
    """Which calls a fault strikes; an empty method or path matches every call."""

    method: str = ""
    path: str = ""
    nth: int = 1
    times: int = 1

    def could_strike(self, request: Request) -> bool:
        """Whether the request is one of those that are counted."""
        path = request.path.removeprefix("/client/v4")
        return self.method in {"", request.method} and re.search(self.path, path) is not None

    def strikes(self, seen: int, elapsed: float) -> bool:
        """Whether the call is struck that is this many-th of those that are counted.

        `elapsed` is how many seconds ago the fault struck first, 0 if it did not.
        """
        del elapsed
        return seen >= self.nth and (not self.times or seen < self.nth + self.times)


class Respond(Target, frozen=True, tag_field="kind", tag="respond", kw_only=True):
    """An answer that the script makes up."""

    status: int = 500
    body: str = ""
    content_type: str = "application/json"
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    effect: bool = False


class Distort(Target, frozen=True, tag_field="kind", tag="distort", kw_only=True):
    """The true answer with another body, with its first `keep` bytes only, or the connection `cut` after so many."""

    body: str | None = None
    content_type: str | None = None
    keep: int | None = None
    cut: int | None = None


class Drop(Target, frozen=True, tag_field="kind", tag="drop", kw_only=True):
    """No answer."""

    when: When = "before"
    how: Literal["reset", "close", "refuse"] = "reset"


class Slow(Target, frozen=True, tag_field="kind", tag="slow", kw_only=True):
    """The answer later."""

    seconds: float
    when: When = "before"


class Pause(Target, frozen=True, tag_field="kind", tag="pause", kw_only=True):
    """The call held until a test releases it."""

    when: When = "before"


class Lie(Target, frozen=True, tag_field="kind", tag="lie", kw_only=True):
    """A false answer to a GET (`lies.py`); it strikes only calls that its kind can concern."""

    tells: Falsehood
    seconds: float | None = None
    """How long it strikes, from the first call that it strikes; None for `times` calls."""

    status: int = 404
    code: int | None = None
    """Of a refusal: 0 to 5 digits, or None for one without errors."""

    version: int | None = None
    """The version that an answer gives; None for the true one."""

    keep: tuple[int, ...] = ()
    """Of a partial answer: the positions of the entries that it holds."""

    behind: int = 1
    """Of a stale answer: how many answers before the true one it was true."""

    age: float | None = None
    """Of a stale answer: how many seconds ago it was true, instead of `behind`."""

    def could_strike(self, request: Request) -> bool:
        """Whether the request is a GET that a lie of this kind can concern."""
        concerned = re.search(SUBJECTS[self.tells], request.path) is not None
        return request.method == "GET" and concerned and super().could_strike(request)

    def strikes(self, seen: int, elapsed: float) -> bool:
        """Whether the call is struck, by its number or by the time."""
        if self.seconds is None:
            return super().strikes(seen, elapsed)
        return seen >= self.nth and elapsed <= self.seconds


class ForeignWrite(Target, frozen=True, tag_field="kind", tag="foreign_write", kw_only=True):
    """A tunnel's document replaced by another writer, unchecked, directly before the call takes effect."""

    tunnel: str
    document: str


class Intervention(Target, frozen=True, tag_field="kind", tag="intervention", kw_only=True):
    """Any change of the state directly before the call takes effect; only in Python."""

    change: Callable[[State], State]


Scriptable: TypeAlias = Respond | Distort | Drop | Slow | Pause | Lie | ForeignWrite
"""The faults that JSON can hold, distinguished by `kind`."""

Fault: TypeAlias = Scriptable | Intervention


class Armed(Value, frozen=True):
    """A fault in the script, with how many calls it has counted and how many of them it struck."""

    fault: Fault
    seen: int = 0
    struck: int = 0
    since: float | None = None
    """When it struck first, in seconds since the epoch."""


def strike(script: tuple[Armed, ...], request: Request, now: float) -> tuple[tuple[Armed, ...], tuple[Fault, ...]]:
    """Return the script after a call, and the faults that strike it."""
    after, striking = [], []
    for armed in script:
        if armed.fault.could_strike(request):
            seen = armed.seen + 1
            strikes = armed.fault.strikes(seen, 0.0 if armed.since is None else now - armed.since)
            since = now if strikes and armed.since is None else armed.since
            after.append(replace(armed, seen=seen, struck=armed.struck + strikes, since=since))
            striking += [armed.fault] if strikes else []
        else:
            after.append(armed)
    return tuple(after), tuple(striking)


def distorted(response: Response, fault: Distort) -> Response:
    """Return an answer as a fault distorts it."""
    body = response.body if fault.body is None else fault.body.encode()
    headers = (
        response.headers if fault.content_type is None else {**response.headers, "content-type": fault.content_type}
    )
    return Response(response.status, body[: fault.keep], headers, fault.cut)


def scripted(fault: Respond) -> Response:
    """Return the answer that a fault gives."""
    return Response(fault.status, fault.body.encode(), {"content-type": fault.content_type, **fault.headers})
