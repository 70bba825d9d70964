"""A call on its way through the emulator, and the two ways in which it can end without an answer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Literal

from doubles.emulator.envelope import Request
from doubles.emulator.faults import Drop, Fault, Respond, Slow, When
from doubles.emulator.log import LoggedCall


class Dropped(Exception):
    """The connection ends without an answer."""

    def __init__(self, how: Literal["reset", "close", "refuse"]) -> None:
        """Keep how it ends."""
        super().__init__(f"the script ends this connection: {how}")
        self.how = how


class GaveUp(Exception):
    """The client's read timeout passed before there was an answer."""


@dataclass(slots=True)
class Held:
    """A call that a `Pause` holds."""

    entry: LoggedCall
    when: When
    released: asyncio.Event = field(default_factory=asyncio.Event)
    proceed: bool = True


@dataclass(slots=True)
class Visit:
    """A call on its way; `patience` is how many more seconds its client waits, None for a client without a timeout."""

    request: Request
    entry: LoggedCall
    faults: tuple[Fault, ...]
    patience: float | None

    @property
    def drop(self) -> Drop | None:
        """The first fault that ends the connection."""
        return next((fault for fault in self.faults if isinstance(fault, Drop)), None)

    @property
    def response(self) -> Respond | None:
        """The first scripted answer."""
        return next((fault for fault in self.faults if isinstance(fault, Respond)), None)

    @property
    def takes_effect(self) -> bool:
        """Whether the call ever reaches the API."""
        never = self.drop is not None and (self.drop.when == "before" or self.drop.how == "refuse")
        return not never and (self.response is None or self.response.effect)

    def seconds(self, when: When) -> float:
        """Return how many seconds the script keeps the call waiting before or after its effect."""
        return sum(fault.seconds for fault in self.faults if isinstance(fault, Slow) and fault.when == when)
