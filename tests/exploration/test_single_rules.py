"""Every history of two processes that publish paths of one hostname, under which a person adds a rule, ends well.

The disturbances are those of `test_two_writers`; the person's rule may come at any place, too.
"""

import json
from dataclasses import dataclass

import pytest

from doubles.emulator import BLUE, Record, State, seed
from exploration.explorer import History, Scenario, Script, explore
from oracles.external_dns_planner import ExternalDns
from tunnel_webhook.application import TunnelService
from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint
from tunnel_webhook.domain.external_dns.policy import Policy, Tunnel
from tunnel_webhook.domain.marker import Marker
from vocabulary.builders import endpoint, marker

APP, API = "app.example.com", "^/api(/|$)"
ADMIN = '{"hostname":"app.example.com","path":"^/admin","service":"http://admin:80","note":1.50}'
US = Policy((Tunnel(BLUE, "blue"),), owner_id="us")
PATHS = {"": "", API: "/api"}
"""The property of a path, by its expression."""


def account(*paths: str) -> State:
    """Return an account in which these paths are published."""
    rules = [
        json.dumps({"hostname": APP, **({"path": path} if path else {}), "service": "http://app:8080"})
        for path in paths
    ]
    document = f'{{"ingress":[{",".join([*rules, json.dumps({"service": "http_status:404"})])}]}}'
    comment = marker("us", paths=paths).comment
    claim = Record(name=APP, type="CNAME", content=f"{BLUE}.cfargotunnel.com", proxied=True, comment=comment)
    state = seed().with_behaviour(key_order="as sent").with_document(BLUE, document)
    return state.with_records("example.com", *([claim] if paths else []))


def asked(path: str, service: str = "http://app:8080") -> Endpoint:
    return endpoint(APP, service, owner="us", path=PATHS[path])


def reported(path: str) -> Endpoint:
    return Endpoint(APP, targets=("http://app:8080",), set_identifier=path, labels={"owner": "us"})


def creates(path: str) -> Script:
    return lambda api: api.apply_changes(Changes(create=(asked(path),)))


def deletes(*paths: str) -> Script:
    async def script(api: TunnelService) -> None:
        await api.apply_changes(Changes(delete=tuple(map(reported, paths))))
        await api.records()
        await api.turns.finish()

    return script


@dataclass(frozen=True, slots=True)
class Case:
    """What is published at first, what each process does, and which paths are wanted in the end."""

    published: tuple[str, ...]
    scripts: dict[str, Script]
    wanted: tuple[str, ...]

    def scenario(self, disturbances: int, only: frozenset[str] = frozenset()) -> Scenario:
        return Scenario(
            account(*self.published), self.scripts, dict.fromkeys(self.scripts, US), ADMIN, 0.0, disturbances, only=only
        )

    async def check(self, history: History) -> None:
        """Check that what is wanted is live, nothing else of ours is left, and the person's rule is as it was made."""
        await history.quiet(self._sync, 6, 400.0)
        board = history.board
        ingress = json.loads(board.state.document(BLUE))["ingress"]
        ours = sorted(rule.get("path", "") for rule in ingress if rule["service"] == "http://app:8080")
        assert ours == sorted(self.wanted), "the rules of ours are not those that are wanted"
        by_hand = [rule for rule in ingress if rule["service"] == "http://admin:80"]
        is_kept = bool(history.by_hand_version) and history.by_hand_version not in board.overwritten
        assert by_hand in ([], [json.loads(ADMIN)]), "the rule that a person made was changed"
        assert by_hand or not is_kept, "the rule that a person made was lost"
        records = list(board.state.zone("example.com").records.values())
        named = [found.named for record in records if (found := Marker.parse(record.comment or ""))]
        assert named == [marker("us", paths=self.wanted).named] * bool(self.wanted), "the claim names other paths"

    async def _sync(self, api: TunnelService, _name: str) -> None:
        await ExternalDns(api, "us").sync([asked(path) for path in self.wanted])
        await api.records()


CASES = {
    "a path is deleted while another is created": Case((API,), {"a": deletes(API), "b": creates("")}, ("",)),
    "a path is deleted and created": Case(("", API), {"a": deletes(API), "b": creates(API)}, ("", API)),
    "a path is deleted twice": Case(("", API), {"a": deletes(API), "b": deletes(API)}, ("",)),
    "one path each": Case((), {"a": creates(""), "b": creates(API)}, ("", API)),
    "the hostname is deleted, path by path": Case(("", API), {"a": deletes(API), "b": deletes("")}, ()),
    "the hostname is deleted while a path is created": Case((API,), {"a": deletes(API), "b": creates(API)}, (API,)),
}

QUICK = frozenset({"a path is deleted and created", "one path each"})
"""The cases that take a few seconds each."""


@pytest.mark.timeout(0)
@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=name, marks=[] if name in QUICK else pytest.mark.nightly) for name, case in CASES.items()],
)
def test_two_processes_at_once_end_well(case: Case) -> None:
    assert explore(case.scenario(0), case.check) > 20


@pytest.mark.timeout(0)
@pytest.mark.parametrize(
    "case",
    [
        pytest.param(Case(("", API), {"a": deletes(API)}, ("",)), id="beside a path that is deleted"),
        pytest.param(Case(("", API), {"a": deletes("", API)}, ()), id="beside a hostname that is deleted"),
        pytest.param(Case(("",), {"a": creates(API)}, ("", API)), id="beside a path that is created"),
        pytest.param(CASES["one path each"], id="beside two processes", marks=pytest.mark.nightly),
    ],
)
def test_a_person_who_adds_a_rule_at_any_time_loses_nothing(case: Case) -> None:
    assert explore(case.scenario(1, only=frozenset({"person"})), case.check) > 10


@pytest.mark.nightly
@pytest.mark.timeout(0)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_two_processes_at_once_with_one_disturbance_end_well(case: Case) -> None:
    assert explore(case.scenario(1), case.check) > 300
