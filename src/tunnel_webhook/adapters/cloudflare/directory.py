"""Which zones there are, how many records a batch to each may hold, and which account the tunnels are in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from tunnel_webhook.adapters.cloudflare.client import CloudflareAPI, side_by_side
from tunnel_webhook.adapters.cloudflare.codec import StoredZone
from tunnel_webhook.adapters.cloudflare.failures import Task
from tunnel_webhook.domain.dns import Zone
from tunnel_webhook.ports import PermanentFailure

LIFETIME = 600.0
"""How long a list of zones is believed, in seconds."""

FREE_BATCH, PAID_BATCH = 200, 3500
"""Records in one batch, by plan (dns/manage-dns-records/how-to/batch-record-changes)."""

_PAGE_SIZE = 50


@dataclass(slots=True)
class ZoneDirectory:
    """The zones, read at most every ten minutes: all that the credentials see, of one `account` if it is given, or `zone_ids`.

    A zone that is not active yet counts too: its records can be written. Of two zones with one name the active one counts.
    """

    api: CloudflareAPI
    clock: Callable[[], float]
    account: str = ""
    zone_ids: tuple[str, ...] = ()
    _stored: Mapping[Zone, StoredZone] = field(default_factory=dict[Zone, StoredZone])
    _read_at: float | None = None
    _small: set[Zone] = field(default_factory=set[Zone])
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def zones(self) -> tuple[Zone, ...]:
        """Return the zones, sorted by name."""
        async with self._reading:
            if self._read_at is None or self.clock() - self._read_at >= LIFETIME:
                stored = await self._read()
                self._stored, self._read_at = _by_zone(stored), self.clock()
        return tuple(self._stored)

    async def stored(self) -> Mapping[Zone, StoredZone]:
        """Return the zones with all that is read of them, sorted by name."""
        await self.zones()
        return self._stored

    async def account_id(self) -> str:
        """Return the account: the one given, else the one that all zones are in; PermanentFailure where they are in several."""
        if self.account:
            return self.account
        await self.zones()
        accounts = sorted({stored.account_id for stored in self._stored.values()} - {""})
        if len(accounts) == 1:
            return accounts[0]
        seen = (
            f"in {len(accounts)} accounts ({', '.join(accounts)})" if accounts else "in no account, if any zone at all"
        )
        message = f"the credentials see zones {seen}: set CLOUDFLARE_ACCOUNT_ID to the account of the tunnels"
        raise PermanentFailure(message)

    def batch_size(self, zone: Zone) -> int:
        """Return how many records one batch may hold; the least of all plans where the plan is not known."""
        stored = self._stored.get(zone)
        return PAID_BATCH if stored and stored.is_paid and zone not in self._small else FREE_BATCH

    def keep_small(self, zone: Zone) -> None:
        """Remember that a zone has refused a batch which its plan seemed to allow."""
        self._small.add(zone)

    async def _read(self) -> list[StoredZone]:
        if self.zone_ids:
            return await side_by_side(self._read_zone(zone_id) for zone_id in self.zone_ids)
        params = {"order": "name", **({"account.id": self.account} if self.account else {})}
        return await self.api.list_all(
            list[StoredZone], Task("list zones"), "/zones", params, _PAGE_SIZE, lambda zone: zone.id
        )

    async def _read_zone(self, zone_id: str) -> StoredZone:
        return await self.api.get(StoredZone, Task("read zone", f"CLOUDFLARE_ZONE_IDS {zone_id}"), f"/zones/{zone_id}")


def _by_zone(stored: Iterable[StoredZone]) -> Mapping[Zone, StoredZone]:
    """Return the zones in the order of their names, one a name."""
    found: dict[str, StoredZone] = {}
    for zone in sorted(stored, key=lambda zone: (zone.name, zone.status != "active", zone.id)):
        found.setdefault(zone.name.lower(), zone)
    return {Zone(name, zone.id): zone for name, zone in found.items()}
