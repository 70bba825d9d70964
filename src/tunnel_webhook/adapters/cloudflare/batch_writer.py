"""How one batch is written to one zone, and how faulty or conflicting records in it are found.

| a chunk ends with                | then                                                                  |
|----------------------------------|-----------------------------------------------------------------------|
| success                          | all of it is written                                                  |
| a conflict, or a missing record  | the zone is read; if that settles anything, the rest is sent again    |
| Unsettled                        | the zone is read, and the rest is sent again                          |
| Unsettled a second time          | the zone is read; if that settles nothing, TemporaryFailure           |
| an exceeded quota                | halved down to the last record that fits; every later post is refused |
| another refusal of a large chunk | sent in chunks of the size that every plan allows                     |
| another refusal of its records   | halved down to the faulty records, which are refused                  |
| a refusal of the whole request   | PermanentFailure; TemporaryFailure if something may be written        |

A conflict or a missing record that reading the zone does not explain is a refusal of its records.

Refusals are bounded, since a zone may refuse everything:

| refused requests | and nothing written yet                          | and something written                          |
|------------------|--------------------------------------------------|------------------------------------------------|
| up to 2          | the other half comes before a quarter            | the other half comes before a quarter          |
| up to 7          | single records: a zone that takes any is likely  | the other half comes before a quarter          |
|                  | to take one of these                             |                                                |
| up to 23         | at the 8th, all that is left is refused, in the  | the smallest chunk comes first                 |
|                  | words of the last refusal                        |                                                |
| 24               |                                                  | what is left is refused, but not for good: the |
|                  |                                                  | next batch goes on to look for the faults      |

In a zone that is full, chunks are halved in their order instead.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import NoReturn

import msgspec

from tunnel_webhook.adapters.cloudflare.batches import (
    CONFLICT,
    FREE_BATCH,
    BatchSizes,
    chunks,
    halves,
    joined,
    settle,
    without_posts,
)
from tunnel_webhook.adapters.cloudflare.client import CloudflareAPI
from tunnel_webhook.adapters.cloudflare.codec import encode_batch
from tunnel_webhook.adapters.cloudflare.failures import (
    CONFLICTS,
    IDENTICAL_RECORD,
    QUOTA_EXCEEDED,
    RECORD_NOT_FOUND,
    Operation,
    Refused,
)
from tunnel_webhook.domain.dns import DnsRecord, RecordBatch, Zone
from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.ports import Refusal, TemporaryFailure, Unsettled

_MOST_REFUSED, _MOST_REFUSED_OF_SOME, _PROBES = 8, 24, 5
_CODES_SETTLED_BY_READING = CONFLICTS | {RECORD_NOT_FOUND}


@dataclass(slots=True)
class BatchWriter:
    """Writes one batch to one zone; `read_zone` returns all records of the zone."""

    api: CloudflareAPI
    zone: Zone
    sizes: BatchSizes
    read_zone: Callable[[], Awaitable[tuple[DnsRecord, ...]]]
    _pending: deque[RecordBatch] = field(default_factory=deque[RecordBatch])
    _refusals: list[Refusal] = field(default_factory=list[Refusal])
    _may_have_written: bool = False
    _was_unsettled: bool = False
    _refused: int = 0
    _has_written: bool = False
    _is_explained: bool = True
    _is_full: bool = False

    async def write(self, batch: RecordBatch, *, is_paid: bool) -> tuple[Refusal, ...]:
        """Write a batch to a zone on a free or paid plan, and return the records that were refused."""
        self._pending.extend(chunks(batch, self.sizes.limit(self.zone, is_paid=is_paid)))
        while self._pending:
            chunk = self._next()
            try:
                await self._send(chunk)
            except Unsettled as unsettled:
                await self._settle(chunk, unsettled)
            except Refused as refused:
                if not refused.concerns_records:
                    self._fail(refused)
                await self._reduce(chunk, refused)
            else:
                self._may_have_written = self._has_written = True
        return tuple(self._refusals)

    def _next(self) -> RecordBatch:
        """Return the next chunk to send, as the table of refusals says."""
        if self._refused >= _MOST_REFUSED and not self._is_full:
            chunk = min(self._pending, key=len)
            self._pending.remove(chunk)
            return chunk
        chunk = self._pending.popleft()
        if self._has_written or self._is_full or self._refused < _MOST_REFUSED - _PROBES:
            return chunk
        singles = [*chunks(chunk, 1)]
        single = singles.pop(len(singles) // 2)
        self._pending.extend(joined(singles))
        return single

    async def _send(self, chunk: RecordBatch) -> None:
        operation = Operation("write records", f"zone {self.zone.name}", writes=True)
        path = f"/zones/{self.zone.id}/dns_records/batch"
        await self.api.write(msgspec.Raw, operation, "POST", path, encode_batch(chunk))

    async def _settle(self, chunk: RecordBatch, unsettled: Unsettled) -> None:
        """Read whether a chunk was written, and send it again if it was not, but only once per batch."""
        self._may_have_written = True
        if await self._read_again(chunk):
            self._has_written = True
            return
        if self._was_unsettled:
            raise unsettled
        self._was_unsettled = True
        self._pending.appendleft(chunk)

    async def _reduce(self, chunk: RecordBatch, refused: Refused) -> None:
        """Take what cannot be written out of a refused chunk."""
        if refused.code in _CODES_SETTLED_BY_READING and self._is_explained:
            conflict = refused.sentence if refused.code in CONFLICTS - {IDENTICAL_RECORD} else CONFLICT
            self._is_explained = await self._read_again(chunk, conflict)
            if self._is_explained:
                return
        self._refused += 1
        if len(chunk) == 1 + len(chunk.swapped):
            self._refuse(chunk, refused)
        elif len(chunk) > FREE_BATCH and refused.code not in _CODES_SETTLED_BY_READING | {QUOTA_EXCEEDED}:
            # It may be too large; how Cloudflare would say so is not documented.
            self.sizes.reduce(self.zone)
            self._pending.extendleft(reversed([*chunks(chunk, FREE_BATCH)]))
        elif refused.code == QUOTA_EXCEEDED:
            self._is_full = True
            self._pending.extendleft(reversed(halves(chunk)))
        else:
            self._pending.extend(halves(chunk))
        if self._refused >= (_MOST_REFUSED_OF_SOME if self._has_written else _MOST_REFUSED):
            self._give_up(refused)

    def _give_up(self, refused: Refused) -> None:
        """Refuse all that is left: for good, unless something was written, and so only part of it can be at fault."""
        names = {record.name for chunk in self._pending for record in chunk.records}
        self._refusals += [
            Refusal(name, _reason(refused), refused.sentence, is_final=not self._has_written) for name in sorted(names)
        ]
        self._pending.clear()

    async def _read_again(self, chunk: RecordBatch, conflict: str = CONFLICT) -> bool:
        """Put what is still to be written back, and return whether reading the zone has settled any of it."""
        remaining, refusals = settle(chunk, await self.read_zone(), conflict)
        if remaining == chunk:
            return False
        self._refusals += refusals
        if remaining:
            self._pending.appendleft(remaining)
        return True

    def _refuse(self, chunk: RecordBatch, refused: Refused) -> None:
        """Refuse the only record or swap of a chunk; where a post exceeds the quota, also every post still to come."""
        record = chunk.records[-1]
        self._refusals.append(Refusal(record.name, _reason(refused), refused.sentence))
        if refused.code == QUOTA_EXCEEDED and chunk.posts and not chunk.swapped:
            posts = [post for pending in self._pending for post in pending.posts if post.name not in pending.swapped]
            self._refusals += [Refusal(post.name, Reason.QUOTA_EXCEEDED, refused.sentence) for post in posts]
            self._pending = deque(filter(None, map(without_posts, self._pending)))

    def _fail(self, refused: Refused) -> NoReturn:
        """Raise the refusal of a whole request; a permanent failure promises that nothing was written."""
        if self._may_have_written:
            raise TemporaryFailure(str(refused)) from refused
        raise refused


def _reason(refused: Refused) -> Reason:
    if refused.code == QUOTA_EXCEEDED:
        return Reason.QUOTA_EXCEEDED
    return Reason.RECORD_CONFLICT if refused.code in CONFLICTS else Reason.REFUSED
