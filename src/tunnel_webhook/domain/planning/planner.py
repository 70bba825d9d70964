"""The planner: from the existing state, the requests and the operator's policy to what is going to be done.

The verdict on one request, group by group; each group is one function, and they follow in this order:

| group  | claim | DNS at the name              | rule of a path | asked          | verdict                            |
|--------|-------|------------------------------|----------------|----------------|------------------------------------|
| forbid | any   | any                          | any            | any            | reject `outside-domain-filter`     |
| hold   | any   | any                          | any            | create, update | reject `held-by-another-namespace` |
| take   | none  | in no zone that we see       | any            | create, update | reject `no-zone`                   |
|        | none  | A, AAAA, NS, CNAME elsewhere | any            | create, update | reject `record-conflict`           |
|        | none  | nothing, unmarked CNAME here | a person's     | create, update | adopt or reject (`conflicts`)      |
|        | none  | unmarked CNAME here          | none           | create, update | adopt or reject (`conflicts`)      |
|        | none  | nothing                      | none           | create, update | create: claim, add                 |
| renew  | going | any                          | any            | create, update | create: swap the record, add       |
| delete | ours  | any                          | ours           | delete         | remove, release, at last the whole |
| keep   | ours  | any                          | a person's     | create, update | adopt or reject (`conflicts`)      |
|        | ours  | any                          | ours, none     | create, update | upsert, repair the record          |
|        | ours  | any                          | ours, none     | another tunnel | move: add, repoint, clean up       |

A rule is ours if the claim names its path; any other is a person's, and stays as it is. A claim is going while its
record is marked as releasing. A hostname lives in one tunnel. It moves only if the request names or deletes all its
paths, and not away from a person's rules of the hostname, which its record must go on reaching; otherwise its routes in
another tunnel are rejected as `tunnel-conflict`, and what is left of the request is harmless. A hostname of another
owner, and one that is only to be deleted and not claimed or already going, is not a request (`requests_in`). What is
stored decides, never `update_old`. Rules that are adopted as they are, are written only if a hostname would otherwise
lose requests.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tunnel_webhook.domain.claim import Claim, claim_for
from tunnel_webhook.domain.claimed_paths import NO_PATHS
from tunnel_webhook.domain.dns import target_of
from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.domain.external_dns.endpoint import Changes
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.external_dns.route import Route
from tunnel_webhook.domain.hostname import zone_of
from tunnel_webhook.domain.planning.adoption import with_layout
from tunnel_webhook.domain.planning.capacity import within_documents
from tunnel_webhook.domain.planning.claiming import Transition, new_marker, transition, written_over
from tunnel_webhook.domain.planning.conflicts import record_conflict
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.go_reference import is_of_go_reference
from tunnel_webhook.domain.planning.holding import within_namespace
from tunnel_webhook.domain.planning.narrowing import narrowed
from tunnel_webhook.domain.planning.plan import Action, Decision, Plan, Rejection, RuleChange
from tunnel_webhook.domain.planning.releasing import release_of
from tunnel_webhook.domain.planning.request import Request, requests_in
from tunnel_webhook.domain.planning.rules import named_during, rule_changes
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
    decisions = [
        replace(verdict.decision, resources=_resources(request, existing))
        for request, verdict in zip(requests, verdicts, strict=True)
        if verdict.decision
    ]
    kept, oversized = within_documents(tuple(with_layout(decisions, existing)), existing)
    rejected = {*rejections, *oversized, *(rejection for verdict in verdicts for rejection in verdict.rejections)}
    return Plan(
        decisions=kept,
        rejections=tuple(sorted(rejected)),
        managed=existing.named,
    )


def decide(request: Request, existing: Existing, policy: Policy) -> Verdict:
    """Return the verdict on one request."""
    claim = existing.claims.get(request.hostname)
    if not policy.domain_filter.matches(request.hostname):
        return _forbid(request)
    request, held = within_namespace(request, claim, existing, policy)
    if claim is None:
        verdict = _take(request, existing, policy)
    elif claim.is_releasing:
        verdict = _renew(request, claim, existing, policy)
    elif not request.routes:
        verdict = _delete(request, claim, existing, policy)
    else:
        verdict = _keep(request, claim, existing, policy)
    return replace(verdict, rejections=(*held, *verdict.rejections))


def _forbid(request: Request) -> Verdict:
    settings = "(DOMAIN_FILTER, EXCLUDE_DOMAINS and their regular expressions)"
    sentence = f"{request.hostname} is outside the domain filter {settings}"
    return _reject(request, Reason.OUTSIDE_DOMAIN_FILTER, sentence)


def _take(request: Request, existing: Existing, policy: Policy) -> Verdict:
    """Claim a hostname that is not claimed, unless a person's record or rules are in the way."""
    if not request.routes:
        return Verdict()
    hostname, tunnel = request.hostname, _first_route(request).tunnel
    zone = zone_of(hostname, existing.zones)
    if zone is None:
        known = listed(existing.zones) or "none"
        sentence = f"no zone that the credentials see holds {hostname}; they see: {known}"
        return _reject(request, Reason.NO_ZONE, sentence)
    neighbours = existing.neighbours.get(hostname, ())
    if conflict := record_conflict(hostname, tunnel, neighbours):
        return _reject(request, *conflict)
    request, rejections = narrowed(request, None, tunnel, existing, policy)
    if not request.routes:
        return Verdict(rejections=rejections)
    marker = new_marker(
        request, policy, next((record for record in neighbours if not is_of_go_reference(record)), None)
    )
    record = claim_for(hostname, tunnel, marker)
    is_adopted = neighbours or any(existing.rules_of(hostname, marker.named))
    decision = Decision(
        action=Action.ADOPT if is_adopted else Action.CREATE,
        hostname=hostname,
        zone=zone,
        tunnel=tunnel,
        claim=written_over(neighbours[0], record) if neighbours else record,
        rules=rule_changes(request, tunnel, existing),
        cleanup=existing.removals(hostname, marker.named, except_in=tunnel),
    )
    return Verdict(decision, rejections)


