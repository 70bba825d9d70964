"""Adoption: rules that a person made are marked as they are, and written only if a hostname would lose requests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.layout import shadowed
from tunnel_webhook.domain.planning.plan import Decision, RuleChange


def with_layout(decisions: Sequence[Decision], existing: Existing) -> Iterator[Decision]:
    """Yield decisions; one that only marks a hostname rewrites its rules too, if its tunnel has a shadowed hostname."""
    claimed = {*existing.claims, *(decision.hostname for decision in decisions)}
    only_marked = {
        decision.hostname: decision.tunnel
        for decision in decisions
        if decision.hostname not in existing.claims and not decision.rules
    }
    disordered = {
        tunnel for tunnel in set(only_marked.values()) if shadowed(existing.configurations[tunnel].rules, claimed)
    }
    for decision in decisions:
        if only_marked.get(decision.hostname) in disordered:
            rules = existing.rules_in(decision.tunnel, decision.hostname)
            yield replace(decision, rules=(RuleChange(decision.tunnel, upserts=rules),))
        else:
            yield decision
