"""The log of what the service does: each change by name, and each condition when it begins, changes and ends.

What one sync logs is bounded, whatever it brings: of each kind the first 50 are named, and the others counted. What
stays the same from sync to sync is not repeated (`domain.episodes`); the metrics go on counting it.

| what                                                     | level                                           |
|----------------------------------------------------------|-------------------------------------------------|
| a hostname is created, adopted, updated, moved, deleted  | info                                            |
| an option is taken away from a rule                      | info; warning where it protects the rule        |
| a deletion is withheld, an endpoint rejected, a drift    | warning                                         |
| an endpoint that probably does not do what was meant     | warning                                         |
| an endpoint of a type that no tunnel can carry           | info                                            |
| rules by others that take requests before ours           | info                                            |
| a property of another webhook                            | info, and not its end                           |
| a tunnel that cannot be relied on                        | error                                           |
| the end of any of these                                  | info                                            |
| what one sync did, or that it did nothing                | info                                            |
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import islice

from tunnel_webhook.domain.code import Code
from tunnel_webhook.domain.episodes import MOST, Episodes, Sight
from tunnel_webhook.domain.external_dns.adjustment import Adjustment
from tunnel_webhook.domain.external_dns.endpoint import Endpoint
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.planning.change_log import Change, OriginChange, changes_in, withheld_in
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.plan import Action, Plan
from tunnel_webhook.domain.planning.report import Report
from tunnel_webhook.domain.quotation import shortened
from tunnel_webhook.ports import Failure

log = logging.getLogger(__name__)

MOST_NAMED = 50
_MOST_ORIGINS = 5
_MOST_CHARACTERS = 253
_DONE = {
    Action.CREATE: "created",
    Action.ADOPT: "adopted",
    Action.UPDATE: "updated",
    Action.MOVE: "moved",
    Action.DELETE: "deleted",
    Action.FORGET: "deleted the record of",
}


class SyncLog:
    """Writes the log; `clock` is monotonic, in seconds."""

    def __init__(self, policy: Policy, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with nothing that goes on."""
        self._policy = policy
        self._clock = clock
        self._episodes: dict[str, Episodes] = {}

    def adjusted(self, adjustment: Adjustment) -> None:
        """Name the endpoints that cannot be published, those in doubt, and those that no tunnel can carry."""
        faults = (
            (fault.endpoint.dns_name, fault.endpoint.resource, fault.reason, fault.sentence)
            for fault in adjustment.unpublishable
        )
        is_quiet = all(self._episodes.get(kind, Episodes()).is_quiet for kind in ("cannot publish", "doubtful"))
        asked = frozenset[str]() if is_quiet else frozenset(map(_subject, adjustment.endpoints))
        self._follow("cannot publish", _faults("cannot publish", faults), logging.WARNING, asked.__contains__)
        doubts = {
            f"{_name(doubt.hostname)} {_resources([doubt.resource])}": Sight(
                f"doubtful ({_resources([doubt.resource])}): {doubt.sentence}", "hostnames"
            )
            for doubt in adjustment.doubts
        }
        self._follow("doubtful", doubts, logging.WARNING, asked.__contains__)
        dropped = {
            f"{_subject(endpoint)} {shortened(endpoint.record_type)}": Sight(
                f"left out {_name(endpoint.dns_name)} ({_resources([endpoint.resource])}): no tunnel can carry the type"
                f" {shortened(endpoint.record_type)}",
                "other types",
            )
            for endpoint in adjustment.dropped
        }
        self._follow("left out", dropped, logging.INFO)
        ignored = {
            shortened(name): Sight(f"ignored the property {shortened(name)}, which is of another webhook", "properties")
            for name in adjustment.ignored
        }
        self._follow("ignored", ignored, logging.INFO, ends=False)

    def reported(self, report: Report) -> None:
        """Name the hostnames that have drifted, and those with rules by others that are reached before ours."""
        seen = {
            str(hostname): Sight(
                f"{hostname} has drifted: {drift}; external-dns repairs it if it still wants it", drift
            )
            for hostname, drift in report.drift
        }
        self._follow("drifted:", seen, logging.WARNING, lambda _: True)
        overruled = {
            str(hostname): Sight(
                f"rules that others made for {hostname} take requests before ours, and stay: "
                + ", ".join(map(shortened, paths[:_MOST_ORIGINS]))
                + (f"; {len(paths) - _MOST_ORIGINS} more paths" if len(paths) > _MOST_ORIGINS else ""),
                "hostnames",
            )
            for hostname, paths in report.overruled
        }
        self._follow("overruled:", overruled, logging.INFO, lambda _: True)

    def believed(self, failures: Mapping[str, Failure | None]) -> None:
        """Say which tunnels cannot be relied on; changes to them wait, and the rest goes on."""
        seen = {
            tunnel: Sight(f"tunnel {self._policy.tunnel_label(tunnel)} is left alone, and the rest goes on: {failure}")
            for tunnel, failure in failures.items()
            if failure
        }
        self._follow("tunnels left alone:", seen, logging.ERROR, lambda tunnel: tunnel in failures)

    def planned(self, applied: Plan, existing: Existing, *, waiting: int = 0, dry_run: bool = False) -> None:
        """Log what was applied of a plan, or would be in a dry run; `waiting` hostnames are left to the next sync."""
        decided = {decision.hostname for decision in applied.decisions}
        if dry_run:
            would = {
                str(change.hostname): Sight(
                    f"dry run, would {change.action.value} {self._line(change)}", change.action.value
                )
                for change in islice(changes_in(applied, existing), MOST)
            }
            self._follow("dry run, would change", would, logging.INFO, ends=False)
        else:
            self._name_changes(applied, existing)
        rejections = (
            (rejection.hostname, rejection.resource, rejection.reason, rejection.sentence)
            for rejection in applied.rejections
        )
        self._follow(
            "rejected",
            _faults("rejected", rejections),
            logging.WARNING,
            lambda subject: subject.partition(" ")[0] in decided,
        )
        withheld = {
            str(change.hostname): Sight(f"withheld the deletion of {self._line(change)}", "deletions")
            for change in withheld_in(applied, existing)
        }
        self._follow("withheld", withheld, logging.WARNING, lambda hostname: hostname in decided)
        self._sum_up(applied, waiting, dry_run=dry_run)

    def _name_changes(self, applied: Plan, existing: Existing) -> None:
        for change in islice(changes_in(applied, existing), MOST_NAMED):
            level = logging.DEBUG if change.action is Action.FORGET else logging.INFO
            log.log(level, "%s %s", _DONE[change.action], self._line(change))
            for origin in change.origins:
                if origin.taken:
                    level = logging.WARNING if origin.takes_access else logging.INFO
                    log.log(level, "%s", _taken(change, origin))
        left = Counter(decision.action.value for decision in applied.decisions[MOST_NAMED:])
        if left:
            log.info("changed %d more: %s", left.total(), _counts(left))

    def _line(self, change: Change) -> str:
        """Return what happens to one hostname, after the verb."""
        label = self._policy.tunnel_label
        moved = f" from tunnel {', '.join(map(label, change.left))} to tunnel {label(change.tunnel)}"
        where = moved if change.action is Action.MOVE and change.left else ""
        shown = "; ".join(map(_origins, change.origins[:_MOST_ORIGINS]))
        more = f"; {len(change.origins) - _MOST_ORIGINS} more paths" if len(change.origins) > _MOST_ORIGINS else ""
        return f"{change.hostname} ({_resources(change.resources)}){where}: {shown or 'no origin changes'}{more}"

    def _sum_up(self, applied: Plan, waiting: int, *, dry_run: bool) -> None:
        counts = _counts({**applied.counts, "waiting": waiting})
        would, nothing = (
            ("dry run, would apply", "dry run, nothing to apply") if dry_run else ("applied", "nothing applied")
        )
        text = f"{would}: {counts}" if applied.decisions else f"{nothing}: {counts}"
        if not counts:
            log.debug("nothing to do")
        elif applied.decisions and not dry_run:
            log.info("%s", text)
        repeated = counts and (dry_run or not applied.decisions)
        self._follow("sync", {"": Sight(text)} if repeated else {}, logging.INFO, lambda _: True, ends=False)

    def _follow(
        self,
        kind: str,
        seen: Mapping[str, Sight],
        level: int,
        is_over: Callable[[str], bool] = lambda _: False,
        *,
        ends: bool = True,
    ) -> None:
        """Log what begins, changes and ends among all that is seen of a kind."""
        self._episodes[kind], news = self._episodes.get(kind, Episodes()).after(seen, self._clock(), is_over)
        new = [*news.began.values(), *news.changed.values()]
        for sight in new[:MOST_NAMED]:
            log.log(level, "%s", sight.text)
        others = Counter(sight.group for sight in new[MOST_NAMED:]) + Counter(news.others or {})
        if others:
            log.log(level, "%s %d more: %s", kind, others.total(), _counts(others))
        ended = [*news.ended.values()] if ends else []
        for sight in ended[:MOST_NAMED]:
            log.info("no longer the case: %s", sight.text)
        if len(ended) > MOST_NAMED:
            log.info("no longer the case: %d more", len(ended) - MOST_NAMED)


