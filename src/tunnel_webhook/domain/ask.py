"""What one change set asks of each hostname: all its endpoints folded into one, whatever their order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from tunnel_webhook.domain.claim import Claim, Marker
from tunnel_webhook.domain.endpoint import TUNNELLED_TYPES, Changes, Endpoint
from tunnel_webhook.domain.errors import InvalidEndpoint, InvalidHostname, InvalidOwner
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.plan import Rejection
from tunnel_webhook.domain.policy import Policy
from tunnel_webhook.domain.translation import Route, translate


@dataclass(slots=True)
class Ask:
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

    @property
    def first(self) -> Route:
        """The route for every path, or else that of the first path."""
        return self.routes[min(self.routes)]

    def keep_only(self, hostname: Hostname, tunnel: str) -> None:
        """Keep the routes of one tunnel, since a CNAME points at only one, and reject the others."""
        for path, route in sorted(self.routes.items()):
            if route.tunnel != tunnel:
                sentence = (
                    f"{hostname} has another path in tunnel {tunnel}: a hostname lives in one tunnel, so give all paths the same"
                )
                self.rejections.append(Rejection(hostname, "tunnel-conflict", sentence, route.resource))
                del self.routes[path]


def _preference(route: Route) -> tuple[str, str, str, tuple[tuple[str, str], ...], bool]:
    return (route.service, route.resource, route.tunnel, route.properties, route.adopt)


def _owned_by_other(hostname: Hostname, owner: str, other: str, resource: str = "") -> Rejection:
    sentence = f"{hostname} is claimed for owner {owner!r} and asked for by {other!r}: its owner has to release it first"
    return Rejection(hostname, "owned-by-other", sentence, resource)


def fold(changes: Changes, policy: Policy) -> tuple[dict[Hostname, Ask], set[Rejection]]:
    """Return what is asked of each hostname, and the rejections of endpoints that have not even a hostname."""
    asks: defaultdict[Hostname, Ask] = defaultdict(Ask)
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


def _ask_for(ask: Ask, hostname: Hostname, endpoint: Endpoint, policy: Policy) -> None:
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
