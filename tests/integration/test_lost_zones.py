"""A zone that is deleted, hidden or refused harms no other zone, and what concerns it is said; few zones are read."""

import json
import logging
from collections.abc import Callable, Iterator

import pytest
from msgspec.structs import replace

from doubles.cloudflare_adapters import Cloudflare, cloudflare
from doubles.emulator import API_TOKEN, BLUE, Emulator, Record, Respond, State, Token, seed, zone_id
from tunnel_webhook.application import TunnelService
from tunnel_webhook.domain.dns import RecordBatch, Zone
from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.domain.external_dns.domain_filter import DomainFilter
from tunnel_webhook.domain.external_dns.endpoint import Changes
from tunnel_webhook.domain.external_dns.policy import Policy, Tunnel
from tunnel_webhook.ports import ChangesNotApplied, PermanentFailure, TemporaryFailure
from vocabulary.builders import claim, endpoint, service

pytestmark = pytest.mark.anyio

GOOD, LOST = Zone("a.example", zone_id("a.example")), Zone("b.example", zone_id("b.example"))
TEN_MINUTES = 600.0
BOTH = seed([GOOD.name, LOST.name])


@pytest.fixture(autouse=True)
def _info(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.INFO):
        yield


def marked(name: str) -> Record:
    record = claim(name)
    return Record(record.name, record.type, record.content, proxied=True, comment=record.comment)


CLAIMED = BOTH.with_records(GOOD.name, marked("app.a.example")).with_records(LOST.name, marked("app.b.example"))


def without(state: State, zone: Zone) -> State:
    """Return a state without a zone."""
    return replace(state, zones={key: value for key, value in state.zones.items() if key != zone.id})


def refused(state: State, zone: Zone) -> State:
    """Return a state in which our token may not touch the records of a zone, which it still sees."""
    others = tuple(key for key in state.zones if key != zone.id)
    grants = dict(state.tokens[API_TOKEN].grants) | {"dns write": others, "dns read": others}
    return state.with_token(replace(state.tokens[API_TOKEN], grants=grants))


def hidden(state: State, zone: Zone) -> State:
    """Return a state in which our token does not see a zone."""
    others = tuple(key for key in state.zones if key != zone.id)
    return state.with_token(Token(API_TOKEN, {"zone read": others, "dns write": others, "tunnel write": ("*",)}))


def service_on(world: Cloudflare) -> TunnelService:
    return service(world.tunnels, world.zones, Policy((Tunnel(BLUE, "blue"),)))


async def names(world: Cloudflare) -> list[str]:
    return [record.name for records in (await world.zones.load()).values() for record in records]


@pytest.mark.parametrize("lose", [without, hidden], ids=["deleted", "no longer visible"])
async def test_a_zone_that_is_gone_is_left_out_at_once_and_named(
    lose: Callable[[State, Zone], State], caplog: pytest.LogCaptureFixture
) -> None:
    async with cloudflare(Emulator(CLAIMED)) as world:
        assert await names(world) == ["app.a.example", "app.b.example"]
        world.emulator.state = lose(CLAIMED, LOST)
        assert await names(world) == ["app.a.example"]
        assert await world.zones.zones() == (GOOD,)
        assert await names(world) == ["app.a.example"]
    (line,) = [line for line in caplog.messages if "gone" in line]
    assert "b.example" in line


async def test_a_zone_without_claims_that_is_deleted_disappears_with_the_next_list_of_zones() -> None:
    async with cloudflare(Emulator(BOTH)) as world:
        await world.zones.load()
        world.emulator.state = without(BOTH, LOST)
        await world.emulator.clock.sleep(TEN_MINUTES)
        assert await world.zones.zones() == (GOOD,)
        await world.zones.load()


