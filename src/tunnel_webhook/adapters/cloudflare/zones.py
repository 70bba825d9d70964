"""ZoneRepository over Cloudflare: which zones are read, and when; `record_lists` says what is believed of them.

| a zone that the domain filter can concern             | is read                                                  |
|-------------------------------------------------------|----------------------------------------------------------|
| a claim was seen in it, or it was written to          | with every load                                          |
| never read, and a rule or a change names a host in it | with the next load                                       |
| any other                                             | every ten minutes; 50 per load, the longest unread first |

A zone that the filter cannot concern is read only where a change names a hostname in it.

| a zone whose records are refused twice  | then                                                  |
|-----------------------------------------|-------------------------------------------------------|
| is gone from the believed list of zones | it is left out                                        |
| is listed, and was read before          | its claims are those last believed; writes to it fail |
| is listed, and was never read           | it is left out; writes to it fail                     |
| is listed, and no zone was ever read    | the load fails: the credentials allow nothing         |
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import partial

from tunnel_webhook.adapters.cloudflare.batch_writer import BatchWriter
from tunnel_webhook.adapters.cloudflare.batches import BatchSizes
from tunnel_webhook.adapters.cloudflare.client import CloudflareAPI, gather_or_cancel
from tunnel_webhook.adapters.cloudflare.directory import ZoneDirectory
from tunnel_webhook.adapters.cloudflare.failures import Refused
from tunnel_webhook.adapters.cloudflare.record_lists import RecordLists
from tunnel_webhook.domain.dns import DnsRecord, RecordBatch, Zone
from tunnel_webhook.domain.external_dns.domain_filter import DomainFilter
from tunnel_webhook.ports import PermanentFailure, Refusal

_SWEEP_INTERVAL = 600.0
_SWEPT_PER_LOAD = 50

log = logging.getLogger(__name__)


@dataclass(slots=True)
class CloudflareZones:
    """The DNS records of the zones in a directory."""

    api: CloudflareAPI
    directory: ZoneDirectory
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[object]]
    domain_filter: DomainFilter = field(default_factory=DomainFilter)
    _sizes: BatchSizes = field(default_factory=BatchSizes)
    _in_use: set[Zone] = field(default_factory=set[Zone])
    _asked_at: dict[Zone, float] = field(default_factory=dict[Zone, float])
    _lists: RecordLists = field(init=False)

    def __post_init__(self) -> None:
        """Start with no list."""
        self._lists = RecordLists(self.api, self.sleep)

    def now(self) -> float:
        """Return Cloudflare's time."""
        return self.api.now()

    async def zones(self) -> tuple[Zone, ...]:
        """Return the zones, at most ten minutes old."""
        return await self.directory.zones()

    async def load(
        self, *, in_full: AbstractSet[Zone] = frozenset(), named: AbstractSet[Zone] = frozenset()
    ) -> Mapping[Zone, tuple[DnsRecord, ...]]:
        """Return the marked records of every zone in use and all records of the zones in full, read concurrently."""
        zones = self._due(await self.directory.zones(), in_full, named)
        refused_before = frozenset(self._lists.refusals)
        answers = await gather_or_cancel(
            self._read(zone, in_full=zone in in_full, expects_claims=zone in in_full | named) for zone in zones
        )
        read = dict(zip(zones, answers, strict=True))
        records = {zone: answer for zone, answer in read.items() if not isinstance(answer, Refused)}
        if refused := {zone: answer for zone, answer in read.items() if isinstance(answer, Refused)}:
            records |= await self._last_believed(refused, refused_before)
        return records

    async def save(self, zone: Zone, batch: RecordBatch, /) -> tuple[Refusal, ...]:
        """Write a batch chunk by chunk, and return the records that were refused."""
        if refused := self._lists.refusals.get(zone):
            # What was planned rests on records that cannot be read any more.
            raise PermanentFailure(str(refused)) from refused
        self._in_use.add(zone)
        self._lists.forget(zone, batch)
        writer = BatchWriter(self.api, zone, self._sizes, partial(self._lists.read, zone, in_full=True))
        refusals = await writer.write(batch, is_paid=self.directory.is_paid(zone))
        self._lists.remember(zone, batch, refusals)
        return refusals

    def _due(self, known: tuple[Zone, ...], in_full: AbstractSet[Zone], named: AbstractSet[Zone]) -> list[Zone]:
        """Return the zones to read now, sorted."""
        concerned = [zone for zone in known if self.domain_filter.concerns(zone.name)]
        stale = self.clock() - _SWEEP_INTERVAL
        unread = [zone for zone in concerned if zone not in self._asked_at]
        outdated = sorted((at, zone) for zone in concerned if (at := self._asked_at.get(zone, stale + 1)) <= stale)
        swept = [*unread, *(zone for _, zone in outdated)][:_SWEPT_PER_LOAD]
        return sorted(in_full | self._in_use.intersection(concerned) | named & frozenset(unread) | set(swept))

    async def _read(self, zone: Zone, *, in_full: bool, expects_claims: bool) -> tuple[DnsRecord, ...] | Refused:
        answer: tuple[DnsRecord, ...] | Refused
        try:
            answer = await self._lists.read(zone, in_full=in_full, expects_claims=expects_claims)
        except Refused as refused:
            answer = refused
        self._asked_at[zone] = self.clock()
        if self._lists.claims(zone):
            self._in_use.add(zone)
        return answer

    async def _last_believed(
        self, refused: Mapping[Zone, Refused], known_before: AbstractSet[Zone]
    ) -> Mapping[Zone, tuple[DnsRecord, ...]]:
        """Return the last believed claims of refused zones that still exist; say once what becomes of each zone."""
        new = refused.keys() - known_before
        listed = frozenset(await (self.directory.renew() if new else self.directory.zones()))
        remaining = {zone: refusal for zone, refusal in refused.items() if zone in listed}
        if remaining and not any(map(self._lists.was_read, self._asked_at)):
            self._ask_again(remaining)
            raise next(iter(remaining.values()))
        self._ask_again(refused.keys() - remaining.keys())
        for zone in sorted(new & remaining.keys()):
            self._report(zone, remaining[zone])
        return {zone: self._lists.claims(zone) for zone in remaining if self._lists.was_read(zone)}

    def _ask_again(self, zones: Iterable[Zone]) -> None:
        """Treat zones as never asked for."""
        for zone in zones:
            self._asked_at.pop(zone, None)
            self._lists.refusals.pop(zone, None)

    def _report(self, zone: Zone, refused: Refused) -> None:
        number = len(self._lists.claims(zone))
        if number:
            effect = f"its hostnames ({number}) are reported as they were last read, and changes to them are rejected"
            log.error("%s; %s", refused, effect)
        else:
            log.warning("%s; the zone is left out, and hostnames in it are rejected", refused)
