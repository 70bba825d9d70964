"""The planner: what there is, what is asked, what the operator allows; and so what is going to be done.

What happens to one hostname:

| claim           | DNS at the name                  | rule               | asked          | result                         |
|-----------------|----------------------------------|--------------------|----------------|--------------------------------|
| ours            | -                                | -                  | create, update | upsert, repair CNAME, marker   |
| ours            | -                                | -                  | delete         | remove; with the last, release |
| none            | nothing                          | none               | create, update | claim, add                     |
| none            | nothing, or unmarked CNAME to it | identical to asked | create, update | adopt: mark only               |
| none            | as above                         | different          | create, update | reject `rule-conflict` (adopt) |
| none            | A, AAAA, NS, CNAME elsewhere     | any                | create, update | reject `record-conflict`       |
| none            | any                              | any                | delete         | nothing: it is not ours        |
| another owner's | any                              | any                | any            | reject `owned-by-other`        |

`webhook/adopt: "true"` turns a `rule-conflict`, and nothing else, into an adoption. What is adopted as it stands is laid out
only where a managed hostname would else lose requests.
Before that an endpoint may be rejected as `no-zone`, `outside-domain-filter`, `tunnel-conflict` (two paths of one hostname in
two tunnels), or with the code of `errors.InvalidEndpoint` that its translation raised. A hostname with a rejection loses
nothing: its deletions wait until the rejected endpoint is mended. All halves of one hostname fold into one final state before
anything is decided, and what is stored decides, never `update_old`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from tunnel_webhook.domain.ask import Ask, fold
from tunnel_webhook.domain.claim import Claim, DnsRecord, Marker, Zone, claim_for
from tunnel_webhook.domain.endpoint import Changes
from tunnel_webhook.domain.existing import Existing
from tunnel_webhook.domain.hostname import Hostname, zone_of
from tunnel_webhook.domain.ingress import IngressRule
from tunnel_webhook.domain.layout import shadowed
from tunnel_webhook.domain.plan import Action, Decision, Plan
from tunnel_webhook.domain.policy import Policy


class _Refused(Exception):
    """Carries a verdict from where it is found to where it is noted, and goes no further."""

    def __init__(self, sentence: str, *, code: str) -> None:
        super().__init__(sentence)
        self.code = code


def plan(existing: Existing, changes: Changes, policy: Policy) -> Plan:
    """Return what is to be done; pure, and the same whatever the order of the input."""
    asks, rejections = fold(changes, policy)
    decisions: list[Decision] = []
    for hostname, ask in sorted(asks.items()):
        try:
            decision = _decide(hostname, ask, existing, policy)
        except _Refused as verdict:
            ask.refuse(hostname, verdict.code, str(verdict))
        else:
            decisions += [decision] if decision else []
        rejections.update(ask.rejections)
    return Plan(
        decisions=tuple(_laid_out(decisions, existing)),
        rejections=tuple(sorted(rejections)),
        managed=frozenset(existing.claims),
    )


def _decide(hostname: Hostname, ask: Ask, existing: Existing, policy: Policy) -> Decision | None:
    claim = existing.claims.get(hostname)
    if claim is None and not ask.wanted:
        return None
    ask.settle(hostname, claim)
    if not ask.routes and not ask.deletes:
        return None
    if not policy.domain_filter.matches(hostname):
        sentence = f"{hostname} is outside the domain filter (DOMAIN_FILTER, EXCLUDE_DOMAINS and their regular expressions)"
        raise _Refused(sentence, code="outside-domain-filter")
    if claim is not None:
        return _keep(claim, ask, existing)
    zone = zone_of(hostname, existing.zones)
    if zone is None:
        known = ", ".join(sorted(existing.zones)) or "none"
        sentence = f"no zone that the credentials see holds {hostname}; they see: {known}"
        raise _Refused(sentence, code="no-zone")
    return _take(hostname, zone, ask, existing)


def _take(hostname: Hostname, zone: Zone, ask: Ask, existing: Existing) -> Decision:
    """Claim a hostname that nobody has claimed, if neither its records nor its rules are somebody's."""
    tunnel = ask.first.tunnel
    ask.keep_only(hostname, tunnel)
    neighbours = existing.neighbours.get(hostname, ())
    for record in neighbours:
        if record.tunnel != tunnel:
            sentence = (
                f"{hostname} already has a {record.type} record ({record.content}) that this service did not make:"
                " remove it, or point the hostname elsewhere"
            )
            raise _Refused(sentence, code="record-conflict")
    wanted = {path: route.rule for path, route in ask.routes.items()}
    places = existing.tunnels_with(hostname)
    if ask.rejections or not any(route.adopt for route in ask.routes.values()):
        _check_identical(hostname, tunnel, wanted, existing)
    here = existing.rules_in(tunnel, hostname)
    record = claim_for(hostname, tunnel, _marker(ask))
    return Decision(
        action=Action.ADOPT if places or neighbours else Action.CREATE,
        hostname=hostname,
        zone=zone,
        tunnel=tunnel,
        upserts=_differing(wanted, here, force=False),
        removals=tuple(sorted({rule.path for rule in here} - wanted.keys())),
        claim=_stored_as(record, neighbours[0]) if neighbours else record,
        left_behind=tuple(place for place in places if place != tunnel),
    )


