"""Turns: one piece of work at a time, each within a deadline, and none interrupted by a caller that leaves."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

from tunnel_webhook.ports import TemporaryFailure

_T = TypeVar("_T")

log = logging.getLogger(__name__)


class Turns:
    """Runs work one piece at a time.

    | at the deadline, or when the caller leaves | the work                          |
    |--------------------------------------------|-----------------------------------|
    | it has begun                               | goes on until it is done          |
    | it still waits for its turn                | never begins                      |
    """

    def __init__(self, deadline: float) -> None:
        """Take the deadline, in seconds from each call."""
        self._deadline = deadline
        self._lock = asyncio.Lock()
        self._running: set[asyncio.Future[Any]] = set()

    async def run(self, work: Callable[[], Awaitable[_T]], then: Callable[[_T], Awaitable[None]] | None = None) -> _T:
        """Return the result of the work; raise TemporaryFailure if the deadline passes first.

        If the work succeeds, `then` goes on with its result in the same turn; the caller does not wait for it.
        """
        task: asyncio.Future[_T] | None = None
        try:
            async with asyncio.timeout(self._deadline):
                await self._lock.acquire()
                task = asyncio.ensure_future(work())
                self._running.add(task)
                task.add_done_callback(partial(self._finished, then=then))
                return await asyncio.shield(task)
        except TimeoutError as error:
            rest = (
                "the work goes on, and the next sync finds its result"
                if task
                else "earlier work goes on; this never began"
            )
            message = f"no result within {self._deadline:g} s (REQUEST_DEADLINE): {rest}"
            raise TemporaryFailure(message) from error

    async def finish(self) -> None:
        """Wait until no work is running."""
        while self._running:
            await asyncio.wait(self._running)

    def _finished(self, task: asyncio.Future[Any], then: Callable[[Any], Awaitable[None]] | None = None) -> None:
        self._running.discard(task)
        if then and not task.cancelled() and not task.exception():
            following = asyncio.ensure_future(then(task.result()))
            self._running.add(following)
            following.add_done_callback(self._finished)
            return
        self._lock.release()
        if not task.cancelled() and (error := task.exception()):
            # A caller that has left never sees the error.
            log.debug("a request ended with %s: %s", type(error).__name__, error)
