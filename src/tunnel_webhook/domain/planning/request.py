"""Requests: what one change set asks of each hostname, whatever the order of its endpoints.

All endpoints of one hostname fold into one request, for one owner and with one route per path. Endpoints that cannot be
part of it are rejected:

| endpoint                                                    | rejected as                                |
|-------------------------------------------------------------|--------------------------------------------|
| its name is not a hostname, or it cannot become a route     | the reason of its translation              |
| its owner does not fit in a marker, or is not `OWNER_ID`    | `invalid-owner`                            |
| its owner is not that of the claim, or, without a claim,    | `owned-by-other`                           |
| not the first owner in order                                |                                            |

Where any endpoint of a hostname is rejected, its request deletes nothing and takes nothing over: a path that became
invalid must not lose its last good rule. Where hostnames are bound to namespaces, only rejections of the namespace that
holds the hostname count, since no other one may keep it from giving up a path.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from tunnel_webhook.domain.claim import Claim
from tunnel_webhook.domain.errors import InvalidEndpoint, Reason
from tunnel_webhook.domain.external_dns.endpoint import TUNNELLED_TYPES, Changes, Endpoint
from tunnel_webhook.domain.external_dns.marking import translate
from tunnel_webhook.domain.external_dns.namespace import namespace_digest, namespace_of
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.external_dns.route import Route
from tunnel_webhook.domain.external_dns.set_identifier import path_of
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.marker import Marker
from tunnel_webhook.domain.planning.plan import Rejection
from tunnel_webhook.domain.quotation import quoted


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of one hostname: routes, one per path and sorted by it, and the paths to delete.

    Where hostnames are bound to namespaces, there is one route per path and namespace until `within_namespace`.
    `released` are the paths to delete with those that have a route as well.
    """

    hostname: Hostname
    owner: str
    routes: tuple[Route, ...] = ()
    deletes: frozenset[str] = frozenset()
    released: frozenset[str] = frozenset()

    @property
    def paths(self) -> frozenset[str]:
        """The paths that have a route."""
        return frozenset(route.path for route in self.routes)

    @property
    def resources(self) -> frozenset[str]:
        """The resources that ask for the routes; the empty one for a request that only deletes."""
        return frozenset(route.resource for route in self.routes) or frozenset({""})

    def with_routes(self, routes: tuple[Route, ...]) -> Request:
        """Return the request with other routes."""
        return replace(self, routes=routes)

    def rejecting(self, faults: Mapping[Route, tuple[Reason, str]]) -> tuple[Request, tuple[Rejection, ...]]:
        """Return the request without these routes, and their rejections; where there are any, it is harmless."""
        if not faults:
            return self, ()
        rejections = tuple(
            Rejection(self.hostname, *faults[route], route.resource) for route in self.routes if route in faults
        )
        return self.with_routes(tuple(route for route in self.routes if route not in faults)).harmless(), rejections

    def harmless(self) -> Request:
        """Return the request without what takes something away: its deletions and adoptions."""
        routes = tuple(replace(route, adopt=False) for route in self.routes)
        return replace(self, routes=routes, deletes=frozenset(), released=frozenset())


@dataclass(slots=True)
class _Collected:
    """The endpoints of one hostname while they are collected: routes, deletions by owner and path, and rejections."""

    routes: list[Route] = field(default_factory=list[Route])
    deletes: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    rejections: list[Rejection] = field(default_factory=list[Rejection])


def requests_in(
    changes: Changes, claims: Mapping[str, Claim], policy: Policy
) -> tuple[tuple[Request, ...], tuple[Rejection, ...]]:
    """Return the requests in a change set, sorted by hostname, and the rejected endpoints. Pure.

    A deletion of a hostname that is not claimed, or is being released, is not a request: it is not ours, or deleted.
    """
    collected, rejections = _fold(changes, policy)
    requests: list[Request] = []
    for hostname, endpoints in sorted(collected.items()):
        claim = claims.get(hostname)
        rejections += endpoints.rejections
        if endpoints.routes or (claim and not claim.is_releasing):
            request, foreign = _settle(hostname, endpoints, claim, policy)
            rejections += foreign
            if foreign or any(_counts(rejection, claim, policy) for rejection in endpoints.rejections):
                request = request.harmless()
            requests += [request] if request.routes or request.deletes else []
    return tuple(requests), tuple(sorted(set(rejections)))


def holder_of(claim: Claim) -> str:
    """Return the digest of the namespace that a claim names, by itself or by its resource; or nothing."""
    resource = claim.marker.known_resource
    return claim.marker.namespace or namespace_digest(namespace_of(resource))


