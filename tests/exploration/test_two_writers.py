"""Every history of two processes that write one tunnel at once, with a person and one disturbance, ends well.

A disturbance is a false answer to a read, a write whose answer is lost before or after its effect, a write that is
carried out late, or a crash.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from doubles.emulator import BLUE, Record, State, seed
from exploration import explorer
from exploration.explorer import RELEASE_DELAY, History, Scenario, Script, explore
from oracles.external_dns_planner import ExternalDns
from tunnel_webhook.adapters.cloudflare.codec import StoredConfiguration
from tunnel_webhook.adapters.cloudflare.tunnels import CloudflareTunnels
from tunnel_webhook.application import TunnelService, execution
from tunnel_webhook.domain.external_dns.endpoint import Changes
from tunnel_webhook.domain.external_dns.policy import Policy, Tunnel
from vocabulary.builders import endpoint, marker

GONE, NEW, KEPT = "gone.example.com", "new.example.com", "kept.example.com"
HAND = '{"hostname":"hand.example.com","service":"http://hand:80","note":1.50}'
LATER = '{"hostname":"later.example.com","service":"http://later:80","note":2.50}'
US = Policy((Tunnel(BLUE, "blue"),), owner_id="us")
THEM = replace(US, owner_id="them")


def claimed(name: str, owner: str = "us") -> Record:
    return Record(
        name=name,
        type="CNAME",
        content=f"{BLUE}.cfargotunnel.com",
        proxied=True,
        comment=marker(owner).comment,
    )


def rule_of(name: str) -> str:
    return json.dumps({"hostname": name, "service": "http://app:8080"}, separators=(",", ":"))


def account(*names: str) -> State:
    """Return an account in which a person has a rule, and these hostnames are published."""
    rules = ",".join([*map(rule_of, names), HAND, '{"service":"http_status:404"}'])
    document = f'{{"ingress":[{rules}],"warp-routing":{{"enabled":false}}}}'
    state = seed().with_behaviour(key_order="as sent").with_document(BLUE, document)
    return state.with_records("example.com", *map(claimed, names))


def deletes(name: str) -> Script:
    return lambda api: api.apply_changes(Changes(delete=(endpoint(name, owner="us"),)))


def creates(name: str, owner: str = "us") -> Script:
    return lambda api: api.apply_changes(Changes(create=(endpoint(name, owner=owner),)))


@dataclass(frozen=True, slots=True)
class Case:
    """What each process does, for which owner, what it wants in the end, and what is published at first."""

    scripts: dict[str, Script]
    wanted: dict[str, tuple[str, ...]]
    published: tuple[str, ...] = (GONE, KEPT)
    owners: dict[str, str] = field(default_factory=lambda: {"a": "us", "b": "us"})
    jump: float = 0.0

    def scenario(self, disturbances: int, only: frozenset[str] = frozenset()) -> Scenario:
        policies = {name: replace(US, owner_id=owner) for name, owner in self.owners.items()}
        return Scenario(account(*self.published), self.scripts, policies, LATER, self.jump, disturbances, only=only)

    async def check(self, history: History) -> None:
        """Check that after some quiet syncs what is wanted is live, and nothing else of ours is left."""
        await history.quiet(self._sync, 5, 400.0)
        board = history.board
        ingress = [json.dumps(rule) for rule in json.loads(board.state.document(BLUE))["ingress"]]
        assert json.dumps(json.loads(HAND)) in ingress, "a rule made by hand was lost"
        if history.by_hand_version and history.by_hand_version not in board.overwritten:
            assert json.dumps(json.loads(LATER)) in ingress, "a rule that a person made meanwhile was lost"
        rules = sorted(json.loads(rule).get("hostname", "") for rule in ingress if "app:8080" in rule)
        records = sorted(record.name for record in board.state.zone("example.com").records.values())
        wanted = sorted({name for names in self.wanted.values() for name in names})
        assert rules == wanted, "the rules of ours are not those that are wanted"
        assert records == wanted, "the claims are not those of what is wanted"

    async def _sync(self, api: TunnelService, name: str) -> None:
        await ExternalDns(api, self.owners[name]).sync([endpoint(wanted) for wanted in self.wanted[name]])
        await api.records()


CASES = {
    "a deletion and a creation of one owner": Case(
        {"a": deletes(GONE), "b": creates(NEW)}, {"a": (KEPT, NEW), "b": (KEPT, NEW)}
    ),
    "a deletion and a creation of two owners": Case(
        {"a": deletes(GONE), "b": creates(NEW, "them")},
        {"a": (KEPT,), "b": (NEW,)},
        owners={"a": "us", "b": "them"},
    ),
    "a deletion, and the creation of the same": Case(
        {"a": deletes(GONE), "b": creates(GONE)}, {"a": (KEPT, GONE), "b": (KEPT, GONE)}
    ),
    "two creations": Case(
        {"a": creates(NEW), "b": creates("b.example.com")},
        {"a": (KEPT, GONE, NEW, "b.example.com"), "b": (KEPT, GONE, NEW, "b.example.com")},
    ),
}


def deletes_for_good(name: str) -> Script:
    """Return a script that deletes a hostname, and then does what a later sync does about it."""

    async def script(api: TunnelService) -> None:
        await deletes(name)(api)
        await api.records()
        await api.turns.finish()

    return script


def updates(name: str) -> Script:
    return lambda api: api.apply_changes(Changes(update_new=(endpoint(name, "http://other-app:8080", owner="us"),)))


LATE = {
    "a creation": Case(
        {"a": deletes_for_good(GONE), "b": creates(NEW)},
        {"a": (KEPT, NEW), "b": (KEPT, NEW)},
        jump=RELEASE_DELAY + 10.0,
    ),
    "an update of the same": Case(
        {"a": deletes_for_good(GONE), "b": updates(GONE)}, {"a": (KEPT,), "b": (KEPT,)}, jump=RELEASE_DELAY + 10.0
    ),
}
"""Time passes at any place, so that a record is deleted while an apply that began before it still goes on."""


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_two_processes_at_once_end_well(case: Case) -> None:
    assert explore(case.scenario(0), case.check) > 30


@pytest.mark.timeout(0)
@pytest.mark.parametrize("kind", ["lie", "late"])
def test_the_same_hostname_deleted_and_created_with_one_disturbance_ends_well(kind: str) -> None:
    case = CASES["a deletion, and the creation of the same"]
    assert explore(case.scenario(1, only=frozenset({kind})), case.check) > 50


@pytest.mark.nightly
@pytest.mark.timeout(0)
@pytest.mark.parametrize("case", [*CASES.values(), *LATE.values()], ids=[*CASES, *(f"late: {name}" for name in LATE)])
def test_two_processes_at_once_with_one_disturbance_end_well(case: Case) -> None:
    assert explore(case.scenario(1), case.check) > 500


# Each part of the protocol is needed: without it, some history ends badly.


async def _never_compare(self: CloudflareTunnels, write: Any) -> tuple[StoredConfiguration, bool]:
    return await self._read(write.tunnel), True


def without_the_final_reads(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(CloudflareTunnels, "_compare", _never_compare)


def without_the_wait_before_a_release(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(explorer, "RELEASE_DELAY", 0.0)


def without_the_bound_on_the_age_of_an_apply(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(execution, "LAST_WRITE", 10**6)


@pytest.mark.timeout(0)
@pytest.mark.parametrize(
    ("remove", "case", "kind", "sentence"),
    [
        (without_the_final_reads, CASES["two creations"], "person", "a person made meanwhile was lost"),
        (without_the_wait_before_a_release, CASES["a deletion and a creation of one owner"], "none", "not those that"),
        pytest.param(
            without_the_bound_on_the_age_of_an_apply,
            LATE["an update of the same"],
            "jump",
            "not those that",
            marks=pytest.mark.nightly,
        ),
    ],
)
def test_without_a_part_of_the_protocol_a_history_ends_badly(
    remove: Callable[[pytest.MonkeyPatch], None],
    case: Case,
    kind: str,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    remove(monkeypatch)
    with pytest.raises(AssertionError, match=sentence):
        explore(case.scenario(1, only=frozenset({kind})), case.check)
