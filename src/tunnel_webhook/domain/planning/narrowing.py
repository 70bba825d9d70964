"""What is left of a request once everything that it may not ask for in its tunnel is rejected."""

from __future__ import annotations

from tunnel_webhook.domain.claim import Claim
from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.planning.capacity import within_paths
from tunnel_webhook.domain.planning.claiming import within_marker
from tunnel_webhook.domain.planning.conflicts import without_conflicts
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.plan import Rejection
from tunnel_webhook.domain.planning.request import Request


def narrowed(
    request: Request, claim: Claim | None, tunnel: str, existing: Existing, policy: Policy
) -> tuple[Request, tuple[Rejection, ...]]:
    """Return what a request may ask for in one tunnel, and what is rejected.

    Rejected are routes elsewhere, routes that a person's rule is in the way of, and too many paths.
    """
    request, elsewhere = _in_tunnel(request, tunnel)
    request, conflicts = without_conflicts(request, tunnel, existing, policy)
    standing = {rule.path for rule in existing.rules_in(tunnel, request.hostname)}
    request, too_many = within_paths(request, standing)
    request, unnamed = within_marker(request, claim, existing, policy)
    return request, (*elsewhere, *conflicts, *too_many, *unnamed)


def _in_tunnel(request: Request, tunnel: str) -> tuple[Request, tuple[Rejection, ...]]:
    """Return what a request asks for in one tunnel, since a CNAME points at only one; the other routes are rejected."""
    sentence = (
        f"{request.hostname} has another path in tunnel {tunnel}: a hostname lives in one tunnel, so give all its paths"
        " the same one"
    )
    return request.rejecting(
        {route: (Reason.TUNNEL_CONFLICT, sentence) for route in request.routes if route.tunnel != tunnel}
    )
