"""The planner: from the existing state, the requests and the operator's policy to what is going to be done.

The verdict on one request, group by group; each group is one function, and they follow in this order:

| group  | claim | DNS at the name                  | rules     | asked          | verdict                         |
|--------|-------|----------------------------------|-----------|----------------|---------------------------------|
| forbid | any   | any                              | any       | any            | reject `outside-domain-filter`  |
| take   | none  | in no zone that we see           | any       | create, update | reject `no-zone`                |
|        | none  | A, AAAA, NS, CNAME elsewhere     | any       | create, update | reject `record-conflict`        |
|        | none  | nothing, or unmarked CNAME to it | different | create, update | reject `rule-conflict`          |
|        | none  | as above                         | different | with adopt     | adopt: mark, replace the rules  |
|        | none  | as above                         | identical | create, update | adopt: mark only                |
|        | none  | nothing                          | none      | create, update | create: claim, add              |
| renew  | going | any                              | any       | create, update | create: swap the record, add    |
| delete | ours  | any                              | any       | delete         | remove; with the last, release  |
| update | ours  | any                              | any       | create, update | upsert, repair the record       |
| move   | ours  | any                              | any       | another tunnel | add, repoint, clean up          |

A claim is going while its record is marked as releasing. A hostname lives in one tunnel. It moves only if the request
names or deletes all its paths; otherwise its routes in another tunnel are rejected as `tunnel-conflict`, and what is
left of the request is harmless. A hostname of another owner, and one that is only to be deleted and not claimed or
already going, is not a request (`requests_in`). What is stored decides, never `update_old`. Rules that are adopted as
they are, are written only if a hostname would otherwise lose requests.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tunnel_webhook.domain.claim import Claim, Marker, claim_for
from tunnel_webhook.domain.cloudflared.ingress import IngressRule
from tunnel_webhook.domain.cloudflared.inheritance import Base, mean_the_same
from tunnel_webhook.domain.dns import DnsRecord
from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.domain.external_dns.access import keeping_access
from tunnel_webhook.domain.external_dns.endpoint import Changes
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.external_dns.route import Route
from tunnel_webhook.domain.hostname import zone_of
from tunnel_webhook.domain.planning.adoption import with_layout
from tunnel_webhook.domain.planning.capacity import within_documents, within_paths
from tunnel_webhook.domain.planning.conflicts import record_conflict, rule_conflict
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.plan import Action, Decision, Plan, Rejection, RuleChange
from tunnel_webhook.domain.planning.request import Request, requests_in
from tunnel_webhook.domain.planning.sticky_access import within_access
from tunnel_webhook.domain.quotation import listed


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of one request: a decision, or None where nothing is to be done; and what is rejected."""

    decision: Decision | None = None
    rejections: tuple[Rejection, ...] = ()


def plan(existing: Existing, changes: Changes, policy: Policy) -> Plan:
    """Return what is to be done; pure, and the same whatever the order of the input."""
    requests, rejections = requests_in(changes, existing.claims, policy)
    verdicts = [decide(request, existing, policy) for request in requests]
    decisions = [verdict.decision for verdict in verdicts if verdict.decision]
    kept, oversized = within_documents(tuple(with_layout(decisions, existing)), existing)
    rejected = {*rejections, *oversized, *(rejection for verdict in verdicts for rejection in verdict.rejections)}
    return Plan(
        decisions=kept,
        rejections=tuple(sorted(rejected)),
        managed=frozenset(existing.claims),
    )


def decide(request: Request, existing: Existing, policy: Policy) -> Verdict:
    """Return the verdict on one request."""
    claim = existing.claims.get(request.hostname)
    if not policy.domain_filter.matches(request.hostname):
        return _forbid(request)
    if claim is None:
        return _take(request, existing)
    if claim.is_releasing:
        return _renew(request, claim, existing)
    if not request.routes:
        return _delete(request, claim, existing)
    return _keep(request, claim, existing)


def _forbid(request: Request) -> Verdict:
    settings = "(DOMAIN_FILTER, EXCLUDE_DOMAINS and their regular expressions)"
    sentence = f"{request.hostname} is outside the domain filter {settings}"
    return _reject(request, Reason.OUTSIDE_DOMAIN_FILTER, sentence)


