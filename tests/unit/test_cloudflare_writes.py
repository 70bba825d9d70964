"""What a batch of writes becomes: chunks, halves, and what is left after a look at the zone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunnel_webhook.adapters.cloudflare.writes import CONFLICT, GONE, chunks, halves, settle
from tunnel_webhook.domain.dns import DnsRecord, RecordBatch
from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.ports import Refusal
from vocabulary.builders import BLUE, GREEN, claim, record


def new(name: str, tunnel: str = BLUE) -> DnsRecord:
    """Return a claim that is not stored yet."""
    stored = claim(name, tunnel)
    return DnsRecord(stored.name, stored.type, stored.content, stored.proxied, stored.comment)


def some(kind: str, number: int) -> tuple[DnsRecord, ...]:
    return tuple(record(f"{kind}{each}.example.com", "x") for each in range(number))


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30), st.integers(1, 20))
def test_chunks_keep_every_record_in_the_order_of_the_batch(deletes: int, patches: int, posts: int, size: int) -> None:
    batch = RecordBatch(some("d", deletes), some("p", patches), some("n", posts))
    made = list(chunks(batch, size))
    assert [each for chunk in made for each in chunk.records] == list(batch.records)
    assert tuple(each for chunk in made for each in chunk.deletes) == batch.deletes
    assert tuple(each for chunk in made for each in chunk.posts) == batch.posts
    assert [len(chunk) for chunk in made[:-1]] == [size] * (len(made) - 1)
    assert len(made) == -(-len(batch) // size)


@given(st.integers(0, 9), st.integers(0, 9), st.integers(2, 9))
def test_halves_are_two_and_neither_is_empty(deletes: int, patches: int, posts: int) -> None:
    batch = RecordBatch(some("d", deletes), some("p", patches), some("n", posts))
    assert [bool(half) for half in halves(batch)] == [True, True]


APP = claim("app.example.com")
POST = new("app.example.com")
MOVED = claim("app.example.com", GREEN)
OTHER = record("app.example.com", "elsewhere.example.net")


@pytest.mark.parametrize(
    ("batch", "stored", "left", "refusals"),
    [
        (RecordBatch(deletes=(APP,)), [], RecordBatch(), []),
        (RecordBatch(deletes=(APP,)), [APP], RecordBatch(deletes=(APP,)), []),
        (RecordBatch(patches=(APP,)), [], RecordBatch(), [("app.example.com", Reason.REFUSED, GONE)]),
        (RecordBatch(patches=(APP,)), [APP], RecordBatch(), []),
        (
            RecordBatch(patches=(APP,)),
            [DnsRecord(APP.name, "CNAME", APP.content, proxied=False, comment=APP.comment, id=APP.id)],
            RecordBatch(patches=(APP,)),
            [],
        ),
        (RecordBatch(posts=(POST,)), [], RecordBatch(posts=(POST,)), []),
        (RecordBatch(posts=(POST,)), [APP], RecordBatch(), []),
        (
            RecordBatch(posts=(POST,)),
            [DnsRecord(APP.name, "CNAME", f"{APP.content.upper()}.", proxied=True, comment=APP.comment, id="x")],
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
        "delete of what is gone: done",
        "delete of what is there: left",
        "patch of what is gone: refused",
        "patch of what says so already: done",
        "patch of what says otherwise: left",
        "post beside nothing: left",
        "post of what is there: done",
        "post of what is there in other letters: done",
        "post beside another claim: conflict",
        "post beside another CNAME: conflict",
        "post beside a TXT: left",
        "post beside what is deleted in the same chunk: left",
    ],
)
def test_a_look_at_the_zone_settles_a_chunk(
    batch: RecordBatch, stored: list[DnsRecord], left: RecordBatch, refusals: list[tuple[str, Reason, str]]
) -> None:
    assert settle(batch, stored) == (left, tuple(Refusal(*each) for each in refusals))


def test_cloudflares_own_sentence_goes_with_a_conflict() -> None:
    _, refusals = settle(RecordBatch(posts=(POST,)), [OTHER], "81054: A CNAME record with that host already exists.")
    assert refusals == (
        Refusal("app.example.com", Reason.RECORD_CONFLICT, "81054: A CNAME record with that host already exists."),
    )
