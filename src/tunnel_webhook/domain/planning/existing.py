"""The state that exists: zones, records and tunnel documents, indexed by hostname."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from tunnel_webhook.domain.claim import Claim, claims_among
from tunnel_webhook.domain.claimed_paths import ClaimedPaths
from tunnel_webhook.domain.cloudflared.ingress import IngressRule, TunnelConfiguration
from tunnel_webhook.domain.cloudflared.inheritance import Base
from tunnel_webhook.domain.code import Code
from tunnel_webhook.domain.dns import CONFLICTING_TYPES, DnsRecord, Zone
from tunnel_webhook.domain.errors import InvalidEndpoint
from tunnel_webhook.domain.external_dns.origin_service import OriginService
from tunnel_webhook.domain.hostname import Hostname, zone_of
from tunnel_webhook.domain.planning.layout import Displaced, displaced
from tunnel_webhook.domain.planning.plan import RuleChange


class Drift(Code):
    """How a managed hostname differs from what it should be, the most serious first."""

    NO_RULE = "no-rule", "it is claimed, and no tunnel has a rule for it"
    TUNNEL = "tunnel", "it points at one of our tunnels, and its rules are in another"
    LEFT_BEHIND = "left-behind", "a tunnel that it no longer points at still has rules of ours for it"
    NOT_PROXIED = "not-proxied", "its CNAME is not proxied, so it cannot be reached"
    DUPLICATE_RULE = "duplicate-rule", "one path has several rules, and only the first is ever used"
    HOSTNAME = "hostname", "a rule does not spell its hostname in lower-case A-labels"
    SERVICE = "service", "a rule has a service that no endpoint can ask for"
    SHADOWED = "shadowed", "rules before its own take some of its requests"
    HIDING = "hiding", "its own rules take requests from a rule that a person added to the hostname"


@dataclass(frozen=True, slots=True)
class Existing:
    """The state that one decision rests on.

    `zones` by name; `claims` by hostname; `neighbours` are the records, other than claims, that cannot share a name
    with a CNAME; `rules` by tunnel id and canonical hostname, managed or not; `configurations`, `bases` (what a
    document sets for all of its rules) and `displaced` by tunnel id; `read_at` is when it was read, in seconds since
    the epoch.

    A rule is managed if its hostname is claimed and the claim names its path; every other rule is a bystander.
    """

    zones: Mapping[str, Zone]
    claims: Mapping[str, Claim]
    neighbours: Mapping[str, tuple[DnsRecord, ...]]
    rules: Mapping[str, Mapping[str, tuple[IngressRule, ...]]]
    configurations: Mapping[str, TunnelConfiguration] = field(repr=False)
    bases: Mapping[str, Base] = field(repr=False)
    displaced: Mapping[str, Displaced] = field(repr=False)
    read_at: float = 0.0

    @classmethod
    def of(
        cls,
        zones: Iterable[Zone],
        records: Mapping[Zone, Iterable[DnsRecord]],
        configurations: Mapping[str, TunnelConfiguration],
        read_at: float = 0.0,
    ) -> Existing:
        """Return the state that these zones, records and documents (by tunnel id) make up."""
        by_name = {zone.name: zone for zone in (*zones, *records)}
        # What a zone holds at or below the name of its child zone does not resolve, or only delegates the child.
        resolving = {
            zone: [record for record in stored if zone_of(record.name, by_name) == zone]
            for zone, stored in records.items()
        }
        claims = claims_among(resolving, configurations)
        named: dict[str, ClaimedPaths] = {hostname: claim.marker.named for hostname, claim in claims.items()}
        return cls(
            zones=by_name,
            claims=claims,
            neighbours=_neighbours(resolving.values(), {claim.record for claim in claims.values()}),
            rules={tunnel: _by_hostname(configuration.rules) for tunnel, configuration in configurations.items()},
            configurations=configurations,
            bases={tunnel: Base.of(configuration) for tunnel, configuration in configurations.items()},
            displaced={
                tunnel: displaced(configuration.rules, named) for tunnel, configuration in configurations.items()
            },
            read_at=read_at,
        )

    @property
    def named(self) -> frozenset[tuple[str, ClaimedPaths]]:
        """Every claimed hostname, with the paths that its claim names."""
        return frozenset((hostname, claim.marker.named) for hostname, claim in self.claims.items())

    def rules_in(self, tunnel: str, hostname: str) -> tuple[IngressRule, ...]:
        """Return all rules of a hostname in one tunnel, in their order."""
        return self.rules[tunnel].get(hostname, ())

    def is_managed(self, rule: IngressRule) -> bool:
        """Whether a rule is ours."""
        claim = self.claims.get(rule.canonical_hostname)
        return claim is not None and rule.path in claim.marker.named

    def managed_in(self, tunnel: str, hostname: Hostname) -> tuple[IngressRule, ...]:
        """Return the rules of a hostname in one tunnel that are ours, those of released paths included."""
        claim = self.claims.get(hostname)
        return tuple(rule for rule in self.rules_in(tunnel, hostname) if claim and rule.path in claim.marker.named)

    def bystanders_in(self, tunnel: str, hostname: Hostname) -> tuple[IngressRule, ...]:
        """Return the rules of a hostname in one tunnel that are not ours."""
        claim = self.claims.get(hostname)
        return tuple(
            rule for rule in self.rules_in(tunnel, hostname) if not claim or rule.path not in claim.marker.named
        )

    def published_in(self, tunnel: str, claim: Claim) -> tuple[IngressRule, ...]:
        """Return the rules of a claim in one tunnel, without those of released paths."""
        paths = claim.marker.paths
        return tuple([rule for rule in self.rules_in(tunnel, claim.hostname) if rule.path in paths])

    def rules_of(self, hostname: Hostname, named: ClaimedPaths) -> tuple[IngressRule, ...]:
        """Return the rules of a hostname with these paths, in any tunnel."""
        return tuple(rule for tunnel in self.rules for rule in self.rules_in(tunnel, hostname) if rule.path in named)

    def removals(self, hostname: Hostname, named: ClaimedPaths, except_in: str = "") -> tuple[RuleChange, ...]:
        """Return the changes that remove the rules of a hostname with these paths, from all tunnels or all but one."""
        paths = {
            tunnel: {rule.path for rule in self.rules_in(tunnel, hostname) if rule.path in named}
            for tunnel in self.rules
            if tunnel != except_in
        }
        return tuple(RuleChange(tunnel, removals=tuple(sorted(found))) for tunnel, found in paths.items() if found)

    def home(self, claim: Claim) -> str:
        """Return the tunnel of a claimed hostname: the one that it points at, unless its rules are only elsewhere."""
        if self.published_in(claim.tunnel, claim):
            return claim.tunnel
        return next((tunnel for tunnel in self.rules if self.published_in(tunnel, claim)), claim.tunnel)

    def paths(self, claim: Claim) -> frozenset[str]:
        """Return the published paths of a claimed hostname, in its home."""
        return frozenset(rule.path for rule in self.published_in(self.home(claim), claim))

    def drift(self, claim: Claim) -> Drift | None:
        """Return the most serious drift of a managed hostname, or None."""
        return next(self._drifts(claim), None)

    def _drifts(self, claim: Claim) -> Iterator[Drift]:
        hostname, home = claim.hostname, self.home(claim)
        tunnels = self._homes(claim)
        rules = self.published_in(home, claim)
        if not tunnels:
            yield Drift.NO_RULE
        if home != claim.tunnel:
            yield Drift.TUNNEL
        if len(tunnels) > 1:
            yield Drift.LEFT_BEHIND
        if not claim.record.proxied:
            yield Drift.NOT_PROXIED
        yield from _drifts_of(rules, hostname)
        if hostname in self.displaced[home].shadowed:
            yield Drift.SHADOWED
        if hostname in self.displaced[home].hiding:
            yield Drift.HIDING

    def overruling(self, claim: Claim) -> tuple[str, ...]:
        """Return the paths of the hostname's rules by others that are reached before one of its managed rules.

        This is as it should be (`layout`), so it is no drift. cloudflared gives those rules the requests that match
        both.
        """
        rules = self.rules_in(self.home(claim), claim.hostname)
        managed = [place for place, rule in enumerate(rules) if rule.path in claim.marker.paths]
        before = rules[: managed[-1]] if managed else ()
        return tuple(dict.fromkeys(rule.path for rule in before if rule.path not in claim.marker.named))

    def _homes(self, claim: Claim) -> tuple[str, ...]:
        return tuple(tunnel for tunnel in self.rules if self.published_in(tunnel, claim))


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
