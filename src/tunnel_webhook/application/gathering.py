"""Gathering: everything that a decision rests on, read from the driven ports at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tunnel_webhook.application.documents import Documents, TunnelState
from tunnel_webhook.domain.claim import claims_among
from tunnel_webhook.domain.dns import DnsRecord, Zone
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.hostname import Hostname, zone_of
from tunnel_webhook.domain.planning.belief import OLD_CLAIM
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.ports import ZoneRepository


@dataclass(frozen=True, slots=True)
class Gathered:
    """What exists, and by tunnel id what is known of its document."""

    existing: Existing
    states: Mapping[str, TunnelState]


@dataclass(frozen=True, slots=True)
class Gathering:
    """Reads the tunnels of a policy and the zones."""

    documents: Documents
    zones: ZoneRepository
    policy: Policy

    async def gather(self, hostnames: Iterable[Hostname] = ()) -> Gathered:
        """Return every claim, whatever else holds one of these hostnames, and the documents last believed.

        Raises TemporaryFailure or PermanentFailure where not even the claims are known.
        """
        zones = await self.zones.zones()
        by_name = {zone.name: zone for zone in zones}
        answers = await self.documents.read()
        records = await self.zones.load(
            in_full=_holding(hostnames, by_name), named=_holding(self.documents.possible_hostnames(answers), by_name)
        )
        states = self.documents.believe(answers, self._with_old_claims(records))
        documents = {tunnel: state.document for tunnel, state in states.items()}
        return Gathered(Existing.of(zones, records, documents), states)

    async def existing(self, hostnames: Iterable[Hostname] = ()) -> Existing:
        """Return what exists; raise the failure of any tunnel whose document cannot be relied on."""
        gathered = await self.gather(hostnames)
        for state in gathered.states.values():
            if state.obstacle:
                raise state.obstacle
        return gathered.existing

    def _with_old_claims(self, records: Mapping[Zone, Iterable[DnsRecord]]) -> frozenset[str]:
        """Return the tunnels through which a hostname was published so long ago that they must have rules."""
        since = self.zones.now() - OLD_CLAIM
        claims = claims_among(records, (tunnel.id for tunnel in self.policy.tunnels)).values()
        return frozenset(
            claim.tunnel for claim in claims if claim.record.created is not None and claim.record.created < since
        )


def _holding(hostnames: Iterable[str], by_name: Mapping[str, Zone]) -> frozenset[Zone]:
    """Return the zones that hold these hostnames."""
    return frozenset(zone for hostname in set(hostnames) if (zone := zone_of(hostname, by_name)))
