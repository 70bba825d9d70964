"""What a claim says while the paths of its hostname change: it names the old and the new ones, and fewer in the end.

| paths that a claim names                             | written as                                                |
|------------------------------------------------------|-----------------------------------------------------------|
| fit                                                  | each by its digest                                        |
| do not fit, and every rule of the hostname is ours   | every path                                                |
| do not fit beside a person's rule                    | rejected as `too-many-paths`, as far as they are new      |
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tunnel_webhook.domain.claim import Claim, Release, claim_for
from tunnel_webhook.domain.claimed_paths import EVERY_PATH, NO_PATHS, ClaimedPaths
from tunnel_webhook.domain.dns import DnsRecord
from tunnel_webhook.domain.errors import InvalidEndpoint, Reason
from tunnel_webhook.domain.external_dns.namespace import namespace_digest, namespace_of
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.marker import Marker
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.plan import Rejection
from tunnel_webhook.domain.planning.releasing import LONGEST_APPLY, release_of
from tunnel_webhook.domain.planning.request import Request


@dataclass(frozen=True, slots=True)
class Transition:
    """A claim while its paths change.

    `record` names the old and the new paths. `is_new` says that it replaces the stored one: a record that names more is
    never patched, since another process may still write what it read under the id of the old one. `release` is what is
    given up in the end; a new record, whose id is not known, has it marked as leaving already.
    """

    record: DnsRecord
    is_new: bool = False
    release: Release | None = None


def marker_of(request: Request, policy: Policy, existing: Marker | None = None) -> Marker:
    """Return the marker of a request before its paths are named.

    Its resource is that of the pathless route, else the one that it has, else that of the first path.
    """
    marker = existing or Marker(request.owner)
    if not request.routes:
        return marker
    first = request.routes[0]
    resource = (marker.resource if first.path else "") or first.resource
    binds = policy.binds_namespaces(request.hostname)
    namespace = namespace_digest(namespace_of(first.resource)) if binds else marker.namespace
    if (marker.owner, marker.resource, marker.namespace) == (request.owner, resource, namespace):
        return marker
    return replace(marker, owner=request.owner, resource=resource, namespace=namespace)


def transition(
    request: Request, claim: Claim, existing: Existing, policy: Policy, *, moves: bool = False
) -> Transition:
    """Return what the record of a claim says while a request is carried out, which fits (`within_marker`).

    A hostname that moves needs the id of its record for that, so its record is patched even if it names more.
    """
    before = _named_rules(claim, existing)
    staying = frozenset[str]() if claim.is_releasing else existing.paths(claim) - request.deletes
    final = ClaimedPaths.of(staying | request.paths)
    marker = marker_of(request, policy, claim.marker)
    if marker is claim.marker and marker.paths == final and not marker.leaving and claim.record.proxied:
        return Transition(claim.record)
    marker = replace(marker, paths=EVERY_PATH, leaving=NO_PATHS, since=None)
    is_more = bool(final - before) or bool(final.digests & claim.marker.leaving.digests)
    if is_more and not moves:
        leaving = before - final
        since = int(existing.read_at + LONGEST_APPLY) if leaving else None
        record = _written(claim, _fitting(marker, final, leaving, since))
        return Transition(replace(record, id="", created=None), is_new=True)
    # A leaving path whose rule is back is released again, once that rule is gone.
    leaving = claim.marker.leaving - final - _standing(claim, existing)
    since = claim.marker.since if leaving else None
    marker = _fitting(marker, (before | final) - leaving, leaving, since)
    record = _written(claim, marker)
    is_less = bool(marker.paths - final) and not marker.paths.is_every
    return Transition(record, release=release_of(claim, record, final, existing) if is_less else None)


def within_marker(
    request: Request, claim: Claim | None, existing: Existing, policy: Policy
) -> tuple[Request, tuple[Rejection, ...]]:
    """Return what a request may ask for so that the claim can name it, and the rejected routes.

    Routes of paths that are named already are never rejected. Where a route is, the request takes nothing away.
    """
    before = _named_rules(claim, existing) if claim else NO_PATHS
    added = [route.path for route in request.routes if route.path not in before]
    if not added or not _has_others(request, existing):
        return request, ()
    marker = marker_of(request, policy, claim.marker if claim else None)
    room = next(
        room for room in range(len(added), -1, -1) if _fits(marker, before | ClaimedPaths.of(added[:room])) or not room
    )
    rejected = frozenset(added[room:])
    sentence = (
        f"the record of {request.hostname} has no room to name one more path, and cannot claim all of them, since a"
        " person made rules for the hostname: use fewer paths, or a shorter OWNER_ID"
    )
    return request.rejecting(
        {route: (Reason.TOO_MANY_PATHS, sentence) for route in request.routes if route.path in rejected}
    )


def new_marker(request: Request, policy: Policy, adopted: DnsRecord | None) -> Marker:
    """Return the marker of a hostname that was not claimed, on the record that a person made if there is one."""
    marker = marker_of(request, policy)
    if adopted:
        marker = replace(marker, adopted=True, note=adopted.comment)
    return _fitting(marker, ClaimedPaths.of(request.paths), NO_PATHS, None)


def written_over(stored: DnsRecord, record: DnsRecord) -> DnsRecord:
    """Return a stored record with the fields that we decide; its id, its name and its spelling stay."""
    content = stored.content if stored.tunnel == record.tunnel else record.content
    return replace(record, name=stored.name, content=content, id=stored.id)


def _named_rules(claim: Claim, existing: Existing) -> ClaimedPaths:
    """Return the paths that a claim names, one by one if it names every path."""
    return _standing(claim, existing) if claim.marker.named.is_every else claim.marker.named


def _standing(claim: Claim, existing: Existing) -> ClaimedPaths:
    """Return the paths of a claim that have rules, in any tunnel."""
    managed = (rule for tunnel in existing.rules for rule in existing.managed_in(tunnel, claim.hostname))
    return ClaimedPaths.of(rule.path for rule in managed)


def _written(claim: Claim, marker: Marker) -> DnsRecord:
    return written_over(claim.record, claim_for(claim.hostname, claim.tunnel, marker))


def _has_others(request: Request, existing: Existing) -> bool:
    """Whether a person's rule of the hostname stays a person's."""
    return any(
        rule.path not in request.paths
        for tunnel in existing.rules
        for rule in existing.bystanders_in(tunnel, request.hostname)
    )


def _fits(marker: Marker, paths: ClaimedPaths) -> bool:
    try:
        replace(marker, paths=paths)
    except InvalidEndpoint:
        return False
    return True


def _fitting(marker: Marker, paths: ClaimedPaths, leaving: ClaimedPaths, since: int | None) -> Marker:
    """Return the marker with these paths, or with every path."""
    try:
        return replace(marker, paths=paths, leaving=leaving, since=since)
    except InvalidEndpoint:
        return replace(marker, paths=EVERY_PATH, leaving=NO_PATHS, since=None)
