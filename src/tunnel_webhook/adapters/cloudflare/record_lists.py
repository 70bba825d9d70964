"""The records of zones as Cloudflare lists them, and which of these lists are believed.

| a list                                          | then                                                           |
|-------------------------------------------------|----------------------------------------------------------------|
| is believed (`lists`)                           | its claims are remembered                                      |
| is in doubt                                     | the zone is read by the other query: in full, or by comment    |
| is refused, and was not refused before          | it is asked for once more                                      |

The second reading follows after a second, on a new connection.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field

from tunnel_webhook.adapters.cloudflare.client import CloudflareAPI
from tunnel_webhook.adapters.cloudflare.codec import StoredRecord, records_of
from tunnel_webhook.adapters.cloudflare.failures import Operation, Refused
from tunnel_webhook.adapters.cloudflare.lists import PAUSE, agree, is_in_doubt
from tunnel_webhook.domain.dns import DnsRecord, RecordBatch, Zone
from tunnel_webhook.domain.marker import HERITAGE, Marker
from tunnel_webhook.ports import Refusal, TemporaryFailure

_PAGE_SIZE = 5000

log = logging.getLogger(__name__)


@dataclass(slots=True)
class RecordLists:
    """Lists the records of one zone at a time; what was believed outlives the zone's absence from the account.

    `refusals` holds the zones whose list was refused at the last two attempts, and why.
    """

    api: CloudflareAPI
    sleep: Callable[[float], Awaitable[object]]
    refusals: dict[Zone, Refused] = field(default_factory=dict[Zone, Refused])
    _claims: dict[Zone, dict[str, DnsRecord]] = field(default_factory=dict[Zone, dict[str, DnsRecord]])

    def claims(self, zone: Zone) -> tuple[DnsRecord, ...]:
        """Return the claims that were last believed in a zone, with what was written since, sorted."""
        return tuple(sorted(self._claims.get(zone, {}).values()))

    def was_read(self, zone: Zone) -> bool:
        """Whether a list of the zone was ever believed."""
        return zone in self._claims

    async def read(self, zone: Zone, *, in_full: bool, expects_claims: bool = False) -> tuple[DnsRecord, ...]:
        """Return all records of a zone, or those that carry our marker, sorted.

        `expects_claims`: whether something else shows that the zone may hold a claim. Raises TemporaryFailure where two
        readings contradict each other, Refused where both are refused.
        """
        first = await self._list_or_repeat(zone, in_full=in_full)
        listed = _claims_of(first)
        if is_in_doubt(self._names(zone), listed.keys(), expects_some=expects_claims):
            second = await self._read_again(zone, listed, in_full=not in_full)
            # Of the two, the result is the one that was asked for; by comment, the later one holds it as well.
            first, listed = (first, listed) if in_full else (second, _claims_of(second))
        self._claims[zone] = dict(listed)
        return first if in_full else marked(first)

    def forget(self, zone: Zone, batch: RecordBatch) -> None:
        """Expect no longer what a batch is about to remove."""
        unmarked = (record for record in batch.patches if not Marker.parse(record.comment))
        for record in (*batch.deletes, *unmarked):
            if record.type == "CNAME":
                self._claims.get(zone, {}).pop(record.name, None)

    def remember(self, zone: Zone, batch: RecordBatch, refusals: Iterable[Refusal]) -> None:
        """Expect from now on what a batch has written."""
        refused = {refusal.name for refusal in refusals}
        written = (record for record in (*batch.patches, *batch.posts) if record.name not in refused)
        self._claims.setdefault(zone, {}).update(_claims_of(written))

    def _names(self, zone: Zone) -> frozenset[str] | None:
        return frozenset(self._claims[zone]) if zone in self._claims else None

    async def _read_again(self, zone: Zone, listed: Mapping[str, DnsRecord], *, in_full: bool) -> tuple[DnsRecord, ...]:
        """Return a second reading that lacks the same as the first; raise TemporaryFailure if it does not."""
        missing = sorted((self._names(zone) or frozenset()) - listed.keys())
        what = f"{len(missing)} claims are missing, such as that of {missing[0]}" if missing else "there is no claim"
        # A zone that is about to get its first claim is read twice as well.
        level = logging.WARNING if missing else logging.DEBUG
        log.log(level, "zone %s is read again, since the list of its records is in doubt: %s", zone.name, what)
        await self.sleep(PAUSE)
        second = await self._list(zone, in_full=in_full, on_new_connection=True)
        if not agree(self._names(zone), listed.keys(), _claims_of(second).keys()):
            message = f"cannot list records (zone {zone.name}): two lists contradict each other; in the first, {what}"
            raise TemporaryFailure(message)
        return second

    async def _list_or_repeat(self, zone: Zone, *, in_full: bool) -> tuple[DnsRecord, ...]:
        try:
            try:
                records = await self._list(zone, in_full=in_full)
            except Refused:
                if zone in self.refusals:
                    raise
                await self.sleep(PAUSE)
                records = await self._list(zone, in_full=in_full, on_new_connection=True)
        except Refused as refused:
            self.refusals[zone] = refused
            raise
        if self.refusals.pop(zone, None):
            log.info("the records of zone %s can be read again", zone.name)
        return records

    async def _list(self, zone: Zone, *, in_full: bool, on_new_connection: bool = False) -> tuple[DnsRecord, ...]:
        ours = {} if in_full else {"type": "CNAME", "comment.startswith": HERITAGE}
        listed = await self.api.list_all(
            list[StoredRecord],
            Operation("list records", f"zone {zone.name}"),
            f"/zones/{zone.id}/dns_records",
            {"order": "name", **ours},
            _PAGE_SIZE,
            lambda record: record.id,
            on_new_connection=on_new_connection,
        )
        return records_of(listed)


def marked(records: Iterable[DnsRecord]) -> tuple[DnsRecord, ...]:
    """Return the records that carry our marker."""
    return tuple(record for record in records if Marker.parse(record.comment))


def _claims_of(records: Iterable[DnsRecord]) -> dict[str, DnsRecord]:
    """Return the marked CNAMEs by name."""
    return {record.name: record for record in marked(records) if record.type == "CNAME"}
