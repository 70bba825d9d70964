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

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tunnel_webhook.domain.claim import Claim, DnsRecord, Marker, Zone, claim_for
from tunnel_webhook.domain.endpoint import TUNNELLED_TYPES, Changes, Endpoint
from tunnel_webhook.domain.errors import InvalidEndpoint, InvalidHostname, InvalidOwner
from tunnel_webhook.domain.existing import Existing
from tunnel_webhook.domain.hostname import Hostname, zone_of
from tunnel_webhook.domain.ingress import IngressRule
from tunnel_webhook.domain.layout import shadowed
from tunnel_webhook.domain.plan import Action, Decision, Plan, Rejection
from tunnel_webhook.domain.policy import Policy
from tunnel_webhook.domain.translation import Route, translate


@dataclass(slots=True)
class _Ask:
    """All that one change set asks of one hostname: routes, and paths to delete by owner; once settled, those of one owner."""

    wanted: list[Route] = field(default_factory=list[Route])
    unwanted: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    rejections: list[Rejection] = field(default_factory=list[Rejection])
    owner: str = ""
    routes: dict[str, Route] = field(default_factory=dict[str, Route])
    deletes: set[str] = field(default_factory=set[str])

    def settle(self, hostname: Hostname, claim: Claim | None) -> None:
        """Keep what is asked for the owner of the claim, or of a new one, one route a path, and reject the rest."""
        self.owner = claim.marker.owner if claim else min(route.owner for route in self.wanted)
        for route in sorted(self.wanted, key=_preference):
            if route.owner == self.owner:
                self.routes.setdefault(route.path, route)
            else:
                self.rejections.append(_owned_by_other(hostname, self.owner, route.owner, route.resource))
        for owner, path in self.unwanted if claim else ():
            if owner == self.owner:
                self.deletes.add(path)
            else:
                self.rejections.append(_owned_by_other(hostname, self.owner, owner))

    @property
    def removals(self) -> set[str]:
        """The paths to delete; none where anything is rejected, since such a hostname loses nothing until that is mended."""
        return self.deletes - self.routes.keys() if not self.rejections else set()

    def refuse(self, hostname: Hostname, code: str, sentence: str) -> None:
        """Reject every route, or the hostname where only deletions are asked."""
        resources = {route.resource for route in self.routes.values()} or {""}
        self.rejections += [Rejection(hostname, code, sentence, resource) for resource in resources]


def _preference(route: Route) -> tuple[str, str, str, tuple[tuple[str, str], ...], bool]:
    return (route.service, route.resource, route.tunnel, route.properties, route.adopt)


def _owned_by_other(hostname: Hostname, owner: str, other: str, resource: str = "") -> Rejection:
    sentence = f"{hostname} is claimed for owner {owner!r} and asked for by {other!r}: its owner has to release it first"
    return Rejection(hostname, "owned-by-other", sentence, resource)


class _Refused(Exception):
    """Carries a verdict from where it is found to where it is noted, and goes no further."""

    def __init__(self, sentence: str, *, code: str) -> None:
        super().__init__(sentence)
        self.code = code


def plan(existing: Existing, changes: Changes, policy: Policy) -> Plan:
    """Return what is to be done; pure, and the same whatever the order of the input."""
    asks, rejections = _fold(changes, policy)
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


def _fold(changes: Changes, policy: Policy) -> tuple[dict[Hostname, _Ask], set[Rejection]]:
    """Return what is asked of each hostname, and the rejections of endpoints that have not even a hostname."""
    asks: defaultdict[Hostname, _Ask] = defaultdict(_Ask)
    nameless: set[Rejection] = set()
    for endpoint in _tunnelled(changes.create, changes.update_new):
        try:
            hostname = Hostname.parse(endpoint.dns_name)
        except InvalidHostname as reason:
            nameless.add(Rejection(endpoint.dns_name, reason.code, str(reason), endpoint.resource))
            continue
        _ask_for(asks[hostname], hostname, endpoint, policy)
    for endpoint in _tunnelled(changes.delete):
        try:
            hostname = Hostname.parse(endpoint.dns_name)
        except InvalidHostname:
            continue
        asks[hostname].unwanted.add((policy.owner_of(endpoint), endpoint.set_identifier))
    return dict(asks), nameless


def _tunnelled(*lists: Iterable[Endpoint]) -> Iterable[Endpoint]:
    """Yield what can be tunnelled: the TXT records of a registry are accepted and ignored (contract, 4.1 (b))."""
    return (endpoint for endpoints in lists for endpoint in endpoints if endpoint.record_type in TUNNELLED_TYPES)


def _ask_for(ask: _Ask, hostname: Hostname, endpoint: Endpoint, policy: Policy) -> None:
    try:
        _check_owner(endpoint, policy)
        ask.wanted.append(translate(endpoint, policy))
    except InvalidEndpoint as reason:
        ask.rejections.append(Rejection(hostname, reason.code, str(reason), endpoint.resource))


def _check_owner(endpoint: Endpoint, policy: Policy) -> None:
    owner = policy.owner_of(endpoint)
    if not policy.sees(owner):
        message = (
            f"external-dns works for owner {owner!r} and this instance for OWNER_ID {policy.owner_id!r}:"
            " set OWNER_ID to the same as --txt-owner-id, or leave it unset"
        )
        raise InvalidOwner(message)
    _ = Marker(owner).comment


def _decide(hostname: Hostname, ask: _Ask, existing: Existing, policy: Policy) -> Decision | None:
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


def _take(hostname: Hostname, zone: Zone, ask: _Ask, existing: Existing) -> Decision:
    """Claim a hostname that nobody has claimed, if neither its records nor its rules are somebody's."""
    tunnel = _first(ask).tunnel
    _reject_other_tunnels(hostname, ask, tunnel)
    neighbours = existing.neighbours.get(hostname, ())
    for record in neighbours:
        if record.tunnel != tunnel or len(neighbours) > 1:
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


def _keep(claim: Claim, ask: _Ask, existing: Existing) -> Decision | None:
    """Change, repair, move or release a hostname that is ours."""
    hostname, home = claim.hostname, existing.home(claim)
    places = existing.tunnels_with(hostname)
    here = {rule.path for rule in existing.rules_in(home, hostname)}
    tunnels = {route.tunnel for route in ask.routes.values()}
    # It moves only as a whole.
    tunnel = min(tunnels) if len(tunnels) == 1 and here <= ask.removals | ask.routes.keys() else home
    _reject_other_tunnels(hostname, ask, tunnel)
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


def _first(ask: _Ask) -> Route:
    """Return the route for every path, or else that of the first path."""
    return ask.routes[min(ask.routes)]


def _reject_other_tunnels(hostname: Hostname, ask: _Ask, tunnel: str) -> None:
    """Keep the routes of one tunnel, since a CNAME points at only one, and reject the others."""
    for path, route in sorted(ask.routes.items()):
        if route.tunnel != tunnel:
            sentence = f"{hostname} has another path in tunnel {tunnel}: a hostname lives in one tunnel, so give all paths the same"
            ask.rejections.append(Rejection(hostname, "tunnel-conflict", sentence, route.resource))
            del ask.routes[path]


def _marker(ask: _Ask, existing: Marker | None = None) -> Marker:
    """Return the marker: the resource of the route for every path, else the one that it had, else of the first path."""
    first = _first(ask)
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