def hostnames_in(changes: Changes) -> frozenset[Hostname]:
    """Return the hostnames that a change set names; names that are not hostnames are left out."""
    hostnames: set[Hostname] = set()
    for endpoint in (*changes.create, *changes.update_new, *changes.delete):
        with suppress(InvalidEndpoint):
            hostnames.add(Hostname.parse(endpoint.dns_name))
    return frozenset(hostnames)


def _fold(changes: Changes, policy: Policy) -> tuple[dict[Hostname, _Collected], list[Rejection]]:
    """Return the endpoints by hostname, and the rejections of those without a valid one."""
    collected: defaultdict[Hostname, _Collected] = defaultdict(_Collected)
    nameless: list[Rejection] = []
    for endpoint in _tunnelled(changes.create, changes.update_new):
        try:
            hostname = Hostname.parse(endpoint.dns_name)
        except InvalidEndpoint as error:
            nameless.append(Rejection(endpoint.dns_name, error.reason, str(error), endpoint.resource))
            continue
        try:
            _check_owner(endpoint, policy)
            collected[hostname].routes.append(translate(endpoint, policy))
        except InvalidEndpoint as error:
            collected[hostname].rejections.append(Rejection(hostname, error.reason, str(error), endpoint.resource))
    for endpoint in _tunnelled(changes.delete):
        try:
            hostname = Hostname.parse(endpoint.dns_name)
        except InvalidEndpoint:
            continue
        collected[hostname].deletes.add((policy.owner_of(endpoint), path_of(endpoint.set_identifier)))
    return dict(collected), nameless


def _tunnelled(*lists: Iterable[Endpoint]) -> Iterator[Endpoint]:
    """Yield the endpoints that can be tunnelled; the TXT records of a registry are ignored (contract, 4.1 (b))."""
    return (endpoint for endpoints in lists for endpoint in endpoints if endpoint.record_type in TUNNELLED_TYPES)


def _check_owner(endpoint: Endpoint, policy: Policy) -> None:
    owner = policy.owner_of(endpoint)
    if not policy.sees(owner):
        sentence = (
            f"external-dns works for owner {quoted(owner)} and this instance for OWNER_ID {policy.owner_id!r}:"
            " set OWNER_ID to the value of --txt-owner-id, or leave it unset"
        )
        raise InvalidEndpoint(Reason.INVALID_OWNER, sentence)
    Marker(owner)


def _counts(rejection: Rejection, claim: Claim | None, policy: Policy) -> bool:
    """Whether a rejection keeps a request from deleting: not that of a namespace that does not hold the hostname."""
    holder = holder_of(claim) if claim and policy.binds_namespaces(claim.hostname) else ""
    asker = namespace_digest(namespace_of(rejection.resource))
    return not (holder and asker and holder != asker)


def _settle(
    hostname: Hostname, collected: _Collected, claim: Claim | None, policy: Policy
) -> tuple[Request, list[Rejection]]:
    """Return the request of the one owner, and the rejections of the others; each path keeps its first route."""
    owner = claim.marker.owner if claim else min(route.owner for route in collected.routes)
    deletes = collected.deletes if claim else set[tuple[str, str]]()
    is_bound = policy.binds_namespaces(hostname)
    routes: dict[tuple[str, str], Route] = {}
    foreign: list[Rejection] = []
    for route in sorted(collected.routes, key=_preference):
        if route.owner == owner:
            routes.setdefault((route.path, namespace_of(route.resource) if is_bound else ""), route)
        else:
            foreign.append(_owned_by_other(hostname, owner, route.owner, route.resource))
    foreign += [_owned_by_other(hostname, owner, other) for other, _ in deletes if other != owner]
    released = frozenset(path for deleter, path in deletes if deleter == owner)
    request = Request(
        hostname=hostname,
        owner=owner,
        routes=tuple(routes[key] for key in sorted(routes)),
        deletes=released - {path for path, _ in routes},
        released=released,
    )
    return request, foreign


def _preference(route: Route) -> tuple[str, str, str, tuple[tuple[str, str], ...], bool]:
    return (route.service, route.resource, route.tunnel, route.options, route.adopt)


def _owned_by_other(hostname: Hostname, owner: str, other: str, resource: str = "") -> Rejection:
    sentence = (
        f"{hostname} is claimed for owner {quoted(owner)}, and {quoted(other)} asks for it: its owner has to release it"
        " first"
    )
    return Rejection(hostname, Reason.OWNED_BY_OTHER, sentence, resource)
