"""The state that exists: zones, records and tunnel documents, indexed by hostname."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from tunnel_webhook.domain.claim import Claim, claims_among
from tunnel_webhook.domain.cloudflared.ingress import IngressRule, TunnelConfiguration
from tunnel_webhook.domain.cloudflared.inheritance import Base
from tunnel_webhook.domain.code import Code
from tunnel_webhook.domain.dns import CONFLICTING_TYPES, DnsRecord, Zone
from tunnel_webhook.domain.errors import InvalidEndpoint
from tunnel_webhook.domain.external_dns.origin_service import OriginService
from tunnel_webhook.domain.hostname import Hostname, zone_of
from tunnel_webhook.domain.planning.layout import shadowed
from tunnel_webhook.domain.planning.plan import RuleChange


class Drift(Code):
    """How a managed hostname differs from what it should be, the most serious first."""

    NO_RULE = "no-rule", "it is claimed, and no tunnel has a rule for it"
    TUNNEL = "tunnel", "it points at one of our tunnels, and its rules are in another"
    LEFT_BEHIND = "left-behind", "a tunnel that it no longer points at still has rules for it"
    NOT_PROXIED = "not-proxied", "its CNAME is not proxied, so it cannot be reached"
    DUPLICATE_RULE = "duplicate-rule", "one path has several rules, and only the first is ever used"
    HOSTNAME = "hostname", "a rule does not spell its hostname in lower-case A-labels"
    SERVICE = "service", "a rule has a service that no endpoint can ask for"
    SHADOWED = "shadowed", "rules before its own take some of its requests"


@dataclass(frozen=True, slots=True)
class Existing:
    """The state that one decision rests on.

    `zones` by name; `claims` by hostname; `neighbours` are the records, other than claims, that cannot share a name
    with a CNAME; `rules` by tunnel id and canonical hostname, managed or not; `configurations` by tunnel id;
    `bases` by tunnel id what its document sets for all rules; `shadowed` by tunnel id the managed hostnames that lose
    requests to the rules before theirs.
    """

    zones: Mapping[str, Zone]
    claims: Mapping[Hostname, Claim]
    neighbours: Mapping[str, tuple[DnsRecord, ...]]
    rules: Mapping[str, Mapping[str, tuple[IngressRule, ...]]]
    configurations: Mapping[str, TunnelConfiguration] = field(repr=False)
    bases: Mapping[str, Base] = field(repr=False)
    shadowed: Mapping[str, frozenset[str]] = field(repr=False)

    @classmethod
    def of(
        cls,
        zones: Iterable[Zone],
        records: Mapping[Zone, Iterable[DnsRecord]],
        configurations: Mapping[str, TunnelConfiguration],
    ) -> Existing:
        """Return the state that these zones, records and documents (by tunnel id) make up."""
        by_name = {zone.name: zone for zone in (*zones, *records)}
        # What a zone holds at or below the name of its child zone does not resolve, or only delegates the child.
        resolving = {
            zone: [record for record in stored if zone_of(record.name, by_name) == zone]
            for zone, stored in records.items()
        }
        claims = claims_among(resolving, configurations)
        return cls(
            zones=by_name,
            claims=claims,
            neighbours=_neighbours(resolving.values(), {claim.record for claim in claims.values()}),
            rules={tunnel: _by_hostname(configuration.rules) for tunnel, configuration in configurations.items()},
            configurations=configurations,
            bases={tunnel: Base.of(configuration) for tunnel, configuration in configurations.items()},
            shadowed={
                tunnel: shadowed(configuration.rules, claims) for tunnel, configuration in configurations.items()
            },
        )

    def rules_in(self, tunnel: str, hostname: Hostname) -> tuple[IngressRule, ...]:
        """Return the rules of a hostname in one tunnel, in their order."""
        return self.rules[tunnel].get(hostname, ())

    def tunnels_with(self, hostname: Hostname) -> tuple[str, ...]:
        """Return the tunnels in which a hostname has rules."""
        return tuple(tunnel for tunnel, rules in self.rules.items() if hostname in rules)

    def removals(self, hostname: Hostname, except_in: str = "") -> tuple[RuleChange, ...]:
        """Return the changes that remove every rule of a hostname, from all tunnels or from all but one."""
        return tuple(
            RuleChange(tunnel, removals=tuple(sorted({rule.path for rule in self.rules_in(tunnel, hostname)})))
            for tunnel in self.tunnels_with(hostname)
            if tunnel != except_in
        )

    def home(self, claim: Claim) -> str:
        """Return the tunnel of a claimed hostname: the one that it points at, unless its rules are only elsewhere."""
        tunnels = self.tunnels_with(claim.hostname)
        return claim.tunnel if claim.tunnel in tunnels or not tunnels else tunnels[0]

    def paths(self, claim: Claim) -> frozenset[str]:
        """Return the paths of a claimed hostname, in its home."""
        return frozenset(rule.path for rule in self.rules_in(self.home(claim), claim.hostname))

    def drift(self, claim: Claim) -> Drift | None:
        """Return the most serious drift of a managed hostname, or None."""
        return next(self._drifts(claim), None)

    def _drifts(self, claim: Claim) -> Iterator[Drift]:
        hostname, home = claim.hostname, self.home(claim)
        tunnels = self.tunnels_with(hostname)
        rules = self.rules_in(home, hostname)
        if not tunnels:
            yield Drift.NO_RULE
        if home != claim.tunnel:
            yield Drift.TUNNEL
        if len(tunnels) > 1:
            yield Drift.LEFT_BEHIND
        if not claim.record.proxied:
            yield Drift.NOT_PROXIED
        yield from _drifts_of(rules, hostname)
        if hostname in self.shadowed[home]:
            yield Drift.SHADOWED


def _drifts_of(rules: tuple[IngressRule, ...], hostname: Hostname) -> Iterator[Drift]:
    if len({rule.path for rule in rules}) < len(rules):
        yield Drift.DUPLICATE_RULE
    if any(rule.hostname != hostname for rule in rules):
        yield Drift.HOSTNAME
    if not all(map(_has_canonical_service, rules)):
        yield Drift.SERVICE


def _neighbours(zones: Iterable[Iterable[DnsRecord]], claimed: set[DnsRecord]) -> dict[str, tuple[DnsRecord, ...]]:
    neighbours: defaultdict[str, list[DnsRecord]] = defaultdict(list)
    for records in zones:
        for record in records:
            if record.type in CONFLICTING_TYPES and record not in claimed:
                neighbours[record.name].append(record)
    return {name: tuple(sorted(records)) for name, records in neighbours.items()}


def _by_hostname(rules: Iterable[IngressRule]) -> dict[str, tuple[IngressRule, ...]]:
    by_hostname: defaultdict[str, list[IngressRule]] = defaultdict(list)
    for rule in rules:
        if not rule.matches_every_host:
            by_hostname[rule.canonical_hostname].append(rule)
    return {hostname: tuple(rules) for hostname, rules in by_hostname.items()}


def _has_canonical_service(rule: IngressRule) -> bool:
    try:
        OriginService(rule.service)
    except InvalidEndpoint:
        return False
    return True