def _laid_out(decisions: Sequence[Decision], existing: Existing) -> Iterator[Decision]:
    """Yield decisions, with the rules of what is adopted where their tunnel would else be adrift as soon as it is marked."""
    claimed = {*existing.claims, *(decision.hostname for decision in decisions)}
    adopting = {decision.tunnel for decision in decisions if decision.action is Action.ADOPT}
    adrift = {tunnel for tunnel in adopting if shadowed(existing.configurations[tunnel].rules, claimed)}
    for decision in decisions:
        if decision.action is Action.ADOPT and decision.tunnel in adrift and not decision.upserts:
            yield replace(decision, upserts=existing.rules_in(decision.tunnel, decision.hostname))
        else:
            yield decision


def _check_identical(hostname: Hostname, tunnel: str, wanted: Mapping[str, IngressRule], existing: Existing) -> None:
    """Refuse to take over rules made by hand that say anything else than what is asked."""
    for place in existing.tunnels_with(hostname):
        rules = existing.rules_in(place, hostname)
        for rule in rules:
            asked = wanted.get(rule.path)
            if place != tunnel or asked is None or not rule.asks_the_same_as(asked) or len(rules) > len(wanted):
                path = f" (path {rule.path})" if rule.path else ""
                sentence = (
                    f"tunnel {place} already has a rule for {hostname}{path} that this service did not make, to {rule.service}:"
                    ' make it the same, remove it, or take it over with webhook/adopt: "true"'
                )
                raise _Refused(sentence, code="rule-conflict")


def _keep(claim: Claim, ask: Ask, existing: Existing) -> Decision | None:
    """Change, repair, move or release a hostname that is ours."""
    hostname, home = claim.hostname, existing.home(claim)
    places = existing.tunnels_with(hostname)
    here = {rule.path for rule in existing.rules_in(home, hostname)}
    tunnels = {route.tunnel for route in ask.routes.values()}
    # It moves only as a whole.
    tunnel = min(tunnels) if len(tunnels) == 1 and here <= ask.removals | ask.routes.keys() else home
    ask.keep_only(hostname, tunnel)
    kept = here - ask.removals - ask.routes.keys()
    if not ask.routes:
        gone = tuple(sorted(here - kept))
        if ask.removals and not kept:
            return Decision(Action.DELETE, hostname, claim.zone, home, left_behind=places, release=claim.record)
        return Decision(Action.UPDATE, hostname, claim.zone, home, removals=gone) if gone else None
    record = _stored_as(claim_for(hostname, tunnel, _marker(ask, claim.marker)), claim.record)
    wanted = {path: route.rule for path, route in ask.routes.items()}
    there = existing.rules_in(tunnel, hostname)
    moves = tunnel != claim.tunnel
    stale = {rule.path for rule in there} - wanted.keys() - kept
    # What drifted is laid out anew as a whole, since each single rule may already say what is asked.
    force = bool(existing.drift(claim)) or tunnel != home
    decision = Decision(
        action=Action.MOVE if moves else Action.UPDATE,
        hostname=hostname,
        zone=claim.zone,
        tunnel=tunnel,
        upserts=_differing(wanted, there, force=force),
        removals=tuple(sorted(stale)),
        claim=record if record != claim.record and not moves else None,
        repoint=record if moves else None,
        left_behind=tuple(place for place in places if place != tunnel),
    )
    changes = (decision.upserts, decision.removals, decision.claim, decision.repoint, decision.left_behind)
    return decision if any(changes) else None


def _marker(ask: Ask, existing: Marker | None = None) -> Marker:
    """Return the marker: the resource of the route for every path, else the one that it had, else of the first path."""
    first = ask.first
    if existing and existing.resource and first.path:
        return Marker(ask.owner, existing.resource)
    return Marker(ask.owner, first.resource)


def _stored_as(record: DnsRecord, stored: DnsRecord) -> DnsRecord:
    """Return what a stored record shall say: the same but for what we decide."""
    return DnsRecord(
        name=stored.name,
        type=record.type,
        content=stored.content if stored.tunnel == record.tunnel else record.content,
        proxied=True,
        comment=record.comment,
        id=stored.id,
    )


def _differing(wanted: Mapping[str, IngressRule], rules: Iterable[IngressRule], *, force: bool) -> tuple[IngressRule, ...]:
    """Return the wanted rules that a document does not have yet, or all where it is to be laid out anew."""
    has = {rule.path: rule for rule in rules}
    return tuple(rule for path, rule in sorted(wanted.items()) if force or path not in has or not has[path].asks_the_same_as(rule))
