"""Virtual time: it passes only while all tasks sleep, and wakes them in the order of their deadlines."""

import asyncio

import pytest

from doubles.clock import VirtualClock

pytestmark = pytest.mark.anyio


async def test_sleepers_wake_in_the_order_of_their_deadlines_and_at_their_time() -> None:
    clock = VirtualClock(0.0)
    woken: list[tuple[float, float]] = []

    async def sleep(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((seconds, clock.now()))

    await asyncio.gather(*map(sleep, (30.0, 10.0, 20.0)))
    assert woken == [(10.0, 10.0), (20.0, 20.0), (30.0, 30.0)]
    assert clock.slept == [30.0, 10.0, 20.0]


async def test_time_does_not_pass_while_a_task_can_run() -> None:
    clock = VirtualClock(0.0)
    sleeper = asyncio.ensure_future(clock.sleep(10.0))
    for _ in range(10):
        await asyncio.sleep(0)
    assert clock.now() == 0.0
    await sleeper
    assert clock.now() == 10.0


async def test_a_cancelled_sleeper_neither_moves_time_nor_leaves_another_asleep() -> None:
    clock = VirtualClock(0.0)
    sleepers = [asyncio.ensure_future(clock.sleep(seconds)) for seconds in (10.0, 20.0)]
    await asyncio.sleep(0)
    sleepers[0].cancel()
    await asyncio.wait(sleepers)
    assert sleepers[0].cancelled()
    assert clock.now() == 20.0


def test_one_clock_serves_several_event_loops() -> None:
    clock = VirtualClock(0.0)

    async def give_up() -> None:
        async with asyncio.timeout(0):
            await clock.sleep(10.0)

    with pytest.raises(TimeoutError):
        asyncio.run(give_up())
    asyncio.run(clock.sleep(1.0))
    assert clock.now() == 1.0


async def test_an_advance_counts_towards_a_sleep() -> None:
    clock = VirtualClock(0.0)
    sleeper = asyncio.ensure_future(clock.sleep(10.0))
    await asyncio.sleep(0)
    clock.advance(4.0)
    await sleeper
    assert clock.now() == 10.0