async def test_of_a_zone_whose_records_are_refused_the_claims_last_believed_are_reported(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with cloudflare(Emulator(CLAIMED)) as world:
        before = await world.zones.load()
        world.emulator.state = refused(CLAIMED, LOST)
        for _ in range(3):
            assert await world.zones.load() == before
        world.emulator.state = CLAIMED
        assert await world.zones.load() == before
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 1
    assert "zone b.example" in errors[0]
    assert "reported as they were last read" in errors[0]
    assert [line for line in caplog.messages if "can be read again" in line]


async def test_a_zone_that_stays_refused_costs_one_call_per_load() -> None:
    async with cloudflare(Emulator(CLAIMED)) as world:
        await world.zones.load()
        world.emulator.state = refused(CLAIMED, LOST)
        await world.zones.load()
        before = len(world.calls)
        await world.zones.load()
        assert len(world.calls) - before == 2


async def test_a_zone_that_was_never_read_and_is_refused_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    async with cloudflare(Emulator(refused(CLAIMED, LOST))) as world:
        for _ in range(3):
            assert await names(world) == ["app.a.example"]
        assert await world.zones.zones() == (GOOD, LOST)
    (line,) = [line for line in caplog.messages if "left out" in line]
    assert "zone b.example" in line


async def test_writes_to_a_refused_zone_fail_alone() -> None:
    async with cloudflare(Emulator(CLAIMED)) as world:
        api = service_on(world)
        await api.records()
        world.emulator.state = refused(CLAIMED, LOST)
        created = tuple(endpoint(f"new.{zone.name}", "http://app:80") for zone in (GOOD, LOST))
        with pytest.raises(ChangesNotApplied) as caught:
            await api.apply_changes(Changes(create=created))
        (rejection,) = caught.value.rejections
        assert (rejection.hostname, rejection.reason) == ("new.b.example", Reason.REFUSED)
        assert "zone b.example" in rejection.sentence
        assert "new.a.example" in world.records(GOOD)
        assert "new.b.example" not in world.emulator.state.document(BLUE)
        assert {each.dns_name for each in await api.records()} == {"app.a.example", "new.a.example", "app.b.example"}


async def test_a_hostname_that_cannot_be_released_is_still_reported_and_released_later() -> None:
    async with cloudflare(Emulator(CLAIMED)) as world:
        api = service_on(world)
        await api.apply_changes(Changes(create=(endpoint("app.b.example", "http://app:80"),)))
        world.emulator.state = refused(world.emulator.state, LOST)
        deleted = tuple(each for each in await api.records() if each.dns_name == "app.b.example")
        with pytest.raises(ChangesNotApplied):
            await api.apply_changes(Changes(delete=deleted))
        assert "app.b.example" in {each.dns_name for each in await api.records()}
        world.emulator.state = replace(world.emulator.state, tokens=CLAIMED.tokens)
        await api.records()
        await api.apply_changes(Changes(delete=deleted))
        assert not world.records(LOST)
        assert "app.b.example" not in world.emulator.state.document(BLUE)


async def test_credentials_that_can_read_no_zone_at_all_are_a_failure_every_time() -> None:
    state = refused(seed([LOST.name]), LOST)
    async with cloudflare(Emulator(state)) as world:
        for _ in range(3):
            with pytest.raises(PermanentFailure, match=r"cannot list records \(zone b\.example\)"):
                await world.zones.load()


@pytest.mark.parametrize("status", [429, 500, 502, 503])
async def test_a_zone_that_cannot_be_read_for_the_moment_is_still_a_failure_of_the_whole_load(status: int) -> None:
    async with cloudflare(Emulator(CLAIMED)) as world:
        await world.zones.load()
        world.emulator.arm(Respond(path=LOST.id, status=status, body="", times=0))
        with pytest.raises(TemporaryFailure):
            await world.zones.load()
        assert len(world.calls) < 20


@pytest.mark.parametrize(("status", "code"), [(403, 10000), (404, 1001), (400, 7003), (403, 9109), (404, 7003)])
async def test_one_false_refusal_changes_nothing(status: int, code: int) -> None:
    body = json.dumps({"success": False, "errors": [{"code": code, "message": "no"}]})
    async with cloudflare(Emulator(CLAIMED)) as world:
        before = await world.zones.load()
        world.emulator.arm(Respond(path=f"{LOST.id}/dns_records", status=status, body=body))
        assert await world.zones.load() == before
        await world.zones.save(LOST, RecordBatch(posts=(claim("new.b.example"),)))


async def test_one_false_refusal_of_a_zone_id_is_not_a_missing_zone() -> None:
    body = json.dumps({"success": False, "errors": [{"code": 1001, "message": "no"}]})
    async with cloudflare(Emulator(CLAIMED), zone_ids=(GOOD.id, LOST.id)) as world:
        world.emulator.arm(Respond(path=f"^/zones/{LOST.id}$", status=404, body=body))
        with pytest.raises(TemporaryFailure, match="refused, then answered"):
            await world.zones.zones()
        assert await world.zones.zones() == (GOOD, LOST)


async def test_of_two_thousand_zones_only_the_one_in_the_domain_filter_is_read() -> None:
    zones = [f"zone{number}.example" for number in range(2000)]
    state = seed(zones).with_records("zone7.example", marked("app.zone7.example"))
    domain_filter = DomainFilter.parse(["zone7.example"])
    async with cloudflare(Emulator(state), domain_filter=domain_filter) as world:
        start = world.emulator.clock.now()
        assert [record.name for record in (await world.zones.load())[Zone(zones[7], zone_id(zones[7]))]]
        assert world.emulator.clock.now() - start < 1.0
        assert world.calls_to("GET", "dns_records") == 1
        await world.emulator.clock.sleep(TEN_MINUTES)
        await world.zones.load()
        assert world.calls_to("GET", "dns_records") == 2


async def test_without_a_filter_two_thousand_zones_are_answered_for_at_once() -> None:
    zones = [f"zone{number:04}.example" for number in range(2000)]
    hostnames = [f"app.{zone}" for zone in zones[::25]]
    rules = [{"hostname": name, "service": "http://app:80"} for name in hostnames]
    state = seed(zones).with_document(BLUE, json.dumps({"ingress": [*rules, {"service": "http_status:404"}]}))
    for name in hostnames:
        state = state.with_records(name.removeprefix("app."), marked(name))
    async with cloudflare(Emulator(state)) as world:
        api, start = service_on(world), world.emulator.clock.now()
        assert [each.dns_name for each in await api.records()] == hostnames
        assert world.emulator.clock.now() - start < 1.0


async def test_without_a_filter_every_zone_is_read_in_the_end_and_never_too_fast() -> None:
    zones = [f"zone{number:03}.example" for number in range(300)]
    state = seed(zones).with_records(zones[-1], marked(f"app.{zones[-1]}"))
    async with cloudflare(Emulator(state)) as world:
        api = service_on(world)
        for _ in range(6):
            await api.records()
            await world.emulator.clock.sleep(60.0)
        assert [each.dns_name for each in await api.records()] == [f"app.{zones[-1]}"]
        assert all(world.calls_to("GET", zone_id(zone)) for zone in zones)
        assert {call.status for call in world.emulator.log} == {200}
