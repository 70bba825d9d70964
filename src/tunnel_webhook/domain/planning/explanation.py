"""Why a request for a hostname and path goes where it goes: everything that decides it, as one value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from tunnel_webhook.domain.claim import Claim
from tunnel_webhook.domain.cloudflared.ingress import IngressRule
from tunnel_webhook.domain.cloudflared.inheritance import inherited_by, requires_access
from tunnel_webhook.domain.cloudflared.origin_request import options_of
from tunnel_webhook.domain.dns import DnsRecord
from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.hostname import Hostname, zone_of
from tunnel_webhook.domain.planning.disallowed import Disallowed, disallowed_in
from tunnel_webhook.domain.planning.existing import Drift, Existing
from tunnel_webhook.domain.planning.plan import Plan, Rejection
from tunnel_webhook.domain.planning.planner import plan
from tunnel_webhook.domain.planning.report import report

_OF_THE_NAME = frozenset(
    {
        *(Reason.NO_ZONE, Reason.OUTSIDE_DOMAIN_FILTER, Reason.OWNED_BY_OTHER),
        *(Reason.RECORD_CONFLICT, Reason.RULE_CONFLICT, Reason.TUNNEL_CONFLICT),
    }
)
"""Why a name is rejected whatever is asked for it."""


class Match(Enum):
    """What a rule that covers a hostname does with a request for it."""

    WINS = "wins"
    UNREACHED = "unreached"
    PASSED_OVER = "passed-over"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One rule that covers the hostname: its number in the tunnel (from 1), and what it does with the request.

    `winner` is the number of the rule that takes the request before an unreached one, else 0. `inherited` are the
    options that the rule takes from its document.
    """

    tunnel: str
    number: int
    rule: IngressRule
    is_managed: bool
    match: Match
    winner: int = 0
    inherited: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def own(self) -> Mapping[str, str]:
        """The options that the rule sets itself."""
        return options_of(self.rule.origin_request)

    @property
    def requires_access(self) -> bool:
        """Whether cloudflared refuses a request without a token of Access."""
        return requires_access(self.rule)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that decides a request for one hostname and path.

    `record` is the record that answers for the name, its own or the closest wildcard above it; `covering` the claim of
    such a wildcard; `tunnel` the one that the record points at; `deletion` what a deletion by the owner would do.
    `rejections` are of what external-dns asked for, where `is_asked`, else of asking for the name at all.
    `overruling` are the paths of rules by others that are reached before ours; `disallowed` our rules for the hostname
    that the policy does not allow any more.
    """

    hostname: Hostname
    path: str
    zone: str
    in_domain_filter: bool
    record: DnsRecord | None
    claim: Claim | None
    covering: Claim | None
    is_visible: bool
    tunnel: str
    drift: Drift | None
    candidates: tuple[Candidate, ...]
    deletion: Plan
    rejections: tuple[Rejection, ...] = ()
    is_asked: bool = False
    overruling: tuple[str, ...] = ()
    disallowed: tuple[Disallowed, ...] = ()

    @property
    def winner(self) -> Candidate | None:
        """The rule that takes the request in the tunnel that the record points at."""
        winners = (each for each in self.candidates if each.tunnel == self.tunnel and each.match is Match.WINS)
        return next(winners, None)

    @property
    def fault(self) -> str:
        """Why a visitor does not reach a service, as far as the configuration shows; nothing if one is reached.

        | the first of these that holds                                               | then                |
        |-----------------------------------------------------------------------------|---------------------|
        | no zone holds the name, or no record answers for it                         | it does not resolve |
        | the record is not a proxied one that points at a tunnel                     | no tunnel is asked  |
        | no rule of that tunnel takes the request                                    | no service is       |
        | only one for every host does, which answers with a status                   | no service is       |
        """
        if not self.zone:
            return "no zone that the credentials see holds it"
        if self.record is None:
            return "no record answers for it"
        if not self.record.tunnel:
            return "its record does not point at a tunnel"
        return self._fault_of_rules() if self.record.proxied else "its record is not proxied"

    def _fault_of_rules(self) -> str:
        winner = self.winner
        if winner is None:
            return "its record points at a tunnel in which no rule takes the request"
        if winner.rule.matches_every_host and winner.rule.service.startswith("http_status:"):
            return f"no rule but the catch-all takes the request, and that answers {winner.rule.service}"
        return ""

    @property
    def works(self) -> bool:
        """Whether a visitor reaches a service, and nothing that was asked for is rejected."""
        return not self.fault and not (self.is_asked and self.rejections)


def explain(
    hostname: Hostname, path: str, existing: Existing, policy: Policy, asked: Changes | None = None
) -> Explanation:
    """Return why a request goes where it goes; `path` is a URL path such as `/api`.

    `asked` is the last change set of external-dns, where it is known.
    """
    claim = existing.claims.get(hostname)
    requested = _about(hostname, asked) if asked else ()
    record = _answering(hostname, existing)
    zone = zone_of(hostname, existing.zones)
    return Explanation(
        hostname=hostname,
        path=path,
        zone=zone.name if zone else "",
        in_domain_filter=policy.domain_filter.matches(hostname),
        record=record,
        claim=claim,
        covering=existing.claims.get(Hostname(record.name)) if record and record.name != hostname else None,
        is_visible=claim is not None and policy.sees(claim.marker.owner),
        tunnel=record.tunnel if record else "",
        drift=existing.drift(claim) if claim and not claim.is_releasing else None,
        candidates=tuple(
            candidate
            for tunnel in existing.configurations
            for candidate in _candidates(tunnel, hostname, path, existing)
        ),
        deletion=_deletion(hostname, existing, policy),
        rejections=_rejections(hostname, requested, existing, policy),
        is_asked=bool(requested),
        overruling=existing.overruling(claim) if claim else (),
        disallowed=tuple(each for each in disallowed_in(existing, policy) if each.hostname == hostname),
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
    document = existing.configurations[tunnel]
    for number, rule in enumerate(document.rules, start=1):
        if not rule.covers(hostname):
            continue
        is_managed = existing.is_managed(rule)
        if not rule.matches(hostname, path):
            yield Candidate(tunnel, number, rule, is_managed, Match.PASSED_OVER)
        elif winner:
            yield Candidate(tunnel, number, rule, is_managed, Match.UNREACHED, winner)
        else:
            winner = number
            yield Candidate(tunnel, number, rule, is_managed, Match.WINS, inherited=inherited_by(rule, document))


def _deletion(hostname: Hostname, existing: Existing, policy: Policy) -> Plan:
    endpoints = (endpoint for endpoint in report(existing, policy).endpoints if endpoint.dns_name == hostname)
    return plan(existing, Changes(delete=tuple(endpoints)), policy)


def _about(hostname: Hostname, changes: Changes) -> tuple[Endpoint, ...]:
    """Return what a change set asks for one hostname."""
    return tuple(
        endpoint
        for endpoint in (*changes.create, *changes.update_new)
        if endpoint.dns_name.lower().removesuffix(".") == hostname
    )


def _rejections(
    hostname: Hostname, requested: tuple[Endpoint, ...], existing: Existing, policy: Policy
) -> tuple[Rejection, ...]:
    """Return why what is requested is rejected; without a request, why the name would be, whatever is asked for it."""
    if requested:
        return plan(existing, Changes(create=requested), policy).rejections
    likely = tuple(endpoint for endpoint in report(existing, policy).endpoints if endpoint.dns_name == hostname)
    wished = likely or (Endpoint(hostname, targets=(_any_service(policy),)),)
    rejections = plan(existing, Changes(create=wished), policy).rejections
    return tuple(rejection for rejection in rejections if rejection.reason in _OF_THE_NAME)


def _any_service(policy: Policy) -> str:
    return policy.default_origin or "http://service.invalid"
