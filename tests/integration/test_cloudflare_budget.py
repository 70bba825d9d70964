"""The service on the Cloudflare adapters: how many calls a request takes, and what an outage or a block does to it."""

import math
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from doubles.cloudflare_adapters import TIMEOUT, ZONE, Cloudflare, cloudflare
from doubles.emulator import (
    API_TOKEN,
    BLUE,
    Emulator,
    ForeignWrite,
    Record,
    Respond,
    Token,
    seed,
)
from tunnel_webhook.adapters.cloudflare.credentials import ApiTokenFile
from tunnel_webhook.application import TunnelService
from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint
from tunnel_webhook.domain.external_dns.policy import Policy, Tunnel
from tunnel_webhook.ports import ChangesNotApplied, PermanentFailure, TemporaryFailure
from vocabulary.builders import POLICY, endpoint, service
from vocabulary.world import DOCUMENT, HAND, document

pytestmark = pytest.mark.anyio

ONE_TUNNEL = Policy((Tunnel(BLUE, "blue"),))


def service_on(world: Cloudflare, policy: Policy = ONE_TUNNEL) -> TunnelService:
    """Return the service on the adapters."""
    return service(world.tunnels, world.zones, policy)


@pytest.fixture
async def world() -> AsyncIterator[Cloudflare]:
    """Yield the adapters on one zone and two tunnels; the account is taken from the zone."""
    async with cloudflare(Emulator(seed()), account="") as adapters:
        yield adapters


def configuration_calls(world: Cloudflare) -> list[str]:
    """Return the methods of the calls that read or write a document."""
    return [line.split()[0] for line in world.calls if line.endswith("configurations")]


def apps(count: int) -> tuple[Endpoint, ...]:
    return tuple(endpoint(f"app{number}.example.com", "http://app:80") for number in range(count))


async def test_records_are_two_calls_with_one_tunnel_and_one_zone(world: Cloudflare) -> None:
    api = service_on(world)
    await api.apply_changes(Changes(create=apps(3)))
    world.emulator.log.clear()
    assert len(await api.records()) == 3
    assert len(world.calls) == 2


@pytest.mark.parametrize("count", [1, 200, 201, 1000])
async def test_creations_are_at_most_five_calls_and_one_per_two_hundred(count: int) -> None:
    zone = replace(seed(plan="free").zone("example.com"), quota=10_000)
    async with cloudflare(Emulator(seed(plan="free").with_zone(zone))) as world:
        api = service_on(world)
        await api.records()
        world.emulator.log.clear()
        await api.apply_changes(Changes(create=apps(count)))
        assert len(world.calls) <= 5 + math.ceil(count / 200)
        assert len(world.records()) == count


@pytest.mark.parametrize("count", [1, 200, 201, 1000])
async def test_deletions_cost_as_much_as_creations_and_their_release_one_call_and_one_per_two_hundred(
    count: int,
) -> None:
    zone = replace(seed(plan="free").zone("example.com"), quota=10_000)
    async with cloudflare(Emulator(seed(plan="free").with_zone(zone))) as world:
        clock = world.emulator.clock
        api = service(world.tunnels, world.zones, ONE_TUNNEL, clock=clock.now, release_delay=120.0)
        await api.apply_changes(Changes(create=apps(count)))
        published = await api.records()
        world.emulator.log.clear()
        await api.apply_changes(Changes(delete=published))
        assert len(world.calls) <= 5 + math.ceil(count / 200)
        assert len(world.records()) == count
        await clock.sleep(121)
        world.emulator.log.clear()
        assert await api.records() == ()
        await api.turns.finish()
        assert len(world.calls) <= 2 + 1 + math.ceil(count / 200)
        assert world.records() == {}
        world.emulator.log.clear()
        await api.records()
        await api.turns.finish()
        assert len(world.calls) == 2


