"""The lock in DNS: of all instances that share a tunnel, one writes at a time, whatever breaks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from msgspec.structs import replace

from doubles.cloudflare_adapters import Cloudflare, cloudflare
from doubles.emulator import BLUE, GREEN, Drop, Emulator, Intervention, Lie, Record, Respond, State, seed
from doubles.emulator.values import stamp
from tunnel_webhook.application import TunnelService
from tunnel_webhook.domain.external_dns.endpoint import Changes
from tunnel_webhook.ports import PermanentFailure, TemporaryFailure, Unsettled
from vocabulary.builders import POLICY, configuration, endpoint, rule, service

pytestmark = pytest.mark.anyio

ZONE = "example.com"
NAME = f"_tunnel-lock-{BLUE[:8]}.{ZONE}"
FREE = "tunnel-webhook-lock,until=0,holder=no one"
LEASE, MARGIN = 60.0, 2.0
SLACK = 1.5
"""Seconds: the Date header has no fractions, and a waiting instance looks again after 0.3 s."""

BATCH = "dns_records/batch$"


def lock_record(comment: str = FREE, *, created_on: str = "2026-01-01T00:00:00Z") -> Record:
    return Record(NAME, "CNAME", "before.invalid", comment=comment, created_on=created_on)


def with_lock(comment: str = FREE) -> State:
    """Return a state in which the lock of the tunnel blue is there."""
    return seed([ZONE]).with_records(ZONE, lock_record(comment))


@pytest.fixture
async def opened() -> AsyncIterator[AsyncExitStack]:
    """Keep the clients of several instances open."""
    async with AsyncExitStack() as stack:
        yield stack


async def world_of(opened: AsyncExitStack, state: State, *, holder: str = "us", ahead: float = 0.0) -> Cloudflare:
    return await opened.enter_async_context(cloudflare(Emulator(state), holder=holder, ahead=ahead))


async def another(opened: AsyncExitStack, world: Cloudflare, *, ahead: float = 0.0) -> Cloudflare:
    """Return another instance on the same emulator."""
    return await opened.enter_async_context(cloudflare(world.emulator, holder="them", ahead=ahead))


def stored(world: Cloudflare) -> Record | None:
    records = world.emulator.state.zone(ZONE).records.values()
    return next((record for record in records if record.name == NAME), None)


def comment(world: Cloudflare) -> str:
    record = stored(world)
    assert record
    return record.comment or ""


def delete_lock(state: State) -> State:
    """Delete the lock as a person does."""
    zone = state.zone(ZONE)
    return state.with_zone(
        replace(zone, records={key: each for key, each in zone.records.items() if each.name != NAME})
    )


async def take(world: Cloudflare) -> float:
    """Return the time at which the lock was taken; it is freed at once."""
    async with world.lock.held(BLUE):
        return world.emulator.clock.now()


# Taking and freeing.


async def test_a_free_lock_is_taken_and_freed_with_three_calls(opened: AsyncExitStack) -> None:
    world = await world_of(opened, with_lock(), holder="us/1")
    await world.zones.zones()
    world.emulator.log.clear()
    async with world.lock.held(BLUE):
        assert comment(world) == f"tunnel-webhook-lock,until={world.emulator.clock.now() + LEASE:.0f},holder=us/1"
    assert comment(world) == "tunnel-webhook-lock,until=0,holder=no%20one"
    assert world.methods == ["GET", "POST", "POST"]


async def test_the_lock_leads_nowhere_and_is_not_proxied(opened: AsyncExitStack) -> None:
    world = await world_of(opened, with_lock())
    async with world.lock.held(BLUE):
        held = stored(world)
        assert held
        assert (held.type, held.proxied) == ("CNAME", False)
        assert held.content.endswith(".invalid")
    assert len(world.emulator.state.zone(ZONE).records) == 1


async def test_each_holder_has_another_record(opened: AsyncExitStack) -> None:
    world = await world_of(opened, with_lock())
    seen = set()
    for _ in range(3):
        async with world.lock.held(BLUE):
            held = stored(world)
            assert held
            seen |= {held.id, held.content}
    assert len(seen) == 6


async def test_a_long_holder_fits_into_the_comment(opened: AsyncExitStack) -> None:
    world = await world_of(opened, with_lock(), holder="ü" * 100)
    async with world.lock.held(BLUE):
        assert len(comment(world)) <= 100
    await take(world)


async def test_a_lock_that_is_held_is_waited_for(opened: AsyncExitStack) -> None:
    world = await world_of(opened, with_lock())
    other = await another(opened, world)
    async with world.lock.held(BLUE):
        waiting = asyncio.create_task(take(other))
        await world.emulator.clock.sleep(5.0)
        assert not waiting.done()
        freed_at = world.emulator.clock.now()
    assert freed_at <= await waiting <= freed_at + 1.0


async def test_a_lock_that_is_held_for_too_long_is_a_temporary_failure_that_names_it(opened: AsyncExitStack) -> None:
    world = await world_of(opened, with_lock())
    other = await another(opened, world)
    async with world.lock.held(BLUE):
        start = world.emulator.clock.now()
        with pytest.raises(TemporaryFailure, match=rf"another instance holds the lock of tunnel {BLUE} \({NAME}\)"):
            await take(other)
        assert world.emulator.clock.now() - start <= 8.0
        assert "holder=us" in comment(world)


@pytest.mark.parametrize("number", [2, 5])
async def test_of_several_takers_one_holds_the_lock_at_a_time(opened: AsyncExitStack, number: int) -> None:
    world = await world_of(opened, with_lock())
    world.emulator.state = world.emulator.state.with_behaviour(latency=0.05)
    instances = [world, *[await another(opened, world) for _ in range(number - 1)]]
    holding: list[int] = []
    most = [0]

    async def hold(index: int) -> None:
        async with instances[index].lock.held(BLUE):
            holding.append(index)
            most[0] = max(most[0], len(holding))
            await world.emulator.clock.sleep(0.3)
            holding.remove(index)

    await asyncio.gather(*map(hold, range(number)))
    assert most == [1]


async def test_a_taker_whose_swap_another_precedes_waits(opened: AsyncExitStack) -> None:
    world = await world_of(opened, with_lock())
    until = world.emulator.clock.now() + 3.0

    def precede(state: State) -> State:
        return delete_lock(state).with_records(
            ZONE, replace(lock_record(f"tunnel-webhook-lock,until={until:.0f},holder=them"), content="theirs.invalid")
        )

    world.emulator.arm(Intervention(path=BATCH, change=precede))
    assert until + MARGIN <= await take(world) <= until + MARGIN + SLACK


# Time.


@pytest.mark.parametrize("ahead", [0.0, 3600.0, -3600.0], ids=["our clock is right", "ahead", "behind"])
async def test_a_lease_ends_by_cloudflares_time_whatever_our_own_clock_says(
    opened: AsyncExitStack, ahead: float
) -> None:
    now = Emulator(seed()).clock.now()
    world = await world_of(opened, with_lock(f"tunnel-webhook-lock,until={now + 4:.0f},holder=them"), ahead=ahead)
    assert now + 4.0 + MARGIN <= await take(world) <= now + 4.0 + MARGIN + SLACK


async def test_a_process_that_stops_leaves_its_lock_to_expire(opened: AsyncExitStack) -> None:
    world = await world_of(opened, with_lock())
    other = await another(opened, world)
    entered = asyncio.Event()

    async def hold() -> None:
        async with world.lock.held(BLUE):
            entered.set()
            await asyncio.Event().wait()

    stopped, start = asyncio.create_task(hold()), world.emulator.clock.now()
    await entered.wait()
    stopped.cancel()
    await asyncio.gather(stopped, return_exceptions=True)
    with pytest.raises(TemporaryFailure):
        await take(other)
    await world.emulator.clock.sleep(50.0)
    assert world.emulator.clock.now() < start + LEASE
    assert start + LEASE + MARGIN <= await take(other) <= start + LEASE + MARGIN + SLACK


async def test_a_lease_is_valid_while_half_of_it_is_left(opened: AsyncExitStack) -> None:
    world = await world_of(opened, with_lock())
    async with world.lock.held(BLUE) as lease:
        await world.emulator.clock.sleep(29.0)
        assert lease.is_valid()
        await world.emulator.clock.sleep(2.0)
        assert not lease.is_valid()


# A record that is missing, or that a person wrote.


async def test_a_missing_lock_is_created_held_by_no_one_and_not_taken_for_one_lease(opened: AsyncExitStack) -> None:
    world = await world_of(opened, seed([ZONE]))
    start = world.emulator.clock.now()
    with pytest.raises(TemporaryFailure):
        await take(world)
    assert comment(world) == f"tunnel-webhook-lock,until={start + LEASE:.0f},holder=no%20one"
    await world.emulator.clock.sleep(50.0)
    assert start + LEASE + MARGIN <= await take(world) <= start + LEASE + MARGIN + SLACK


async def test_a_lock_that_a_person_deletes_while_it_is_held_is_not_taken_before_its_lease_has_ended(
    opened: AsyncExitStack,
) -> None:
    world = await world_of(opened, with_lock())
    other = await another(opened, world)
    async with world.lock.held(BLUE):
        start = world.emulator.clock.now()
        world.emulator.state = delete_lock(world.emulator.state)
        with pytest.raises(TemporaryFailure):
            await take(other)
        await world.emulator.clock.sleep(50.0)
        assert await take(other) >= start + LEASE


async def test_two_takers_of_a_missing_lock_create_it_once(opened: AsyncExitStack) -> None:
    world = await world_of(opened, seed([ZONE]))
    other = await another(opened, world)
    results = await asyncio.gather(take(world), take(other), return_exceptions=True)
    assert [type(result) for result in results] == [TemporaryFailure] * 2
    assert len(world.emulator.state.zone(ZONE).records) == 1


@pytest.mark.parametrize("text", ["do not touch", "", "tunnel-webhook-lock,until=soon,holder=x", "until=0"])
async def test_a_record_that_is_not_readable_counts_as_held_for_one_lease_since_its_creation(
    opened: AsyncExitStack, text: str
) -> None:
    world = await world_of(opened, seed([ZONE]))
    start = world.emulator.clock.now()
    state = world.emulator.state.with_records(ZONE, lock_record(text, created_on=stamp(start - LEASE + 4.0)))
    world.emulator.state = state
    assert start + 4.0 + MARGIN <= await take(world) <= start + 4.0 + MARGIN + SLACK
    assert comment(world).startswith("tunnel-webhook-lock,until=0,")


# Answers that do not arrive.


async def test_a_lock_whose_swap_was_not_answered_but_carried_out_is_held(opened: AsyncExitStack) -> None:
    world = await world_of(opened, with_lock())
    world.emulator.arm(Drop(path=BATCH, when="after"))
    async with world.lock.held(BLUE):
        assert "holder=us" in comment(world)
    assert "until=0" in comment(world)
    assert world.emulator.idle == ()


async def test_a_lock_whose_swap_was_not_carried_out_is_tried_again(opened: AsyncExitStack) -> None:
    world = await world_of(opened, with_lock())
    world.emulator.arm(Drop(path=BATCH, when="before"))
    start = world.emulator.clock.now()
    assert await take(world) - start < 1.0
    assert world.calls_to("POST", "batch") == 3


async def test_a_lock_that_cannot_be_freed_does_not_fail_the_write_and_expires(opened: AsyncExitStack) -> None:
    world = await world_of(opened, with_lock())
    async with world.lock.held(BLUE):
        start = world.emulator.clock.now()
        world.emulator.arm(Drop(path=BATCH, times=0))
    assert "holder=us" in comment(world)
    world.emulator.script = ()
    await world.emulator.clock.sleep(start + LEASE - world.emulator.clock.now())
    await take(world)


async def test_a_lock_is_not_freed_after_a_write_without_an_answer(opened: AsyncExitStack) -> None:
    world = await world_of(opened, with_lock())
    with pytest.raises(Unsettled):
        async with world.lock.held(BLUE):
            raise Unsettled
    assert "holder=us" in comment(world)
    with pytest.raises(TemporaryFailure):
        await take(world)


async def test_a_list_that_lacks_the_lock_takes_nothing_and_creates_nothing(opened: AsyncExitStack) -> None:
    world = await world_of(opened, with_lock())
    world.emulator.arm(Lie(path="dns_records$", tells="empty"))
    before = stored(world)
    start = world.emulator.clock.now()
    assert await take(world) > start
    assert before
    assert world.emulator.idle == ()


async def test_a_lock_that_the_token_may_not_write_is_a_permanent_failure(opened: AsyncExitStack) -> None:
    world = await world_of(opened, with_lock())
    denied = '{"success":false,"errors":[{"code":10000,"message":"Authentication error"}]}'
    world.emulator.arm(Respond(path=BATCH, status=403, body=denied))
    with pytest.raises(PermanentFailure, match=r"cannot write lock \(_tunnel-lock-"):
        await take(world)


# The zone.


async def test_the_lock_is_in_the_first_zone_or_in_the_one_that_is_named() -> None:
    emulator = Emulator(seed(["example.net", "example.com"]))
    async with cloudflare(emulator) as first, cloudflare(emulator, lock_zone="example.net") as named:
        for world in (first, named):
            with pytest.raises(TemporaryFailure):
                await take(world)
    names = {zone.name: [each.name for each in zone.records.values()] for zone in emulator.state.zones.values()}
    assert names == {"example.com": [NAME], "example.net": [f"_tunnel-lock-{BLUE[:8]}.example.net"]}


async def test_a_zone_that_the_credentials_do_not_see_is_named() -> None:
    async with cloudflare(Emulator(seed()), lock_zone="example.org") as world:
        with pytest.raises(PermanentFailure, match=r"WRITE_LOCK names zone example\.org, which the credentials do not"):
            await take(world)


# Two instances that write at once.


def instance(world: Cloudflare, *, lock: bool) -> TunnelService:
    now = world.emulator.clock.now
    return service(
        world.tunnels, world.zones, POLICY, clock=now, release_delay=120.0, lock=world.lock if lock else None
    )


@pytest.mark.timeout(900)
@pytest.mark.parametrize("pairs", [30, pytest.param(1000, marks=pytest.mark.nightly)])
async def test_with_the_lock_two_syncs_at_once_lose_nothing(opened: AsyncExitStack, pairs: int) -> None:
    state = with_lock().with_records(
        ZONE, replace(lock_record(), name=f"_tunnel-lock-{GREEN[:8]}.{ZONE}", content="green.invalid")
    )
    world = await world_of(opened, state.with_document(BLUE, configuration(rule("hand.example.com")).text))
    other = await another(opened, world)
    world.emulator.state = world.emulator.state.with_behaviour(latency=0.1, rate_quota=10**6)
    clock, instances = world.emulator.clock, [instance(world, lock=True), instance(other, lock=True)]

    async def sync(owner: str, number: int) -> None:
        """Publish the hostname of a number, and withdraw the one before it."""
        earlier = (endpoint(f"{owner}{number - 1}.example.com"),) if number else ()
        created = (endpoint(f"{owner}{number}.example.com"),)
        await instances["ab".index(owner)].apply_changes(Changes(create=created, delete=earlier))

    for number in range(pairs):
        await asyncio.gather(sync("a", number), sync("b", number))
        document = json.loads(world.emulator.state.document(BLUE))
        assert {each.get("hostname") for each in document["ingress"]} == {
            "hand.example.com",
            f"a{number}.example.com",
            f"b{number}.example.com",
            None,
        }
        await clock.sleep(10.0)
        world.emulator.log.clear()

    await clock.sleep(121.0)
    for each in instances:
        assert len(await each.records()) == 2
        await each.turns.finish()
    names = {record.name for record in world.emulator.state.zone(ZONE).records.values()}
    assert {name for name in names if "lock" not in name} == {f"{owner}{pairs - 1}.example.com" for owner in "ab"}
