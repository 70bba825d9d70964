"""Paths that were deleted: a claim names them longer than their rules exist, so that no late write leaves an orphan.

A write of a document that began before the deletion may bring a rule back after it. As long as the claim names its
path, the rule is known to be ours, so it is removed again, and the wait begins again.

| a claim with leaving paths, of an owner that this instance sees | then                                             |
|-----------------------------------------------------------------|--------------------------------------------------|
| any document has a rule of one of them                          | remove the rule, and mark the paths again        |
| none has, and the delay has passed                              | give the paths up                                |
| none has, and the delay has not passed                          | nothing                                          |

| given up                                                        | the record is                                    |
|-----------------------------------------------------------------|--------------------------------------------------|
| some paths, and others stay                                     | marked with the others                           |
| the last path; a person's rule of the hostname still needs it   | unmarked                                         |
| the last path; a person made the record                         | unmarked                                         |
| the last path otherwise                                         | deleted                                          |
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from tunnel_webhook.domain.claim import Claim, Release
from tunnel_webhook.domain.claimed_paths import NO_PATHS, ClaimedPaths
from tunnel_webhook.domain.dns import DnsRecord
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.plan import Action, Decision, Plan


def plan_releases(existing: Existing, policy: Policy, now: float, delay: float) -> Plan:
    """Return what is to be done about leaving paths at a time in seconds since the epoch; `delay` in seconds."""
    leaving = (claim for _, claim in sorted(existing.claims.items()) if claim.marker.leaving)
    seen = (claim for claim in leaving if policy.sees(claim.marker.owner))
    return Plan(tuple(_decisions(seen, existing, now, delay)), managed=existing.named)


def release_of(claim: Claim, record: DnsRecord, kept: ClaimedPaths, existing: Existing) -> Release:
    """Return what a claim gives up, whose record is this one by then, if it keeps only these paths."""
    marker = claim.marker
    if kept:
        marker = replace(marker, paths=kept, leaving=NO_PATHS, since=None)
        return Release(record, replace(record, comment=marker.comment))
    is_needed = marker.adopted or existing.bystanders_in(claim.tunnel, claim.hostname)
    return Release(record, replace(record, comment=marker.note) if is_needed else None)


def _decisions(claims: Iterable[Claim], existing: Existing, now: float, delay: float) -> Iterator[Decision]:
    for claim in claims:
        release = release_of(claim, claim.record, claim.marker.paths, existing)
        rules = existing.removals(claim.hostname, claim.marker.leaving)
        since = claim.marker.since or 0
        action = Action.DELETE if claim.is_releasing else Action.UPDATE
        if rules:
            yield Decision(action, claim.hostname, claim.zone, claim.tunnel, rules=rules, release=release)
        elif now - since >= delay:
            action = Action.FORGET if claim.is_releasing else Action.UPDATE
            yield Decision(action, claim.hostname, claim.zone, claim.tunnel, discard=release)