def _renew(request: Request, claim: Claim, existing: Existing, policy: Policy) -> Verdict:
    """Claim a hostname again that was deleted and whose record is still there.

    The record is swapped for a new one: another process may delete the one that it read, by its id.
    """
    if not request.routes:
        return Verdict()
    tunnel = _first_route(request).tunnel
    request, rejections = narrowed(request, claim, tunnel, existing, policy)
    if not request.routes:
        return Verdict(rejections=rejections)
    swapped = transition(request, claim, existing, policy)
    decision = Decision(
        action=Action.CREATE,
        hostname=request.hostname,
        zone=claim.zone,
        tunnel=tunnel,
        claim=replace(swapped.record, content=target_of(tunnel)),
        replaced=claim.record,
        rules=rule_changes(request, tunnel, existing, rewritten=True),
        cleanup=existing.removals(request.hostname, named_during(request, claim), except_in=tunnel),
    )
    return Verdict(decision, rejections)


def _delete(request: Request, claim: Claim, existing: Existing, policy: Policy) -> Verdict:
    """Remove paths of a hostname that is ours; with the last one, release it."""
    hostname, home, paths = request.hostname, existing.home(claim), existing.paths(claim)
    if request.deletes and paths <= request.deletes:
        rules = existing.removals(hostname, claim.marker.named)
        release = release_of(claim, claim.record, NO_PATHS, existing)
        return Verdict(Decision(Action.DELETE, hostname, claim.zone, home, rules=rules, release=release))
    if gone := paths & request.deletes:
        changed = transition(request, claim, existing, policy)
        decision = Decision(
            action=Action.UPDATE,
            hostname=hostname,
            zone=claim.zone,
            tunnel=home,
            claim=changed.record if changed.record != claim.record else None,
            rules=(RuleChange(home, removals=tuple(sorted(gone))),),
            release=changed.release,
        )
        return Verdict(decision)
    return Verdict()


