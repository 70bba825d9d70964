"""The limit on deletions by one plan: a source that fails, or a changed annotation prefix, must not empty a tunnel."""

from __future__ import annotations

from dataclasses import dataclass

from tunnel_webhook.domain.external_dns.endpoint import Changes
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.plan import Plan
from tunnel_webhook.domain.planning.planner import plan


@dataclass(frozen=True, slots=True)
class Guard:
    """At most `max(floor, ratio * managed)` hostnames are released by one plan.

    Raises ValueError unless `floor` is at least 0 and `ratio` from 0 to 1.
    """

    floor: int = 5
    ratio: float = 0.5

    def __post_init__(self) -> None:
        """Check both limits."""
        if self.floor < 0 or not 0 <= self.ratio <= 1:
            message = f"a guard has a floor of at least 0 and a ratio from 0 to 1, not {self.floor} and {self.ratio}"
            raise ValueError(message)

    @property
    def sentence(self) -> str:
        """The limit, and the settings that raise it."""
        return (
            f"at most {self.floor} hostnames or {self.ratio:.0%} of the managed ones may be deleted at once;"
            " raise MAX_DELETES_FLOOR or MAX_DELETE_RATIO to allow more"
        )

    def limit(self, managed: int) -> int:
        """Return how many hostnames may be released at once, given the number of managed ones."""
        # 0.29 of 100 is 28.999… in binary.
        return max(self.floor, int(round(self.ratio * managed, 6)))

    def judge(self, proposed: Plan, managed: int) -> Plan:
        """Return the plan, without any of its deletions if they are too many; the rest stays as it is."""
        releases = sum(decision.release is not None for decision in proposed.decisions)
        return proposed if releases <= self.limit(managed) else proposed.without_releases()


def guarded_plan(existing: Existing, changes: Changes, policy: Policy, guard: Guard) -> Plan:
    """Return what is to be done, judged by the guard on the hostnames that this instance sees. Pure."""
    managed = sum(policy.sees(claim.marker.owner) and not claim.is_releasing for claim in existing.claims.values())
    return guard.judge(plan(existing, changes, policy), managed)
