"""False lists of zones and records: one at a time, at each reading, in every form in which absence can be feigned."""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from itertools import product

import pytest
from msgspec.structs import replace

from doubles.cloudflare_adapters import ZONE, Cloudflare, cloudflare
from doubles.emulator import BLUE, Distort, Emulator, Fault, Intervention, Record, Respond, seed, zone_id
from tunnel_webhook.application import TunnelService
from tunnel_webhook.domain.dns import RecordBatch, Zone
from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint
from tunnel_webhook.domain.external_dns.policy import Policy, Tunnel
from tunnel_webhook.ports import ChangesNotApplied, Failure, TemporaryFailure
from vocabulary.builders import claim, endpoint, service
from vocabulary.world import DOCUMENT

pytestmark = pytest.mark.anyio

TEN_MINUTES = 600.0
EMPTY = '{"success":true,"errors":[],"messages":[],"result":[],"result_info":{"page":1,"count":0,"total_count":0}}'
OTHER = Zone("example.net", zone_id("example.net"))


def refusal(status: int, code: int) -> tuple[int, str]:
    """Return the status and the body of an answer that refuses."""
    body = {"success": False, "errors": [{"code": code, "message": "no"}], "messages": [], "result": None}
    return status, json.dumps(body)


LIES: Mapping[str, tuple[int, str]] = {
    "empty": (200, EMPTY),
    "404": refusal(404, 1001),
    "404 as of a wrong path": refusal(404, 7003),
    "403 as of a missing permission": refusal(403, 10000),
    "403 as of a revoked token": refusal(403, 9109),
    "400 as of a wrong id": refusal(400, 7003),
    "a body of another kind": (200, "[]"),
}


def answer_falsely(lie: str, path: str, nth: int = 1) -> Respond:
    """Return the fault of a false answer to the nth reading."""
    status, body = LIES[lie]
    return Respond(method="GET", path=path, nth=nth, status=status, body=body)


def marked(name: str) -> Record:
    record = claim(name)
    return Record(record.name, record.type, record.content, proxied=True, comment=record.comment)


def apps(*names: str) -> tuple[Endpoint, ...]:
    return tuple(endpoint(f"{name}.example.com", "http://app:80") for name in names)


Step = Callable[[TunnelService, Cloudflare], Awaitable[None]]


async def read(api: TunnelService, world: Cloudflare) -> None:
    """Compare what is reported with what is there: never less, never more."""
    reported = {each.dns_name for each in await api.records()}
    assert reported == {name for name, record in world.records().items() if record.comment.startswith("heritage")}


def change(**changes: tuple[Endpoint, ...]) -> Step:
    async def apply(api: TunnelService, _: Cloudflare) -> None:
        await api.apply_changes(Changes(**changes))

    return apply


async def wait(_: TunnelService, world: Cloudflare) -> None:
    await world.emulator.clock.sleep(TEN_MINUTES)


SYNCS: tuple[Step, ...] = (
    read,
    change(create=apps("a", "b")),
    read,
    wait,
    read,
    change(delete=apps("a")),
    read,
    change(create=apps("c")),
    read,
)


async def sync(*faults: Fault) -> Cloudflare:
    """Run all syncs, each step repeated once if a port failed, and return the account as they leave it."""
    by_hand = Record("by-hand.example.com", "CNAME", f"{BLUE}.cfargotunnel.com", proxied=True)
    state = seed(["example.com", "example.net"]).with_records("example.com", marked("old.example.com"), by_hand)
    async with cloudflare(Emulator(state.with_document(BLUE, DOCUMENT))) as world:
        api = service(world.tunnels, world.zones, Policy((Tunnel(BLUE, "blue"),)))
        world.emulator.arm(*faults)
        for step in SYNCS:
            try:
                await step(api, world)
            except (Failure, ChangesNotApplied):
                await step(api, world)
        return world


def lists(world: Cloudflare) -> list[str]:
    return [line for line in world.calls if re.match(r"GET /zones(\?|/\w+/dns_records\?)", line)]


@pytest.mark.parametrize("path", [r"^/zones$", "dns_records$"], ids=["zones", "records"])
@pytest.mark.parametrize("lie", LIES)
async def test_no_single_false_list_shortens_a_report_or_changes_what_the_syncs_lead_to(path: str, lie: str) -> None:
    truth = await sync()
    number = sum(bool(re.search(path, line.partition("?")[0].removeprefix("GET "))) for line in lists(truth))
    assert number > 1
    for nth in range(1, number + 1):
        lied = await sync(answer_falsely(lie, path, nth))
        assert lied.emulator.idle == (), f"nothing was struck at {nth}"
        assert lied.emulator.state.document(BLUE) == truth.emulator.state.document(BLUE)
        assert {name: replace_id(record) for name, record in lied.records().items()} == {
            name: replace_id(record) for name, record in truth.records().items()
        }


