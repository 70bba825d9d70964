"""How one batch is written to one zone, and how it gets past what stands in its way.

| a chunk is answered with                | then                                                                            |
|-----------------------------------------|---------------------------------------------------------------------------------|
| success                                 | all of it is written                                                            |
| a conflict, or a record that is gone    | the zone is read, and what is left of the chunk is sent                         |
| nothing that tells whether it was done  | the zone is read, and what is left of the chunk is sent; once, if that is all   |
| the quota is exceeded                   | it is halved up to the last record that fits; every post after that is refused  |
| any other refusal of what is in it      | it is halved up to the guilty records, which are refused                        |
| a refusal of the request as a whole     | PermanentFailure; TemporaryFailure where something may have been written before |
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import NoReturn

import msgspec

from tunnel_webhook.adapters.cloudflare.client import CloudflareAPI
from tunnel_webhook.adapters.cloudflare.codec import encode_batch
from tunnel_webhook.adapters.cloudflare.directory import FREE_BATCH, ZoneDirectory
from tunnel_webhook.adapters.cloudflare.failures import (
    CONFLICTS,
    IDENTICAL,
    QUOTA_EXCEEDED,
    RECORD_IS_GONE,
    Refused,
    Task,
    Unsettled,
)
from tunnel_webhook.adapters.cloudflare.writes import CONFLICT, chunks, halves, settle
from tunnel_webhook.domain.dns import DnsRecord, RecordBatch, Zone
from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.ports import Refusal, TemporaryFailure


@dataclass(slots=True)
class Saving:
    """One save of one batch; `look` returns all records that the zone holds."""

    api: CloudflareAPI
    directory: ZoneDirectory
    zone: Zone
    look: Callable[[], Awaitable[tuple[DnsRecord, ...]]]
    _pending: deque[RecordBatch] = field(default_factory=deque[RecordBatch])
    _refusals: list[Refusal] = field(default_factory=list[Refusal])
    _wrote: bool = False
    _unanswered: bool = False

    async def run(self, batch: RecordBatch) -> tuple[Refusal, ...]:
        """Write the batch, and return the records that were refused."""
        self._pending.extend(chunks(batch, self.directory.batch_size(self.zone)))
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
                self._wrote = True
        return tuple(self._refusals)

    async def _send(self, chunk: RecordBatch) -> None:
        task = Task("write records", f"zone {self.zone.name}", writes=True)
        await self.api.write(msgspec.Raw, task, "POST", f"/zones/{self.zone.id}/dns_records/batch", encode_batch(chunk))

    async def _settle(self, chunk: RecordBatch, unsettled: Unsettled) -> None:
        """Look whether an unanswered chunk was written; send it again where it was not, but not for ever."""
        self._wrote = True
        if not await self._look_again(chunk):
            if self._unanswered:
                raise unsettled
            self._unanswered = True
            self._pending.appendleft(chunk)

    async def _reduce(self, chunk: RecordBatch, refused: Refused) -> None:
        """Take out of a refused chunk what cannot be written."""
        if refused.code in CONFLICTS | {RECORD_IS_GONE}:
            sentence = refused.sentence if refused.code in CONFLICTS - {IDENTICAL} else CONFLICT
            if await self._look_again(chunk, sentence):
                return
        if len(chunk) == 1:
            self._refuse(chunk, refused)
        elif len(chunk) > FREE_BATCH and refused.code not in CONFLICTS | {QUOTA_EXCEEDED, RECORD_IS_GONE}:
            # It may be too large: how Cloudflare would say so is not documented.
            self.directory.keep_small(self.zone)
            self._pending.extendleft(reversed([*chunks(chunk, FREE_BATCH)]))
        else:
            self._pending.extendleft(reversed(halves(chunk)))

    async def _look_again(self, chunk: RecordBatch, conflict: str = CONFLICT) -> bool:
        """Put what is left of a chunk back, and return whether that is less than it was."""
        left, refusals = settle(chunk, await self.look(), conflict)
        if left == chunk:
            return False
        self._refusals += refusals
        if left:
            self._pending.appendleft(left)
        return True

    def _refuse(self, chunk: RecordBatch, refused: Refused) -> None:
        (record,) = chunk.records
        reason = Reason.RECORD_CONFLICT if refused.code in CONFLICTS else Reason.REFUSED
        if refused.code == QUOTA_EXCEEDED:
            reason = Reason.QUOTA_EXCEEDED
        self._refusals.append(Refusal(record.name, reason, refused.sentence))
        if refused.code == QUOTA_EXCEEDED and chunk.posts:
            # Posts come last, so that nothing else is pending.
            self._refusals += [
                Refusal(post.name, reason, refused.sentence) for rest in self._pending for post in rest.posts
            ]
            self._pending.clear()

    def _fail(self, refused: Refused) -> NoReturn:
        """Raise the refusal of a whole request; a permanent failure promises that nothing was written."""
        if self._wrote:
            raise TemporaryFailure(str(refused)) from refused
        raise refused
