"""The report: one endpoint per published rule of every hostname that this instance sees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tunnel_webhook.domain.claim import Claim
from tunnel_webhook.domain.external_dns.endpoint import Endpoint
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.external_dns.properties import DRIFT
from tunnel_webhook.domain.external_dns.route import endpoint_of_route, route_of_rule
from tunnel_webhook.domain.external_dns.set_identifier import identifier_of
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.existing import Drift, Existing


@dataclass(frozen=True, slots=True)
class Report:
    """The endpoints, and the drift by hostname.

    `overruled` has the hostnames with rules by others that are reached before ours, and the paths of those.
    """

    endpoints: tuple[Endpoint, ...]
    drift: tuple[tuple[Hostname, Drift], ...]
    overruled: tuple[tuple[Hostname, tuple[str, ...]], ...] = ()


def report(existing: Existing, policy: Policy) -> Report:
    """Return the managed hostnames as external-dns knows them, sorted.

    The labels come from the claim, so registries work without one TXT record. Drift is a property that no source
    desires, so external-dns' own planner asks for the repair, under its own rules of ownership. A hostname that is
    being released is not reported: it was deleted.
    """
    endpoints: list[Endpoint] = []
    drifts: list[tuple[Hostname, Drift]] = []
    overruled: list[tuple[Hostname, tuple[str, ...]]] = []
    for _, claim in sorted(existing.claims.items()):
        if policy.sees(claim.marker.owner) and not claim.is_releasing:
            drift = existing.drift(claim)
            drifts += [(claim.hostname, drift)] if drift else []
            paths = existing.overruling(claim)
            overruled += [(claim.hostname, paths)] if paths else []
            endpoints += (_with_drift(endpoint, drift) for endpoint in _endpoints(existing, claim, policy))
    return Report(tuple(endpoints), tuple(drifts), tuple(overruled))


def _endpoints(existing: Existing, claim: Claim, policy: Policy) -> Iterator[Endpoint]:
    owner = {"owner": claim.marker.owner}
    resource = claim.marker.known_resource
    labels = owner | ({"resource": resource} if resource else {})
    tunnel, digest = existing.home(claim), claim.marker.namespace
    by_path = {rule.path: rule for rule in reversed(existing.published_in(tunnel, claim))}
    if not by_path:
        identifier = identifier_of("", digest if policy.binds_namespaces(claim.hostname) else "")
        yield Endpoint(claim.hostname, targets=(claim.record.content,), set_identifier=identifier, labels=labels)
    base = existing.bases[tunnel]
    for path in sorted(by_path):
        route = route_of_rule(by_path[path], claim.hostname, tunnel, base)
        yield endpoint_of_route(route, labels, policy, digest=digest, base=base)
        # A claim names the resource of the first path only; for the other paths, external-dns chooses one itself.
        labels = owner


def _with_drift(endpoint: Endpoint, drift: Drift | None) -> Endpoint:
    if drift is None:
        return endpoint
    return replace(endpoint, properties=tuple(sorted((*endpoint.properties, (DRIFT, drift.value)))))
