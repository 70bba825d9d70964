"""The rules of a request: what is written into a tunnel for it, and what is left alone.

| the rule of a path                     | is written as                                                  |
|----------------------------------------|----------------------------------------------------------------|
| none                                   | what is asked                                                  |
| means what is asked                    | itself                                                         |
| ours, and means something else         | what is asked                                                  |
| a person's, and is taken over          | what is asked, with the Access that it requires                |
"""

from __future__ import annotations

from tunnel_webhook.domain.claim import Claim
from tunnel_webhook.domain.claimed_paths import ClaimedPaths
from tunnel_webhook.domain.cloudflared.ingress import IngressRule
from tunnel_webhook.domain.cloudflared.inheritance import Base, mean_the_same
from tunnel_webhook.domain.external_dns.access import keeping_access
from tunnel_webhook.domain.external_dns.route import Route
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.plan import RuleChange
from tunnel_webhook.domain.planning.request import Request


def named_during(request: Request, claim: Claim | None) -> ClaimedPaths:
    """Return the paths whose rules are ours while a request is carried out."""
    asked = ClaimedPaths.of(request.paths)
    return claim.marker.named | asked if claim else asked


def rule_changes(
    request: Request, tunnel: str, existing: Existing, *, rewritten: bool = False
) -> tuple[RuleChange, ...]:
    """Return the change that gives a hostname the requested rules in a tunnel, beside those of ours that stay.

    Rules that already mean what is asked are left alone, unless the document is to be laid out again.
    """
    base, claim = existing.bases[tunnel], existing.claims.get(request.hostname)
    named = named_during(request, claim)
    standing = [rule for rule in existing.rules_in(tunnel, request.hostname) if rule.path in named]
    first = {rule.path: rule for rule in reversed(standing)}
    desired = [_rule_in_place_of(first.get(route.path), route, base, claim) for route in request.routes]
    upserts = tuple(rule for rule in desired if rewritten or rule is not first.get(rule.path))
    staying = existing.paths(claim) - request.deletes if claim and not claim.is_releasing else frozenset[str]()
    removals = tuple(sorted(first.keys() - request.paths - staying))
    return (RuleChange(tunnel, upserts, removals),) if upserts or removals else ()


def _rule_in_place_of(standing: IngressRule | None, route: Route, base: Base, claim: Claim | None) -> IngressRule:
    rule = route.rule_on(base)
    if standing is None:
        return rule
    if claim is None or standing.path not in claim.marker.named:
        rule = keeping_access(standing, rule, route)
    return standing if mean_the_same(standing, rule, base) else rule
