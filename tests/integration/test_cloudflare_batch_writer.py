"""Writing batches of records to Cloudflare: how few calls it takes, and what happens to refused records."""

import dataclasses
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from doubles.cloudflare_adapters import ZONE, Cloudflare, cloudflare
from doubles.emulator import (
    API_TOKEN,
    BLUE,
    GREEN,
    HTML,
    Distort,
    Drop,
    Emulator,
    Intervention,
    Record,
    Respond,
    Slow,
    State,
    Token,
    seed,
)
from tunnel_webhook.domain.dns import DnsRecord, RecordBatch, target_of
from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.ports import PermanentFailure, Refusal, TemporaryFailure
from vocabulary.builders import claim

pytestmark = pytest.mark.anyio

BATCH = "dns_records/batch"
CONFLICT = "81053: An A, AAAA, or CNAME record with that host already exists."
TAKEN = Record("taken.example.com", "A", "192.0.2.1")


@pytest.fixture
async def world() -> AsyncIterator[Cloudflare]:
    """Yield the adapters on an empty zone on the Free plan that may hold many records."""
    async with cloudflare(Emulator(with_quota(seed(plan="free"), 100_000))) as adapters:
        await adapters.zones.load()
        adapters.emulator.log.clear()
        yield adapters


def with_quota(state: State, quota: int) -> State:
    return state.with_zone(replace(state.zone("example.com"), quota=quota))


def new(name: str, tunnel: str = BLUE) -> DnsRecord:
    """Return a claim that is not stored yet."""
    return dataclasses.replace(claim(name, tunnel), id="")


def to_green(record: DnsRecord) -> DnsRecord:
    """Return a stored record pointed at another tunnel."""
    return dataclasses.replace(record, content=target_of(GREEN))


def refusing(code: int, message: str) -> Respond:
    """Return the fault that refuses one batch."""
    body = f'{{"success":false,"errors":[{{"code":{code},"message":"{message}"}}]}}'
    return Respond(path=BATCH, status=400, body=body)


def posts(count: int, prefix: str = "app") -> tuple[DnsRecord, ...]:
    return tuple(new(f"{prefix}{number:04}.example.com") for number in range(count))


async def with_claims(world: Cloudflare, *names: str) -> list[DnsRecord]:
    """Create claims, clear the log, and return the records as they are stored."""
    await world.zones.save(ZONE, RecordBatch(posts=tuple(new(name) for name in names)))
    world.emulator.log.clear()
    return [world.records()[name] for name in names]


def take(world: Cloudflare, *names: str) -> None:
    """Add an address record for each of these names, as someone else would."""
    world.emulator.state = world.emulator.state.with_records(
        "example.com", *(Record(name, "A", "192.0.2.1") for name in names)
    )


@pytest.mark.parametrize(("count", "calls"), [(1, 1), (200, 1), (201, 2), (1000, 5)])
async def test_two_hundred_creations_are_one_call(world: Cloudflare, count: int, calls: int) -> None:
    assert await world.zones.save(ZONE, RecordBatch(posts=posts(count))) == ()
    assert len(world.records()) == count
    assert len(world.calls) == calls


@pytest.mark.parametrize(("count", "calls"), [(3500, 1), (3501, 2)])
async def test_a_zone_on_a_paid_plan_takes_larger_batches(count: int, calls: int) -> None:
    async with cloudflare(Emulator(seed(plan="enterprise"))) as world:
        await world.zones.zones()
        await world.zones.save(ZONE, RecordBatch(posts=posts(count)))
        assert len(world.records()) == count
        assert world.calls_to("POST", BATCH) == calls


