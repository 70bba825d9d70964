"""Capacity: how many paths a hostname may have, and how large a tunnel's document may become.

The bounds keep what one client asks for from harming everything else behind the same tunnel. What exists stays: only
what would be added is rejected, in the order of hostnames and paths, so that every sync rejects the same.

| bound                              | since                                                                           |
|------------------------------------|---------------------------------------------------------------------------------|
| 256 paths a hostname               | cloudflared tries the expression of every rule on every request of the tunnel,  |
|                                    | whatever its host (ingress/rule.go)                                             |
| 2,000 instructions of regular      | cloudflared runs them all on every request: the slowest 2,000 that we know take |
| expressions a tunnel               | it less than 1 s for a path of 8,000 characters (tests/property/test_paths.py); |
|                                    | one expression has at most 100                                                  |
| 8 MiB a document                   | cloudflared loads one with 25 times its size in memory (60,000 hostnames, 9 MiB:|
|                                    | 230 MiB, 1.7 s), and cannot receive one of 64 MiB (capnproto2/mem.go)           |
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

from tunnel_webhook.domain.claimed_paths import NO_PATHS
from tunnel_webhook.domain.cloudflared.ingress import IngressRule
from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.domain.external_dns.path import MAX_PROGRAMS, regex_size
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.plan import Decision, Rejection, RuleChange
from tunnel_webhook.domain.planning.request import Request

MAX_PATHS = 256
"""The most paths that a hostname may have."""

MAX_DOCUMENT = 8 * 1024 * 1024
"""The most characters that a document may have."""


def within_paths(request: Request, standing: AbstractSet[str]) -> tuple[Request, tuple[Rejection, ...]]:
    """Return what a request may ask of a hostname that has these paths, and the rejected routes.

    Routes of paths that it has are never rejected. Where a route is, the request takes nothing away.
    """
    room = MAX_PATHS - len(standing)
    added = [route.path for route in request.routes if route.path not in standing]
    if not added or len(added) <= room + len(request.deletes.intersection(standing)):
        return request, ()
    rejected = frozenset(added[max(room, 0) :])
    sentence = (
        f"{request.hostname} would have more than {MAX_PATHS} paths: cloudflared tries each of them on every request;"
        " use fewer and broader paths, or another hostname"
    )
    return request.rejecting(
        {route: (Reason.TOO_MANY_PATHS, sentence) for route in request.routes if route.path in rejected}
    )


def within_documents(
    decisions: Sequence[Decision], existing: Existing
) -> tuple[tuple[Decision, ...], tuple[Rejection, ...]]:
    """Return the decisions that fit into the tunnels' documents, and a rejection for each of the others.

    What one decision removes makes room for itself only: another's deletion may still be withheld or refused.
    """
    cheap, costly = _within_programs(decisions, existing)
    kept, oversized = _within_sizes(cheap, existing)
    return kept, (*costly, *oversized)


def _within_programs(
    decisions: Sequence[Decision], existing: Existing
) -> tuple[tuple[Decision, ...], tuple[Rejection, ...]]:
    growths = [
        {change.tunnel: _programs_added(change, decision, existing) for change in decision.rules}
        for decision in decisions
    ]
    if not any(more > 0 for growth in growths for more in growth.values()):
        return tuple(decisions), ()
    sizes = {tunnel: _programs_of(configuration.rules) for tunnel, configuration in existing.configurations.items()}
    kept: list[Decision] = []
    rejections: list[Rejection] = []
    for decision, growth in zip(decisions, growths, strict=True):
        full = [tunnel for tunnel, more in growth.items() if more > 0 and sizes[tunnel] + more > MAX_PROGRAMS]
        if full:
            sentence = (
                f"the paths of tunnel {full[0]} would have regular expressions of more than {MAX_PROGRAMS} instructions"
                " together, which cloudflared runs on every request: use prefix or exact paths, or another tunnel"
            )
            rejections.append(Rejection(decision.hostname, Reason.TOO_MANY_PATHS, sentence))
            continue
        kept.append(decision)
        for tunnel, more in growth.items():
            sizes[tunnel] += max(more, 0)
    return tuple(kept), tuple(rejections)


def _programs_added(change: RuleChange, decision: Decision, existing: Existing) -> int:
    """Return by how many instructions a change makes a tunnel's expressions longer; 0 where it writes none."""
    if not any(regex_size(rule.path) for rule in change.upserts):
        return 0
    before = _managed(change, decision, existing)
    return _programs_of(change.applied_to(before)) - _programs_of(before)


def _programs_of(rules: Iterable[IngressRule]) -> int:
    return sum(regex_size(rule.path) for rule in rules)


def _within_sizes(
    decisions: Sequence[Decision], existing: Existing
) -> tuple[tuple[Decision, ...], tuple[Rejection, ...]]:
    sizes = {tunnel: len(configuration.text) for tunnel, configuration in existing.configurations.items()}
    if max(sizes.values(), default=0) + _at_most_added(decisions) <= MAX_DOCUMENT:
        return tuple(decisions), ()
    kept: list[Decision] = []
    rejections: list[Rejection] = []
    for decision in decisions:
        growth = {change.tunnel: _growth(change, decision, existing) for change in decision.rules}
        full = [tunnel for tunnel, more in growth.items() if more > 0 and sizes[tunnel] + more > MAX_DOCUMENT]
        if full:
            sentence = (
                f"the configuration of tunnel {full[0]} would be larger than {MAX_DOCUMENT} characters, more than"
                " cloudflared is sure to load: move hostnames to another tunnel"
            )
            rejections += decision.rejections(Reason.DOCUMENT_TOO_LARGE, sentence)
            continue
        kept.append(decision)
        for tunnel, more in growth.items():
            sizes[tunnel] += max(more, 0)
    return tuple(kept), tuple(rejections)


def _at_most_added(decisions: Iterable[Decision]) -> int:
    """Return a number of characters that the decisions together do not exceed: that of everything that they write."""
    changes = (change for decision in decisions for change in decision.rules)
    return sum(len(rule.text) + 1 for change in changes for rule in change.upserts)


def _growth(change: RuleChange, decision: Decision, existing: Existing) -> int:
    """Return by how many characters a change makes a document longer, negative if it makes it shorter."""
    before = _managed(change, decision, existing)
    after = change.applied_to(before)
    return sum(len(rule.text) + 1 for rule in after) - sum(len(rule.text) + 1 for rule in before)


def _managed(change: RuleChange, decision: Decision, existing: Existing) -> list[IngressRule]:
    """Return the rules of the hostname that are ours while a decision is carried out."""
    claim = existing.claims.get(decision.hostname)
    named = decision.named or (claim.marker.named if claim else NO_PATHS)
    return [rule for rule in existing.rules_in(change.tunnel, decision.hostname) if rule.path in named]
