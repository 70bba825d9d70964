"""What external-dns is told: one endpoint a rule of every hostname that this instance may see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tunnel_webhook.domain.claim import Claim
from tunnel_webhook.domain.endpoint import Endpoint
from tunnel_webhook.domain.existing import Existing
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.policy import Policy
from tunnel_webhook.domain.translation import DRIFT, endpoint_of_rule


@dataclass(frozen=True, slots=True)
class Report:
    """The endpoints, and the drift by hostname."""

    endpoints: tuple[Endpoint, ...]
    drift: tuple[tuple[Hostname, str], ...]


def report(existing: Existing, policy: Policy) -> Report:
    """Return the managed hostnames as external-dns knows them, sorted.

    The labels come from the claim, so that registries work without one TXT record. Drift is told as a property that nobody
    desires, so that external-dns' own planner repairs it, under its own rules of ownership.
    """
    endpoints: list[Endpoint] = []
    drifts: list[tuple[Hostname, str]] = []
    for hostname, claim in sorted(existing.claims.items()):
        if policy.sees(claim.marker.owner):
            drift = existing.drift(claim)
            endpoints.extend(_endpoints(existing, claim, drift, policy))
            if drift:
                drifts.append((hostname, drift))
    return Report(tuple(endpoints), tuple(drifts))


def _endpoints(existing: Existing, claim: Claim, drift: str, policy: Policy) -> Iterator[Endpoint]:
    owner = {"owner": claim.marker.owner}
    # A claim names one resource, which is that of the first path: where two want another path, external-dns shall choose anew.
    labels = owner | ({"resource": claim.marker.resource} if claim.marker.resource else {})
    tunnel = policy.tunnel(existing.home(claim))
    by_path = {rule.path: rule for rule in reversed(existing.rules_in(tunnel.id, claim.hostname))}
    for path, rule in sorted(by_path.items()):
        yield endpoint_of_rule(rule, claim.hostname, tunnel, labels if path == min(by_path) else owner, policy, drift)
    if not by_path:
        yield Endpoint(claim.hostname, targets=(claim.record.content,), labels=labels, properties=((DRIFT, drift),))
