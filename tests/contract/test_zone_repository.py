"""The contract of ZoneRepository: one suite, every adapter."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from doubles.cloudflare_adapters import cloudflare
from doubles.emulator import Emulator, seed, zone_id
from doubles.side_doors import EmulatorDoor, MemoryDoor, SideDoor
from tunnel_webhook.adapters.memory import InMemoryTunnels, InMemoryZones
from tunnel_webhook.domain.dns import DnsRecord, RecordBatch, Zone, target_of
from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.ports import PermanentFailure, Refusal, ZoneRepository
from vocabulary.builders import BLUE, GREEN, claim, record
from vocabulary.world import RECORDS

pytestmark = pytest.mark.anyio

HOME, OTHER = Zone("example.com", zone_id("example.com")), Zone("example.net", zone_id("example.net"))
APP = claim("app.example.com")
BYSTANDERS = frozenset(RECORDS)


@dataclass(frozen=True, slots=True)
class Examined:
    """The port under examination, and the account behind it."""

    zones: ZoneRepository
    account: SideDoor

    def read(self) -> frozenset[DnsRecord]:
        """Return the records of the zone HOME."""
        return frozenset(self.account.read().records[HOME.name])

    def write(self, *records: DnsRecord) -> None:
        """Replace the records of the zone HOME as another writer would."""
        self.account.write(self.account.read().with_records(HOME.name, records))


@asynccontextmanager
async def in_memory() -> AsyncIterator[Examined]:
    zones = InMemoryZones({HOME: {}, OTHER: {}})
    yield Examined(zones, MemoryDoor(InMemoryTunnels({}), zones))


@asynccontextmanager
async def at_cloudflare() -> AsyncIterator[Examined]:
    emulator = Emulator(seed([HOME.name, OTHER.name], plan="free"))
    async with cloudflare(emulator) as adapters:
        yield Examined(adapters.zones, EmulatorDoor(lambda: emulator.state, emulator.seed))


@pytest.fixture(params=[in_memory, at_cloudflare], ids=["memory", "cloudflare"])
async def examined(request: pytest.FixtureRequest) -> AsyncIterator[Examined]:
    """Yield the port under examination, with a claim and bystanders in one zone."""
    async with request.param() as opened:
        opened.write(APP, *BYSTANDERS)
        yield opened


def new(name: str, tunnel: str = BLUE) -> DnsRecord:
    """Return a claim that is not stored yet."""
    return replace(claim(name, tunnel), id="")


def written(examined: Examined) -> dict[str, DnsRecord]:
    """Return the records in the zone by name, less the bystanders, which have to be there."""
    stored = examined.read()
    assert stored >= BYSTANDERS
    return {each.name: each for each in stored - BYSTANDERS}


async def test_the_zones_are_sorted_by_name(examined: Examined) -> None:
    assert await examined.zones.zones() == (HOME, OTHER)


async def test_only_marked_records_are_loaded(examined: Examined) -> None:
    loaded = await examined.zones.load()
    assert {zone: found for zone, found in loaded.items() if found} == {HOME: (APP,)}


async def test_of_a_zone_in_full_all_records_are_loaded(examined: Examined) -> None:
    loaded = await examined.zones.load(in_full=frozenset({HOME}))
    assert set(loaded[HOME]) == {APP, *BYSTANDERS}


async def test_a_zone_in_full_without_records_is_there(examined: Examined) -> None:
    assert (await examined.zones.load(in_full=frozenset({OTHER})))[OTHER] == ()


async def test_loading_changes_nothing(examined: Examined) -> None:
    await examined.zones.load(in_full=frozenset({HOME}))
    assert examined.read() == {APP, *BYSTANDERS}


async def test_a_posted_record_is_stored_as_it_is_and_loaded_from_then_on(examined: Examined) -> None:
    post = new("b.example.com")
    assert await examined.zones.save(HOME, RecordBatch(posts=(post,))) == ()
    stored = written(examined)["b.example.com"]
    assert (replace(stored, id=""), bool(stored.id)) == (post, True)
    assert (await examined.zones.load())[HOME] == (APP, stored)


async def test_a_record_that_stands_there_exactly_so_counts_as_written(examined: Examined) -> None:
    assert await examined.zones.save(HOME, RecordBatch(posts=(new("app.example.com"), new("b.example.com")))) == ()
    assert {name: each.id == APP.id for name, each in written(examined).items()} == {
        "app.example.com": True,
        "b.example.com": False,
    }


@pytest.mark.parametrize(
    "neighbour",
    [
        record("b.example.com", "192.0.2.1", "A", uid="9" * 32),
        record("b.example.com", "2001:db8::1", "AAAA", uid="9" * 32),
        record("b.example.com", "elsewhere.example.org", uid="9" * 32),
        record("b.example.com", "ns.example.org", "NS", uid="9" * 32),
        record("b.example.com", target_of(BLUE), proxied=True, uid="9" * 32),
        replace(claim("b.example.com", owner="somebody-else"), id="9" * 32),
        replace(claim("b.example.com", GREEN), id="9" * 32),
    ],
    ids=["A", "AAAA", "CNAME", "NS", "the same CNAME unmarked", "another owner's claim", "our claim to another tunnel"],
)
async def test_a_record_that_cannot_stand_beside_another_is_refused_and_the_rest_is_written(
    examined: Examined, neighbour: DnsRecord
) -> None:
    examined.write(*BYSTANDERS, neighbour)
    refusals = await examined.zones.save(
        HOME, RecordBatch(posts=(new("a.example.com"), new("b.example.com"), new("c.example.com")))
    )
    assert [(refusal.name, refusal.reason) for refusal in refusals] == [("b.example.com", Reason.RECORD_CONFLICT)]
    assert refusals[0].sentence.startswith("8105")
    assert set(written(examined)) == {"a.example.com", "b.example.com", "c.example.com"}
    assert neighbour in examined.read()


async def test_a_record_of_another_kind_may_stand_beside_a_claim(examined: Examined) -> None:
    text = record("b.example.com", "x", "TXT", uid="9" * 32)
    examined.write(*BYSTANDERS, text)
    assert await examined.zones.save(HOME, RecordBatch(posts=(new("b.example.com"),))) == ()
    assert text in examined.read()


async def test_a_patched_record_keeps_its_id_and_its_neighbours(examined: Examined) -> None:
    moved = replace(APP, content=target_of(GREEN), comment=claim("x", owner="other").comment)
    assert await examined.zones.save(HOME, RecordBatch(patches=(moved,))) == ()
    assert written(examined) == {"app.example.com": moved}


async def test_a_record_to_patch_that_is_gone_is_refused_and_the_rest_is_written(examined: Examined) -> None:
    gone = replace(claim("gone.example.com"), id="8" * 32)
    refusals = await examined.zones.save(HOME, RecordBatch(patches=(gone,), posts=(new("b.example.com"),)))
    assert refusals == (Refusal("gone.example.com", Reason.REFUSED, "81044: Record does not exist."),)
    assert set(written(examined)) == {"app.example.com", "b.example.com"}


async def test_a_deleted_record_is_gone_and_nothing_else(examined: Examined) -> None:
    assert await examined.zones.save(HOME, RecordBatch(deletes=(APP,))) == ()
    assert written(examined) == {}


async def test_a_record_to_delete_that_is_gone_already_counts_as_deleted(examined: Examined) -> None:
    gone = replace(claim("gone.example.com"), id="8" * 32)
    assert await examined.zones.save(HOME, RecordBatch(deletes=(gone, APP))) == ()
    assert written(examined) == {}


async def test_a_name_that_is_deleted_can_be_posted_in_the_same_batch(examined: Examined) -> None:
    assert await examined.zones.save(HOME, RecordBatch(deletes=(APP,), posts=(new("app.example.com", GREEN),))) == ()
    (stored,) = written(examined).values()
    assert (stored.tunnel, stored.id == APP.id) == (GREEN, False)


async def test_a_swap_writes_a_record_with_another_id(examined: Examined) -> None:
    swap = RecordBatch(deletes=(APP,), posts=(new("app.example.com"),))
    assert await examined.zones.save(HOME, swap) == ()
    (stored,) = written(examined).values()
    assert (replace(stored, id=""), stored.id == APP.id) == (new("app.example.com"), False)


async def test_a_swap_that_is_refused_deletes_nothing(examined: Examined) -> None:
    swap = RecordBatch(deletes=(APP,), posts=(replace(new("app.example.com"), comment="x" * 101),))
    (refusal,) = await examined.zones.save(HOME, swap)
    assert (refusal.name, refusal.reason) == ("app.example.com", Reason.REFUSED)
    assert written(examined) == {"app.example.com": APP}


async def test_a_swap_of_a_record_that_another_has_swapped_is_refused(examined: Examined) -> None:
    theirs = replace(claim("app.example.com", owner="them"), id="9" * 32)
    examined.write(theirs, *BYSTANDERS)
    swap = RecordBatch(deletes=(APP,), posts=(new("app.example.com"),))
    (refusal,) = await examined.zones.save(HOME, swap)
    assert (refusal.name, refusal.reason) == ("app.example.com", Reason.RECORD_CONFLICT)
    assert written(examined) == {"app.example.com": theirs}


async def test_a_swap_of_a_record_that_another_has_deleted_posts_the_new_one(examined: Examined) -> None:
    examined.write(*BYSTANDERS)
    assert await examined.zones.save(HOME, RecordBatch(deletes=(APP,), posts=(new("app.example.com"),))) == ()
    assert set(written(examined)) == {"app.example.com"}


async def test_one_refused_swap_keeps_no_other_write_from_happening(examined: Examined) -> None:
    kept, old = (replace(claim(f"{name}.example.com"), id=digit * 32) for name, digit in (("kept", "5"), ("old", "6")))
    swapped = [replace(claim(f"swap{number}.example.com"), id=f"a{number:031x}") for number in range(1, 6)]
    examined.write(*BYSTANDERS, APP, kept, old, *swapped)
    faulty = replace(new("swap3.example.com", GREEN), comment="x" * 101)
    posts = [new(record.name, GREEN) for record in swapped]
    batch = RecordBatch(
        deletes=(old, *swapped),
        patches=(replace(kept, content=target_of(GREEN)),),
        posts=(*posts[:2], faulty, *posts[3:], new("b.example.com")),
    )
    assert [refusal.name for refusal in await examined.zones.save(HOME, batch)] == ["swap3.example.com"]
    assert {name: record.tunnel for name, record in written(examined).items()} == {
        "app.example.com": BLUE,
        "b.example.com": BLUE,
        "kept.example.com": GREEN,
        **{f"swap{number}.example.com": BLUE if number == 3 else GREEN for number in range(1, 6)},
    }


async def test_a_swap_needs_no_room_in_a_full_zone(examined: Examined) -> None:
    examined.account.limit(HOME.name, len(BYSTANDERS) + 1)
    assert await examined.zones.save(HOME, RecordBatch(deletes=(APP,), posts=(new("app.example.com", GREEN),))) == ()
    assert written(examined)["app.example.com"].tunnel == GREEN


async def test_a_swap_that_an_overfull_zone_refuses_keeps_no_patch_from_being_written(examined: Examined) -> None:
    kept = replace(claim("kept.example.com"), id="5" * 32)
    examined.write(*BYSTANDERS, APP, kept)
    examined.account.limit(HOME.name, len(BYSTANDERS))
    batch = RecordBatch(
        deletes=(APP,), patches=(replace(kept, content=target_of(GREEN)),), posts=(new("app.example.com", GREEN),)
    )
    (refusal,) = await examined.zones.save(HOME, batch)
    assert (refusal.name, refusal.reason) == ("app.example.com", Reason.QUOTA_EXCEEDED)
    assert written(examined)["kept.example.com"].tunnel == GREEN
    assert written(examined)["app.example.com"] == APP


async def test_the_time_is_that_at_which_records_are_created(examined: Examined) -> None:
    await examined.zones.save(HOME, RecordBatch(posts=(new("b.example.com"),)))
    (created,) = [record.created for record in (await examined.zones.load())[HOME] if record.name == "b.example.com"]
    assert created is not None
    assert created - 1.0 <= examined.zones.now() <= created + 60.0


async def test_a_full_zone_takes_what_fits_in_order_and_names_the_rest(examined: Examined) -> None:
    examined.account.limit(HOME.name, len(BYSTANDERS) + 3)
    refusals = await examined.zones.save(
        HOME, RecordBatch(posts=tuple(new(f"{letter}.example.com") for letter in "bcdef"))
    )
    assert [(refusal.name, refusal.reason) for refusal in refusals] == [
        (f"{letter}.example.com", Reason.QUOTA_EXCEEDED) for letter in "def"
    ]
    assert set(written(examined)) == {"app.example.com", "b.example.com", "c.example.com"}


async def test_room_that_a_batch_makes_is_room_for_its_posts(examined: Examined) -> None:
    examined.account.limit(HOME.name, len(BYSTANDERS) + 1)
    assert await examined.zones.save(HOME, RecordBatch(deletes=(APP,), posts=(new("b.example.com"),))) == ()
    assert set(written(examined)) == {"b.example.com"}


async def test_a_record_that_is_itself_at_fault_is_refused_and_the_rest_is_written(examined: Examined) -> None:
    long = replace(new("long.example.com"), comment="x" * 101)
    posts = (new("b.example.com"), long, new("c.example.com"))
    refusals = await examined.zones.save(HOME, RecordBatch(patches=(replace(APP, comment="x" * 101),), posts=posts))
    assert [(refusal.name, refusal.reason) for refusal in refusals] == [
        ("app.example.com", Reason.REFUSED),
        ("long.example.com", Reason.REFUSED),
    ]
    assert set(written(examined)) == {"app.example.com", "b.example.com", "c.example.com"}
    assert written(examined)["app.example.com"] == APP


async def test_more_records_than_one_request_takes_are_written_all_the_same(examined: Examined) -> None:
    examined.account.limit(HOME.name, 10_000)
    posts = tuple(new(f"n{number:04}.example.com") for number in range(450))
    assert await examined.zones.save(HOME, RecordBatch(deletes=(APP,), posts=posts)) == ()
    assert set(written(examined)) == {each.name for each in posts}


async def test_an_empty_batch_changes_nothing(examined: Examined) -> None:
    assert await examined.zones.save(HOME, RecordBatch()) == ()
    assert written(examined) == {"app.example.com": APP}


async def test_an_unknown_zone_is_a_permanent_failure(examined: Examined) -> None:
    with pytest.raises(PermanentFailure):
        await examined.zones.save(Zone("example.org", "f" * 32), RecordBatch(posts=(new("b.example.org"),)))
