"""What becomes of a batch of records: its size, chunks and halves, and what is left of it after the zone was read.

Cloudflare carries out one request as a whole or not at all, and does not say which record was at fault. Reading the
zone settles at once everything that others have changed; only a fault of a record itself has to be found by halving.

| write  | the zone holds                                  | the write is               |
|--------|-------------------------------------------------|----------------------------|
| delete | no record with that id                          | done                       |
| patch  | no record with that id                          | refused, 81044             |
| patch  | the record, with the same values                | done                       |
| post   | a record with the same values                   | done                       |
| post   | another A, AAAA, CNAME or NS record of the name | refused, `record-conflict` |
| any    | anything else                                   | still to be done           |

A record that the batch deletes is in the way of no post.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from tunnel_webhook.domain.dns import CONFLICTING_TYPES, DnsRecord, RecordBatch, Zone
from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.ports import Refusal

FREE_BATCH, PAID_BATCH = 200, 3500
"""Records in one batch, by plan (dns/manage-dns-records/how-to/batch-record-changes)."""

CONFLICT = "81053: An A, AAAA, or CNAME record with that host already exists."
NOT_FOUND = "81044: Record does not exist."


@dataclass(slots=True)
class BatchSizes:
    """How many records one batch to a zone may hold."""

    _reduced: set[Zone] = field(default_factory=set[Zone])

    def limit(self, zone: Zone, *, is_paid: bool) -> int:
        """Return the size that the plan of a zone allows, or the smaller one if the zone has refused that."""
        return PAID_BATCH if is_paid and zone not in self._reduced else FREE_BATCH

    def reduce(self, zone: Zone) -> None:
        """Remember that a zone has refused a batch that its plan seemed to allow."""
        self._reduced.add(zone)


def chunks(batch: RecordBatch, size: int) -> Iterator[RecordBatch]:
    """Yield a batch in chunks of at most `size` records that keep its order: swaps, deletes, patches, posts.

    The two records of a swap stay together, even where `size` is 1.
    """
    if len(batch) <= size:
        yield from [batch] if batch else []
        return
    swapped, pairs = batch.swapped, max(1, size // 2)
    in_order = sorted(swapped)
    for start in range(0, len(in_order), pairs):
        names = frozenset(in_order[start : start + pairs])
        yield RecordBatch(
            deletes=tuple(record for record in batch.deletes if record.name in names),
            posts=tuple(record for record in batch.posts if record.name in names),
        )
    yield from _chunks_without_swaps(
        RecordBatch(
            deletes=tuple(record for record in batch.deletes if record.name not in swapped),
            patches=batch.patches,
            posts=tuple(record for record in batch.posts if record.name not in swapped),
        ),
        size,
    )


def _chunks_without_swaps(batch: RecordBatch, size: int) -> Iterator[RecordBatch]:
    deletes, patches = len(batch.deletes), len(batch.patches)
    for start in range(0, len(batch), size):
        stop = start + size
        yield RecordBatch(
            deletes=batch.deletes[start:stop],
            patches=batch.patches[max(0, start - deletes) : max(0, stop - deletes)],
            posts=batch.posts[max(0, start - deletes - patches) : max(0, stop - deletes - patches)],
        )


def halves(batch: RecordBatch) -> tuple[RecordBatch, ...]:
    """Return both halves of a batch, in order; a single swap is one half."""
    return tuple(chunks(batch, (len(batch) + 1) // 2))


def joined(parts: Iterable[RecordBatch]) -> tuple[RecordBatch, ...]:
    """Return parts of one batch as one batch; nothing where there are none."""
    listed = tuple(parts)
    whole = RecordBatch(
        deletes=tuple(record for part in listed for record in part.deletes),
        patches=tuple(record for part in listed for record in part.patches),
        posts=tuple(record for part in listed for record in part.posts),
    )
    return (whole,) if whole else ()


def without_posts(batch: RecordBatch) -> RecordBatch:
    """Return a batch without the posts that are not part of a swap."""
    return replace(batch, posts=tuple(post for post in batch.posts if post.name in batch.swapped))


def settle(
    batch: RecordBatch, records: Iterable[DnsRecord], conflict: str = CONFLICT
) -> tuple[RecordBatch, tuple[Refusal, ...]]:
    """Return what is still to be written of a batch, and what cannot be, given all records that the zone holds now.

    `conflict` is the sentence of the refusal of a post that other records exclude.
    """
    by_id = {record.id: record for record in records}
    deleted = {record.id for record in batch.deletes}
    neighbours: defaultdict[str, list[DnsRecord]] = defaultdict(list)
    for record in by_id.values():
        if record.id not in deleted and record.type in CONFLICTING_TYPES:
            neighbours[record.name].append(record)
    missing = [record for record in batch.patches if record.id not in by_id]
    posts = [record for record in batch.posts if not any(_is_same(record, other) for other in neighbours[record.name])]
    remaining = RecordBatch(
        deletes=tuple(record for record in batch.deletes if record.id in by_id),
        patches=tuple(
            record for record in batch.patches if record.id in by_id and not _is_same(record, by_id[record.id])
        ),
        posts=tuple(record for record in posts if not neighbours[record.name]),
    )
    refusals = (
        *(Refusal(record.name, Reason.REFUSED, NOT_FOUND) for record in missing),
        *(Refusal(record.name, Reason.RECORD_CONFLICT, conflict) for record in posts if neighbours[record.name]),
    )
    return remaining, refusals


def _is_same(one: DnsRecord, other: DnsRecord) -> bool:
    return _comparable(one) == _comparable(other)


def _comparable(record: DnsRecord) -> DnsRecord:
    return replace(record, id="", content=record.content.lower().removesuffix("."))
