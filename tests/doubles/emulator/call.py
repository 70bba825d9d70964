"""A call as its handler sees it, and the type of a handler."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from doubles.emulator.access import Caller
from doubles.emulator.envelope import Request, Response
from doubles.emulator.state import State
from doubles.emulator.values import stamp


@dataclass(frozen=True, slots=True)
class Call:
    """A request with its route's ids, its caller, and its time in seconds since the epoch."""

    request: Request
    ids: Mapping[str, str]
    caller: Caller
    now: float

    @property
    def time(self) -> str:
        """The time of the call as the API writes it."""
        return stamp(self.now)


Outcome: TypeAlias = "tuple[State, Response]"
Handler: TypeAlias = Callable[[State, Call], Outcome]
"""A route as a pure function of the state and a call to the next state and the answer; raises Refused."""
