"""Limits on what one plan may destroy: an outage of a source, or a flipped annotation prefix, must not empty a tunnel."""

from __future__ import annotations

from dataclasses import dataclass

from tunnel_webhook.domain.plan import Action, Plan


@dataclass(frozen=True, slots=True)
class Guard:
    """At most `max(floor, ratio * managed)` hostnames are released by one plan; `ratio` is 0 to 1."""

    floor: int = 5
    ratio: float = 0.5

    @property
    def sentence(self) -> str:
        """What the limit is, and which settings raise it."""
        return (
            f"at most {self.floor} hostnames or {self.ratio:.0%} of the managed ones may go at once;"
            " raise MAX_DELETES_FLOOR or MAX_DELETE_RATIO to let them pass"
        )

    def limit(self, managed: int) -> int:
        """Return how many of so many managed hostnames may be released at once."""
        return max(self.floor, int(self.ratio * managed))

    def judge(self, plan: Plan, managed: int) -> Plan:
        """Return the plan, less all its deletions when they are too many; the rest of it is left alone."""
        deletions = sum(decision.action is Action.DELETE for decision in plan.decisions)
        return plan if deletions <= self.limit(managed) else plan.without_deletions()