async def test_a_zone_that_refuses_a_batch_of_the_size_that_its_plan_allows_gets_smaller_ones_from_then_on() -> None:
    async with cloudflare(Emulator(with_quota(seed(plan="pro"), 9999))) as world:
        await world.zones.zones()
        downgraded = replace(world.emulator.state.zone("example.com"), plan="free")
        world.emulator.state = world.emulator.state.with_zone(downgraded)
        assert await world.zones.save(ZONE, RecordBatch(posts=posts(1000))) == ()
        assert world.calls_to("POST", BATCH) == 1 + 5
        await world.zones.save(ZONE, RecordBatch(posts=posts(400, "more")))
        assert len(world.records()) == 1400
        assert world.calls_to("POST", BATCH) == 6 + 2


async def test_deletes_go_before_patches_and_patches_before_posts(world: Cloudflare) -> None:
    old, kept = await with_claims(world, "old.example.com", "kept.example.com")
    replacement = new("old.example.com", GREEN)
    assert await world.zones.save(ZONE, RecordBatch((old,), (to_green(kept),), (replacement,))) == ()
    assert {record.name: record.tunnel for record in world.records().values()} == {
        "kept.example.com": GREEN,
        "old.example.com": GREEN,
    }
    assert len(world.calls) == 1


async def test_a_patch_changes_only_what_we_decide() -> None:
    stored = replace(
        Record("app.example.com", "CNAME", "elsewhere.example.net", ttl=300, tags=("team:a",), id="0" * 32),
        settings={"flatten_cname": False},
    )
    async with cloudflare(Emulator(seed().with_records("example.com", stored))) as world:
        patch = dataclasses.replace(claim("app.example.com"), id=stored.id)
        assert await world.zones.save(ZONE, RecordBatch(patches=(patch,))) == ()
        patched = world.emulator.state.zones[ZONE.id].records[stored.id]
        assert patched.tags == stored.tags
        assert patched.settings == stored.settings
        assert patched.comment == patch.comment


async def test_conflicts_are_found_by_reading_the_zone_once_and_the_rest_is_written(world: Cloudflare) -> None:
    take(world, "app0003.example.com", "app0100.example.com")
    refusals = await world.zones.save(ZONE, RecordBatch(posts=posts(200)))
    assert [(refusal.name, refusal.reason) for refusal in refusals] == [
        ("app0003.example.com", Reason.RECORD_CONFLICT),
        ("app0100.example.com", Reason.RECORD_CONFLICT),
    ]
    assert refusals[0].sentence == CONFLICT
    assert len(world.records()) == 200
    assert world.methods == ["POST", "GET", "POST"]


async def test_the_same_target_under_the_marker_of_another_owner_is_a_conflict_and_not_called_identical(
    world: Cloudflare,
) -> None:
    theirs = claim("app0000.example.com", owner="someone-else")
    world.emulator.state = world.emulator.state.with_records(
        "example.com", Record(theirs.name, theirs.type, theirs.content, proxied=True, comment=theirs.comment)
    )
    (refusal,) = await world.zones.save(ZONE, RecordBatch(posts=posts(2)))
    assert refusal == Refusal("app0000.example.com", Reason.RECORD_CONFLICT, CONFLICT)
    assert world.records()["app0000.example.com"].comment == theirs.comment


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (81053, "An A, AAAA, or CNAME record with that host already exists."),
        (81054, "A CNAME record with that host already exists."),
        (81057, "The record already exists."),
    ],
)
async def test_a_conflict_is_refused_in_the_words_of_cloudflare(world: Cloudflare, code: int, message: str) -> None:
    take(world, "app0000.example.com")
    world.emulator.arm(refusing(code, message))
    refusals = await world.zones.save(ZONE, RecordBatch(posts=posts(2)))
    assert refusals == (Refusal("app0000.example.com", Reason.RECORD_CONFLICT, f"{code}: {message}"),)


async def test_a_conflict_that_nothing_in_the_zone_explains_is_refused_too(world: Cloudflare) -> None:
    world.emulator.arm(refusing(81053, "said so"))
    assert await world.zones.save(ZONE, RecordBatch(posts=posts(1))) == (
        Refusal("app0000.example.com", Reason.RECORD_CONFLICT, "81053: said so"),
    )