def replace_id(record: object) -> str:
    """Return what a record says, whatever its id."""
    return re.sub(r"id='\w*'", "", repr(record))


@pytest.mark.parametrize("missing", ["a", "b"])
async def test_a_claim_that_is_missing_once_is_a_temporary_failure_and_never_a_shorter_list(missing: str) -> None:
    state = seed().with_records("example.com", marked("a.example.com"), marked("b.example.com"))
    async with cloudflare(Emulator(state)) as world:
        full = await world.zones.load()
        partial = [
            {"id": record.id, "name": record.name, "type": record.type, "content": record.content}
            | {"proxied": True, "comment": record.comment}
            for record in full[ZONE]
            if not record.name.startswith(missing)
        ]
        body = json.dumps({"success": True, "result": partial, "result_info": {"total_count": 1}})
        world.emulator.arm(Respond(path="dns_records", status=200, body=body))
        with pytest.raises(TemporaryFailure, match=r"zone example\.com.*two lists contradict each other"):
            await world.zones.load()
        assert await world.zones.load() == full


async def test_a_claim_that_a_person_deletes_is_gone_with_the_second_reading_one_second_later() -> None:
    state = seed().with_records("example.com", marked("a.example.com"), marked("b.example.com"))
    async with cloudflare(Emulator(state)) as world:
        await world.zones.load()
        world.emulator.state = seed().with_records("example.com", marked("b.example.com"))
        start, before = world.emulator.clock.now(), len(world.calls)
        assert [record.name for record in (await world.zones.load())[ZONE]] == ["b.example.com"]
        assert world.emulator.clock.now() - start >= 1.0
        first, second = world.calls[before:]
        assert ("comment.startswith" in first, "comment.startswith" in second) == (True, False)
        await world.zones.load()
        assert len(world.calls) == before + 3


@pytest.mark.parametrize("lie", ["by comment", "in full"])
async def test_a_list_that_lies_about_the_same_twice_by_one_query_is_seen_through_by_the_other(lie: str) -> None:
    state = seed().with_records("example.com", marked("a.example.com"))
    async with cloudflare(Emulator(state)) as world:
        full = frozenset({ZONE}) if lie == "in full" else frozenset[Zone]()
        await world.zones.load()
        world.emulator.arm(answer_falsely("empty", "dns_records"))
        with pytest.raises(TemporaryFailure):
            await world.zones.load(in_full=full)
        queries = ["comment.startswith" in line for line in world.calls[-2:]]
        assert queries == ([False, True] if full else [True, False])


async def test_claims_that_this_process_removed_or_unmarked_are_not_looked_for() -> None:
    state = seed().with_records("example.com", *(marked(f"{name}.example.com") for name in "abc"))
    async with cloudflare(Emulator(state)) as world:
        a, b, c = (await world.zones.load())[ZONE]
        unmarked = type(b)(b.name, b.type, b.content, proxied=True, comment="", id=b.id)
        await world.zones.save(ZONE, RecordBatch(deletes=(a,), patches=(unmarked,)))
        before = len(world.calls)
        assert (await world.zones.load())[ZONE] == (c,)
        assert len(world.calls) == before + 1


async def test_claims_that_this_process_wrote_are_looked_for() -> None:
    async with cloudflare(Emulator(seed())) as world:
        await world.zones.load()
        await world.zones.save(ZONE, RecordBatch(posts=(claim("a.example.com"),)))
        world.emulator.arm(answer_falsely("empty", "dns_records"))
        with pytest.raises(TemporaryFailure):
            await world.zones.load()


async def test_the_first_list_of_a_zone_that_rules_name_is_not_empty_on_one_answer_alone() -> None:
    async with cloudflare(Emulator(seed().with_records("example.com", marked("a.example.com")))) as world:
        world.emulator.arm(answer_falsely("empty", "dns_records"))
        with pytest.raises(TemporaryFailure):
            await world.zones.load(named=frozenset({ZONE}))
        assert [record.name for record in (await world.zones.load(named=frozenset({ZONE})))[ZONE]] == ["a.example.com"]


