"""Gathering: everything that a decision rests on, read from the driven ports at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tunnel_webhook.application.instrumentation import observe_versions
from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.dns import Zone
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.hostname import Hostname, zone_of
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.ports import TunnelRepository, ZoneRepository


@dataclass(frozen=True, slots=True)
class Gathering:
    """Reads the tunnels of a policy and the zones."""

    tunnels: TunnelRepository
    zones: ZoneRepository
    policy: Policy

    async def existing(self, hostnames: Iterable[Hostname] = ()) -> Existing:
        """Return what exists: every claim, and whatever else holds one of these hostnames.

        Raises TemporaryFailure or PermanentFailure instead of returning a part.
        """
        zones = await self.zones.zones()
        by_name = {zone.name: zone for zone in zones}
        configurations = await self._configurations()
        rules = (rule for configuration in configurations.values() for rule in configuration.rules)
        records = await self.zones.load(
            in_full=_holding(hostnames, by_name), named=_holding((rule.canonical_hostname for rule in rules), by_name)
        )
        return Existing.of(zones, records, configurations)

    async def _configurations(self) -> Mapping[str, TunnelConfiguration]:
        ids = [tunnel.id for tunnel in self.policy.tunnels]
        documents = await asyncio.gather(*(self.tunnels.load(tunnel) for tunnel in ids))
        configurations = dict(zip(ids, documents, strict=True))
        observe_versions(configurations, self.policy)
        return configurations


def _holding(hostnames: Iterable[str], by_name: Mapping[str, Zone]) -> frozenset[Zone]:
    """Return the zones that hold these hostnames."""
    return frozenset(zone for hostname in set(hostnames) if (zone := zone_of(hostname, by_name)))
