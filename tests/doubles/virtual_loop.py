"""An event loop in which time passes only while all tasks wait, so that hours of timeouts and sleeps take no time.

`asyncio.sleep`, `asyncio.timeout` and `loop.time` all follow this time. Work for threads runs at once, in place, so
that the order of everything depends on nothing but the program.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar, TypeVarTuple, Unpack

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

START = 1_790_000_000.0
"""The beginning of time, in seconds since the epoch."""


class Deadlock(Exception):
    """All tasks wait, and none of them for time to pass."""


class _Selector(selectors.SelectSelector):
    """Lets time pass instead of waiting for files, on which nothing here depends."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Deadlock
        self.passed += max(timeout, 0.0)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time."""

    def __init__(self) -> None:
        """Start at 0 seconds."""
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        """Return the seconds since the loop was made."""
        return self._virtual.passed

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: Unpack[Ts]
    ) -> asyncio.Future[T]:
        """Call the function at once."""
        del executor
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 -- it is the caller's
            future.set_exception(error)
        return future


class LoopClock:
    """The time of a loop, as seconds since the epoch."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take the loop."""
        self._loop = loop

    def now(self) -> float:
        """Return the seconds since the epoch."""
        return START + self._loop.time()

    async def sleep(self, seconds: float, /) -> None:
        """Return after this many seconds."""
        await asyncio.sleep(seconds)