async def test_a_thousand_creations_by_a_new_process_take_less_than_three_seconds_and_fourteen_calls() -> None:
    zone = replace(seed(plan="free").zone("example.com"), quota=10_000)
    state = seed(plan="free").with_zone(zone).with_behaviour(latency=0.1)
    async with cloudflare(Emulator(state), account="") as world:
        start = world.emulator.clock.now()
        await service_on(world).apply_changes(Changes(create=apps(1000)))
        assert world.emulator.clock.now() - start < 3.0
        assert len(world.calls) < 14


async def test_changes_that_change_nothing_write_nothing(world: Cloudflare) -> None:
    api = service_on(world)
    await api.apply_changes(Changes(create=apps(3)))
    world.emulator.log.clear()
    await api.apply_changes(Changes(create=apps(3)))
    assert set(world.methods) == {"GET"}


async def test_a_life_from_creation_over_a_move_to_deletion_leaves_no_trace(world: Cloudflare) -> None:
    by_hand = Record("by-hand.example.com", "CNAME", f"{BLUE}.cfargotunnel.com", proxied=True)
    world.emulator.state = world.emulator.state.with_records("example.com", by_hand).with_document(BLUE, DOCUMENT)
    before = world.emulator.state
    api = service_on(world, POLICY)
    await api.apply_changes(Changes(create=apps(3)))
    moved = tuple(endpoint(app.dns_name, "http://app:80", tunnel="green") for app in apps(3))
    await api.apply_changes(Changes(update_old=apps(3), update_new=moved))
    assert {record.tunnel for name, record in world.records().items() if name.startswith("app")} == {
        POLICY.tunnels[1].id
    }
    assert world.emulator.state.document(BLUE) == DOCUMENT
    await api.apply_changes(Changes(delete=await api.records()))
    assert world.emulator.state.zones == before.zones
    assert world.emulator.state.document(BLUE) == DOCUMENT
    assert await api.records() == ()


@pytest.mark.parametrize("nth", [2, 3])
async def test_a_foreign_write_that_a_final_read_finds_is_laid_out_again(world: Cloudflare, nth: int) -> None:
    api = service_on(world)
    await api.records()
    world.emulator.log.clear()
    world.emulator.arm(ForeignWrite(method="GET", path="configurations", tunnel=BLUE, document=document(HAND), nth=nth))
    await api.apply_changes(Changes(create=apps(1)))
    assert "app0.example.com" in world.emulator.state.document(BLUE)
    assert HAND in world.emulator.state.document(BLUE)
    assert configuration_calls(world) == ["GET", *["GET"] * 2, *["GET"] * 2, "PUT"]


async def test_a_foreign_write_in_the_moment_of_ours_is_overwritten_and_named_and_not_laid_out_again(
    world: Cloudflare, caplog: pytest.LogCaptureFixture
) -> None:
    api = service_on(world)
    await api.records()
    world.emulator.log.clear()
    world.emulator.arm(ForeignWrite(method="PUT", tunnel=BLUE, document=document(HAND)))
    await api.apply_changes(Changes(create=apps(1)))
    assert "app0.example.com" in world.emulator.state.document(BLUE)
    assert HAND not in world.emulator.state.document(BLUE)
    assert "overwrote version 2 of the configuration of tunnel blue" in caplog.text
    assert configuration_calls(world) == ["GET", "GET", "GET", "PUT"]
    assert [each.dns_name for each in await api.records()] == ["app0.example.com"]


async def test_one_refused_hostname_keeps_no_other_from_being_published(world: Cloudflare) -> None:
    api = service_on(world)
    await api.records()
    message = '{"success":false,"errors":[{"code":9005,"message":"no"}]}'
    world.emulator.arm(Respond(path="batch", status=400, body=message, times=2))
    with pytest.raises(ChangesNotApplied) as caught:
        await api.apply_changes(Changes(create=apps(2)))
    assert [rejection.reason for rejection in caught.value.rejections] == [Reason.REFUSED]
    assert len(world.records()) == len(await api.records()) == 1


