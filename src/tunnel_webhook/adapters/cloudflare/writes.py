"""What a batch of writes becomes: chunks, the halves of a refused one, and what is left of one once the zone has been looked at.

Cloudflare carries out one request as a whole or not at all, and does not say which record was at fault. Looking at what is
stored settles at once all that others have changed; only what is wrong with a record itself is found by halving.

| asked  | stored                                         | verdict                     |
|--------|------------------------------------------------|-----------------------------|
| delete | no record of that id                           | done                        |
| patch  | no record of that id                           | refused, 81044              |
| patch  | the record, saying exactly so                  | done                        |
| post   | the very same record                           | done                        |
| post   | an A, AAAA, CNAME or NS record of that name    | refused, `record-conflict`  |
| any    | anything else                                  | left to be written          |
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from tunnel_webhook.domain.dns import CONFLICTING_TYPES, DnsRecord, RecordBatch
from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.ports import Refusal

CONFLICT = "81053: An A, AAAA, or CNAME record with that host already exists."
GONE = "81044: Record does not exist."


def chunks(batch: RecordBatch, size: int) -> Iterator[RecordBatch]:
    """Yield a batch in chunks of at most `size` records that keep its order: deletes, patches, posts."""
    deletes, patches, _ = (len(part) for part in (batch.deletes, batch.patches, batch.posts))
    for start in range(0, len(batch), size):
        stop = start + size
        yield RecordBatch(
            deletes=batch.deletes[start:stop],
            patches=batch.patches[max(0, start - deletes) : max(0, stop - deletes)],
            posts=batch.posts[max(0, start - deletes - patches) : max(0, stop - deletes - patches)],
        )


def halves(batch: RecordBatch) -> tuple[RecordBatch, ...]:
    """Return both halves of a batch, in order."""
    return tuple(chunks(batch, (len(batch) + 1) // 2))


def settle(
    batch: RecordBatch, stored: Iterable[DnsRecord], conflict: str = CONFLICT
) -> tuple[RecordBatch, tuple[Refusal, ...]]:
    """Return what is left to be written of a batch, and what cannot be, given all records that the zone holds now.

    `conflict` is the sentence for those that others stand in the way of.
    """
    by_id = {record.id: record for record in stored}
    leaving = {record.id for record in batch.deletes}
    neighbours: defaultdict[str, list[DnsRecord]] = defaultdict(list)
    for record in by_id.values():
        if record.id not in leaving and record.type in CONFLICTING_TYPES:
            neighbours[record.name].append(record)
    gone = [Refusal(record.name, Reason.REFUSED, GONE) for record in batch.patches if record.id not in by_id]
    patches = [
        record for record in batch.patches if record.id in by_id and not _says_the_same(record, by_id[record.id])
    ]
    posts = [
        record for record in batch.posts if not any(_says_the_same(record, other) for other in neighbours[record.name])
    ]
    taken = [Refusal(record.name, Reason.RECORD_CONFLICT, conflict) for record in posts if neighbours[record.name]]
    left = RecordBatch(
        deletes=tuple(record for record in batch.deletes if record.id in by_id),
        patches=tuple(patches),
        posts=tuple(record for record in posts if not neighbours[record.name]),
    )
    return left, (*gone, *taken)


def _says_the_same(one: DnsRecord, other: DnsRecord) -> bool:
    return _plain(one) == _plain(other)


def _plain(record: DnsRecord) -> DnsRecord:
    return replace(record, id="", content=record.content.lower().removesuffix("."))
