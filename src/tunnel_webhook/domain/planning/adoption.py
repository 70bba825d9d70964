"""Adoption: rules that a person made are marked as they are, and written only if a hostname would lose requests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tunnel_webhook.domain.claimed_paths import NO_PATHS, ClaimedPaths
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.layout import displaced
from tunnel_webhook.domain.planning.plan import Decision, RuleChange


def with_layout(decisions: Sequence[Decision], existing: Existing) -> Iterator[Decision]:
    """Yield decisions; one that only marks rules rewrites them too, if a hostname of its tunnel is not in its place."""
    only_marked = {
        decision.hostname: decision.tunnel
        for decision in decisions
        if decision.hostname not in existing.claims and not decision.rules
    }
    disordered = _disordered(frozenset(only_marked.values()), decisions, existing)
    for decision in decisions:
        if only_marked.get(decision.hostname) in disordered:
            named = decision.named or NO_PATHS
            standing = existing.rules_in(decision.tunnel, decision.hostname)
            rules = tuple(rule for rule in standing if rule.path in named)
            yield replace(decision, rules=(RuleChange(decision.tunnel, upserts=rules),))
        else:
            yield decision


def _disordered(tunnels: frozenset[str], decisions: Sequence[Decision], existing: Existing) -> frozenset[str]:
    """Return those of the tunnels in which a hostname is not in its place, once all claims are made."""
    if not tunnels:
        return frozenset()
    made: dict[str, ClaimedPaths] = {decision.hostname: named for decision in decisions if (named := decision.named)}
    claimed: dict[str, ClaimedPaths] = {**dict(existing.named), **made}
    return frozenset(tunnel for tunnel in tunnels if displaced(existing.configurations[tunnel].rules, claimed).is_any)
