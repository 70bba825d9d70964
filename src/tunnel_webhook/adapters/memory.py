"""The driven ports in memory, for demos, contract tests and dry development; as strict as Cloudflare.

Documents and records are plain attributes, which tests read and write without the methods under test.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count

from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.cloudflared.sameness import is_same_document
from tunnel_webhook.domain.cloudflared.validation import check_configuration
from tunnel_webhook.domain.dns import CONFLICTING_TYPES, DnsRecord, RecordBatch, Zone
from tunnel_webhook.domain.errors import InvalidConfiguration, Reason
from tunnel_webhook.domain.marker import MAX_COMMENT, Marker
from tunnel_webhook.ports import (
    Finding,
    Lease,
    Level,
    PermanentFailure,
    Refusal,
    Superseded,
    TemporaryFailure,
    TunnelMissing,
    Unacceptable,
)

ENTERPRISE_RECORDS = 1_000_000
"""The default quota of records per zone: that of Cloudflare's Enterprise plan."""


@dataclass(slots=True)
class InMemoryTunnels:
    """TunnelRepository in memory: `documents` holds, by tunnel id, the JSON text and its version."""

    documents: dict[str, tuple[str, int]]

    @classmethod
    def empty(cls, tunnels: Iterable[str]) -> InMemoryTunnels:
        """Return tunnels with these ids and no rules."""
        return cls(dict.fromkeys(tunnels, ("{}", 0)))

    async def load(self, tunnel: str, /) -> TunnelConfiguration:
        """Return the document; PermanentFailure for an unknown tunnel."""
        text, version = self._document(tunnel)
        try:
            return TunnelConfiguration.parse(text, version)
        except InvalidConfiguration as error:
            message = f"tunnel {tunnel}: {error}"
            raise PermanentFailure(message) from error

    async def save(
        self,
        tunnel: str,
        base: TunnelConfiguration,
        configuration: TunnelConfiguration,
        may_write: Callable[[], bool],
        /,
    ) -> int | Superseded:
        """Validate and replace the document, as Cloudflare does; its version is the stored one plus 1."""
        text, version = self._document(tunnel)
        if version != base.version or not is_same_document(text, base.text):
            stored = await self.load(tunnel)
            return Superseded((stored, stored))
        if not may_write():
            message = f"tunnel {tunnel} was not written: it is too late"
            raise TemporaryFailure(message)
        try:
            check_configuration(configuration)
        except InvalidConfiguration as error:
            message = f"tunnel {tunnel} refused its configuration: 1056: Bad Configuration: Validation failed: {error}"
            raise Unacceptable(message) from error
        _, version = self._document(tunnel)
        self.documents[tunnel] = (configuration.text, version + 1)
        return version + 1

    def _document(self, tunnel: str) -> tuple[str, int]:
        try:
            return self.documents[tunnel]
        except KeyError as error:
            message = f"tunnel {tunnel} does not exist; set CLOUDFLARE_TUNNEL_ID to one of {', '.join(self.documents)}"
            raise TunnelMissing(message) from error


@dataclass(slots=True)
class InMemoryZones:
    """ZoneRepository in memory: `stored` holds the records of each zone by id, `quota` limits their number."""

    stored: dict[Zone, dict[str, DnsRecord]]
    quota: int = ENTERPRISE_RECORDS
    clock: Callable[[], float] = time.time
    _ids: Iterator[int] = field(default_factory=lambda: count(1), repr=False)

    @classmethod
    def empty(cls, names: Iterable[str]) -> InMemoryZones:
        """Return zones with these names and no records."""
        return cls({Zone(name, f"zone-{name}"): {} for name in sorted(names)})

    def now(self) -> float:
        """Return the time of the clock."""
        return self.clock()

    async def zones(self) -> tuple[Zone, ...]:
        """Return the zones."""
        return tuple(sorted(self.stored))

    async def load(
        self,
        *,
        in_full: AbstractSet[Zone] = frozenset(),
        named: AbstractSet[Zone] = frozenset(),  # noqa: ARG002 -- every zone is read
    ) -> Mapping[Zone, tuple[DnsRecord, ...]]:
        """Return the marked records of every zone, and all records of the zones `in_full`."""
        return {
            zone: tuple(
                sorted(record for record in records.values() if zone in in_full or Marker.parse(record.comment))
            )
            for zone, records in self.stored.items()
        }

    async def save(self, zone: Zone, batch: RecordBatch, /) -> tuple[Refusal, ...]:
        """Write record by record; what Cloudflare would refuse is refused with Cloudflare's code."""
        if zone not in self.stored:
            message = f"zone {zone.name} does not exist"
            raise PermanentFailure(message)
        deleted = [self.stored[zone].pop(record.id) for record in batch.deletes if record.id in self.stored[zone]]
        refusals = [self._patch(zone, record) for record in batch.patches]
        by_name: defaultdict[str, list[DnsRecord]] = defaultdict(list)
        for record in self.stored[zone].values():
            by_name[record.name].append(record)
        posted = [self._post(zone, record, by_name[record.name]) for record in batch.posts]
        not_swapped = batch.swapped & {refusal.name for refusal in posted if refusal}
        self.stored[zone].update({record.id: record for record in deleted if record.name in not_swapped})
        refusals += posted
        return tuple(refusal for refusal in refusals if refusal)

    def _patch(self, zone: Zone, record: DnsRecord) -> Refusal | None:
        stored = self.stored[zone].get(record.id)
        if stored is None:
            return Refusal(record.name, Reason.REFUSED, "81044: Record does not exist.")
        if refusal := _comment_refusal(record):
            return refusal
        patched = replace(stored, content=record.content, proxied=record.proxied, comment=record.comment)
        self.stored[zone][record.id] = patched
        return None

    def _post(self, zone: Zone, record: DnsRecord, neighbours: list[DnsRecord]) -> Refusal | None:
        if any(replace(neighbour, id="") == record for neighbour in neighbours):
            return None
        if refusal := _comment_refusal(record):
            return refusal
        if any(neighbour.type in CONFLICTING_TYPES for neighbour in neighbours):
            sentence = "81053: An A, AAAA, or CNAME record with that host already exists."
            return Refusal(record.name, Reason.RECORD_CONFLICT, sentence)
        if len(self.stored[zone]) >= self.quota:
            return Refusal(record.name, Reason.QUOTA_EXCEEDED, "81045: Record quota exceeded.")
        posted = replace(record, id=f"{next(self._ids):032x}", created=self.clock())
        self.stored[zone][posted.id] = posted
        neighbours.append(posted)
        return None


@dataclass(frozen=True, slots=True)
class Unlimited:
    """A lease that does not end."""

    def is_valid(self) -> bool:
        """Return True."""
        return True


class NoLock:
    """WriteLock that excludes no one: for a single instance, and for documents in memory."""

    @asynccontextmanager
    async def held(self, _tunnel: str, /) -> AsyncGenerator[Lease]:
        """Yield a lease that does not end."""
        yield Unlimited()


class InMemoryInspection:
    """Inspection of the memory backend, which has no preconditions."""

    async def findings(self) -> AsyncIterator[Finding]:
        """Yield one finding that says so."""
        yield Finding("backend", Level.OK, "memory: Cloudflare is not used, and nothing outlives the process")


def _comment_refusal(record: DnsRecord) -> Refusal | None:
    if len(record.comment) <= MAX_COMMENT:
        return None
    return Refusal(
        record.name, Reason.REFUSED, f"9313: DNS record comment exceeds the maximum length of {MAX_COMMENT} characters."
    )
