"""Losses: what a decision takes away from rules that a person has added something to."""

from __future__ import annotations

from dataclasses import dataclass

from tunnel_webhook.domain.cloudflared.inheritance import requires_access, taken_away
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.plan import Decision


@dataclass(frozen=True, slots=True, order=True)
class Loss:
    """A rule that loses keys, as the JSON names them; `opens_to_anyone` where it required Access and no longer does."""

    hostname: Hostname
    path: str
    keys: tuple[str, ...]
    opens_to_anyone: bool


def losses_of(decision: Decision, existing: Existing) -> tuple[Loss, ...]:
    """Return what the rules of a decision lose, sorted; rules that are removed and values that change do not count."""
    found: list[Loss] = []
    for change in decision.rules:
        base = existing.bases[change.tunnel]
        standing = {rule.path: rule for rule in reversed(existing.rules_in(change.tunnel, decision.hostname))}
        for desired in change.upserts:
            before = standing.get(desired.path, desired)
            keys = taken_away(before, desired, base)
            if keys:
                opened = requires_access(before) and not requires_access(desired)
                found.append(Loss(decision.hostname, desired.path, keys, opened))
    return tuple(sorted(found))
