"""One call as a route sees it, and what a route is."""

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
    """A request that found its route: the ids in its path, who asks, and when."""

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
"""A route as a pure function: the state and a call go in, the next state and the answer come out, or Refused is raised."""
