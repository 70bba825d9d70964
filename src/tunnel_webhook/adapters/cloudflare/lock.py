"""WriteLock in DNS: one record per tunnel, swapped by its id, so that exactly one of two takers succeeds.

Cloudflare carries out a batch as one transaction and refuses it as a whole if a record to delete is gone
(dns/manage-dns-records/how-to/batch-record-changes); a new record has a new id. So deleting the lock that was read and
posting our own in one batch is a compare-and-swap. The record is `_tunnel-lock-<8 digits of the tunnel>.<zone>`, an
unproxied CNAME that leads nowhere. Time is Cloudflare's, since instances may disagree.

| the record                        | then                                                                            |
|-----------------------------------|---------------------------------------------------------------------------------|
| is missing                        | create it, held by no one for one lease: a free one could be taken twice        |
| is held, and its lease still runs | wait, read again                                                                |
| is free, or its lease has ended   | swap it for ours; where that is refused, another instance was first             |
| is not readable                   | as if it were held for one lease since its creation                             |

After the write it is swapped for a free one. It is left to expire after a write without an answer, and by a process
that stops.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from urllib.parse import quote

import msgspec

from tunnel_webhook.adapters.cloudflare.client import CloudflareAPI
from tunnel_webhook.adapters.cloudflare.codec import StoredRecord, encode_batch
from tunnel_webhook.adapters.cloudflare.directory import ZoneDirectory
from tunnel_webhook.adapters.cloudflare.failures import Operation, Refused
from tunnel_webhook.domain.dns import DnsRecord, RecordBatch, Zone
from tunnel_webhook.ports import Failure, Lease, PermanentFailure, TemporaryFailure, Unsettled

_LEASE, _NEEDED, _MARGIN = 60.0, 30.0, 2.0
_PATIENCE = 8.0
_FREE = 0
_COMMENT = re.compile(r"tunnel-webhook-lock,until=([0-9]{1,10}),holder=.*")
_MAX_HOLDER = 40


class _Written(msgspec.Struct):
    posts: list[StoredRecord]


@dataclass(frozen=True, slots=True)
class _Held:
    """The lock while it is ours; `now` returns Cloudflare's time in seconds since the epoch."""

    zone: Zone
    record: DnsRecord
    until: float
    now: Callable[[], float]

    def is_valid(self) -> bool:
        """Whether half of the lease is left."""
        return self.until - self.now() >= _NEEDED


@dataclass(frozen=True, slots=True)
class DnsLock:
    """The locks of tunnels in a zone, by default the first one in order; every instance has to use the same.

    `holder` is shown in the record, `nonce` returns a label that was never returned before, `clock` is monotonic, and
    `random` returns a number from 0 to 1.
    """

    api: CloudflareAPI
    directory: ZoneDirectory
    zone_name: str
    holder: str
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[object]]
    random: Callable[[], float]
    nonce: Callable[[], str] = field(repr=False)

    @asynccontextmanager
    async def held(self, tunnel: str, /) -> AsyncGenerator[Lease]:
        """Hold the lock of a tunnel; raise TemporaryFailure where another instance holds it for too long."""
        held = await self._acquire(tunnel, await self._zone())
        try:
            yield held
        except Unsettled:
            raise
        except Exception:
            await self._free(held)
            raise
        else:
            await self._free(held)

    async def _zone(self) -> Zone:
        zones = await self.directory.zones()
        named = [zone for zone in zones if self.zone_name in {"", zone.name}]
        if not named:
            message = (
                f"WRITE_LOCK names zone {self.zone_name}, which the credentials do not see: name one that they see"
            )
            raise PermanentFailure(message)
        return named[0]

    async def _acquire(self, tunnel: str, zone: Zone) -> _Held:
        name, deadline = f"_tunnel-lock-{tunnel[:8]}.{zone.name}", self.clock() + _PATIENCE
        while True:
            stored, until = await self._read(zone, name)
            if stored is None:
                await self._swap(zone, None, self._record(name, self.api.now() + _LEASE, "no one"))
            elif until + _MARGIN < self.api.now():
                until = self.api.now() + _LEASE
                record = await self._swap(zone, stored, self._record(name, until, self.holder))
                if record:
                    return _Held(zone, record, until, self.api.now)
            pause = 0.1 + 0.4 * self.random()
            if self.clock() + pause > deadline:
                message = f"another instance holds the lock of tunnel {tunnel} ({name}): the next sync tries again"
                raise TemporaryFailure(message)
            await self.sleep(pause)

    async def _free(self, held: _Held) -> None:
        """Swap the lock for a free one; a lock that cannot be freed expires."""
        with suppress(Failure):
            await self._swap(held.zone, held.record, self._record(held.record.name, _FREE, "no one"))

    def _record(self, name: str, until: float, holder: str) -> DnsRecord:
        comment = f"tunnel-webhook-lock,until={until:.0f},holder={quote(holder)[:_MAX_HOLDER]}"
        return DnsRecord(name, "CNAME", f"{self.nonce()}.invalid", comment=comment)

    async def _read(self, zone: Zone, name: str) -> tuple[DnsRecord | None, float]:
        """Return the stored lock, and when its lease ends in seconds since the epoch."""
        listed = await self.api.list_all(
            list[StoredRecord],
            Operation("read lock", name),
            f"/zones/{zone.id}/dns_records",
            {"name": name, "type": "CNAME"},
            100,
            lambda record: record.id,
        )
        for stored in listed:
            match = _COMMENT.fullmatch(stored.comment or "")
            return stored.record, float(match[1]) if match else (stored.record.created or 0.0) + _LEASE
        return None, 0.0

    async def _swap(self, zone: Zone, stored: DnsRecord | None, record: DnsRecord) -> DnsRecord | None:
        """Put a record in the place of the stored one; return None if that was no longer there."""
        batch = RecordBatch(deletes=(stored,) if stored else (), posts=(record,))
        path = f"/zones/{zone.id}/dns_records/batch"
        operation = Operation("write lock", record.name, writes=True)
        try:
            written = await self.api.write(_Written, operation, "POST", path, encode_batch(batch))
        except Refused as refused:
            if not refused.concerns_records:
                raise
            return None
        except Unsettled:
            found, _ = await self._read(zone, record.name)
            return found if found and found.content == record.content else None
        return replace(record, id=written.posts[0].id)
