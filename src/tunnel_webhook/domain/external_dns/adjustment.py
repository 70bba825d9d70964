"""Adjusting: the endpoints that external-dns wants, in the one form in which `records` will report them once applied.

Every sync brings all endpoints, nearly all of them unchanged, so the result for each is remembered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from sys import getsizeof
from types import MappingProxyType

from tunnel_webhook.domain.cloudflared.inheritance import DEFAULTS, Base
from tunnel_webhook.domain.errors import InvalidEndpoint, Reason
from tunnel_webhook.domain.external_dns.doubts import doubts_about
from tunnel_webhook.domain.external_dns.endpoint import LABEL_WEIGHT, TUNNELLED_TYPES, Endpoint
from tunnel_webhook.domain.external_dns.marking import UNKNOWN_PATH, mark, translate
from tunnel_webhook.domain.external_dns.namespace import namespace_digest, namespace_of
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.external_dns.properties import INVALID, ignored_in
from tunnel_webhook.domain.external_dns.route import endpoint_of_route
from tunnel_webhook.domain.external_dns.set_identifier import path_of
from tunnel_webhook.domain.memo import MIB, Memo

_LABELS = frozenset({"owner", "resource"})


@dataclass(frozen=True, slots=True)
class Unpublishable:
    """An endpoint that cannot be published, as it passes through: the reason, and a sentence for the operator."""

    endpoint: Endpoint
    reason: Reason
    sentence: str


@dataclass(frozen=True, slots=True, order=True)
class Doubt:
    """A published endpoint that probably does not do what was meant: its hostname and resource, and why."""

    hostname: str
    resource: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Adjusted endpoints; those among them that cannot be published; and those of types that no tunnel can carry.

    `doubts` are about those that are published, sorted; `ignored` the names of properties that are not ours.
    """

    endpoints: tuple[Endpoint, ...]
    unpublishable: tuple[Unpublishable, ...] = ()
    dropped: tuple[Endpoint, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    ignored: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Adjusted:
    """One adjusted endpoint: of several with the same `key`, the first in `order` stays.

    Endpoints of one `row` are what external-dns chooses one from, and of one namespace; the last part names that.
    """

    key: str
    rank: int
    endpoint: Endpoint
    fault: Unpublishable | None
    doubts: tuple[Doubt, ...] = ()
    ignored: frozenset[str] = frozenset()

    @property
    def row(self) -> tuple[str, str, str]:
        """The name, the set identifier, and the namespace, or the resource where that names none."""
        resource = self.endpoint.resource
        return (self.endpoint.dns_name, self.endpoint.set_identifier, namespace_of(resource) or resource)

    @property
    def order(self) -> tuple[object, ...]:
        """What is compared, first the rank; hardly ever asked for, so it is not kept."""
        endpoint = self.endpoint
        return (self.rank, endpoint.targets, endpoint.properties, tuple(sorted(endpoint.labels.items())))


def adjust(
    endpoints: Iterable[Endpoint], policy: Policy, bases: Mapping[str, Base] = MappingProxyType({})
) -> Adjustment:
    """Return endpoints in canonical form, sorted; pure and idempotent. `bases` by tunnel id, as far as they are known.

    One that cannot be published passes through marked, unless another of its namespace asks for the same name and path
    and can be: external-dns would take the one with the smaller target. A, AAAA and CNAME of one name, path and
    resource become one CNAME. Types that no tunnel can carry are dropped, and labels other than resource and owner.
    """
    desired = tuple(endpoints)
    adjusted = _memo(policy, frozenset(bases.items())).results(desired)
    first: dict[str, _Adjusted] = {}
    for candidate in filter(None, adjusted):
        rival = first.setdefault(candidate.key, candidate)
        if rival is not candidate and candidate.order < rival.order:
            first[candidate.key] = candidate
    kept = [first[key] for key in sorted(first)]
    good = {candidate.row for candidate in kept if not candidate.fault}
    return Adjustment(
        endpoints=tuple([each.endpoint for each in kept if not each.fault or each.row not in good]),
        unpublishable=tuple([candidate.fault for candidate in kept if candidate.fault]),
        doubts=tuple(sorted({doubt for candidate in kept for doubt in candidate.doubts})),
        ignored=frozenset[str]().union(*{candidate.ignored for candidate in kept}),
        dropped=tuple([endpoint for endpoint, result in zip(desired, adjusted, strict=True) if result is None]),
    )


@lru_cache(maxsize=1)
def _memo(policy: Policy, bases: frozenset[tuple[str, Base]]) -> Memo[Endpoint, _Adjusted | None]:
    return Memo(partial(_adjust_one, policy=policy, bases=dict(bases)), _weigh, 48 * MIB)


def _weigh(endpoint: Endpoint, adjusted: _Adjusted | None) -> int:
    # The decoder remembers the endpoint, whose labels are those of the adjusted one.
    if adjusted is None:
        return endpoint.weight
    return adjusted.endpoint.weight - LABEL_WEIGHT * len(adjusted.endpoint.labels) + getsizeof(adjusted.key)


def _adjust_one(endpoint: Endpoint, policy: Policy, bases: Mapping[str, Base]) -> _Adjusted | None:
    """Return an endpoint in canonical form, marked if it is unpublishable; None for a type that no tunnel can carry."""
    if endpoint.record_type not in TUNNELLED_TYPES:
        return None
    fault: Unpublishable | None = None
    doubts: tuple[Doubt, ...] = ()
    # A tenant may set any label on a DNSEndpoint; ours travel only from here to the planner.
    if not _LABELS.issuperset(endpoint.labels):
        endpoint = replace(endpoint, labels={name: text for name, text in endpoint.labels.items() if name in _LABELS})
    try:
        digest = namespace_digest(namespace_of(endpoint.resource))
        route = translate(endpoint, policy)
        base = bases.get(route.tunnel, DEFAULTS)
        adjusted = endpoint_of_route(route, endpoint.labels, policy, digest=digest, base=base)
        doubts = tuple(Doubt(route.hostname, endpoint.resource, sentence) for sentence in doubts_about(route))
    except InvalidEndpoint as error:
        adjusted = mark(endpoint, error, policy)
        fault = Unpublishable(adjusted, error.reason, str(error))
    # One that lost its path to corruption stands for its whole resource: the rest must not go live without a path.
    path = path_of(adjusted.set_identifier)
    path = path if path != UNKNOWN_PATH else ""
    intact = fault is None or fault.reason is not Reason.CORRUPTED_PROPERTIES
    return _Adjusted(
        key=f"{adjusted.dns_name}\0{path}\0{adjusted.resource}\0{'' if fault is None or not intact else INVALID}",
        rank=TUNNELLED_TYPES.index(endpoint.record_type) + (len(TUNNELLED_TYPES) if intact else 0),
        endpoint=adjusted,
        fault=fault,
        doubts=doubts,
        ignored=ignored_in(endpoint),
    )