def _take(request: Request, existing: Existing) -> Verdict:
    """Claim a hostname that is not claimed, unless a person made its records or its rules."""
    hostname, tunnel = request.hostname, _first_route(request).tunnel
    zone = zone_of(hostname, existing.zones)
    if zone is None:
        known = listed(existing.zones) or "none"
        sentence = f"no zone that the credentials see holds {hostname}; they see: {known}"
        return _reject(request, Reason.NO_ZONE, sentence)
    request, rejections = _within(request, tunnel, existing)
    neighbours = existing.neighbours.get(hostname, ())
    conflict = record_conflict(hostname, tunnel, neighbours) or rule_conflict(request, tunnel, existing)
    if conflict:
        verdict = _reject(request, *conflict)
        return replace(verdict, rejections=(*rejections, *verdict.rejections))
    record = claim_for(hostname, tunnel, _marker(request))
    decision = Decision(
        action=Action.ADOPT if neighbours or existing.tunnels_with(hostname) else Action.CREATE,
        hostname=hostname,
        zone=zone,
        tunnel=tunnel,
        claim=_written_over(neighbours[0], record) if neighbours else record,
        rules=_rule_changes(request, tunnel, existing),
        cleanup=existing.removals(hostname, except_in=tunnel),
    )
    return Verdict(decision, rejections)


def _renew(request: Request, claim: Claim, existing: Existing) -> Verdict:
    """Claim a hostname again that was deleted and whose record is still there.

    The record is swapped for a new one: another process may delete the one that it read, by its id.
    """
    hostname, tunnel = request.hostname, _first_route(request).tunnel
    request, rejections = _in_tunnel(request, tunnel)
    decision = Decision(
        action=Action.CREATE,
        hostname=hostname,
        zone=claim.zone,
        tunnel=tunnel,
        claim=claim_for(hostname, tunnel, _marker(request)),
        replaced=claim.record,
        rules=_rule_changes(request, tunnel, existing, rewritten=True),
        cleanup=existing.removals(hostname, except_in=tunnel),
    )
    return Verdict(decision, rejections)


def _delete(request: Request, claim: Claim, existing: Existing) -> Verdict:
    """Remove paths of a hostname that is ours; with the last one, release it."""
    hostname, home, paths = request.hostname, existing.home(claim), existing.paths(claim)
    if request.deletes and paths <= request.deletes:
        rules = existing.removals(hostname)
        return Verdict(Decision(Action.DELETE, hostname, claim.zone, home, rules=rules, release=claim.record))
    if gone := paths & request.deletes:
        rules = (RuleChange(home, removals=tuple(sorted(gone))),)
        return Verdict(Decision(Action.UPDATE, hostname, claim.zone, home, rules=rules))
    return Verdict()


def _keep(request: Request, claim: Claim, existing: Existing) -> Verdict:
    """Update or move a hostname that is ours."""
    tunnel = _destination(request, claim, existing)
    request, rejections = _within(request, tunnel, existing)
    request, lost = within_access(request, existing.rules_in(existing.home(claim), request.hostname))
    rejections = (*rejections, *lost)
    if not request.routes:
        return Verdict(rejections=rejections)
    stays = tunnel == claim.tunnel
    decision = _update(request, claim, existing) if stays else _move(request, claim, tunnel, existing)
    return Verdict(None if decision.is_empty else decision, rejections)


def _update(request: Request, claim: Claim, existing: Existing) -> Decision:
    """Change or repair a hostname in the tunnel that it points at."""
    record = _written_over(claim.record, claim_for(request.hostname, claim.tunnel, _marker(request, claim.marker)))
    return Decision(
        action=Action.UPDATE,
        hostname=request.hostname,
        zone=claim.zone,
        tunnel=claim.tunnel,
        claim=record if record != claim.record else None,
        rules=_rule_changes(request, claim.tunnel, existing, rewritten=existing.drift(claim) is not None),
        cleanup=existing.removals(request.hostname, except_in=claim.tunnel),
    )


