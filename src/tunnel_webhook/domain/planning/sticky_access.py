"""Sticky Access in a plan: what a hostname of ours loses only by consent, and what it keeps when it is taken over."""

from __future__ import annotations

from collections.abc import Iterable

from tunnel_webhook.domain.cloudflared.ingress import IngressRule
from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.domain.external_dns.access import access_loss
from tunnel_webhook.domain.planning.plan import Rejection
from tunnel_webhook.domain.planning.request import Request


def within_access(request: Request, standing: Iterable[IngressRule]) -> tuple[Request, tuple[Rejection, ...]]:
    """Return what a request may ask of a hostname that has these rules, and the routes that would take Access away.

    Where a route is rejected, its rule stays as it is, and the request takes nothing away.
    """
    by_path = {rule.path: rule for rule in reversed(tuple(standing))}
    losses = {route: access_loss(by_path[route.path], route) for route in request.routes if route.path in by_path}
    return request.rejecting({route: (Reason.ACCESS_WOULD_BE_REMOVED, loss) for route, loss in losses.items() if loss})
