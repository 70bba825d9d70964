"""A plan: what is going to be done, as a value that can be judged, printed, serialised and cut down before it is done."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Self

from tunnel_webhook.domain.claim import DnsRecord, RecordBatch, Zone
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.ingress import IngressRule


class Action(Enum):
    """What becomes of a hostname."""

    CREATE = "create"
    ADOPT = "adopt"
    UPDATE = "update"
    MOVE = "move"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, order=True)
class Rejection:
    """One endpoint that is not applied: which, a reason code, and a sentence for the operator."""

    hostname: str
    code: str
    sentence: str
    resource: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done about one hostname.

    `tunnel` is where it shall live; there `upserts` are the rules to add or replace by path, `removals` the paths to remove.
    `claim` is the record to create (no id) or to mark; `repoint` the record that moves to `tunnel`; `left_behind` the tunnels
    where all its rules go; `release` the record to delete, last.
    """

    action: Action
    hostname: Hostname
    zone: Zone
    tunnel: str
    upserts: tuple[IngressRule, ...] = ()
    removals: tuple[str, ...] = ()
    claim: DnsRecord | None = None
    repoint: DnsRecord | None = None
    left_behind: tuple[str, ...] = ()
    release: DnsRecord | None = None

    def rules_in(self, tunnel: str, base: Iterable[IngressRule]) -> tuple[IngressRule, ...]:
        """Return all rules of the hostname in a tunnel's document, given those it has there: one a path, unknown keys kept."""
        if tunnel in self.left_behind:
            return ()
        rules = {rule.path: rule for rule in reversed(tuple(base)) if rule.path not in self.removals}
        for wanted in self.upserts:
            existing = rules.get(wanted.path)
            rules[wanted.path] = existing.revised(wanted) if existing else wanted
        return tuple(rules.values())


@dataclass(frozen=True, slots=True)
class Plan:
    """Decisions by hostname, sorted; rejections; and the hostnames whose deletion the guard withheld.

    The acts, in their order (claim first, release last: a stop after any of them leaves a claim, and so the truth about who
    must repair it): `claims`, `rules`, `repoints`, `rules_left_behind`, `releases`.
    """

    decisions: tuple[Decision, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    withheld: tuple[Hostname, ...] = ()
    managed: frozenset[Hostname] = frozenset()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.decisions

    @property
    def counts(self) -> Mapping[str, int]:
        """How many hostnames have each action, and how many endpoints are rejected or withheld."""
        found = {action.value: 0 for action in Action}
        for decision in self.decisions:
            found[decision.action.value] += 1
        return {**found, "rejected": len(self.rejections), "withheld": len(self.withheld)}

    @property
    def claimed(self) -> frozenset[Hostname]:
        """Every hostname that is claimed once the claims are made, whoever claimed it."""
        return self.managed | {decision.hostname for decision in self.decisions if decision.claim}

    def claims(self) -> Mapping[Zone, RecordBatch]:
        """Return, by zone, the records to create and to mark."""
        records = [(decision.zone, decision.claim) for decision in self.decisions if decision.claim]
        return {
            zone: RecordBatch(
                patches=tuple(record for record in found if record.id),
                posts=tuple(record for record in found if not record.id),
            )
            for zone, found in _by_zone(records).items()
        }

    def repoints(self) -> Mapping[Zone, RecordBatch]:
        """Return, by zone, the records that move to another tunnel."""
        records = [(decision.zone, decision.repoint) for decision in self.decisions if decision.repoint]
        return {zone: RecordBatch(patches=found) for zone, found in _by_zone(records).items()}

    def releases(self) -> Mapping[Zone, RecordBatch]:
        """Return, by zone, the records to delete."""
        records = [(decision.zone, decision.release) for decision in self.decisions if decision.release]
        return {zone: RecordBatch(deletes=found) for zone, found in _by_zone(records).items()}

    def rules(self) -> Mapping[str, tuple[Decision, ...]]:
        """Return, by tunnel, the decisions that change its document before any record moves."""
        return _by_tunnel(
            (tunnel, decision)
            for decision in self.decisions
            for tunnel in (
                decision.left_behind
                if decision.action is Action.DELETE
                else (decision.tunnel,) * bool(decision.upserts or decision.removals)
            )
        )

    def rules_left_behind(self) -> Mapping[str, tuple[Decision, ...]]:
        """Return, by tunnel, the decisions that take all rules of their hostname out of it, once its record has moved."""
        return _by_tunnel(
            (tunnel, decision)
            for decision in self.decisions
            if decision.action is not Action.DELETE
            for tunnel in decision.left_behind
        )

    def without(self, names: Collection[str], rejections: Iterable[Rejection] = ()) -> Self:
        """Return the plan less the hostnames of these names, with the rejections added; the rest goes on."""
        return replace(
            self,
            decisions=tuple(decision for decision in self.decisions if decision.hostname not in names),
            rejections=tuple(sorted({*self.rejections, *rejections})),
        )

    def without_deletions(self) -> Self:
        """Return the plan less every deletion of a hostname, which are named as withheld."""
        kept = tuple(decision for decision in self.decisions if decision.action is not Action.DELETE)
        withheld = tuple(decision.hostname for decision in self.decisions if decision.action is Action.DELETE)
        return replace(self, decisions=kept, withheld=withheld)


def _by_zone(records: Collection[tuple[Zone, DnsRecord]]) -> dict[Zone, tuple[DnsRecord, ...]]:
    found: defaultdict[Zone, list[DnsRecord]] = defaultdict(list)
    for zone, record in records:
        found[zone].append(record)
    return {zone: tuple(stored) for zone, stored in sorted(found.items())}


def _by_tunnel(decisions: Iterable[tuple[str, Decision]]) -> dict[str, tuple[Decision, ...]]:
    found: defaultdict[str, list[Decision]] = defaultdict(list)
    for tunnel, decision in decisions:
        found[tunnel].append(decision)
    return {tunnel: tuple(stored) for tunnel, stored in sorted(found.items())}
