"""An event loop in which time passes only while all tasks wait, so that hours of timeouts and sleeps take no time.

`asyncio.sleep`, `asyncio.timeout` and `loop.time` all follow this time. Work for threads runs at once, in place, so
that the order of everything depends on nothing but the program. Some tasks can be paused, as a process is that gets no
processor: time passes for the others, and what was due meanwhile happens afterwards, in order.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from contextvars import Context, copy_context
from typing import Any, TypeVar, TypeVarTuple, Unpack

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


class _Callback:
    """A callback that waits in a place for paused ones, if there is one when it is due."""

    __slots__ = ("arguments", "context", "function", "handle", "loop")

    def __init__(
        self, loop: VirtualLoop, function: Callable[..., object], arguments: Any, context: Context | None
    ) -> None:
        self.loop, self.function, self.arguments = loop, function, arguments
        self.context = copy_context() if context is None else context
        self.handle: asyncio.Handle | None = None

    def __call__(self) -> None:
        paused = self.loop.paused()
        if paused is not None:
            paused.append(self)
        elif self.handle is None or not self.handle.cancelled():
            self.function(*self.arguments)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time."""

    def __init__(self) -> None:
        """Start at 0 seconds."""
        self._virtual = _Selector()
        self.paused: Callable[[], list[_Callback] | None] = lambda: None
        """Returns where callbacks of the current context wait while they are paused; None while they are not."""

        super().__init__(self._virtual)

    def time(self) -> float:
        """Return the seconds since the loop was made."""
        return self._virtual.passed

    def call_soon(
        self, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Call a function in the next turn, or when its context goes on."""
        due = _Callback(self, callback, args, context)
        due.handle = super().call_soon(due, context=due.context)
        return due.handle

    def call_at(
        self, when: float, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call a function at a time, or when its context goes on."""
        due = _Callback(self, callback, args, context)
        handle = super().call_at(when, due, context=due.context)
        due.handle = handle
        return handle

    def resume(self, paused: list[_Callback]) -> None:
        """Call what was due during a pause, in order; `paused` has to return None for its context by then."""
        for due in paused:
            super().call_soon(due, context=due.context)

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
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
