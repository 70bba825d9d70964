"""The directory of zones: which there are, on which plan, and in which account the tunnels are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from tunnel_webhook.adapters.cloudflare.client import CloudflareAPI, gather_or_cancel
from tunnel_webhook.adapters.cloudflare.codec import StoredZone
from tunnel_webhook.adapters.cloudflare.failures import Operation
from tunnel_webhook.domain.dns import Zone
from tunnel_webhook.ports import PermanentFailure

_LIFETIME = 600.0
_PAGE_SIZE = 50


@dataclass(slots=True)
class ZoneDirectory:
    """The zones, read at most every ten minutes: `zone_ids`, or all that the credentials see (in `account`, if set).

    A zone that is not active yet is included, since its records can be written. Of two zones with one name the active
    one is chosen.
    """

    api: CloudflareAPI
    clock: Callable[[], float]
    account: str = ""
    zone_ids: tuple[str, ...] = ()
    _details: Mapping[Zone, StoredZone] = field(default_factory=dict[Zone, StoredZone])
    _read_at: float | None = None
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def zones(self) -> tuple[Zone, ...]:
        """Return the zones, sorted by name."""
        return tuple(await self.details())

    async def details(self) -> Mapping[Zone, StoredZone]:
        """Return the zones as Cloudflare describes them, sorted by name."""
        async with self._reading:
            if self._read_at is None or self.clock() - self._read_at >= _LIFETIME:
                self._details = _by_zone(await self._read())
                self._read_at = self.clock()
        return self._details

    async def account_id(self) -> str:
        """Return the account that is set, else the only account of the zones.

        Raises PermanentFailure if the zones are in several accounts or in none.
        """
        if self.account:
            return self.account
        details = await self.details()
        accounts = sorted({zone.account_id for zone in details.values()} - {""})
        if len(accounts) == 1:
            return accounts[0]
        places = f"zones in {len(accounts)} accounts ({', '.join(accounts)})" if accounts else "no zone with an account"
        message = f"the credentials see {places}: set CLOUDFLARE_ACCOUNT_ID to the account of the tunnels"
        raise PermanentFailure(message)

    def is_paid(self, zone: Zone) -> bool:
        """Whether the zone was last seen on a paid plan; a zone that is not known counts as free."""
        return zone in self._details and self._details[zone].is_paid

    async def _read(self) -> list[StoredZone]:
        if self.zone_ids:
            return await gather_or_cancel(self._read_zone(zone_id) for zone_id in self.zone_ids)
        params = {"order": "name", **({"account.id": self.account} if self.account else {})}
        return await self.api.list_all(
            list[StoredZone], Operation("list zones"), "/zones", params, _PAGE_SIZE, lambda zone: zone.id
        )

    async def _read_zone(self, zone_id: str) -> StoredZone:
        operation = Operation("read zone", f"CLOUDFLARE_ZONE_IDS {zone_id}")
        return await self.api.get(StoredZone, operation, f"/zones/{zone_id}")


def _by_zone(zones: Iterable[StoredZone]) -> Mapping[Zone, StoredZone]:
    """Return the zones in the order of their names, one per name."""
    by_name: dict[str, StoredZone] = {}
    for zone in sorted(zones, key=lambda zone: (zone.name, zone.status != "active", zone.id)):
        by_name.setdefault(zone.name.lower(), zone)
    return {Zone(name, zone.id): zone for name, zone in by_name.items()}
