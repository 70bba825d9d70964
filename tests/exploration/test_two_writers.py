"""Every history of two processes that write one tunnel at once, with a person and one disturbance, ends well.

A disturbance is a false answer to a read, a write whose answer is lost before or after its effect, a write that is
carried out late, or a crash.
"""

import json
from dataclasses import dataclass, field, replace

import pytest

from doubles.emulator import BLUE, Record, State, seed
from exploration.explorer import History, Scenario, Script, explore
from oracles.external_dns_planner import ExternalDns
from tunnel_webhook.application import TunnelService
from tunnel_webhook.domain.claim import Marker
from tunnel_webhook.domain.external_dns.endpoint import Changes
from tunnel_webhook.domain.external_dns.policy import Policy, Tunnel
from vocabulary.builders import endpoint

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
        comment=Marker(owner).comment,
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
        return Scenario(account(*self.published), self.scripts, policies, LATER, self.jump, disturbances, only)

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


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_two_processes_at_once_end_well(case: Case) -> None:
    assert explore(case.scenario(0), case.check) > 50
