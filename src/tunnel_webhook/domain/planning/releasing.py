"""Paths that were deleted: a claim names them longer than their rules exist, so that no late write leaves an orphan.

A write of a document that began before the deletion may bring a rule back after it. As long as the claim names its
path, the rule is known to be ours, so it is removed again, and the wait begins again.

| a claim with leaving paths, of an owner that this instance sees | then                                             |
|-----------------------------------------------------------------|--------------------------------------------------|
| any document has a rule of one of them                          | remove the rule, and mark the paths again        |
| none has, and the delay has passed                              | give the paths up                                |
| none has, and the delay has not passed                          | nothing                                          |
| none leave, and a path of an old record has no rule             | mark that path: no apply that claimed it goes on |

| given up                                                        | the record is                                    |
|-----------------------------------------------------------------|--------------------------------------------------|
| some paths, and others stay                                     | marked with the others                           |
| the last path; a person's rule of the hostname still needs it   | unmarked                                         |
| the last path; a person made the record                         | unmarked                                         |
| the last path otherwise                                         | deleted                                          |
"""

from __future__ import annotations

from dataclasses import replace

from tunnel_webhook.domain.claim import Claim, Release
from tunnel_webhook.domain.claimed_paths import NO_PATHS, ClaimedPaths
from tunnel_webhook.domain.dns import DnsRecord
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.marker import Marker
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.plan import Action, Decision, Plan

LONGEST_APPLY = 45.0
"""Seconds after its first read from which an apply begins no write."""

_OLD = 600.0


def plan_releases(existing: Existing, policy: Policy, now: float, delay: float) -> Plan:
    """Return what is to be done about leaving paths at a time in seconds since the epoch; `delay` in seconds."""
    seen = (claim for _, claim in sorted(existing.claims.items()) if policy.sees(claim.marker.owner))
    decisions = ((claim, _decision(claim, existing, now, delay)) for claim in seen)
    named = (replace(decision, resources=(claim.marker.resource,)) for claim, decision in decisions if decision)
    return Plan(tuple(named), managed=existing.named)


def release_of(claim: Claim, record: DnsRecord, kept: ClaimedPaths, existing: Existing) -> Release:
    """Return what a claim gives up, whose record is this one by then, if it keeps only these paths."""
    marker = Marker.parse(record.comment) or claim.marker
    if kept:
        marker = replace(marker, paths=kept, leaving=NO_PATHS, since=None)
        return Release(record, replace(record, comment=marker.comment))
    is_needed = marker.adopted or existing.bystanders_in(claim.tunnel, claim.hostname)
    return Release(record, replace(record, comment=marker.note) if is_needed else None)


def _decision(claim: Claim, existing: Existing, now: float, delay: float) -> Decision | None:
    if not claim.marker.leaving:
        return _forgotten(claim, existing, now)
    release = release_of(claim, claim.record, claim.marker.paths, existing)
    if rules := existing.removals(claim.hostname, claim.marker.leaving):
        action = Action.DELETE if claim.is_releasing else Action.UPDATE
        return Decision(action, claim.hostname, claim.zone, claim.tunnel, rules=rules, release=release)
    if now - (claim.marker.since or 0) >= delay:
        action = Action.FORGET if claim.is_releasing else Action.UPDATE
        return Decision(action, claim.hostname, claim.zone, claim.tunnel, discard=release)
    return None


def _forgotten(claim: Claim, existing: Existing, now: float) -> Decision | None:
    """Return the release of the paths that have no rule, beside others that have theirs.

    A claim that names more is always a new record, so the apply that claimed a path of an old record has ended.
    """
    created = claim.record.created
    if claim.marker.paths.is_every or created is None or now - created < _OLD:
        return None
    standing = ClaimedPaths.of(rule.path for rule in existing.rules_of(claim.hostname, claim.marker.paths))
    if not standing or standing == claim.marker.paths:
        return None
    release = release_of(claim, claim.record, standing, existing)
    return Decision(Action.UPDATE, claim.hostname, claim.zone, claim.tunnel, release=release)
