"""Why a hostname that is not claimed cannot be taken: a person made its records or its rules."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from tunnel_webhook.domain.claim import Marker
from tunnel_webhook.domain.cloudflared.ingress import IngressRule
from tunnel_webhook.domain.cloudflared.inheritance import Base, differences, mean_the_same
from tunnel_webhook.domain.dns import DnsRecord, target_of
from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.request import Request
from tunnel_webhook.domain.quotation import quoted, shortened

Conflict: TypeAlias = tuple[Reason, str]
"""The reason, and the sentence for the operator."""


def record_conflict(hostname: Hostname, tunnel: str, neighbours: Iterable[DnsRecord]) -> Conflict | None:
    """Return why a hostname cannot be claimed beside its records: one of them leads elsewhere."""
    for record in neighbours:
        if record.tunnel != tunnel:
            content = shortened(record.content, 253)
            if Marker.parse(record.comment):
                sentence = (
                    f"the {record.type} record of {hostname} carries the marker of this service, but someone pointed it"
                    f" elsewhere ({content}): point it at {target_of(tunnel)}, or remove it"
                )
                return Reason.RECORD_CONFLICT, sentence
            sentence = (
                f"{hostname} already has a {record.type} record ({content}) that this service did not make: remove it,"
                " or point the hostname elsewhere"
            )
            return Reason.RECORD_CONFLICT, sentence
    return None


def rule_conflict(request: Request, tunnel: str, existing: Existing) -> Conflict | None:
    """Return why rules made by hand cannot be taken over: they say something else, and no route adopts them."""
    places = existing.tunnels_with(request.hostname)
    if not places or any(route.adopt for route in request.routes):
        return None
    for place in places:
        base = existing.bases[place]
        desired = {route.path: route.rule_on(base) for route in request.routes}
        rules = existing.rules_in(place, request.hostname)
        for rule in rules:
            same = rule.path in desired and mean_the_same(rule, desired[rule.path], base)
            if not same or place != tunnel or len(rules) > len(desired):
                path = f" (path {shortened(rule.path)})" if rule.path else ""
                sentence = (
                    f"tunnel {place} already has a rule for {request.hostname}{path} that this service did not make, to"
                    f" {shortened(rule.service)}{_differing(rule, desired.get(rule.path), base)}: make it the same,"
                    ' remove it, or take it over with webhook/adopt: "true"'
                )
                return Reason.RULE_CONFLICT, sentence
    return None


def _differing(standing: IngressRule, desired: IngressRule | None, base: Base) -> str:
    """Return the keys in which a standing rule differs from what is asked, as part of a sentence."""
    found = differences(standing, desired, base) if desired else ()
    named = ", ".join(f"{key} is {quoted(there)} there and {quoted(asked)} here" for key, there, asked in found)
    return f" ({named})" if named else ""
