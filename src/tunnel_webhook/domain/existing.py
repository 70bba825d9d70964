"""What is there now: zones, records and tunnel documents, read once and indexed by hostname."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tunnel_webhook.domain.claim import CONFLICTING_TYPES, Claim, DnsRecord, Zone, claims_among
from tunnel_webhook.domain.errors import InvalidService
from tunnel_webhook.domain.hostname import Hostname, zone_of
from tunnel_webhook.domain.ingress import IngressRule, TunnelConfiguration
from tunnel_webhook.domain.layout import shadowed
from tunnel_webhook.domain.service import ALL_SERVICES, OriginService

DRIFTS = ("no-rule", "tunnel", "left-behind", "not-proxied", "duplicate-rule", "hostname", "service", "shadowed")
"""Everything that may be amiss with a managed hostname, the gravest first."""

Rules = Mapping[Hostname, tuple[IngressRule, ...]]


@dataclass(frozen=True, slots=True)
class Existing:
    """The state that one decision is taken on.

    `zones` by name; `claims` by hostname; `neighbours` are the records, other than claims, that cannot stand beside a CNAME of
    their name; `rules` by tunnel id and hostname, for every hostname that has rules, managed or not; `configurations` by tunnel
    id; `shadowed` by tunnel id the managed hostnames that a bystander keeps from being reached.
    """

    zones: Mapping[str, Zone]
    claims: Mapping[Hostname, Claim]
    neighbours: Mapping[str, tuple[DnsRecord, ...]]
    rules: Mapping[str, Rules]
    configurations: Mapping[str, TunnelConfiguration] = field(repr=False)
    shadowed: Mapping[str, frozenset[Hostname]] = field(repr=False)

    @classmethod
    def of(
        cls,
        zones: Iterable[Zone],
        records: Mapping[Zone, Iterable[DnsRecord]],
        configurations: Mapping[str, TunnelConfiguration],
    ) -> Existing:
        """Return the state that these zones, records and documents (by tunnel id) amount to."""
        zones_by_name = {zone.name: zone for zone in (*zones, *records)}
        # Nobody resolves what a zone holds for a name in a child zone of it, such as the records that delegate the child.
        visible = {
            zone: [record for record in stored if zone_of(Hostname(record.name), zones_by_name) == zone]
            for zone, stored in records.items()
        }
        claims = claims_among(visible, configurations)
        claimed = {claim.record for claim in claims.values()}
        neighbours: defaultdict[str, list[DnsRecord]] = defaultdict(list)
        for stored in visible.values():
            for record in stored:
                if record.type in CONFLICTING_TYPES and record not in claimed:
                    neighbours[record.name].append(record)
        return cls(
            zones=zones_by_name,
            claims=claims,
            neighbours={name: tuple(sorted(found)) for name, found in neighbours.items()},
            rules={tunnel: _by_hostname(configuration) for tunnel, configuration in configurations.items()},
            configurations=configurations,
            shadowed={tunnel: shadowed(configuration.rules, claims) for tunnel, configuration in configurations.items()},
        )

    def rules_in(self, tunnel: str, hostname: Hostname) -> tuple[IngressRule, ...]:
        """Return the rules of a hostname in one tunnel, in their order."""
        return self.rules[tunnel].get(hostname, ())

    def tunnels_with(self, hostname: Hostname) -> tuple[str, ...]:
        """Return the tunnels in which a hostname has rules."""
        return tuple(tunnel for tunnel, rules in self.rules.items() if hostname in rules)

    def home(self, claim: Claim) -> str:
        """Return the tunnel in which a claimed hostname lives: the one it points at, unless its rules are only elsewhere."""
        places = self.tunnels_with(claim.hostname)
        return claim.tunnel if claim.tunnel in places or not places else places[0]

    def drift(self, claim: Claim) -> str:
        """Return what is amiss with a managed hostname, or nothing.

        | drift            | what is amiss                                                              |
        |------------------|----------------------------------------------------------------------------|
        | `no-rule`        | it is claimed, and no tunnel has a rule for it                             |
        | `tunnel`         | it points at one of our tunnels, and its rules are in another              |
        | `left-behind`    | a tunnel that it no longer points at still has rules for it                |
        | `not-proxied`    | its CNAME is not proxied, so that nobody can reach it                      |
        | `duplicate-rule` | one path has several rules, of which only the first is ever used           |
        | `hostname`       | a rule spells its hostname otherwise than in lower-case A-labels           |
        | `service`        | a rule has a service that no endpoint can ask for                          |
        | `shadowed`       | rules stand before its own that take some of its requests                  |
        """
        hostname = claim.hostname
        places = self.tunnels_with(hostname)
        home = self.home(claim)
        rules = self.rules_in(home, hostname)
        amiss = (
            not places,
            home != claim.tunnel,
            len(places) > 1,
            not claim.record.proxied,
            len({rule.path for rule in rules}) < len(rules),
            any(rule.hostname != hostname for rule in rules),
            not all(map(_is_canonical, rules)),
            hostname in self.shadowed[home],
        )
        return next((drift for drift, found in zip(DRIFTS, amiss, strict=True) if found), "")


def _by_hostname(configuration: TunnelConfiguration) -> Rules:
    found: defaultdict[Hostname, list[IngressRule]] = defaultdict(list)
    for rule in configuration.rules:
        if not rule.matches_every_host:
            found[Hostname(rule.belongs_to)].append(rule)
    return {hostname: tuple(rules) for hostname, rules in found.items()}


def _is_canonical(rule: IngressRule) -> bool:
    try:
        return OriginService.parse(rule.service, ALL_SERVICES) == rule.service
    except InvalidService:
        return False