@pytest.mark.parametrize(
    ("faulty", "sentence"),
    [
        (DnsRecord("bad.example.com", "A", "not-an-address", proxied=True, comment="x"), "9005: "),
        (DnsRecord("bad.example.com", "TXT", 'raw " quote', comment="x"), "9207: "),
        (DnsRecord("bad.example.com", "TXT", "x", proxied=True, comment="x"), "9041: "),
        (DnsRecord("bad.example.com", "CNAME", "x.example.net", comment="x" * 101), "9313: "),
    ],
    ids=["9005", "9207", "9041", "9313"],
)
async def test_a_faulty_record_is_found_by_halving_and_named(
    world: Cloudflare, faulty: DnsRecord, sentence: str
) -> None:
    batch = RecordBatch(posts=(*posts(77), faulty, *posts(122, "more")))
    (refusal,) = await world.zones.save(ZONE, batch)
    assert refusal.name == "bad.example.com"
    assert refusal.reason is Reason.REFUSED
    assert refusal.sentence.startswith(sentence)
    assert len(world.records()) == 199
    assert len(world.calls) <= 1 + 2 * 8


def refusing_always(code: int, message: str) -> Respond:
    """Return the fault that refuses every batch."""
    return replace(refusing(code, message), times=0)


@pytest.mark.parametrize("count", [1, 2, 7, 150, 1000])
@pytest.mark.parametrize(
    ("code", "reason"),
    [(1234, Reason.REFUSED), (81045, Reason.QUOTA_EXCEEDED), (81053, Reason.RECORD_CONFLICT)],
)
async def test_a_zone_that_refuses_everything_costs_eight_requests_and_is_quoted(
    world: Cloudflare, count: int, code: int, reason: Reason
) -> None:
    world.emulator.arm(refusing_always(code, "This zone takes nothing."))
    refusals = await world.zones.save(ZONE, RecordBatch(posts=posts(count)))
    assert sorted(refusals, key=lambda refusal: refusal.name) == [
        Refusal(record.name, reason, f"{code}: This zone takes nothing.") for record in posts(count)
    ]
    assert world.calls_to("POST", BATCH) <= 8
    assert world.calls_to("GET", "dns_records") <= 1


def bad(name: str) -> DnsRecord:
    return DnsRecord(name, "A", "not-an-address", proxied=True, comment="x")


async def test_a_few_faulty_records_among_many_keep_none_of_the_others_from_being_written(world: Cloudflare) -> None:
    faulty = {f"app{number:04}.example.com" for number in (3, 77, 149)}
    batch = RecordBatch(posts=tuple(bad(each.name) if each.name in faulty else each for each in posts(150)))
    refusals = await world.zones.save(ZONE, batch)
    assert {refusal.name for refusal in refusals if refusal.is_final} == faulty
    assert len(world.records()) == 147
    assert len(world.calls) <= 60


@pytest.mark.parametrize("every", [3, 5, 10])
async def test_where_many_records_are_faulty_the_good_ones_are_written_over_a_few_bounded_batches(
    world: Cloudflare, every: int
) -> None:
    asked = tuple(bad(each.name) if not number % every else each for number, each in enumerate(posts(150)))
    faulty = {record.name for record in asked if record.type == "A"}
    left, rounds = asked, 0
    while left:
        world.emulator.log.clear()
        refusals = await world.zones.save(ZONE, RecordBatch(posts=left))
        assert len(world.calls) <= 60
        assert {refusal.name for refusal in refusals if refusal.is_final} <= faulty
        undecided = {refusal.name for refusal in refusals if not refusal.is_final}
        left, rounds = tuple(record for record in left if record.name in undecided), rounds + 1
    assert len(world.records()) == 150 - len(faulty)
    assert rounds <= 12


