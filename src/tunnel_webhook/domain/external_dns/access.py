"""Access is sticky: a rule that requires it loses it only where its endpoint says so, never by absence.

external-dns loses annotations (contract, 5.6), and people remove them without a thought: a hostname that was protected
would be public one sync later.

| the rule standing | the endpoint                   | result                                            |
|-------------------|--------------------------------|---------------------------------------------------|
| requires Access   | requires it, with any values   | the endpoint's block                              |
| requires Access   | `webhook/access: none`         | no block                                          |
| requires Access   | says nothing                   | `access-would-be-removed`; when it is taken over, |
|                   |                                | the rule keeps its block                          |
| any other         | any                            | what the endpoint says                            |
"""

from __future__ import annotations

from tunnel_webhook.domain.cloudflared.go_json import fold_pointers
from tunnel_webhook.domain.cloudflared.ingress import IngressRule
from tunnel_webhook.domain.cloudflared.inheritance import requires_access
from tunnel_webhook.domain.cloudflared.origin_request import ACCESS
from tunnel_webhook.domain.external_dns.route import Route
from tunnel_webhook.domain.quotation import shortened


def access_loss(standing: IngressRule, route: Route) -> str:
    """Return why a route must not replace a standing rule, as a sentence; nothing where it takes no Access away."""
    if route.waives_access or not requires_access(standing) or requires_access(route.rule):
        return ""
    path = f" (path {shortened(route.path)})" if route.path else ""
    return (
        f"the rule of {route.hostname}{path} requires Access, and the endpoint does not say so any more: the rule stays"
        ' as it is; restore the webhook/access-… annotations, or set webhook/access: "none" to publish it without'
    )


def keeping_access(standing: IngressRule, desired: IngressRule, route: Route) -> IngressRule:
    """Return the rule that takes a standing one over for a route: with its Access, if the route says nothing of it."""
    if not access_loss(standing, route):
        return desired
    access = fold_pointers(standing.origin_request)[ACCESS]
    origin_request = {**desired.origin_request, ACCESS: access}
    return IngressRule.make(desired.hostname, desired.path, desired.service, origin_request)