def _move(request: Request, claim: Claim, tunnel: str, existing: Existing) -> Decision:
    """Point a hostname at a tunnel in which it has its rules by then."""
    return Decision(
        action=Action.MOVE,
        hostname=request.hostname,
        zone=claim.zone,
        tunnel=tunnel,
        rules=_rule_changes(request, tunnel, existing, rewritten=True),
        repoint=_written_over(claim.record, claim_for(request.hostname, tunnel, _marker(request, claim.marker))),
        cleanup=existing.removals(request.hostname, except_in=tunnel),
    )


def _destination(request: Request, claim: Claim, existing: Existing) -> str:
    """Return the tunnel of a managed hostname after a request: its home, unless the request moves it as a whole."""
    tunnels = {route.tunnel for route in request.routes}
    is_whole = len(tunnels) == 1 and existing.paths(claim) <= request.deletes | request.paths
    return min(tunnels) if is_whole else existing.home(claim)


def _in_tunnel(request: Request, tunnel: str) -> tuple[Request, tuple[Rejection, ...]]:
    """Return what a request asks for in one tunnel, since a CNAME points at only one; the other routes are rejected."""
    kept = tuple(route for route in request.routes if route.tunnel == tunnel)
    if kept == request.routes:
        return request, ()
    sentence = (
        f"{request.hostname} has another path in tunnel {tunnel}: a hostname lives in one tunnel, so give all its paths"
        " the same one"
    )
    rejections = tuple(
        Rejection(request.hostname, Reason.TUNNEL_CONFLICT, sentence, route.resource)
        for route in request.routes
        if route.tunnel != tunnel
    )
    return replace(request, routes=kept).harmless(), rejections


def _within(request: Request, tunnel: str, existing: Existing) -> tuple[Request, tuple[Rejection, ...]]:
    """Return what a request may ask for in one tunnel, and what is rejected: routes elsewhere, and too many paths."""
    request, elsewhere = _in_tunnel(request, tunnel)
    standing = {rule.path for rule in existing.rules_in(tunnel, request.hostname)}
    request, too_many = within_paths(request, standing)
    return request, (*elsewhere, *too_many)


def _rule_changes(
    request: Request, tunnel: str, existing: Existing, *, rewritten: bool = False
) -> tuple[RuleChange, ...]:
    """Return the change that gives a hostname the requested rules in a tunnel, and no others but those that stay.

    Rules that already say what is asked are left alone, unless the document is to be laid out again.
    """
    first = {rule.path: rule for rule in reversed(existing.rules_in(tunnel, request.hostname))}
    base, claim = existing.bases[tunnel], existing.claims.get(request.hostname)
    desired = [_rule_in_place_of(first.get(route.path), route, base, adopted=claim is None) for route in request.routes]
    upserts = tuple(rule for rule in desired if rewritten or rule is not first.get(rule.path))
    staying = existing.paths(claim) - request.deletes if claim and not claim.is_releasing else frozenset[str]()
    removals = tuple(sorted(first.keys() - request.paths - staying))
    return (RuleChange(tunnel, upserts, removals),) if upserts or removals else ()


def _rule_in_place_of(standing: IngressRule | None, route: Route, base: Base, *, adopted: bool) -> IngressRule:
    """Return the rule of a route; the standing one if it means the same, and with its Access if it is adopted."""
    rule = route.rule_on(base)
    if standing is None:
        return rule
    if adopted:
        rule = keeping_access(standing, rule, route)
    return standing if mean_the_same(standing, rule, base) else rule


def _marker(request: Request, existing: Marker | None = None) -> Marker:
    """Return the marker, with the resource of the pathless route, else its own, else that of the first path."""
    first = _first_route(request)
    kept = existing.resource if existing and first.path else ""
    return Marker(request.owner, kept or first.resource)


def _first_route(request: Request) -> Route:
    """Return the pathless route, or else that of the first path."""
    return request.routes[0]


def _written_over(stored: DnsRecord, record: DnsRecord) -> DnsRecord:
    """Return a stored record with the fields that we decide; its id, its name and its spelling stay."""
    content = stored.content if stored.tunnel == record.tunnel else record.content
    return replace(record, name=stored.name, content=content, id=stored.id)


def _reject(request: Request, reason: Reason, sentence: str) -> Verdict:
    rejections = (Rejection(request.hostname, reason, sentence, resource) for resource in request.resources)
    return Verdict(rejections=tuple(sorted(rejections)))
