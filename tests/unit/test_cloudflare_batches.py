"""What becomes of a batch: its size, chunks and halves, and what is left of it after the zone was read."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunnel_webhook.adapters.cloudflare.batches import (
    CONFLICT,
    FREE_BATCH,
    NOT_FOUND,
    PAID_BATCH,
    BatchSizes,
    chunks,
    halves,
    settle,
)
from tunnel_webhook.domain.dns import DnsRecord, RecordBatch, Zone
from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.ports import Refusal
from vocabulary.builders import GREEN, ZONE, claim, record


def batch_of(deletes: int, patches: int, posts: int) -> RecordBatch:
    """Return a batch of so many records."""
    deleted, patched, posted = (
        tuple(record(f"{kind}{number}.example.com", "x") for number in range(count))
        for kind, count in (("deleted", deletes), ("patched", patches), ("posted", posts))
    )
    return RecordBatch(deleted, patched, posted)


def test_a_batch_is_as_large_as_the_plan_of_its_zone_allows_until_the_zone_refuses_that() -> None:
    sizes = BatchSizes()
    assert sizes.limit(ZONE, is_paid=False) == FREE_BATCH
    assert sizes.limit(ZONE, is_paid=True) == PAID_BATCH
    sizes.reduce(ZONE)
    assert sizes.limit(ZONE, is_paid=True) == FREE_BATCH
    assert sizes.limit(Zone("example.net", "other"), is_paid=True) == PAID_BATCH


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30), st.integers(1, 20))
def test_chunks_keep_every_record_in_the_order_of_the_batch(deletes: int, patches: int, posts: int, size: int) -> None:
    batch = batch_of(deletes, patches, posts)
    parts = list(chunks(batch, size))
    assert tuple(record for part in parts for record in part.records) == batch.records
    assert tuple(record for part in parts for record in part.deletes) == batch.deletes
    assert tuple(record for part in parts for record in part.posts) == batch.posts
    assert [len(part) for part in parts[:-1]] == [size] * (len(parts) - 1)
    assert len(parts) == -(-len(batch) // size)


@given(st.integers(0, 9), st.integers(0, 9), st.integers(2, 9))
def test_a_batch_has_two_halves_and_neither_is_empty(deletes: int, patches: int, posts: int) -> None:
    first, second = halves(batch_of(deletes, patches, posts))
    assert first
    assert second


def with_swaps(swaps: int, deletes: int, patches: int, posts: int) -> RecordBatch:
    """Return a batch of so many records, and of swaps, each of which deletes and posts a name."""
    others = batch_of(deletes, patches, posts)
    swapped = tuple(record(f"swapped{number}.example.com", "x") for number in range(swaps))
    return RecordBatch((*others.deletes, *swapped), others.patches, (*others.posts, *swapped))


def sizes(most: int) -> st.SearchStrategy[int]:
    return st.integers(0, most)


@given(sizes(9), sizes(9), sizes(9), sizes(9), st.integers(1, 20))
def test_no_chunk_splits_a_swap_and_none_is_larger_than_allowed(
    swaps: int, deletes: int, patches: int, posts: int, size: int
) -> None:
    batch = with_swaps(swaps, deletes, patches, posts)
    parts = list(chunks(batch, size))
    for part in parts:
        deleted, posted = ({each.name for each in records} for records in (part.deletes, part.posts))
        assert deleted & batch.swapped == posted & batch.swapped
        assert 0 < len(part) <= max(size, 2)
    assert sorted(each for part in parts for each in part.records) == sorted(batch.records)


@given(sizes(30), sizes(30), sizes(30), sizes(30))
def test_swaps_cost_no_request_more_while_a_batch_fits_into_one(
    swaps: int, deletes: int, patches: int, posts: int
) -> None:
    batch = with_swaps(swaps, deletes, patches, posts)
    assert list(chunks(batch, 200)) == ([batch] if batch else [])


@given(sizes(9), sizes(9), sizes(9), sizes(9))
def test_halving_ends_with_single_records_and_single_swaps(swaps: int, deletes: int, patches: int, posts: int) -> None:
    pending, single = [with_swaps(swaps, deletes, patches, posts)], []
    while pending:
        part = pending.pop()
        if len(part) <= 1 + len(part.swapped):
            single.append(part)
        else:
            smaller = halves(part)
            assert all(len(half) < len(part) for half in smaller)
            pending += smaller
    assert sum(bool(part.swapped) for part in single) == swaps
    assert sum(len(part) for part in single) == 2 * swaps + deletes + patches + posts


APP = claim("app.example.com")
POST = replace(APP, id="")
MOVED = claim("app.example.com", GREEN)
OTHER = record("app.example.com", "elsewhere.example.net")


@pytest.mark.parametrize(
    ("batch", "records", "remaining", "refusals"),
    [
        (RecordBatch(deletes=(APP,)), [], RecordBatch(), []),
        (RecordBatch(deletes=(APP,)), [APP], RecordBatch(deletes=(APP,)), []),
        (RecordBatch(patches=(APP,)), [], RecordBatch(), [("app.example.com", Reason.REFUSED, NOT_FOUND)]),
        (RecordBatch(patches=(APP,)), [APP], RecordBatch(), []),
        (
            RecordBatch(patches=(APP,)),
            [replace(APP, proxied=False)],
            RecordBatch(patches=(APP,)),
            [],
        ),
        (RecordBatch(posts=(POST,)), [], RecordBatch(posts=(POST,)), []),
        (RecordBatch(posts=(POST,)), [APP], RecordBatch(), []),
        (
            RecordBatch(posts=(POST,)),
            [replace(APP, content=f"{APP.content.upper()}.", id="x")],
            RecordBatch(),
            [],
        ),
        (RecordBatch(posts=(POST,)), [MOVED], RecordBatch(), [("app.example.com", Reason.RECORD_CONFLICT, CONFLICT)]),
        (RecordBatch(posts=(POST,)), [OTHER], RecordBatch(), [("app.example.com", Reason.RECORD_CONFLICT, CONFLICT)]),
        (
            RecordBatch(posts=(POST,)),
            [DnsRecord("app.example.com", "TXT", "x", id="t")],
            RecordBatch(posts=(POST,)),
            [],
        ),
        (RecordBatch(deletes=(OTHER,), posts=(POST,)), [OTHER], RecordBatch(deletes=(OTHER,), posts=(POST,)), []),
    ],
    ids=[
        "delete, no record with that id: done",
        "delete, the record: still to be done",
        "patch, no record with that id: refused",
        "patch, the record with the same values: done",
        "patch, the record with other values: still to be done",
        "post, no other record: still to be done",
        "post, a record with the same values: done",
        "post, a record with the same values in other letters: done",
        "post, another claim of the name: conflict",
        "post, another CNAME of the name: conflict",
        "post, a TXT record of the name: still to be done",
        "post, a record that the batch deletes: still to be done",
    ],
)
def test_reading_the_zone_settles_a_chunk(
    batch: RecordBatch, records: list[DnsRecord], remaining: RecordBatch, refusals: list[tuple[str, Reason, str]]
) -> None:
    assert settle(batch, records) == (remaining, tuple(Refusal(*refusal) for refusal in refusals))


def test_a_conflict_is_refused_in_the_words_of_cloudflare() -> None:
    _, refusals = settle(RecordBatch(posts=(POST,)), [OTHER], "81054: A CNAME record with that host already exists.")
    assert refusals == (
        Refusal("app.example.com", Reason.RECORD_CONFLICT, "81054: A CNAME record with that host already exists."),
    )