def _keep(request: Request, claim: Claim, existing: Existing, policy: Policy) -> Verdict:
    """Update or move a hostname that is ours."""
    tunnel = _destination(request, claim, existing)
    others = existing.bystanders_in(claim.tunnel, request.hostname) if tunnel != claim.tunnel else ()
    if others:
        rules = listed(sorted(rule.path or "(no path)" for rule in others))
        sentence = (
            f"{request.hostname} cannot move to tunnel {tunnel}: a person's rules for it in tunnel {claim.tunnel} would"
            f" not be reached any more ({rules}); remove them first"
        )
        return _reject(request, Reason.TUNNEL_CONFLICT, sentence)
    request, rejections = narrowed(request, claim, tunnel, existing, policy)
    request, lost = within_access(request, existing.published_in(existing.home(claim), claim))
    rejections = (*rejections, *lost)
    if not request.routes:
        return Verdict(rejections=rejections)
    stays = tunnel == claim.tunnel
    changed = transition(request, claim, existing, policy, moves=not stays)
    decision = _update(request, claim, changed, existing) if stays else _move(request, claim, tunnel, changed, existing)
    return Verdict(None if decision.is_empty else decision, rejections)


def _update(request: Request, claim: Claim, changed: Transition, existing: Existing) -> Decision:
    """Change or repair a hostname in the tunnel that it points at."""
    return Decision(
        action=Action.UPDATE,
        hostname=request.hostname,
        zone=claim.zone,
        tunnel=claim.tunnel,
        claim=changed.record if changed.record != claim.record else None,
        replaced=claim.record if changed.is_new else None,
        rules=rule_changes(request, claim.tunnel, existing, rewritten=existing.drift(claim) is not None),
        cleanup=existing.removals(request.hostname, named_during(request, claim), except_in=claim.tunnel),
        release=changed.release,
    )


def _move(request: Request, claim: Claim, tunnel: str, changed: Transition, existing: Existing) -> Decision:
    """Point a hostname at a tunnel in which it has its rules by then.

    A claim that already names every path of the request is written once, when it moves.
    """
    is_named = all(route.path in claim.marker.named for route in request.routes)
    moved = replace(changed.record, content=target_of(tunnel))
    return Decision(
        action=Action.MOVE,
        hostname=request.hostname,
        zone=claim.zone,
        tunnel=tunnel,
        claim=None if is_named else changed.record,
        rules=rule_changes(request, tunnel, existing, rewritten=True),
        repoint=moved,
        cleanup=existing.removals(request.hostname, named_during(request, claim), except_in=tunnel),
        release=changed.release and changed.release.pointing_at(tunnel),
    )


def _destination(request: Request, claim: Claim, existing: Existing) -> str:
    """Return the tunnel of a managed hostname after a request: its home, unless the request moves it as a whole."""
    tunnels = {route.tunnel for route in request.routes}
    is_whole = len(tunnels) == 1 and existing.paths(claim) <= request.deletes | request.paths
    return min(tunnels) if is_whole else existing.home(claim)


def _resources(request: Request, existing: Existing) -> tuple[str, ...]:
    """Return the resources that ask for a hostname; of a deletion, the one that its claim names."""
    claim = existing.claims.get(request.hostname)
    if not request.routes and claim:
        return (claim.marker.resource,)
    return tuple(sorted(request.resources))


def _first_route(request: Request) -> Route:
    """Return the pathless route, or else that of the first path."""
    return request.routes[0]


def _reject(request: Request, reason: Reason, sentence: str) -> Verdict:
    rejections = (Rejection(request.hostname, reason, sentence, resource) for resource in request.resources)
    return Verdict(rejections=tuple(sorted(rejections)))
