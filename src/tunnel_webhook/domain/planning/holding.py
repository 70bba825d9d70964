"""One namespace holds a hostname: with a policy, every path of it, until the hostname is released.

| the hostname                                                | may be asked for by                              |
|-------------------------------------------------------------|--------------------------------------------------|
| there is no policy, or it shares the hostname               | every namespace                                  |
| is claimed, and its marker names a namespace, or a resource | that namespace                                   |
| is claimed, and all its rules are deleted in this request   | the namespace of the first path: it changes hands |
| else                                                        | the namespace of the first path                  |
"""

from __future__ import annotations

from tunnel_webhook.domain.claim import Claim
from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.domain.external_dns.namespace import namespace_digest, namespace_of
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.external_dns.route import Route
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.plan import Rejection
from tunnel_webhook.domain.planning.request import Request
from tunnel_webhook.domain.quotation import quoted


def within_namespace(
    request: Request, claim: Claim | None, existing: Existing, policy: Policy
) -> tuple[Request, tuple[Rejection, ...]]:
    """Return what a request asks for in the namespace that holds its hostname; the other routes are rejected."""
    if not request.routes or not policy.binds_namespaces(request.hostname):
        return request, ()
    holder = _holder(request, claim, existing) or _digest(request.routes[0])
    kept = tuple(route for route in request.routes if _digest(route) == holder)
    if kept == request.routes:
        return request, ()
    sentence = (
        f"{request.hostname} is held by another namespace: it has to give the hostname up first, or the operator lists"
        " it under `shared` in POLICY_FILE"
    )
    rejections = tuple(
        Rejection(
            request.hostname,
            Reason.HELD_BY_ANOTHER_NAMESPACE,
            f"namespace {quoted(namespace_of(route.resource))} asks for {request.hostname}; {sentence}",
            route.resource,
        )
        for route in request.routes
        if _digest(route) != holder
    )
    return request.with_routes(kept).harmless(), rejections


def _holder(request: Request, claim: Claim | None, existing: Existing) -> str:
    """Return the digest of the namespace that holds a hostname, or nothing."""
    if claim is None or claim.is_releasing or existing.paths(claim) <= request.deletes:
        return ""
    resource = claim.marker.known_resource
    return claim.marker.namespace or (namespace_digest(namespace_of(resource)) if resource else "")


def _digest(route: Route) -> str:
    return namespace_digest(namespace_of(route.resource))
