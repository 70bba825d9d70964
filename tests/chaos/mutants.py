# ruff: noqa: SLF001 -- safeguards are private
"""The product with one of its safeguards taken out, each of which a history must notice.

| mutant                              | what is taken out                                                            |
|-------------------------------------|------------------------------------------------------------------------------|
| `every answer is believed`          | doubt: an answer that is empty, older or otherwise contradicts the last one  |
| `old claims prove nothing`          | doubt about the first answer of a process that is empty                      |
| `every list is believed`            | doubt about a list of zones or records that lacks what was there             |
| `nothing is read before a write`    | both final reads                                                             |
| `one read before a write`           | the second final read                                                        |
| `final reads are not compared`      | the comparison of the final reads with the document that was laid out        |
| `a plan is never too old`           | the limit of 45 s between the first read of an apply and its last write      |
| `records are deleted at once`       | the mark, and the delay between a deletion and the end of its record         |
| `records are deleted soon`          | all but one second of that delay                                             |
| `a rule that came back stays`       | the removal of rules of a deleted hostname that a late write brought back    |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tunnel_webhook.adapters.cloudflare import directory, record_lists, tunnels
from tunnel_webhook.adapters.cloudflare.codec import StoredConfiguration
from tunnel_webhook.application import execution, gathering, service
from tunnel_webhook.domain.planning import belief, releasing

Patch = Callable[[pytest.MonkeyPatch], None]


def _nothing(_: pytest.MonkeyPatch) -> None:
    """Patch nothing: a setting is enough."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A safeguard that is taken out, and the seeds within which a history notices it."""

    patch: Patch = _nothing
    within: int = 100
    settings: Mapping[str, str] = field(default_factory=dict[str, str])


def _believe_everything(patch: pytest.MonkeyPatch) -> None:
    def after(self: Any, reading: Any, now: float, *, has_old_claim: bool = False) -> Any:
        del now, has_old_claim
        return replace(self, reading=reading, is_exact=True, doubt=None)

    patch.setattr(belief.Belief, "after", after)


def _forget_old_claims(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(gathering.Gathering, "_with_old_claims", lambda *_: frozenset[str]())


def _read_nothing_before_a_write(patch: pytest.MonkeyPatch) -> None:
    async def compare(*_: Any) -> Any:
        return StoredConfiguration(), True

    patch.setattr(tunnels.CloudflareTunnels, "_compare", compare)


def _read_once_before_a_write(patch: pytest.MonkeyPatch) -> None:
    original = tunnels.CloudflareTunnels._compare

    async def compare(self: Any, write: Any) -> Any:
        if "read" in write.same:
            return StoredConfiguration(), True
        write.same.add("read")
        return await original(self, write)

    patch.setattr(tunnels.CloudflareTunnels, "_compare", compare)


def _compare_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(tunnels._Write, "rests_on", lambda *_: True)


def _write_however_late(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(execution, "LAST_WRITE", 1e9)


def _release_soon(patch: pytest.MonkeyPatch) -> None:
    def plan(existing: Any, policy: Any, now: float, delay: float) -> Any:
        del delay
        return releasing.plan_releases(existing, policy, now, 1.0)

    patch.setattr(service, "plan_releases", plan)


def _leave_rules_that_came_back(patch: pytest.MonkeyPatch) -> None:
    def decision(claim: Any, existing: Any, now: float, delay: float) -> Any:
        found = original(claim, existing, now, delay)
        return found if found and found.discard else None

    original = releasing._decision
    patch.setattr(releasing, "_decision", decision)


def _believe_every_list(patch: pytest.MonkeyPatch) -> None:
    for module in (directory, record_lists):
        patch.setattr(module, "is_in_doubt", lambda *_, **__: False)


MUTANTS: Mapping[str, Mutant] = {
    "every answer is believed": Mutant(_believe_everything, within=3),
    "old claims prove nothing": Mutant(_forget_old_claims, within=20),
    "every list is believed": Mutant(_believe_every_list, within=60),
    "nothing is read before a write": Mutant(_read_nothing_before_a_write, within=3),
    "one read before a write": Mutant(_read_once_before_a_write, within=60),
    "final reads are not compared": Mutant(_compare_nothing, within=3),
    "a plan is never too old": Mutant(_write_however_late, within=60),
    "records are deleted at once": Mutant(within=200, settings={"RELEASE_DELAY": "0"}),
    "records are deleted soon": Mutant(_release_soon, within=200),
    "a rule that came back stays": Mutant(_leave_rules_that_came_back, within=100),
}
