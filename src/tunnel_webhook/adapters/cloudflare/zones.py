"""ZoneRepository over Cloudflare: which zones are read, and when; `batch_writer` says how a batch is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import partial

from tunnel_webhook.adapters.cloudflare.batch_writer import BatchWriter
from tunnel_webhook.adapters.cloudflare.batches import BatchSizes
from tunnel_webhook.adapters.cloudflare.client import CloudflareAPI, gather_or_cancel
from tunnel_webhook.adapters.cloudflare.codec import StoredRecord, records_of
from tunnel_webhook.adapters.cloudflare.directory import ZoneDirectory
from tunnel_webhook.adapters.cloudflare.failures import Operation
from tunnel_webhook.domain.claim import HERITAGE, Marker
from tunnel_webhook.domain.dns import DnsRecord, RecordBatch, Zone
from tunnel_webhook.ports import Refusal

_SWEEP_INTERVAL = 600.0
_SWEPT_PER_LOAD = 50
_PAGE_SIZE = 5000


@dataclass(slots=True)
class CloudflareZones:
    """The DNS records of the zones in a directory.

    | zone                                         | is read                                                |
    |----------------------------------------------|--------------------------------------------------------|
    | a claim was seen in it, or it was written to | with every load                                        |
    | never read                                   | with the next load                                     |
    | any other                                    | every ten minutes, 50 per load, the longest unread     |
    |                                              | first, so that a large account does not delay a load   |
    """

    api: CloudflareAPI
    directory: ZoneDirectory
    clock: Callable[[], float]
    _sizes: BatchSizes = field(default_factory=BatchSizes)
    _in_use: set[Zone] = field(default_factory=set[Zone])
    _read_at: dict[Zone, float] = field(default_factory=dict[Zone, float])

    def now(self) -> float:
        """Return Cloudflare's time."""
        return self.api.now()

    async def zones(self) -> tuple[Zone, ...]:
        """Return the zones, at most ten minutes old."""
        return await self.directory.zones()

    async def load(self, *, in_full: AbstractSet[Zone] = frozenset()) -> Mapping[Zone, tuple[DnsRecord, ...]]:
        """Return the marked records of every zone in use and all records of the zones in full, read concurrently."""
        known = await self.directory.zones()
        zones = sorted(in_full | self._in_use.intersection(known) | set(self._due(known)))
        records = await gather_or_cancel(self._read(zone, in_full=zone in in_full) for zone in zones)
        return dict(zip(zones, records, strict=True))

    async def save(self, zone: Zone, batch: RecordBatch, /) -> tuple[Refusal, ...]:
        """Write a batch chunk by chunk, and return the records that were refused."""
        self._in_use.add(zone)
        writer = BatchWriter(self.api, zone, self._sizes, partial(self._read, zone, in_full=True))
        return await writer.write(batch, is_paid=self.directory.is_paid(zone))

    def _due(self, known: tuple[Zone, ...]) -> list[Zone]:
        """Return the zones that were never read, and the first of those that were read too long ago."""
        stale = self.clock() - _SWEEP_INTERVAL
        unread = [zone for zone in known if zone not in self._read_at]
        outdated = sorted((at, zone) for zone, at in self._read_at.items() if at <= stale and zone in known)
        return unread + [zone for _, zone in outdated[:_SWEPT_PER_LOAD]]

    async def _read(self, zone: Zone, *, in_full: bool) -> tuple[DnsRecord, ...]:
        ours = {} if in_full else {"type": "CNAME", "comment.startswith": HERITAGE}
        params = {"order": "name", **ours}
        operation = Operation("list records", f"zone {zone.name}")
        path = f"/zones/{zone.id}/dns_records"
        listed = await self.api.list_all(
            list[StoredRecord], operation, path, params, _PAGE_SIZE, lambda record: record.id
        )
        self._read_at[zone] = self.clock()
        records = records_of(listed)
        marked = tuple(record for record in records if Marker.parse(record.comment))
        if marked:
            self._in_use.add(zone)
        return records if in_full else marked
