"""ZoneRepository over Cloudflare: which zones are read, and when; `saving` tells how a batch is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import partial

from tunnel_webhook.adapters.cloudflare.client import CloudflareAPI, side_by_side
from tunnel_webhook.adapters.cloudflare.codec import StoredRecord, records_of
from tunnel_webhook.adapters.cloudflare.directory import ZoneDirectory
from tunnel_webhook.adapters.cloudflare.failures import Task
from tunnel_webhook.adapters.cloudflare.saving import Saving
from tunnel_webhook.domain.claim import HERITAGE, Marker
from tunnel_webhook.domain.dns import DnsRecord, RecordBatch, Zone
from tunnel_webhook.ports import Refusal

SWEEP = 600.0
"""After how many seconds a zone in which nothing is claimed is looked at again."""

_SWEPT_AT_ONCE = 50
_PAGE_SIZE = 5000


@dataclass(slots=True)
class CloudflareZones:
    """The DNS records of the zones in a directory.

    Zones in which claims were ever seen are read every time, the others once at the start and then every ten minutes, so many
    at once that a large account does not hold anybody up.
    """

    api: CloudflareAPI
    directory: ZoneDirectory
    clock: Callable[[], float]
    _in_use: set[Zone] = field(default_factory=set[Zone])
    _read_at: dict[Zone, float] = field(default_factory=dict[Zone, float])

    async def zones(self) -> tuple[Zone, ...]:
        """Return the zones, at most ten minutes old."""
        return await self.directory.zones()

    async def load(self, *, in_full: AbstractSet[Zone] = frozenset()) -> Mapping[Zone, tuple[DnsRecord, ...]]:
        """Return the marked records of every zone in use and all those of the zones in full, side by side."""
        known = await self.directory.zones()
        wanted = sorted(in_full | self._in_use.intersection(known) | set(self._due(known)))
        found = await side_by_side(self._read(zone, in_full=zone in in_full) for zone in wanted)
        return dict(zip(wanted, found, strict=True))

    def _due(self, known: tuple[Zone, ...]) -> list[Zone]:
        """Return the zones never read, and of those read long ago the first ones."""
        stale = self.clock() - SWEEP
        never = [zone for zone in known if zone not in self._read_at]
        long_ago = sorted((at, zone) for zone, at in self._read_at.items() if at <= stale and zone in known)
        return never + [zone for _, zone in long_ago[:_SWEPT_AT_ONCE]]

    async def _read(self, zone: Zone, *, in_full: bool) -> tuple[DnsRecord, ...]:
        mine = {} if in_full else {"type": "CNAME", "comment.startswith": HERITAGE}
        params = {"order": "name", **mine}
        task = Task("list records", f"zone {zone.name}")
        stored = await self.api.list_all(
            list[StoredRecord], task, f"/zones/{zone.id}/dns_records", params, _PAGE_SIZE, lambda record: record.id
        )
        self._read_at[zone] = self.clock()
        records = records_of(stored)
        marked = tuple(record for record in records if Marker.parse(record.comment))
        if marked:
            self._in_use.add(zone)
        return records if in_full else marked

    async def save(self, zone: Zone, batch: RecordBatch, /) -> tuple[Refusal, ...]:
        """Write a batch chunk by chunk, and return the records that were refused."""
        self._in_use.add(zone)
        return await Saving(self.api, self.directory, zone, partial(self._read, zone, in_full=True)).run(batch)
