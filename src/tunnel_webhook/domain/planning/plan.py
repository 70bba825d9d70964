"""A plan: what is going to be done, as a value that can be judged, printed, serialised and reduced first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Self, TypeVar

from tunnel_webhook.domain.claim import Release
from tunnel_webhook.domain.claimed_paths import ClaimedPaths
from tunnel_webhook.domain.cloudflared.ingress import IngressRule
from tunnel_webhook.domain.dns import DnsRecord, RecordBatch, Zone
from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.marker import Marker

_T = TypeVar("_T")


class Action(Enum):
    """The kind of a decision, for reports; its steps say what is done."""

    CREATE = "create"
    ADOPT = "adopt"
    UPDATE = "update"
    MOVE = "move"
    DELETE = "delete"
    FORGET = "forget"


@dataclass(frozen=True, slots=True, order=True)
class Rejection:
    """One endpoint that is not applied: which, why, and a sentence for the operator."""

    hostname: str
    reason: Reason
    sentence: str
    resource: str = ""


@dataclass(frozen=True, slots=True)
class RuleChange:
    """What becomes of a hostname's managed rules in one tunnel: those to add or replace, and the paths to remove."""

    tunnel: str
    upserts: tuple[IngressRule, ...] = ()
    removals: tuple[str, ...] = ()

    def applied_to(self, rules: Iterable[IngressRule]) -> tuple[IngressRule, ...]:
        """Return the managed rules after the change, given those before: one per path, unknown keys kept."""
        removed = frozenset(self.removals)
        by_path = {rule.path: rule for rule in reversed(tuple(rules)) if rule.path not in removed}
        for desired in self.upserts:
            existing = by_path.get(desired.path)
            by_path[desired.path] = existing.revised(desired) if existing else desired
        return tuple(by_path.values())


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done about one hostname, as steps in their order; `tunnel` is where it lives afterwards.

    `resources` are the Kubernetes resources that ask for it, or of a deletion the one that the claim names; sorted.
    They make no difference between two decisions.

    | step      | does                                                                       |
    |-----------|----------------------------------------------------------------------------|
    | `claim`   | creates the record (no id), or marks or repairs a stored one; with         |
    |           | `replaced`, creates it and deletes that one in the same request; names     |
    |           | the paths before and after                                                 |
    | `rules`   | changes the documents that requests reach before the record moves          |
    | `repoint` | points the record at another tunnel                                        |
    | `cleanup` | removes the rules from the tunnels that the hostname has left              |
    | `release` | marks the paths that were removed as leaving, or gives them up at once     |
    |           | where that is not waited for; with the last one, the hostname              |
    | `discard` | gives leaving paths up, once no document has a rule of them                |

    Claim first, release last, for each path: a stop after any step leaves a claim, and the claim says who must repair
    the rest.
    """

    action: Action
    hostname: Hostname
    zone: Zone
    tunnel: str
    claim: DnsRecord | None = None
    replaced: DnsRecord | None = None
    rules: tuple[RuleChange, ...] = ()
    repoint: DnsRecord | None = None
    cleanup: tuple[RuleChange, ...] = ()
    release: Release | None = None
    discard: Release | None = None
    resources: tuple[str, ...] = field(default=(), compare=False)

    def rejections(self, reason: Reason, sentence: str) -> tuple[Rejection, ...]:
        """Return the rejection of the hostname: one for each resource that asks for it."""
        return tuple(Rejection(self.hostname, reason, sentence, resource) for resource in self.resources or ("",))

    @property
    def is_empty(self) -> bool:
        """Whether no step does anything."""
        return not (self.claim or self.rules or self.repoint or self.cleanup or self.release or self.discard)

    @property
    def named(self) -> ClaimedPaths | None:
        """The paths whose rules are ours once the hostname is claimed; None where the claim stays as it is."""
        marker = Marker.parse(self.claim.comment) if self.claim else None
        return marker.named if marker else None

    @property
    def releases_hostname(self) -> bool:
        """Whether the hostname is given up as a whole."""
        return self.release is not None and self.release.is_whole

    @property
    def changed_tunnels(self) -> frozenset[str]:
        """The tunnels whose documents a step changes."""
        return frozenset(change.tunnel for change in (*self.rules, *self.cleanup))


@dataclass(frozen=True, slots=True)
class Plan:
    """Decisions by hostname, sorted; rejections; the hostnames whose deletion the guard withheld; and every claim.

    `withholding` says why deletions are withheld, and what lets them pass; `managed` holds the hostnames of all owners
    that are claimed already, each with the paths that its claim names.
    """

    decisions: tuple[Decision, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    withheld: tuple[Hostname, ...] = ()
    withholding: str = ""
    managed: frozenset[tuple[str, ClaimedPaths]] = frozenset()

    @property
    def counts(self) -> Mapping[str, int]:
        """How many hostnames have each action, and how many endpoints are rejected or withheld."""
        counts = {action.value: 0 for action in Action}
        for decision in self.decisions:
            counts[decision.action.value] += 1
        return {**counts, "rejected": len(self.rejections), "withheld": len(self.withheld)}

    @property
    def claimed(self) -> Mapping[str, ClaimedPaths]:
        """Every hostname of any owner that is claimed once the claims are made, with the paths that its claim names."""
        made: dict[str, ClaimedPaths] = {
            decision.hostname: named for decision in self.decisions if (named := decision.named)
        }
        return {**dict(self.managed), **made}

    def claims(self) -> Mapping[Zone, RecordBatch]:
        """Return, by zone, the records to create, to swap and to mark."""
        by_zone = _by_zone((decision.zone, decision.claim) for decision in self.decisions)
        replaced = _by_zone((decision.zone, decision.replaced) for decision in self.decisions)
        return {
            zone: RecordBatch(
                deletes=replaced.get(zone, ()),
                patches=tuple(record for record in records if record.id),
                posts=tuple(record for record in records if not record.id),
            )
            for zone, records in by_zone.items()
        }

    def rules(self) -> Mapping[str, Mapping[Hostname, RuleChange]]:
        """Return, by tunnel and hostname, the changes of documents before any record moves."""
        return _by_tunnel((decision.hostname, change) for decision in self.decisions for change in decision.rules)

    def repoints(self) -> Mapping[Zone, RecordBatch]:
        """Return, by zone, the records that move to another tunnel."""
        by_zone = _by_zone((decision.zone, decision.repoint) for decision in self.decisions)
        return {zone: RecordBatch(patches=records) for zone, records in by_zone.items()}

    def cleanups(self) -> Mapping[str, Mapping[Hostname, RuleChange]]:
        """Return, by tunnel and hostname, the rules to remove once the records have moved."""
        return _by_tunnel((decision.hostname, change) for decision in self.decisions for change in decision.cleanup)

    def releases(self) -> Mapping[Zone, tuple[Release, ...]]:
        """Return, by zone, what begins to be released."""
        return _by_zone((decision.zone, decision.release) for decision in self.decisions)

    def discards(self) -> Mapping[Zone, tuple[Release, ...]]:
        """Return, by zone, what is given up."""
        return _by_zone((decision.zone, decision.discard) for decision in self.decisions)

    def without(self, hostnames: Collection[str], rejections: Iterable[Rejection] = ()) -> Self:
        """Return the plan without the decisions about these hostnames, and with the rejections added."""
        return replace(
            self,
            decisions=tuple(decision for decision in self.decisions if decision.hostname not in hostnames),
            rejections=tuple(sorted({*self.rejections, *rejections})),
        )

    def withhold(self, hostnames: Collection[str], sentence: str) -> Self:
        """Return the plan without the decisions about these hostnames, which are withheld, and why."""
        return replace(
            self,
            decisions=tuple(decision for decision in self.decisions if decision.hostname not in hostnames),
            withheld=tuple(decision.hostname for decision in self.decisions if decision.hostname in hostnames),
            withholding=sentence,
        )


def _by_zone(records: Iterable[tuple[Zone, _T | None]]) -> dict[Zone, tuple[_T, ...]]:
    by_zone: defaultdict[Zone, list[_T]] = defaultdict(list)
    for zone, record in records:
        if record:
            by_zone[zone].append(record)
    return {zone: tuple(records) for zone, records in sorted(by_zone.items())}


def _by_tunnel(changes: Iterable[tuple[Hostname, RuleChange]]) -> dict[str, dict[Hostname, RuleChange]]:
    by_tunnel: defaultdict[str, dict[Hostname, RuleChange]] = defaultdict(dict)
    for hostname, change in changes:
        by_tunnel[change.tunnel][hostname] = change
    return dict(sorted(by_tunnel.items()))
