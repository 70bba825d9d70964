"""What a plan changes, in the words of the log: by hostname and path, the origin before and after.

| a path whose rule              | `old`  | `new`  | `taken`                                     |
|--------------------------------|--------|--------|---------------------------------------------|
| is added                       | empty  | origin | nothing                                     |
| is replaced                    | origin | origin | options that only the rule before it has    |
| is removed                     | origin | empty  | nothing                                     |
| is only marked as ours, moves, | origin | origin | nothing                                     |
| or stays since its deletion is |        |        |                                             |
| withheld                       |        |        |                                             |
| is written again as it is      | left out                                                      |

An origin is a service and the options of its rule, without user information.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tunnel_webhook.domain.claimed_paths import NO_PATHS, ClaimedPaths
from tunnel_webhook.domain.cloudflared.ingress import IngressRule
from tunnel_webhook.domain.cloudflared.origin_request import ORIGIN_OPTIONS, options_of
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.plan import Action, Decision, Plan
from tunnel_webhook.domain.quotation import shortened

_MOST_CHARACTERS = 253
_USER_INFORMATION = re.compile(r"//[^/?#]*@")


@dataclass(frozen=True, slots=True)
class OriginChange:
    """The origin of one path before and after; `taken` are the options that it had and no longer has, sorted."""

    path: str
    old: str = ""
    new: str = ""
    taken: tuple[str, ...] = ()

    @property
    def takes_access(self) -> bool:
        """Whether what protects the path is taken away."""
        return any(ORIGIN_OPTIONS[option].is_access for option in self.taken)


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one hostname: for whom, in which tunnel, which ones it leaves, and its origins by path."""

    action: Action
    hostname: Hostname
    resources: tuple[str, ...]
    tunnel: str
    left: tuple[str, ...] = ()
    origins: tuple[OriginChange, ...] = ()


def changes_in(plan: Plan, existing: Existing) -> Iterator[Change]:
    """Yield what the decisions of a plan change, in their order. Pure."""
    return (_change(decision, existing) for decision in plan.decisions)


def withheld_in(plan: Plan, existing: Existing) -> Iterator[Change]:
    """Yield the deletions that are withheld, with the origins that stay."""
    for hostname in plan.withheld:
        claim = existing.claims[hostname]
        home = existing.home(claim)
        rules = sorted(_by_path(existing, home, hostname, claim.marker.paths).items())
        origins = tuple(OriginChange(path, _origin(rule), _origin(rule)) for path, rule in rules)
        yield Change(Action.DELETE, hostname, (claim.marker.resource,), home, origins=origins)


def _change(decision: Decision, existing: Existing) -> Change:
    left = tuple(change.tunnel for change in decision.cleanup)
    return Change(
        decision.action,
        decision.hostname,
        decision.resources,
        decision.tunnel,
        left,
        tuple(_origin_changes(decision, existing)),
    )


def _origin_changes(decision: Decision, existing: Existing) -> Iterator[OriginChange]:
    changes = (*decision.cleanup, *decision.rules)
    places = (*(change.tunnel for change in decision.cleanup), decision.tunnel)
    claim = existing.claims.get(decision.hostname)
    named = (claim.marker.named if claim else NO_PATHS) | (decision.named or NO_PATHS)
    before: dict[str, IngressRule] = {}
    for place in dict.fromkeys((*places, *(change.tunnel for change in decision.rules))):
        before |= _by_path(existing, place, decision.hostname, named)
    after = dict(before)
    for change in changes:
        after = {path: rule for path, rule in after.items() if path not in change.removals}
        after |= {
            rule.path: before[rule.path].revised(rule) if rule.path in before else rule for rule in change.upserts
        }
    shows_all = decision.action is Action.MOVE or (decision.action is Action.ADOPT and not changes)
    for path in sorted({*before, *after}):
        old, new = before.get(path), after.get(path)
        if old != new or shows_all:
            yield OriginChange(path, _origin(old), _origin(new), _taken(old, new))


def _by_path(existing: Existing, tunnel: str, hostname: Hostname, named: ClaimedPaths) -> Mapping[str, IngressRule]:
    return {rule.path: rule for rule in reversed(existing.rules_in(tunnel, hostname)) if rule.path in named}


def _taken(old: IngressRule | None, new: IngressRule | None) -> tuple[str, ...]:
    if old is None or new is None:
        return ()
    return tuple(sorted(options_of(old.origin_request).keys() - options_of(new.origin_request).keys()))


def _origin(rule: IngressRule | None) -> str:
    if rule is None:
        return ""
    options = ", ".join(f"{option}={text}" for option, text in options_of(rule.origin_request).items())
    service = _USER_INFORMATION.sub("//***@", rule.service)
    return shortened(f"{service} ({options})" if options else service, _MOST_CHARACTERS)