def _origins(change: OriginChange) -> str:
    path = f"{shortened(change.path)} " if change.path else ""
    both = f"{change.old} => {change.new}" if change.old and change.new != change.old else change.old or change.new
    gone = f"{change.old} => nothing" if not change.new else both
    return f"{path}{gone}"


def _taken(change: Change, origin: OriginChange) -> str:
    path = f" (path {shortened(origin.path)})" if origin.path else ""
    protection = " and is no longer protected by Access" if origin.takes_access else ""
    return (
        f"the rule of {change.hostname}{path} loses {', '.join(origin.taken)}{protection}: no endpoint asks for it any"
        " more, or someone added it by hand"
    )


def _counts(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number}" for name, number in numbers.items() if number)


def _faults(what: str, faults: Iterable[tuple[str, str, Code, str]]) -> dict[str, Sight]:
    """Return what is wrong, by hostname and resource; of several faults, the first in order."""
    seen: dict[str, Sight] = {}
    for hostname, resource, reason, sentence in sorted(faults):
        text = f"{what} {_name(hostname)} ({_resources([resource])}): {reason}: {sentence}"
        seen.setdefault(f"{_name(hostname)} {_resources([resource])}", Sight(text, reason))
    return seen


def _subject(endpoint: Endpoint) -> str:
    return f"{_name(endpoint.dns_name)} {_resources([endpoint.resource])}"


def _name(hostname: str) -> str:
    """Return what was given as a hostname; a valid one is never cut."""
    return shortened(hostname, _MOST_CHARACTERS)


def _resources(resources: Iterable[str]) -> str:
    """Return Kubernetes resources for people; a claim without room for one has only its digest (`~…`)."""
    full = (resource for resource in resources if resource and not resource.startswith("~"))
    named = [shortened(resource, _MOST_CHARACTERS) for resource in full]
    return ", ".join(named[:_MOST_ORIGINS]) or "unknown resource"
