"""Time, passed in: the system's, or a virtual one that passes only when a test says so or everyone sleeps."""

from __future__ import annotations

import asyncio
import heapq
import time
from itertools import count
from typing import Protocol

_ROUNDS = 20
"""How many turns of the event loop virtual time waits before it moves, so that everything that can run runs first."""


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
        loop.call_soon(self._turn, _ROUNDS)
        try:
            await sleeper[-1]
        except asyncio.CancelledError:
            self._sleepers = [other for other in self._sleepers if other is not sleeper]
            heapq.heapify(self._sleepers)
            raise

    def _turn(self, rounds: int) -> None:
        """Wake the next sleeper after this many more turns of the loop; each sleep starts one count, so all wake."""
        if rounds:
            asyncio.get_running_loop().call_soon(self._turn, rounds - 1)
        elif self._sleepers:
            due, _, waiting = heapq.heappop(self._sleepers)
            if not waiting.done():
                self._now = max(self._now, due)
                waiting.set_result(None)
