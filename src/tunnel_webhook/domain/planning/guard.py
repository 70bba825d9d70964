"""The limit on deletions: a source that fails, or a changed annotation prefix, must not empty a tunnel.

Within ten minutes at most `max(floor, ratio * managed)` hostnames may be deleted, and never all of three or more unless
the ratio is 1. If a plan would exceed that, all its deletions are withheld, and the rest is done.

| a hostname                                                      | counts as            |
|-----------------------------------------------------------------|----------------------|
| whose record the plan releases, or that the plan leaves without | deleted, and managed |
| any rule                                                        |                      |
| whose deletion began within ten minutes, and that has no rule   | deleted, and managed |
| whose record was marked as releasing within ten minutes         | deleted, and managed |
| whose deletion began within ten minutes, and that is back       | managed              |
| any other that is claimed and that this instance sees           | managed              |
"""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from tunnel_webhook.domain.external_dns.endpoint import Changes
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.plan import Decision, Plan
from tunnel_webhook.domain.planning.planner import plan
from tunnel_webhook.domain.quotation import listed

WINDOW = 600.0
"""Seconds for which a deletion counts."""

_EVERYTHING = 3


@dataclass(frozen=True, slots=True)
class Guard:
    """How many hostnames may be deleted within ten minutes.

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
        if self.ratio == 1:
            return "any number of hostnames may be deleted at once (MAX_DELETE_RATIO=1)"
        return (
            f"within ten minutes, {self.floor} hostnames or {self.ratio:.0%} of the managed ones may be deleted,"
            f" whichever is more, and never all of {_EVERYTHING} or more; MAX_DELETES_FLOOR and MAX_DELETE_RATIO raise"
            " the limit, and MAX_DELETE_RATIO=1 removes it"
        )

    def limit(self, managed: int) -> int:
        """Return how many hostnames may be deleted, given the number of managed ones."""
        # 0.29 of 100 is 28.999… in binary.
        return max(self.floor, int(round(self.ratio * managed, 6)))

    def allows(self, deleted: int, managed: int) -> bool:
        """Whether so many of the managed hostnames may be deleted."""
        if self.ratio == 1:
            return True
        return deleted <= self.limit(managed) and not _is_everything(deleted, managed)

    def judge(
        self,
        proposed: Plan,
        existing: Existing,
        managed: AbstractSet[Hostname],
        recent: AbstractSet[Hostname] = frozenset(),
    ) -> Plan:
        """Return the plan, without any of its deletions if they are too many; the rest stays as it is.

        `managed` are the hostnames that this instance sees, and `recent` those whose deletion began within ten minutes.
        """
        proposals = deletions_in(proposed, existing)
        gone = {hostname for hostname in recent if hostname not in managed or not _has_rule(hostname, existing)}
        deleted, total = proposals | gone, managed | proposals | gone
        if not proposals or self.allows(len(deleted), len(total)):
            return proposed
        passes_alone = self.allows(len(proposals), len(managed | proposals))
        sentence = _withholding(proposals, len(deleted), len(total), passes_alone=passes_alone)
        return proposed.withhold(proposals, sentence)


def guarded_plan(
    existing: Existing,
    changes: Changes,
    policy: Policy,
    guard: Guard,
    recent: AbstractSet[Hostname] = frozenset(),
) -> Plan:
    """Return what is to be done, judged by the guard on the hostnames that this instance sees. Pure."""
    managed = frozenset(
        claim.hostname
        for claim in existing.claims.values()
        if policy.sees(claim.marker.owner) and not claim.is_releasing
    )
    return guard.judge(plan(existing, changes, policy), existing, managed, recent)


def released_since(existing: Existing, policy: Policy, since: float) -> frozenset[Hostname]:
    """Return the hostnames that were marked as releasing since a time in seconds since the epoch."""
    return frozenset(
        claim.hostname
        for claim in existing.claims.values()
        if policy.sees(claim.marker.owner) and claim.is_releasing and (claim.marker.since or 0) > since
    )


def deletions_in(proposed: Plan, existing: Existing) -> frozenset[Hostname]:
    """Return the hostnames that a plan deletes."""
    return frozenset(
        decision.hostname
        for decision in proposed.decisions
        if decision.releases_hostname or _loses_every_rule(decision, existing)
    )


def _is_everything(deleted: int, managed: int) -> bool:
    return deleted == managed >= _EVERYTHING


def _has_rule(hostname: Hostname, existing: Existing) -> bool:
    claim = existing.claims[hostname]
    return any(existing.published_in(tunnel, claim) for tunnel in existing.rules)


def _loses_every_rule(decision: Decision, existing: Existing) -> bool:
    """Whether a hostname has rules of ours before a decision, and none after it."""
    claim = existing.claims.get(decision.hostname)
    if claim is None:
        return False
    changes = {change.tunnel: change for change in (*decision.rules, *decision.cleanup)}
    before = {tunnel: existing.published_in(tunnel, claim) for tunnel in existing.rules}
    if not any(before.values()):
        return False
    return not any(
        changes[tunnel].applied_to(rules) if tunnel in changes else rules for tunnel, rules in before.items()
    )


def _withholding(proposals: Collection[Hostname], deleted: int, total: int, *, passes_alone: bool) -> str:
    """Return why deletions are withheld, and what lets them pass."""
    number = "1 deletion is" if len(proposals) == 1 else f"{len(proposals)} deletions are"
    is_everything = _is_everything(deleted, total)
    setting = "MAX_DELETE_RATIO=1" if is_everything else f"MAX_DELETES_FLOOR={deleted}"
    cure = f"{setting} lets them pass" + (", and so does waiting for ten minutes" if passes_alone else "")
    return (
        f"{number} withheld ({listed(proposals)}): {deleted} of {total} hostnames{', all of them,' * is_everything}"
        f" would be gone within ten minutes; {cure}"
    )
