"""Hostnames that were deleted: their records outlive their rules, so that no late write leaves an orphan.

A write of a document that began before the deletion may bring a rule back after it. As long as the record is there, the
rule is known to be ours, so it is removed again, and the wait begins again.

| a releasing record of an owner that this instance sees  | then                                        |
|---------------------------------------------------------|---------------------------------------------|
| any document has a rule of its hostname                 | remove the rule, and mark the record again  |
| none has, and the delay has passed                      | delete the record                           |
| none has, and the delay has not passed                  | nothing                                     |
"""

from __future__ import annotations

from collections.abc import Iterator

from tunnel_webhook.domain.claim import Claim
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.plan import Action, Decision, Plan


def plan_releases(existing: Existing, policy: Policy, now: float, delay: float) -> Plan:
    """Return what is to be done about releasing records at a time in seconds since the epoch; `delay` in seconds."""
    releasing = (claim for _, claim in sorted(existing.claims.items()) if claim.is_releasing)
    seen = (claim for claim in releasing if policy.sees(claim.marker.owner))
    return Plan(tuple(_decisions(seen, existing, now, delay)), managed=frozenset(existing.claims))


def _decisions(claims: Iterator[Claim], existing: Existing, now: float, delay: float) -> Iterator[Decision]:
    for claim in claims:
        if rules := existing.removals(claim.hostname):
            yield Decision(
                Action.DELETE,
                claim.hostname,
                claim.zone,
                claim.tunnel,
                rules=rules,
                release=claim.record,
                resources=(claim.marker.resource,),
            )
        elif claim.marker.releasing is not None and now - claim.marker.releasing >= delay:
            yield Decision(
                Action.FORGET,
                claim.hostname,
                claim.zone,
                claim.tunnel,
                discard=claim.record,
                resources=(claim.marker.resource,),
            )
