"""Why a request for a hostname and path goes where it goes: everything that decides it, as one value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from tunnel_webhook.domain.claim import Claim
from tunnel_webhook.domain.cloudflared.ingress import IngressRule
from tunnel_webhook.domain.dns import DnsRecord
from tunnel_webhook.domain.external_dns.endpoint import Changes
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.hostname import Hostname, zone_of
from tunnel_webhook.domain.planning.existing import Drift, Existing
from tunnel_webhook.domain.planning.plan import Plan
from tunnel_webhook.domain.planning.planner import plan
from tunnel_webhook.domain.planning.report import report


class Match(Enum):
    """What a rule that covers a hostname does with a request for it."""

    WINS = "wins"
    UNREACHED = "unreached"
    PASSED_OVER = "passed-over"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One rule that covers the hostname: its number in the tunnel (from 1), and what it does with the request.

    `winner` is the number of the rule that takes the request before an unreached one, else 0.
    """

    tunnel: str
    number: int
    rule: IngressRule
    is_managed: bool
    match: Match
    winner: int = 0


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that decides a request for one hostname and path.

    `record` is the record that answers for the name, its own or the closest wildcard above it; `tunnel` the one that it
    points at; `deletion` what a deletion by the owner would do.
    """

    hostname: Hostname
    path: str
    zone: str
    in_domain_filter: bool
    record: DnsRecord | None
    claim: Claim | None
    is_visible: bool
    tunnel: str
    drift: Drift | None
    candidates: tuple[Candidate, ...]
    deletion: Plan

    @property
    def is_answered(self) -> bool:
        """Whether a rule of the tunnel that the record points at takes the request."""
        return any(candidate.tunnel == self.tunnel and candidate.match is Match.WINS for candidate in self.candidates)


def explain(hostname: Hostname, path: str, existing: Existing, policy: Policy) -> Explanation:
    """Return why a request goes where it goes; `path` is a URL path such as `/api`."""
    claim = existing.claims.get(hostname)
    record = _answering(hostname, existing)
    zone = zone_of(hostname, existing.zones)
    return Explanation(
        hostname=hostname,
        path=path,
        zone=zone.name if zone else "",
        in_domain_filter=policy.domain_filter.matches(hostname),
        record=record,
        claim=claim,
        is_visible=claim is not None and policy.sees(claim.marker.owner),
        tunnel=record.tunnel if record else "",
        drift=existing.drift(claim) if claim and not claim.is_releasing else None,
        candidates=tuple(
            candidate
            for tunnel in existing.configurations
            for candidate in _candidates(tunnel, hostname, path, existing)
        ),
        deletion=_deletion(hostname, existing, policy),
    )


def _answering(hostname: Hostname, existing: Existing) -> DnsRecord | None:
    """Return the record of the name itself, else of the closest wildcard (Cloudflare, "Wildcard DNS records")."""
    parents = [hostname.split(".", count)[-1] for count in range(1, hostname.count(".") + 1)]
    for name in (hostname, *(Hostname(f"*.{parent}") for parent in parents)):
        claim = existing.claims.get(name)
        records = (claim.record,) if claim else existing.neighbours.get(name, ())
        if records:
            return records[0]
    return None


def _candidates(tunnel: str, hostname: Hostname, path: str, existing: Existing) -> Iterator[Candidate]:
    winner = 0
    for number, rule in enumerate(existing.configurations[tunnel].rules, start=1):
        if not rule.covers(hostname):
            continue
        is_managed = existing.is_managed(rule)
        if not rule.matches(hostname, path):
            yield Candidate(tunnel, number, rule, is_managed, Match.PASSED_OVER)
        elif winner:
            yield Candidate(tunnel, number, rule, is_managed, Match.UNREACHED, winner)
        else:
            winner = number
            yield Candidate(tunnel, number, rule, is_managed, Match.WINS)


def _deletion(hostname: Hostname, existing: Existing, policy: Policy) -> Plan:
    endpoints = (endpoint for endpoint in report(existing, policy).endpoints if endpoint.dns_name == hostname)
    return plan(existing, Changes(delete=tuple(endpoints)), policy)