async def test_a_zone_that_refuses_every_record_costs_eight_requests_once_in_ten_minutes_and_is_quoted(
    world: Cloudflare,
) -> None:
    clock = world.emulator.clock
    api = service(world.tunnels, world.zones, ONE_TUNNEL, clock=clock.now, fail_on_rejection=False)
    await api.records()
    body = '{"success":false,"errors":[{"code":1234,"message":"This zone takes nothing."}]}'
    world.emulator.arm(Respond(path="dns_records/batch", status=400, body=body, times=0))
    asked = Changes(create=apps(150))

    async def refused_requests(changes: Changes) -> int:
        world.emulator.log.clear()
        with pytest.raises(ChangesNotApplied, match=r"refused: 1234: This zone takes nothing\.") as error:
            await api.apply_changes(changes)
        assert {rejection.hostname for rejection in error.value.rejections} == {
            each.dns_name for each in changes.create
        }
        return world.calls_to("POST")

    assert await refused_requests(asked) == 8
    assert [await refused_requests(asked) for _ in range(3)] == [0, 0, 0]
    assert await refused_requests(Changes(create=(*asked.create, endpoint("new.example.com")))) == 1
    await clock.sleep(601)
    assert await refused_requests(asked) == 8


async def test_a_full_zone_is_asked_again_once_a_hostname_was_deleted_from_it(world: Cloudflare) -> None:
    zone = replace(world.emulator.state.zone("example.com"), quota=3)
    world.emulator.state = world.emulator.state.with_zone(zone)
    clock = world.emulator.clock
    api = service(world.tunnels, world.zones, ONE_TUNNEL, clock=clock.now)
    await api.apply_changes(Changes(create=apps(3)))
    late = Changes(create=(endpoint("late.example.com"),))
    for posts in (1, 0):
        world.emulator.log.clear()
        with pytest.raises(ChangesNotApplied, match="quota-exceeded: 81045"):
            await api.apply_changes(late)
        assert world.calls_to("POST") == posts
    await api.apply_changes(Changes(delete=(await api.records())[:1]))
    await api.apply_changes(late)
    assert "late.example.com" in world.records()


async def test_a_block_of_five_minutes_fails_requests_quickly_instead_of_queueing_them(world: Cloudflare) -> None:
    api = service_on(world)
    await api.apply_changes(Changes(create=apps(1)))
    world.emulator.log.clear()
    world.emulator.state = world.emulator.state.with_behaviour(rate_quota=0)
    start = world.emulator.clock.now()
    for _ in range(50):
        with pytest.raises(TemporaryFailure, match=r"429|rate limit"):
            await api.records()
    assert world.emulator.clock.now() - start < 1.0
    assert len(world.calls) < 8
    world.emulator.state = world.emulator.state.with_behaviour(rate_quota=1200)
    await world.emulator.clock.sleep(300)
    assert len(await api.records()) == 1


async def test_an_outage_is_answered_within_the_timeout_and_ends_by_itself(world: Cloudflare) -> None:
    api = service_on(world)
    world.emulator.arm(Respond(status=502, body="", times=0))
    start = world.emulator.clock.now()
    with pytest.raises(TemporaryFailure, match="502"):
        await api.records()
    assert world.emulator.clock.now() - start <= TIMEOUT
    world.emulator.script = ()
    assert await api.records() == ()


async def test_we_never_exceed_cloudflares_rate_limit(world: Cloudflare) -> None:
    for _ in range(1300):
        await world.tunnels.load(BLUE)
    assert {call.status for call in world.emulator.log} == {200}


async def test_a_token_file_is_rotated_without_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(API_TOKEN)
    async with cloudflare(Emulator(seed()), credentials=ApiTokenFile(path)) as world:
        api = service_on(world)
        await api.apply_changes(Changes(create=apps(1)))
        rotated = Token("rotated0token")
        world.emulator.state = replace(world.emulator.state, tokens={rotated.secret: rotated})
        with pytest.raises(PermanentFailure):
            await api.records()
        path.write_text(rotated.secret)
        assert len(await api.records()) == 1
        assert ZONE in await world.zones.zones()
