"""Zones and their records through the Cloudflare adapter: which are read, how often, and what may go wrong."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import pytest
from msgspec.structs import replace

from doubles.cloudflare_adapters import ZONE, Cloudflare, cloudflare
from doubles.emulator import (
    ACCOUNT,
    API_TOKEN,
    BLUE,
    GREEN,
    Account,
    Distort,
    Drop,
    Emulator,
    Intervention,
    Record,
    Respond,
    State,
    Token,
    seed,
    zone_id,
)
from doubles.emulator import Zone as EmulatedZone
from tunnel_webhook.domain.dns import DnsRecord, RecordBatch, Zone
from tunnel_webhook.ports import PermanentFailure, TemporaryFailure
from vocabulary.builders import claim

pytestmark = pytest.mark.anyio

OTHER_ACCOUNT = "00000000000000000000000000000001"
TEN_MINUTES = 600.0


def marked(name: str) -> Record:
    """Return a claim as Cloudflare holds it."""
    record = claim(name)
    return Record(record.name, record.type, record.content, proxied=True, comment=record.comment)


def emulated(state: State) -> Emulator:
    return Emulator(state)


@pytest.fixture
async def world() -> AsyncIterator[Cloudflare]:
    """Yield the adapters on a zone with a claim and two bystanders."""
    by_hand = Record(
        "by-hand.example.com", "CNAME", f"{BLUE}.cfargotunnel.com", proxied=True, comment="heritage=tunnel-webhooks"
    )
    state = seed().with_records(
        "example.com", marked("app.example.com"), by_hand, Record("mail.example.com", "TXT", "x")
    )
    async with cloudflare(emulated(state)) as adapters:
        yield adapters


def names(records: Mapping[Zone, tuple[DnsRecord, ...]]) -> list[str]:
    """Return the names of the records that were loaded from example.com."""
    return [record.name for record in records[ZONE]]


async def advance(world: Cloudflare, seconds: float) -> None:
    await world.emulator.clock.sleep(seconds)


async def test_only_marked_records_are_requested_and_returned(world: Cloudflare) -> None:
    assert names(await world.zones.load()) == ["app.example.com"]
    assert world.calls_to("GET", "comment.startswith=heritage%3Dtunnel-webhook") + world.calls_to(
        "GET", "comment.startswith=heritage=tunnel-webhook"
    )


async def test_records_are_listed_by_name_in_the_largest_pages(world: Cloudflare) -> None:
    await world.zones.load()
    (listing,) = [line for line in world.calls if "/dns_records?" in line]
    assert "order=name" in listing
    assert "per_page=5000" in listing


async def test_a_zone_in_full_is_read_once(world: Cloudflare) -> None:
    records = await world.zones.load(in_full=frozenset({ZONE}))
    assert names(records) == ["app.example.com", "by-hand.example.com", "mail.example.com"]
    assert world.calls_to("GET", "dns_records") == 1


async def test_a_steady_state_is_one_call_for_the_zone_and_one_for_the_tunnel(world: Cloudflare) -> None:
    await world.zones.load()
    await world.tunnels.load(BLUE)
    before = len(world.calls)
    await world.zones.zones()
    await world.zones.load()
    await world.tunnels.load(BLUE)
    assert len(world.calls) - before == 2


async def test_zones_are_read_in_portions_at_the_start_and_every_ten_minutes() -> None:
    zones = [f"zone{number}.example" for number in range(120)]
    state = seed(zones).with_records("zone7.example", marked("app.zone7.example"))
    async with cloudflare(emulated(state)) as world:
        for pause in (TEN_MINUTES, 0.0):
            sweeps = [await world.zones.load() for _ in range(4)]
            assert set().union(*sweeps) == set(await world.zones.zones())
            assert {zone.name for zone in sweeps[-1]} == {"zone7.example"}
            await advance(world, pause)
        assert world.calls_to("GET", "dns_records") <= 2 * (120 + 4)


async def test_a_zone_that_rules_name_is_read_before_any_other() -> None:
    zones = [f"zone{number:03}.example" for number in range(120)]
    state = seed(zones).with_records("zone099.example", marked("app.zone099.example"))
    async with cloudflare(emulated(state)) as world:
        named = Zone("zone099.example", zone_id("zone099.example"))
        loaded = await world.zones.load(named=frozenset({named}))
        assert [record.name for record in loaded[named]] == ["app.zone099.example"]
        assert len(loaded) == 51


async def test_a_claim_that_appears_in_another_zone_is_seen_after_ten_minutes_and_then_every_time() -> None:
    async with cloudflare(emulated(seed(["a.example", "b.example"]))) as world:
        await world.zones.load()
        world.emulator.state = world.emulator.state.with_records("b.example", marked("app.b.example"))
        assert await world.zones.load() == {}
        await advance(world, TEN_MINUTES)
        assert [zone.name for zone, records in (await world.zones.load()).items() if records] == ["b.example"]
        assert [zone.name for zone in await world.zones.load()] == ["b.example"]


async def test_a_zone_that_was_written_to_is_read_from_then_on() -> None:
    async with cloudflare(emulated(seed())) as world:
        await world.zones.load()
        assert await world.zones.load() == {}
        await world.zones.save(ZONE, RecordBatch(posts=(claim("app.example.com"),)))
        assert names(await world.zones.load()) == ["app.example.com"]


async def test_a_large_zone_is_read_completely_page_by_page() -> None:
    records = [marked("app.example.com"), *(Record(f"r{n}.example.com", "A", "192.0.2.1") for n in range(5000))]
    async with cloudflare(emulated(seed().with_records("example.com", *records))) as world:
        loaded = await world.zones.load(in_full=frozenset({ZONE}))
        assert len(loaded[ZONE]) == 5001
        assert world.calls_to("GET", "dns_records") == 2


async def test_records_that_are_created_between_two_pages_are_noticed() -> None:
    records = [marked("app.example.com"), *(Record(f"r{n}.example.com", "A", "192.0.2.1") for n in range(5000))]
    async with cloudflare(emulated(seed().with_records("example.com", *records))) as world:
        late = Record("a-late.example.com", "A", "192.0.2.2")
        world.emulator.arm(
            Intervention(path="dns_records", nth=2, change=lambda state: state.with_records("example.com", late))
        )
        loaded = await world.zones.load(in_full=frozenset({ZONE}))
        assert len(loaded[ZONE]) == 5002
        assert world.calls_to("GET", "dns_records") == 4


async def test_a_listing_may_lack_total_pages(world: Cloudflare) -> None:
    world.emulator.state = world.emulator.state.with_behaviour(total_pages=False)
    assert len(await world.zones.zones()) == 1
    assert names(await world.zones.load()) == ["app.example.com"]


@pytest.mark.parametrize(("count", "seconds"), [(1, 1.0), (8, 1.0), (9, 2.0), (20, 3.0)])
async def test_eight_zones_are_read_at_once(count: int, seconds: float) -> None:
    async with cloudflare(emulated(seed([f"zone{number}.example" for number in range(count)]))) as world:
        world.emulator.state = world.emulator.state.with_behaviour(latency=1.0)
        await world.zones.zones()
        start = world.emulator.clock.now()
        await world.zones.load()
        assert world.emulator.clock.now() - start == pytest.approx(seconds)


async def test_one_zone_that_cannot_be_read_is_a_failure_and_never_a_partial_result() -> None:
    async with cloudflare(emulated(seed(["a.example", "b.example"]))) as world:
        world.emulator.arm(Drop(path=zone_id("b.example"), times=0))
        with pytest.raises(TemporaryFailure, match=r"cannot list records \(zone b\.example\)"):
            await world.zones.load()


async def test_more_than_fifty_zones_are_listed_by_name() -> None:
    async with cloudflare(emulated(seed([f"zone{number}.example" for number in range(120)]))) as world:
        zones = await world.zones.zones()
        assert len(zones) == 120
        assert list(zones) == sorted(zones)
        assert world.calls_to("GET", "order=name") == 3


async def test_the_list_of_zones_is_kept_for_ten_minutes(world: Cloudflare) -> None:
    for _ in range(3):
        await world.zones.zones()
    await advance(world, TEN_MINUTES - 1)
    await world.zones.zones()
    assert world.calls_to("GET", "/zones?order=name") == 1
    await advance(world, 1)
    await world.zones.zones()
    assert world.calls_to("GET", "/zones?order=name") == 2


async def test_concurrent_callers_share_one_list_of_zones() -> None:
    async with cloudflare(emulated(seed().with_behaviour(latency=0.1)), account="") as world:
        await asyncio.gather(world.zones.load(), world.tunnels.load(BLUE), world.tunnels.load(GREEN))
        assert world.calls_to("GET", "/zones?order=name") == 1


async def test_the_name_of_a_zone_is_lower_case_however_it_is_listed() -> None:
    listed = EmulatedZone(zone_id("example.org"), "Example.ORG", ACCOUNT)
    async with cloudflare(emulated(seed([]).with_zone(listed))) as world:
        assert await world.zones.zones() == (Zone("example.org", listed.id),)


async def test_a_zone_that_has_been_removed_is_no_longer_read(world: Cloudflare) -> None:
    await world.zones.load()
    world.emulator.state = replace(world.emulator.state, zones={})
    await advance(world, TEN_MINUTES)
    assert await world.zones.load() == {}


async def test_only_the_zones_of_the_account_are_used_if_it_is_set() -> None:
    foreign = EmulatedZone(zone_id("foreign.example"), "foreign.example", OTHER_ACCOUNT)
    state = replace(
        seed().with_zone(foreign), accounts={ACCOUNT: Account(ACCOUNT), OTHER_ACCOUNT: Account(OTHER_ACCOUNT)}
    )
    async with cloudflare(emulated(state)) as world:
        assert [zone.name for zone in await world.zones.zones()] == ["example.com"]
    async with cloudflare(emulated(state), account="") as world:
        assert [zone.name for zone in await world.zones.zones()] == ["example.com", "foreign.example"]
        with pytest.raises(PermanentFailure, match=r"in 2 accounts .* set CLOUDFLARE_ACCOUNT_ID"):
            await world.tunnels.load(BLUE)


async def test_without_zones_the_account_must_be_set() -> None:
    async with cloudflare(emulated(seed([])), account="") as world:
        assert await world.zones.zones() == ()
        with pytest.raises(PermanentFailure, match="no zone with an account: set CLOUDFLARE_ACCOUNT_ID"):
            await world.tunnels.load(BLUE)


async def test_of_two_zones_with_one_name_the_active_one_is_used() -> None:
    moved = EmulatedZone("0" * 32, "example.com", ACCOUNT, status="moved")
    async with cloudflare(emulated(seed().with_zone(moved))) as world:
        assert await world.zones.zones() == (ZONE,)


async def test_a_zone_scoped_token_sees_its_zones() -> None:
    token = Token(API_TOKEN, {"zone read": (zone_id("b.example"),), "dns write": (zone_id("b.example"),)})
    async with cloudflare(emulated(seed(["a.example", "b.example"]).with_token(token))) as world:
        assert [zone.name for zone in await world.zones.zones()] == ["b.example"]


async def test_the_failure_of_a_zone_scoped_token_that_may_not_list_zones_names_the_setting_that_helps() -> None:
    token = Token(API_TOKEN, {"zone read": (ZONE.id,), "dns write": (ZONE.id,)})
    state = seed().with_token(token).with_behaviour(zone_scoped_list="refused")
    async with cloudflare(emulated(state)) as world:
        with pytest.raises(PermanentFailure, match=r"name the zones in CLOUDFLARE_ZONE_IDS \(Cloudflare: 403, 0: "):
            await world.zones.zones()
    async with cloudflare(emulated(state), zone_ids=(ZONE.id,)) as world:
        assert await world.zones.zones() == (ZONE,)
        assert world.calls == [f"GET /zones/{ZONE.id}"]


async def test_a_zone_id_that_does_not_exist_is_named_once_and_keeps_no_other_zone_from_being_used(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with cloudflare(emulated(seed()), zone_ids=(ZONE.id, "f" * 32)) as world:
        for _ in range(3):
            assert await world.zones.zones() == (ZONE,)
            await advance(world, TEN_MINUTES)
    (line,) = [line for line in caplog.messages if "f" * 32 in line]
    assert f"cannot read zone (CLOUDFLARE_ZONE_IDS {'f' * 32})" in line
    assert "the zone is left out" in line


async def test_zone_ids_of_which_none_exists_are_a_permanent_failure() -> None:
    async with cloudflare(emulated(seed()), zone_ids=("e" * 32, "f" * 32)) as world:
        with pytest.raises(PermanentFailure, match=rf"cannot read zone \(CLOUDFLARE_ZONE_IDS {'e' * 32}\)"):
            await world.zones.zones()


async def test_an_account_owned_token_works_since_no_user_endpoint_is_asked() -> None:
    token = Token(API_TOKEN, account=ACCOUNT)
    async with cloudflare(emulated(seed().with_token(token)), account="") as world:
        await world.zones.load()
        await world.tunnels.load(BLUE)
        assert not world.calls_to("GET", "/user") + world.calls_to("GET", "/accounts?")


@pytest.mark.parametrize("status", ["disabled", "expired"])
async def test_a_token_that_is_no_longer_valid_is_a_permanent_failure(status: str, world: Cloudflare) -> None:
    token = replace(world.emulator.state.tokens[API_TOKEN], status=status)
    world.emulator.state = world.emulator.state.with_token(token)
    with pytest.raises(PermanentFailure, match="the API token was revoked"):
        await world.zones.load()
    assert len(world.calls) == 1


async def test_a_record_with_only_the_required_fields_is_read(world: Cloudflare) -> None:
    bare = '{"success":true,"result":[{"id":"1","name":"odd.example.com","type":"X"}]}'
    world.emulator.state = seed()
    await world.zones.load()
    world.emulator.arm(Respond(path="dns_records", status=200, body=bare))
    assert names(await world.zones.load(in_full=frozenset({ZONE}))) == ["odd.example.com"]


async def test_garbage_instead_of_records_is_a_failure_and_never_an_empty_zone(world: Cloudflare) -> None:
    for fault in (
        Distort(path="dns_records", body="[]"),
        Respond(path="dns_records", status=200, body='{"success":true}'),
    ):
        world.emulator.arm(fault)
        with pytest.raises(TemporaryFailure):
            await world.zones.load()