async def test_a_full_zone_still_swaps_and_patches_what_waits_behind_the_post_that_does_not_fit(
    world: Cloudflare,
) -> None:
    old, kept = await with_claims(world, "old.example.com", "kept.example.com")
    world.emulator.arm(refusing(1234, "no"))
    world.emulator.state = with_quota(world.emulator.state, 2)
    batch = RecordBatch((old,), (to_green(kept),), (new("old.example.com", GREEN), *posts(3)))
    refusals = await world.zones.save(ZONE, batch)
    assert {refusal.reason for refusal in refusals} == {Reason.QUOTA_EXCEEDED}
    assert {name: record.tunnel for name, record in world.records().items()} == {
        "kept.example.com": GREEN,
        "old.example.com": GREEN,
    }


async def test_tags_beyond_the_quota_of_a_zone_are_a_refusal_of_one_record(world: Cloudflare) -> None:
    message = "DNS record has 1 tags, exceeding the quota of 0."
    world.emulator.arm(refusing(9300, message))
    assert await world.zones.save(ZONE, RecordBatch(posts=posts(1))) == (
        Refusal("app0000.example.com", Reason.REFUSED, f"9300: {message}"),
    )


async def test_a_full_zone_takes_what_fits_and_the_rest_is_refused_without_a_call_for_each(world: Cloudflare) -> None:
    old = await with_claims(world, *(f"old{number}.example.com" for number in range(3)))
    world.emulator.state = with_quota(world.emulator.state, 40)
    refusals = await world.zones.save(ZONE, RecordBatch(deletes=tuple(old), posts=posts(1000)))
    assert sorted(world.records()) == [f"app{number:04}.example.com" for number in range(40)]
    assert len(refusals) == 960
    assert set(refusals) == {
        Refusal(f"app{number:04}.example.com", Reason.QUOTA_EXCEEDED, "81045: Record quota exceeded.")
        for number in range(40, 1000)
    }
    assert len(world.calls) <= 20


async def test_deletions_go_on_in_a_full_zone(world: Cloudflare) -> None:
    old = await with_claims(world, "a.example.com", "b.example.com")
    world.emulator.state = with_quota(world.emulator.state, 0)
    refusals = await world.zones.save(ZONE, RecordBatch(deletes=tuple(old), posts=posts(1)))
    assert [refusal.reason for refusal in refusals] == [Reason.QUOTA_EXCEEDED]
    assert world.records() == {}


@pytest.mark.parametrize(
    "fault",
    [
        Drop(path=BATCH, when="after"),
        Drop(path=BATCH, when="after", how="close"),
        Slow(path=BATCH, seconds=60, when="after"),
        Respond(path=BATCH, status=500, effect=True),
        Respond(path=BATCH, status=502, body=HTML, content_type="text/html", effect=True),
        Respond(path=BATCH, status=524, body="", effect=True),
        Distort(path=BATCH, body=HTML),
        Distort(path=BATCH, keep=20),
        Distort(path=BATCH, cut=20),
    ],
    ids=["reset", "closed", "timeout", "500", "502", "524", "HTML", "truncated", "cut off"],
)
async def test_an_unsettled_batch_that_was_written_is_found_by_reading_and_not_repeated(
    world: Cloudflare, fault: Drop
) -> None:
    old, kept = await with_claims(world, "old.example.com", "kept.example.com")
    world.emulator.arm(fault)
    assert await world.zones.save(ZONE, RecordBatch((old,), (to_green(kept),), posts(3))) == ()
    assert world.methods == ["POST", "GET"]
    assert sorted(world.records()) == [
        "app0000.example.com",
        "app0001.example.com",
        "app0002.example.com",
        "kept.example.com",
    ]
    assert world.records()["kept.example.com"].tunnel == GREEN


@pytest.mark.parametrize(
    "fault",
    [
        Drop(path=BATCH),
        Respond(path=BATCH, status=500),
        Respond(path=BATCH, status=502, body=HTML, content_type="text/html"),
        Respond(path=BATCH, status=408, body=""),
    ],
    ids=["reset", "500", "502", "408"],
)
async def test_an_unsettled_batch_that_was_not_written_is_sent_again(world: Cloudflare, fault: Drop) -> None:
    world.emulator.arm(fault)
    assert await world.zones.save(ZONE, RecordBatch(posts=posts(3))) == ()
    assert world.methods == ["POST", "GET", "POST"]
    assert len(world.records()) == 3


