"""Why a request for a hostname and path goes where it goes: everything that has a say in it, as one value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tunnel_webhook.domain.claim import Claim, DnsRecord
from tunnel_webhook.domain.endpoint import Changes
from tunnel_webhook.domain.existing import Existing
from tunnel_webhook.domain.hostname import Hostname, zone_of
from tunnel_webhook.domain.ingress import IngressRule
from tunnel_webhook.domain.plan import Plan
from tunnel_webhook.domain.planner import plan
from tunnel_webhook.domain.policy import Policy
from tunnel_webhook.domain.records import report


@dataclass(frozen=True, slots=True)
class Candidate:
    """One rule that covers the host: where it stands (from 1), whose it is, and what becomes of the request there."""

    tunnel: str
    number: int
    rule: IngressRule
    is_managed: bool
    wins: bool
    verdict: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is known of one hostname and path.

    `record` is the record that answers for the name, itself or the closest wildcard above it; `tunnel` the one that it points
    at; `deletion` what a deletion by the owner would do.
    """

    hostname: Hostname
    path: str
    zone: str
    in_domain_filter: bool
    record: DnsRecord | None
    claim: Claim | None
    is_visible: bool
    tunnel: str
    drift: str
    candidates: tuple[Candidate, ...]
    deletion: Plan


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
        drift=existing.drift(claim) if claim else "",
        candidates=tuple(
            candidate for tunnel in existing.configurations for candidate in _candidates(tunnel, hostname, path, existing)
        ),
        deletion=_deletion(hostname, existing, policy),
    )


def _answering(hostname: Hostname, existing: Existing) -> DnsRecord | None:
    """Return the record of the name itself, else of the closest wildcard (Cloudflare, "Wildcard DNS records")."""
    name, names = str(hostname), [str(hostname)]
    while "." in name:
        name = name.partition(".")[2]
        names.append(f"*.{name}")
    for each in names:
        claim = existing.claims.get(Hostname(each))
        records = (claim.record,) if claim else existing.neighbours.get(each, ())
        if records:
            return records[0]
    return None


def _candidates(tunnel: str, hostname: Hostname, path: str, existing: Existing) -> Iterator[Candidate]:
    winner = 0
    for number, rule in enumerate(existing.configurations[tunnel].rules, start=1):
        if not rule.covers(hostname):
            continue
        if not rule.matches(hostname, path):
            verdict = "passed over: its path does not match"
        elif winner:
            verdict = f"never reached: rule {winner} takes the request before it"
        else:
            winner, verdict = number, "wins: the first rule that matches"
        yield Candidate(tunnel, number, rule, rule.belongs_to in existing.claims, winner == number, verdict)


def _deletion(hostname: Hostname, existing: Existing, policy: Policy) -> Plan:
    mine = (endpoint for endpoint in report(existing, policy).endpoints if endpoint.dns_name == hostname)
    return plan(existing, Changes(delete=tuple(mine)), policy)
