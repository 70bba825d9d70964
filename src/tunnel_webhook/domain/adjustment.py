"""Adjusting: what external-dns wants, in the one form in which `records` will report it once it is applied.

Every sync brings all endpoints, and all but the same ones, so that what was worked out for one of them is remembered.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache, partial

from tunnel_webhook.domain.endpoint import TUNNELLED_TYPES, Endpoint
from tunnel_webhook.domain.errors import CorruptedProperties, InvalidEndpoint
from tunnel_webhook.domain.policy import Policy
from tunnel_webhook.domain.remembered import Remembered
from tunnel_webhook.domain.translation import UNKNOWN_PATH, endpoint_of, marked, translate


@dataclass(frozen=True, slots=True)
class Unpublishable:
    """An endpoint that cannot be published, as it passes through: a reason code, and a sentence for the operator."""

    endpoint: Endpoint
    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Adjusted endpoints, and the reasons: who cannot be published, and which types no tunnel can carry."""

    endpoints: tuple[Endpoint, ...]
    unpublishable: tuple[Unpublishable, ...] = ()
    dropped: tuple[Endpoint, ...] = ()


@dataclass(frozen=True, slots=True)
class _Adjusted:
    """One endpoint adjusted: of several with the same `key`, the one with the least `order` stays."""

    key: str
    rank: tuple[bool, int]
    endpoint: Endpoint
    fault: Unpublishable | None

    @property
    def order(self) -> tuple[object, ...]:
        endpoint = self.endpoint
        return (self.rank, endpoint.targets, endpoint.properties, sorted(endpoint.labels.items()))


def adjust(endpoints: Iterable[Endpoint], policy: Policy) -> Adjustment:
    """Return endpoints in canonical form, sorted; pure, and idempotent.

    One that cannot be published passes through with `webhook/invalid`, since dropping it would plan a deletion. A, AAAA and
    CNAME of one name, path and resource become one CNAME. Types that cannot be tunnelled are dropped.
    """
    wanted = tuple(endpoints)
    adjusted = _known(policy).all(wanted)
    best: dict[str, _Adjusted] = {}
    for each in filter(None, adjusted):
        rival = best.setdefault(each.key, each)
        if rival is not each and each.order < rival.order:
            best[each.key] = each
    chosen = [best[key] for key in sorted(best)]
    return Adjustment(
        endpoints=tuple([each.endpoint for each in chosen]),
        unpublishable=tuple([each.fault for each in chosen if each.fault]),
        dropped=tuple([endpoint for endpoint, each in zip(wanted, adjusted, strict=True) if each is None]),
    )


@lru_cache(maxsize=2)
def _known(policy: Policy) -> Remembered[Endpoint, _Adjusted | None]:
    return Remembered(partial(_adjust_one, policy=policy))


def _adjust_one(endpoint: Endpoint, policy: Policy) -> _Adjusted | None:
    """Return an endpoint in canonical form, marked where it cannot be published; None for a type that no tunnel carries."""
    if endpoint.record_type not in TUNNELLED_TYPES:
        return None
    fault: Unpublishable | None = None
    try:
        adjusted = endpoint_of(translate(endpoint, policy), endpoint.labels, policy)
    except InvalidEndpoint as reason:
        adjusted = marked(endpoint, reason)
        fault = Unpublishable(adjusted, reason.code, str(reason))
    # One that lost its path to corruption speaks for its whole resource, so that a half of it is not published bare.
    path = adjusted.set_identifier if adjusted.set_identifier != UNKNOWN_PATH else ""
    sound = fault is None or fault.code != CorruptedProperties.code
    return _Adjusted(
        key=f"{adjusted.dns_name}\0{path}\0{adjusted.resource}",
        rank=(sound, TUNNELLED_TYPES.index(endpoint.record_type)),
        endpoint=adjusted,
        fault=fault,
    )
