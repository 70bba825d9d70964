"""Published rules that the policy does not allow any more: they stay until they are changed, and are named.

Nothing is deleted because a policy file was edited. A rule does not say all that its endpoint did: only the digest of a
namespace may be known, and a policy that could allow the rule to any namespace with that digest counts as allowing it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tunnel_webhook.domain.claim import Claim
from tunnel_webhook.domain.cloudflared.ingress import IngressRule
from tunnel_webhook.domain.external_dns.consent import ask_of
from tunnel_webhook.domain.external_dns.namespace import namespace_digest, namespace_of
from tunnel_webhook.domain.external_dns.origin_address import OriginAddress
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.external_dns.route import endpoint_of_route, route_of_rule
from tunnel_webhook.domain.planning.existing import Existing

_SERVICE_LABELS = (1, 2)


@dataclass(frozen=True, slots=True, order=True)
class Disallowed:
    """One published rule that the policy does not allow any more, and why."""

    hostname: str
    path: str
    sentence: str


def disallowed_in(existing: Existing, policy: Policy) -> tuple[Disallowed, ...]:
    """Return the published rules of this instance that the policy does not allow any more, sorted."""
    found: list[Disallowed] = []
    for claim in existing.claims.values():
        if policy.sees(claim.marker.owner) and not claim.is_releasing:
            home = existing.home(claim)
            for number, rule in enumerate(sorted(existing.published_in(home, claim), key=lambda rule: rule.path)):
                sentence = _objection(rule, home, claim, policy, is_first=not number)
                found += [Disallowed(claim.hostname, rule.path, sentence)] if sentence else []
    return tuple(sorted(found))


def _objection(rule: IngressRule, tunnel: str, claim: Claim, policy: Policy, *, is_first: bool) -> str:
    """Return why no namespace that a rule could be of may publish it, or nothing."""
    route = route_of_rule(rule, claim.hostname, tunnel)
    objections: list[str] = []
    for namespace in _possible_namespaces(rule, claim, policy, is_first=is_first):
        endpoint = endpoint_of_route(route, {"resource": f"any/{namespace}/any"}, policy)
        objections.append(policy.objection(ask_of(endpoint, route, policy)))
    return min(objections, default="no table names the namespace that it is of") if all(objections) else ""


def _possible_namespaces(rule: IngressRule, claim: Claim, policy: Policy, *, is_first: bool) -> Iterator[str]:
    """Yield the namespaces that may have asked for a rule; where many may, one for each pattern of the policy."""
    resource = claim.marker.known_resource if is_first else ""
    if resource or policy.permissions is None:
        yield namespace_of(resource)
        return
    patterns = [pattern.text for table in policy.permissions.allow for pattern in table.namespaces]
    exact = {"", *(text for text in patterns if not text.endswith("*")), *_namespace_in(rule.service)}
    digest = claim.marker.namespace
    yield from sorted(namespace for namespace in exact if not digest or namespace_digest(namespace) == digest)
    yield from sorted({text[:-1] or "x" for text in patterns if text.endswith("*")})


def _namespace_in(service: str) -> Iterator[str]:
    """Yield the namespace of the Service that an origin is, if it is one."""
    address = OriginAddress.of(service)
    labels = address.host.split(".") if address else []
    yield from (labels[number] for number in _SERVICE_LABELS if labels[number + 1 : number + 2] == ["svc"])
