"""The contract of WriteLock: one suite, every adapter."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from doubles.cloudflare_adapters import cloudflare
from doubles.emulator import Emulator, Record, seed
from tunnel_webhook.adapters.memory import NoLock
from tunnel_webhook.ports import PermanentFailure, WriteLock
from vocabulary.builders import BLUE, GREEN

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def in_memory() -> AsyncIterator[WriteLock]:
    yield NoLock()


@asynccontextmanager
async def at_cloudflare() -> AsyncIterator[WriteLock]:
    free = [
        Record(
            f"_tunnel-lock-{tunnel[:8]}.example.com",
            "CNAME",
            "free.invalid",
            comment="tunnel-webhook-lock,until=0,holder=x",
        )
        for tunnel in (BLUE, GREEN)
    ]
    async with cloudflare(Emulator(seed(["example.com"]).with_records("example.com", *free))) as adapters:
        yield adapters.lock


@pytest.fixture(params=[in_memory, at_cloudflare], ids=["memory", "cloudflare"])
async def lock(request: pytest.FixtureRequest) -> AsyncIterator[WriteLock]:
    """Yield the port under examination."""
    async with request.param() as opened:
        yield opened


async def test_a_lease_is_valid_when_it_begins(lock: WriteLock) -> None:
    async with lock.held(BLUE) as lease:
        assert lease.is_valid()


async def test_the_locks_of_two_tunnels_are_independent(lock: WriteLock) -> None:
    async with lock.held(BLUE) as blue, lock.held(GREEN) as green:
        assert blue.is_valid()
        assert green.is_valid()


async def test_a_lock_can_be_held_again_after_use(lock: WriteLock) -> None:
    for _ in range(2):
        async with lock.held(BLUE) as lease:
            assert lease.is_valid()


async def test_a_failure_passes_through_and_frees_the_lock(lock: WriteLock) -> None:
    failure = PermanentFailure("refused")
    with pytest.raises(PermanentFailure) as caught:
        async with lock.held(BLUE):
            raise failure
    assert caught.value is failure
    async with lock.held(BLUE) as lease:
        assert lease.is_valid()