async def test_the_first_list_of_a_zone_that_nothing_names_costs_one_call() -> None:
    async with cloudflare(Emulator(seed())) as world:
        await world.zones.load()
        await world.zones.load(named=frozenset({ZONE}))
        assert world.calls_to("GET", "dns_records") == 1


async def test_a_zone_that_is_missing_from_one_list_is_looked_for_by_its_id() -> None:
    async with cloudflare(Emulator(seed(["example.com", "example.net"]))) as world:
        zones = await world.zones.zones()
        await world.emulator.clock.sleep(TEN_MINUTES)
        world.emulator.arm(answer_falsely("empty", "^/zones$"))
        with pytest.raises(TemporaryFailure, match="two readings contradict each other; the first lacks"):
            await world.zones.zones()
        assert set(world.calls[-2:]) == {f"GET /zones/{ZONE.id}", f"GET /zones/{OTHER.id}"}
        assert await world.zones.zones() == zones


async def test_of_very_many_missing_zones_the_list_is_read_again_instead_of_each_zone() -> None:
    async with cloudflare(Emulator(seed([f"zone{number}.example" for number in range(120)]))) as world:
        await world.zones.zones()
        await world.emulator.clock.sleep(TEN_MINUTES)
        before = len(world.calls)
        world.emulator.arm(answer_falsely("empty", "^/zones$"))
        with pytest.raises(TemporaryFailure):
            await world.zones.zones()
        assert len(world.calls) - before < 8
        assert len(await world.zones.zones()) == 120


async def test_a_list_without_any_zone_is_read_twice_and_never_kept() -> None:
    async with cloudflare(Emulator(seed([]))) as world:
        for number in (2, 4):
            assert await world.zones.zones() == ()
            assert world.calls_to("GET", "/zones?") == number
        world.emulator.state = seed()
        assert await world.zones.zones() == (ZONE,)


async def test_a_zone_that_moved_to_another_account_is_gone_though_its_id_still_answers() -> None:
    async with cloudflare(Emulator(seed(["example.com", "example.net"]))) as world:
        await world.zones.zones()
        state = world.emulator.state
        moved = replace(state.zone("example.net"), account="0" * 31 + "1")
        accounts = {**state.accounts, moved.account: replace(next(iter(state.accounts.values())), id=moved.account)}
        world.emulator.state = replace(state.with_zone(moved), accounts=accounts)
        await world.emulator.clock.sleep(TEN_MINUTES)
        assert await world.zones.zones() == (ZONE,)


async def test_a_list_that_breaks_off_is_read_again_and_never_believed_in_part() -> None:
    state = seed().with_records("example.com", marked("a.example.com"))
    for fault in (Distort(path="dns_records", keep=40), Distort(path="dns_records", cut=40)):
        async with cloudflare(Emulator(state)) as world:
            full = await world.zones.load()
            world.emulator.arm(fault)
            try:
                assert await world.zones.load() == full
            except TemporaryFailure:
                assert await world.zones.load() == full


async def test_lies_of_two_kinds_at_once_are_not_a_shorter_list_either() -> None:
    state = seed(["example.com", "example.net"]).with_records("example.com", marked("a.example.com"))
    for zones, records in product(LIES, LIES):
        async with cloudflare(Emulator(state)) as world:
            full = await world.zones.load()
            await world.emulator.clock.sleep(TEN_MINUTES)
            world.emulator.arm(answer_falsely(zones, "^/zones$"), answer_falsely(records, "dns_records"))
            try:
                found = (await world.zones.load())[ZONE]
            except Failure:
                continue
            assert found == full[ZONE]


@pytest.mark.parametrize("lying", [1, 2], ids=["the first reading", "the second reading"])
async def test_a_first_list_of_zones_that_is_false_in_part_is_not_believed(lying: int) -> None:
    state = seed(["example.com", "sub.example.com"])
    async with cloudflare(Emulator(state)) as world:
        only_parent = state.with_zone(state.zone("example.com"))
        partial = replace(only_parent, zones={zone_id("example.com"): state.zone("example.com")})
        world.emulator.arm(Intervention(path="/zones$", nth=lying, change=lambda _: partial))
        world.emulator.arm(Intervention(path="/zones$", nth=lying + 1, change=lambda _: state))
        with pytest.raises(TemporaryFailure, match="one reading shows"):
            await world.zones.zones()
        world.emulator.state, world.emulator.script = state, ()
        assert [zone.name for zone in await world.zones.zones()] == ["example.com", "sub.example.com"]
