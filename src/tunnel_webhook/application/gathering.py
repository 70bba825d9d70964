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
from tunnel_webhook.ports import Failure, ZoneRepository


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
        named = _holding(self.documents.possible_hostnames(answers), by_name)
        try:
            records = await self.zones.load(in_full=_holding(hostnames, by_name), named=named)
        except Failure:
            # An answer that contradicts a doubtful one counts, whatever else fails.
            self.documents.believe(answers)
            raise
        states = self.documents.believe(answers, self._with_old_claims(records))
        documents = {tunnel: state.document for tunnel, state in states.items()}
        return Gathered(Existing.of(zones, records, documents, self.zones.now()), states)

    async def existing(self, hostnames: Iterable[Hostname] = ()) -> Existing:
        """Return what exists; raise the failure of any tunnel whose document cannot be relied on.

        A tunnel that does not exist is a failure only if hostnames are published through it, or would be.
        """
        gathered = await self.gather(hostnames)
        needed = {self.policy.default_tunnel.id, *(claim.tunnel for claim in gathered.existing.claims.values())}
        for tunnel, state in gathered.states.items():
            failure = state.obstacle if tunnel in needed else state.failure
            if failure:
                raise failure
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
