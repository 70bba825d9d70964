"""The directory of zones: which there are, on which plan, and in which account the tunnels are.

| the zones are                  | read by        | missing is               | and is confirmed by                     |
|--------------------------------|----------------|--------------------------|-----------------------------------------|
| all that the credentials see   | their list     | what was believed before | each missing id; over 50, another list  |
| the same, and the list is empty| their list     | everything               | another list                            |
| the same, for the first time   | their list     | unknown                  | up to 500: another list that is equal   |
| CLOUDFLARE_ZONE_IDS            | their ids      | an id that is refused    | that id                                 |

`lists` says what is believed. The second reading follows after a second, on a new connection.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from tunnel_webhook.adapters.cloudflare.client import CloudflareAPI, gather_or_cancel
from tunnel_webhook.adapters.cloudflare.codec import StoredZone
from tunnel_webhook.adapters.cloudflare.failures import Operation, Refused
from tunnel_webhook.adapters.cloudflare.lists import PAUSE, agree, is_in_doubt
from tunnel_webhook.domain.dns import Zone
from tunnel_webhook.ports import PermanentFailure, TemporaryFailure

_LIFETIME = 600.0
_PAGE_SIZE, _OTHER_PAGE_SIZE = 50, 40
_MOST_BY_ID, _MOST_CONFIRMED = 50, 500

log = logging.getLogger(__name__)


@dataclass(slots=True)
class ZoneDirectory:
    """The zones, read at most every ten minutes: `zone_ids`, or all that the credentials see (in `account`, if set).

    A zone that is not active yet is included, since its records can be written. Of two zones with one name the active
    one is chosen. `refusals` holds, by id, why a zone of `zone_ids` is left out. An empty list is never kept.
    """

    api: CloudflareAPI
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[object]]
    account: str = ""
    zone_ids: tuple[str, ...] = ()
    refusals: Mapping[str, Refused] = field(default_factory=dict[str, Refused])
    _believed: Mapping[str, StoredZone] = field(default_factory=dict[str, StoredZone])
    _details: Mapping[Zone, StoredZone] = field(default_factory=dict[Zone, StoredZone])
    _read_at: float | None = None
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def zones(self) -> tuple[Zone, ...]:
        """Return the zones, sorted by name."""
        return tuple(await self.details())

    async def renew(self) -> tuple[Zone, ...]:
        """Return the zones as they are now."""
        self._read_at = None
        return await self.zones()

    async def details(self) -> Mapping[Zone, StoredZone]:
        """Return the zones as Cloudflare describes them, sorted by name. Raises Refused where none can be read."""
        async with self._reading:
            if self._read_at is None or self.clock() - self._read_at >= _LIFETIME:
                await (self._read_by_id() if self.zone_ids else self._read_list())
                self._details = _by_zone(self._believed.values())
                self._read_at = self.clock() if self._details else None
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

    async def _read_list(self) -> None:
        believed = frozenset(self._believed) or None
        first = await self._list()
        if believed is None and 0 < len(first) <= _MOST_CONFIRMED:
            # Nothing shows that a first list is partial, and a name would be claimed in the parent of its zone.
            other = await self._list(on_new_connection=True)
            if first.keys() != other.keys():
                message = f"cannot list zones: one reading shows {len(first)}, and another one {len(other)}"
                raise TemporaryFailure(message)
        if is_in_doubt(believed, first.keys(), expects_some=True):
            missing = sorted(self._believed.keys() - first.keys())
            names = [self._believed[zone_id].name for zone_id in missing]
            what = f"{', '.join(names[:5])} ({len(names)} in all)" if names else "every zone"
            log.warning("the zones are read again, since their list is in doubt: it lacks %s", what)
            await self.sleep(PAUSE)
            second = first.keys() | await self._find(missing)
            if not agree(believed, first.keys(), second):
                message = f"cannot list zones: two readings contradict each other; the first lacks {what}"
                raise TemporaryFailure(message)
            log.warning("these zones are gone, or the credentials no longer show them: %s", what)
        self._believed = first

    async def _find(self, missing: Collection[str]) -> frozenset[str]:
        """Return the ids of missing zones that another query shows; of any zone, where none is known to be missing."""
        if not missing or len(missing) > _MOST_BY_ID:
            return frozenset(await self._list(on_new_connection=True))
        found = await gather_or_cancel(self._read_zone(zone_id, on_new_connection=True) for zone_id in missing)
        return frozenset(zone.id for zone in found if isinstance(zone, StoredZone) and self._is_listed(zone))

    def _is_listed(self, zone: StoredZone) -> bool:
        """Whether the list of zones should hold a zone that was read by its id."""
        return zone.status != "deleted" and (not self.account or zone.account_id in {"", self.account})

    async def _list(self, *, on_new_connection: bool = False) -> Mapping[str, StoredZone]:
        order = {} if on_new_connection else {"order": "name"}
        params = {**order, **({"account.id": self.account} if self.account else {})}
        listed = await self.api.list_all(
            list[StoredZone],
            Operation("list zones"),
            "/zones",
            params,
            _OTHER_PAGE_SIZE if on_new_connection else _PAGE_SIZE,
            lambda zone: zone.id,
            on_new_connection=on_new_connection,
        )
        return {zone.id: zone for zone in listed}

    async def _read_by_id(self) -> None:
        first = await self._read_zones(self.zone_ids)
        refusals = {zone_id: zone for zone_id, zone in first.items() if isinstance(zone, Refused)}
        if len(refusals) == len(first):
            raise next(iter(refusals.values()))
        if refusals:
            await self.sleep(PAUSE)
            second = await self._read_zones(refusals, on_new_connection=True)
            found = {zone_id for zone_id, zone in second.items() if isinstance(zone, StoredZone)}
            if not agree(frozenset(first), first.keys() - refusals.keys(), first.keys() - refusals.keys() | found):
                message = f"cannot read zones (CLOUDFLARE_ZONE_IDS {', '.join(sorted(found))}): refused, then answered"
                raise TemporaryFailure(message)
        for zone_id in refusals.keys() - self.refusals.keys():
            log.error("%s; the zone is left out, and hostnames in it are rejected", refusals[zone_id])
        self.refusals = refusals
        self._believed = {zone_id: zone for zone_id, zone in first.items() if isinstance(zone, StoredZone)}

    async def _read_zones(
        self, zone_ids: Iterable[str], *, on_new_connection: bool = False
    ) -> Mapping[str, StoredZone | Refused]:
        ids = list(zone_ids)
        read = await gather_or_cancel(self._read_zone(zone_id, on_new_connection=on_new_connection) for zone_id in ids)
        return dict(zip(ids, read, strict=True))

    async def _read_zone(self, zone_id: str, *, on_new_connection: bool) -> StoredZone | Refused:
        subject = f"CLOUDFLARE_ZONE_IDS {zone_id}" if self.zone_ids else zone_id
        try:
            return await self.api.get(
                StoredZone, Operation("read zone", subject), f"/zones/{zone_id}", on_new_connection=on_new_connection
            )
        except Refused as refused:
            return refused


def _by_zone(zones: Iterable[StoredZone]) -> Mapping[Zone, StoredZone]:
    """Return the zones in the order of their names, one per name."""
    by_name: dict[str, StoredZone] = {}
    for zone in sorted(zones, key=lambda zone: (zone.name, zone.status != "active", zone.id)):
        by_name.setdefault(zone.name.lower(), zone)
    return {Zone(name, zone.id): zone for name, zone in by_name.items()}
