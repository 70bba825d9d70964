"""Turns: one piece of work at a time, each within a deadline, and none interrupted by a caller that leaves."""

import asyncio

import pytest

from tunnel_webhook.application import Turns
from tunnel_webhook.ports import TemporaryFailure

pytestmark = pytest.mark.anyio


class Work:
    """Work that is done once it is released."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.released = asyncio.Event()
        self.done = False

    async def __call__(self) -> str:
        self.begun.set()
        await self.released.wait()
        self.done = True
        return "the result"


async def test_work_returns_its_result() -> None:
    work = Work()
    work.released.set()
    assert await Turns(5.0).run(work) == "the result"


async def test_work_that_fails_raises_and_frees_its_turn() -> None:
    turns, work = Turns(5.0), Work()

    async def fail() -> None:
        raise TemporaryFailure

    with pytest.raises(TemporaryFailure):
        await turns.run(fail)
    work.released.set()
    assert await turns.run(work) == "the result"


async def test_work_waits_for_the_work_before_it() -> None:
    turns, first, second = Turns(5.0), Work(), Work()
    second.released.set()
    running = asyncio.create_task(turns.run(first))
    await first.begun.wait()
    waiting = asyncio.create_task(turns.run(second))
    await asyncio.sleep(0.01)
    assert not second.begun.is_set()

    first.released.set()
    assert await waiting == "the result"
    assert await running == "the result"


async def test_at_the_deadline_the_caller_fails_and_the_work_goes_on() -> None:
    turns, work = Turns(0.05), Work()
    with pytest.raises(TemporaryFailure, match=r"no result within 0.05 s \(REQUEST_DEADLINE\): the work goes on"):
        await turns.run(work)
    assert not work.done

    work.released.set()
    await turns.finish()
    assert work.done


async def test_work_whose_turn_does_not_come_before_the_deadline_never_begins() -> None:
    turns, first, second = Turns(0.05), Work(), Work()
    with pytest.raises(TemporaryFailure):
        await turns.run(first)
    with pytest.raises(TemporaryFailure, match="earlier work goes on; this never began"):
        await turns.run(second)

    first.released.set()
    await turns.finish()
    assert not second.begun.is_set()


async def test_a_caller_that_leaves_stops_nothing() -> None:
    turns, work = Turns(5.0), Work()
    caller = asyncio.create_task(turns.run(work))
    await work.begun.wait()

    caller.cancel()
    work.released.set()
    await turns.finish()
    assert work.done


async def test_the_failure_of_work_whose_caller_has_left_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    turns, begun, released = Turns(5.0), asyncio.Event(), asyncio.Event()

    async def fail() -> None:
        begun.set()
        await released.wait()
        message = "rate limited"
        raise TemporaryFailure(message)

    caller = asyncio.create_task(turns.run(fail))
    await begun.wait()
    caller.cancel()
    released.set()
    await turns.finish()
    assert "a request ended with TemporaryFailure: rate limited" in caplog.text


# Work that follows in the same turn.


class Following:
    """Work that follows with a result, and is done once it is released."""

    def __init__(self) -> None:
        self.given: list[str] = []
        self.begun = asyncio.Event()
        self.released = asyncio.Event()
        self.done = False

    async def __call__(self, result: str) -> None:
        self.given.append(result)
        self.begun.set()
        await self.released.wait()
        self.done = True


async def test_the_caller_has_its_result_before_the_following_work_is_done() -> None:
    turns, work, following = Turns(5.0), Work(), Following()
    work.released.set()
    assert await turns.run(work, then=following) == "the result"
    await following.begun.wait()
    assert following.given == ["the result"]
    assert not following.done
    following.released.set()
    await turns.finish()
    assert following.done


async def test_the_next_work_waits_for_the_following_work() -> None:
    turns, work, following, second = Turns(5.0), Work(), Following(), Work()
    work.released.set()
    second.released.set()
    await turns.run(work, then=following)
    waiting = asyncio.create_task(turns.run(second))
    await asyncio.sleep(0.01)
    assert not second.begun.is_set()
    following.released.set()
    assert await waiting == "the result"
    assert following.done


async def test_nothing_follows_work_that_fails() -> None:
    turns, work, following = Turns(5.0), Work(), Following()
    work.released.set()

    async def fail() -> str:
        raise TemporaryFailure

    with pytest.raises(TemporaryFailure):
        await turns.run(fail, then=following)
    assert await turns.run(work) == "the result"
    assert following.given == []


@pytest.mark.parametrize("leaves", [True, False], ids=["the caller leaves", "the deadline passes"])
async def test_work_whose_caller_is_gone_is_followed_all_the_same(
    leaves: bool,  # noqa: FBT001 -- a fact
) -> None:
    turns, work, following = Turns(5.0 if leaves else 0.05), Work(), Following()
    following.released.set()
    caller = asyncio.create_task(turns.run(work, then=following))
    await work.begun.wait()
    if leaves:
        caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)
    work.released.set()
    await turns.finish()
    assert following.done


async def test_following_work_that_fails_is_logged_and_frees_its_turn(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    turns, work = Turns(5.0), Work()
    work.released.set()

    async def fail(_: str) -> None:
        message = "rate limited"
        raise TemporaryFailure(message)

    assert await turns.run(work, then=fail) == "the result"
    await turns.finish()
    assert "a request ended with TemporaryFailure: rate limited" in caplog.text
    assert await turns.run(work) == "the result"


async def test_work_that_is_cancelled_frees_its_turn_and_nothing_follows() -> None:
    turns, work, following = Turns(5.0), Work(), Following()
    work.released.set()

    async def cancel() -> str:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await turns.run(cancel, then=following)
    assert await turns.run(work) == "the result"
    assert following.given == []
