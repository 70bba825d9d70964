"""Time, passed in: the system's, or a virtual one that passes only when a test says so or everyone sleeps."""

from __future__ import annotations

import asyncio
import heapq
import time
from itertools import count
from typing import Protocol

_ROUNDS = 20
"""How many turns the event loop makes without a new sleep before time moves: all that can run runs first."""


class Clock(Protocol):
    """Seconds since the epoch, and a way to let some of them pass."""

    def now(self) -> float:
        """Return the seconds since the epoch."""
        ...

    async def sleep(self, seconds: float, /) -> None:
        """Return after this many seconds."""
        ...


class SystemClock:
    """The time of day."""

    def now(self) -> float:
        """Return the seconds since the epoch."""
        return time.time()

    async def sleep(self, seconds: float, /) -> None:
        """Return after this many seconds."""
        await asyncio.sleep(seconds)


class VirtualClock:
    """Time that moves only while all tasks sleep: sleepers wake in the order of their deadlines, and no test waits.

    `slept` holds the length of every sleep in seconds, in the order in which they began.
    """

    def __init__(self, start: float = 1_790_000_000.0) -> None:
        """Start at this many seconds since the epoch."""
        self.slept: list[float] = []
        self._now = start
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = count()
        self._rounds = _ROUNDS
        self._turning: asyncio.AbstractEventLoop | None = None

    def now(self) -> float:
        """Return the seconds since the epoch."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let this many seconds pass at once, without waking anyone."""
        self._now += seconds

    async def sleep(self, seconds: float, /) -> None:
        """Return when this many seconds have passed."""
        self.slept.append(seconds)
        loop = asyncio.get_running_loop()
        sleeper = (self._now + seconds, next(self._order), loop.create_future())
        heapq.heappush(self._sleepers, sleeper)
        self._rounds = _ROUNDS
        if self._turning is not loop:
            self._turning = loop
            loop.call_soon(self._turn)
        try:
            await sleeper[-1]
        except asyncio.CancelledError:
            self._sleepers = [other for other in self._sleepers if other is not sleeper]
            heapq.heapify(self._sleepers)
            raise

    def _turn(self) -> None:
        """Turn with the event loop while there are sleepers; wake the next after some turns without a new sleep."""
        self._rounds -= 1
        if self._sleepers and not self._rounds:
            self._rounds = _ROUNDS
            self._now = max(self._now, self._sleepers[0][0])
            while self._sleepers and self._sleepers[0][0] <= self._now:
                sleeper = heapq.heappop(self._sleepers)[-1]
                if not sleeper.done():
                    sleeper.set_result(None)
        self._turning = asyncio.get_running_loop() if self._sleepers else None
        if self._turning:
            self._turning.call_soon(self._turn)
