"""Time as the emulator sees it, passed in: the system's, or one that only tests move."""

from __future__ import annotations

import asyncio
import heapq
import time
from datetime import UTC, datetime
from itertools import count
from typing import Protocol

_ROUNDS = 20
"""How often the event loop turns before virtual time moves, so that whatever can run runs first."""


class Clock(Protocol):
    """Seconds since the epoch, and a way to let some of them pass."""

    def now(self) -> float:
        """Return the seconds since the epoch."""
        ...

    async def sleep(self, seconds: float, /) -> None:
        """Return after so many seconds."""
        ...


class SystemClock:
    """The time of day."""

    def now(self) -> float:
        """Return the seconds since the epoch."""
        return time.time()

    async def sleep(self, seconds: float, /) -> None:
        """Return after so many seconds."""
        await asyncio.sleep(seconds)


class VirtualClock:
    """Time that stands still until everybody sleeps: an hour passes in no time, and two who sleep together wake together."""

    def __init__(self, start: float = 1_790_000_000.0) -> None:
        """Start at so many seconds since the epoch."""
        self._now = start
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = count()

    def now(self) -> float:
        """Return the seconds since the epoch."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass at once."""
        self._now += seconds

    async def sleep(self, seconds: float, /) -> None:
        """Return when time has come to so many seconds from now."""
        loop = asyncio.get_running_loop()
        sleeper = loop.create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._order), sleeper))
        loop.call_soon(self._turn, _ROUNDS)
        await sleeper

    def _turn(self, rounds: int) -> None:
        """Wake the next sleeper once the loop has turned so often; every sleep brings one turn, so all of them wake."""
        if rounds:
            asyncio.get_running_loop().call_soon(self._turn, rounds - 1)
            return
        due, _, sleeper = heapq.heappop(self._sleepers)
        if not sleeper.done():
            self._now = max(self._now, due)
            sleeper.set_result(None)


def stamp(now: float) -> str:
    """Return seconds since the epoch as the API writes a time: RFC 3339, UTC, with microseconds."""
    return datetime.fromtimestamp(now, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
