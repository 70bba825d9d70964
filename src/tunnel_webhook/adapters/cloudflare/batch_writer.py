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
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import NoReturn

import msgspec

from tunnel_webhook.adapters.cloudflare.batches import CONFLICT, FREE_BATCH, BatchSizes, chunks, halves, settle
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

    async def write(self, batch: RecordBatch, *, is_paid: bool) -> tuple[Refusal, ...]:
        """Write a batch to a zone on a free or paid plan, and return the records that were refused."""
        self._pending.extend(chunks(batch, self.sizes.limit(self.zone, is_paid=is_paid)))
        while self._pending:
            chunk = self._pending.popleft()
            try:
                await self._send(chunk)
            except Unsettled as unsettled:
                await self._settle(chunk, unsettled)
            except Refused as refused:
                if not refused.concerns_records:
                    self._fail(refused)
                await self._reduce(chunk, refused)
            else:
                self._may_have_written = True
        return tuple(self._refusals)

    async def _send(self, chunk: RecordBatch) -> None:
        operation = Operation("write records", f"zone {self.zone.name}", writes=True)
        path = f"/zones/{self.zone.id}/dns_records/batch"
        await self.api.write(msgspec.Raw, operation, "POST", path, encode_batch(chunk))

    async def _settle(self, chunk: RecordBatch, unsettled: Unsettled) -> None:
        """Read whether a chunk was written, and send it again if it was not, but only once per batch."""
        self._may_have_written = True
        if not await self._read_again(chunk):
            if self._was_unsettled:
                raise unsettled
            self._was_unsettled = True
            self._pending.appendleft(chunk)

    async def _reduce(self, chunk: RecordBatch, refused: Refused) -> None:
        """Take what cannot be written out of a refused chunk."""
        if refused.code in _CODES_SETTLED_BY_READING:
            conflict = refused.sentence if refused.code in CONFLICTS - {IDENTICAL_RECORD} else CONFLICT
            if await self._read_again(chunk, conflict):
                return
        if len(chunk) == 1 + len(chunk.swapped):
            self._refuse(chunk, refused)
        elif len(chunk) > FREE_BATCH and refused.code not in _CODES_SETTLED_BY_READING | {QUOTA_EXCEEDED}:
            # It may be too large; how Cloudflare would say so is not documented.
            self.sizes.reduce(self.zone)
            self._pending.extendleft(reversed([*chunks(chunk, FREE_BATCH)]))
        else:
            self._pending.extendleft(reversed(halves(chunk)))

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
            # Posts that are not part of a swap come last, so nothing else is pending.
            posts = [post for pending in self._pending for post in pending.posts]
            self._refusals += [Refusal(post.name, Reason.QUOTA_EXCEEDED, refused.sentence) for post in posts]
            self._pending.clear()

    def _fail(self, refused: Refused) -> NoReturn:
        """Raise the refusal of a whole request; a permanent failure promises that nothing was written."""
        if self._may_have_written:
            raise TemporaryFailure(str(refused)) from refused
        raise refused


def _reason(refused: Refused) -> Reason:
    if refused.code == QUOTA_EXCEEDED:
        return Reason.QUOTA_EXCEEDED
    return Reason.RECORD_CONFLICT if refused.code in CONFLICTS else Reason.REFUSED
