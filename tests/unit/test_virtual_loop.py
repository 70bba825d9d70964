"""A loop in virtual time: it passes only while all tasks wait, and not for those that are paused."""

import asyncio
import time
from collections.abc import Coroutine
from contextvars import ContextVar, copy_context
from typing import Any, TypeVar

import pytest

from doubles.virtual_loop import Deadlock, VirtualLoop

T = TypeVar("T")
PAUSED: ContextVar[list[Any] | None] = ContextVar("PAUSED", default=None)


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(coroutine)


def loop() -> VirtualLoop:
    running = asyncio.get_running_loop()
    assert isinstance(running, VirtualLoop)
    return running


def test_a_day_takes_no_time() -> None:
    async def day() -> float:
        await asyncio.sleep(86_400)
        return loop().time()

    start = time.monotonic()
    assert run(day()) == pytest.approx(86_400)
    assert time.monotonic() - start < 5


def test_sleepers_wake_in_the_order_of_their_deadlines() -> None:
    async def sleep_all() -> list[float]:
        woken: list[float] = []

        async def sleep(seconds: float) -> None:
            await asyncio.sleep(seconds)
            woken.append(seconds)

        await asyncio.gather(*map(sleep, (30, 10, 20)))
        return woken

    assert run(sleep_all()) == [10, 20, 30]


def test_timeouts_follow_the_same_time() -> None:
    async def wait() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(12):
                await asyncio.Event().wait()
        return loop().time()

    assert run(wait()) == pytest.approx(12)


def test_waiting_for_nothing_is_an_error() -> None:
    with pytest.raises(Deadlock):
        run(asyncio.Event().wait())


def test_work_for_threads_runs_in_place() -> None:
    async def work() -> int:
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 // 0)
        return await asyncio.to_thread(lambda number: number + 1, 1)

    assert run(work()) == 2


def test_what_is_due_in_a_pause_happens_after_it_in_order() -> None:
    async def pause() -> list[tuple[str, float]]:
        happened: list[tuple[str, float]] = []
        waiting: list[Any] = []
        is_paused = False
        loop().paused = lambda: waiting if is_paused and PAUSED.get() is not None else None

        async def sleep(name: str, seconds: float) -> None:
            await asyncio.sleep(seconds)
            happened.append((name, loop().time()))

        context = copy_context()
        context.run(PAUSED.set, waiting)
        tasks = [context.run(loop().create_task, sleep(f"paused {seconds}", seconds)) for seconds in (20, 10, 200)]
        tasks.append(loop().create_task(sleep("other", 15)))
        await asyncio.sleep(0)
        is_paused = True
        await asyncio.sleep(100)
        is_paused = False
        loop().resume(waiting)
        await asyncio.gather(*tasks)
        return happened

    assert [(name, round(at)) for name, at in run(pause())] == [
        ("other", 15),
        ("paused 10", 100),
        ("paused 20", 100),
        ("paused 200", 200),
    ]


def test_a_timeout_that_passes_in_a_pause_strikes_after_it() -> None:
    async def pause() -> None:
        waiting: list[Any] = []
        is_paused = False
        loop().paused = lambda: waiting if is_paused and PAUSED.get() is not None else None

        async def wait() -> None:
            async with asyncio.timeout(50):
                await asyncio.sleep(10)

        context = copy_context()
        context.run(PAUSED.set, waiting)
        task = context.run(loop().create_task, wait())
        await asyncio.sleep(5)
        is_paused = True
        await asyncio.sleep(100)
        is_paused = False
        loop().resume(waiting)
        assert not task.done()
        await task

    with pytest.raises(TimeoutError):
        run(pause())