async def test_an_unsettled_batch_that_is_written_only_after_the_read_is_not_refused(world: Cloudflare) -> None:
    late = Slow(path=BATCH, seconds=10.5)
    world.emulator.arm(late, Slow(method="GET", path="dns_records", seconds=1, when="after"))
    assert await world.zones.save(ZONE, RecordBatch(posts=posts(3))) == ()
    assert len(world.records()) == 3


async def test_a_batch_that_is_unsettled_twice_is_a_temporary_failure(world: Cloudflare) -> None:
    world.emulator.arm(Drop(path=BATCH, times=0))
    with pytest.raises(TemporaryFailure, match=r"cannot write records \(zone example\.com\)"):
        await world.zones.save(ZONE, RecordBatch(posts=posts(3)))
    assert world.methods == ["POST", "GET", "POST", "GET"]
    assert world.records() == {}


async def test_a_record_that_someone_else_adds_meanwhile_is_a_conflict_after_an_unsettled_batch(
    world: Cloudflare,
) -> None:
    world.emulator.arm(
        Drop(path=BATCH), Intervention(method="GET", change=lambda state: state.with_records("example.com", TAKEN))
    )
    refusals = await world.zones.save(ZONE, RecordBatch(posts=(new("taken.example.com"), *posts(1))))
    assert [(refusal.name, refusal.reason) for refusal in refusals] == [("taken.example.com", Reason.RECORD_CONFLICT)]
    assert "app0000.example.com" in world.records()


@pytest.mark.parametrize(
    "fault",
    [Drop(path=BATCH, how="refuse"), Respond(path=BATCH, status=503), Respond(path=BATCH, status=429)],
    ids=["no connection", "503", "429"],
)
async def test_a_batch_that_was_not_carried_out_is_repeated_without_reading(world: Cloudflare, fault: Drop) -> None:
    world.emulator.arm(fault)
    await world.zones.save(ZONE, RecordBatch(posts=posts(3)))
    assert world.methods == ["POST", "POST"]
    assert len(world.records()) == 3


async def test_a_token_that_may_only_read_is_a_permanent_failure_and_nothing_is_halved(world: Cloudflare) -> None:
    token = Token(API_TOKEN, {"zone read": ("*",), "dns read": ("*",)})
    world.emulator.state = world.emulator.state.with_token(token)
    with pytest.raises(PermanentFailure, match=r"Zone/DNS/Edit .*10000: POST method not allowed"):
        await world.zones.save(ZONE, RecordBatch(posts=posts(3)))
    assert len(world.calls) == 1


@pytest.mark.parametrize(
    "answer", [Slow(path=BATCH, seconds=1), Drop(path=BATCH, when="after")], ids=["answered", "unanswered"]
)
async def test_permissions_that_are_lost_halfway_are_a_temporary_failure_since_some_records_were_written(
    world: Cloudflare, answer: Slow | Drop
) -> None:
    token = Token(API_TOKEN, {"zone read": ("*",), "dns read": ("*",)})
    world.emulator.arm(answer, Intervention(path=BATCH, nth=2, change=lambda state: state.with_token(token)))
    with pytest.raises(TemporaryFailure, match="Zone/DNS/Edit"):
        await world.zones.save(ZONE, RecordBatch(posts=posts(201)))
    assert len(world.records()) == 200


async def test_an_unknown_zone_is_a_permanent_failure(world: Cloudflare) -> None:
    world.emulator.state = replace(world.emulator.state, zones={})
    with pytest.raises(PermanentFailure):
        await world.zones.save(ZONE, RecordBatch(posts=posts(2)))
    assert len(world.calls) == 1


async def test_an_empty_batch_is_no_call(world: Cloudflare) -> None:
    assert await world.zones.save(ZONE, RecordBatch()) == ()
    assert world.calls == []
