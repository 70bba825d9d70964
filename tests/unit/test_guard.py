"""The guard: how many hostnames one plan may release, and what happens to a plan that releases more."""

import math
from dataclasses import replace

import pytest

from tunnel_webhook.domain.claim import Release
from tunnel_webhook.domain.dns import DnsRecord
from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.domain.external_dns.endpoint import Changes
from tunnel_webhook.domain.external_dns.policy import Policy, Tunnel
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.guard import Guard, guarded_plan
from tunnel_webhook.domain.planning.plan import Action, Decision, Plan, Rejection
from vocabulary.builders import BLUE, ZONE, claim, configuration, endpoint, marker


def decision(action: Action, number: int) -> Decision:
    name = Hostname(f"a{number}.example.com")
    return Decision(action, name, ZONE, BLUE, release=Release(claim(name)) if action is Action.DELETE else None)


def deletions(count: int) -> Plan:
    return Plan(tuple(decision(Action.DELETE, number) for number in range(count)))


@pytest.mark.parametrize(
    ("floor", "ratio", "managed", "limit"),
    [
        pytest.param(5, 0.5, 0, 5, id="nothing is managed: the floor"),
        pytest.param(5, 0.5, 10, 5, id="both are equal"),
        pytest.param(5, 0.5, 11, 5, id="the ratio is rounded down"),
        pytest.param(5, 0.5, 12, 6, id="the ratio above the floor"),
        pytest.param(5, 0.5, 200, 100, id="the ratio far above the floor"),
        pytest.param(0, 0.0, 200, 0, id="nothing"),
        pytest.param(0, 0.29, 100, 29, id="a ratio that binary fractions only approach"),
        pytest.param(0, 1.0, 200, 200, id="everything"),
    ],
)
def test_the_limit_is_the_larger_of_floor_and_ratio(floor: int, ratio: float, managed: int, limit: int) -> None:
    assert Guard(floor, ratio).limit(managed) == limit


@pytest.mark.parametrize(
    ("floor", "ratio"),
    [
        pytest.param(-1, 0.5, id="a floor below 0"),
        pytest.param(5, 1.5, id="a ratio above 1"),
        pytest.param(5, -0.5, id="a ratio below 0"),
        pytest.param(5, math.nan, id="a ratio that is not a number"),
    ],
)
def test_a_guard_with_an_impossible_limit_cannot_exist(floor: int, ratio: float) -> None:
    with pytest.raises(ValueError, match=f"a ratio from 0 to 1, not {floor} and {ratio}"):
        Guard(floor, ratio)


def test_as_many_deletions_as_the_limit_pass() -> None:
    assert Guard().judge(deletions(6), managed=12) == deletions(6)


def test_one_deletion_more_than_the_limit_withholds_them_all() -> None:
    judged = Guard().judge(deletions(7), managed=12)
    assert judged.decisions == ()
    assert judged.withheld == tuple(f"a{number}.example.com" for number in range(7))


def test_only_deletions_are_counted_and_withheld() -> None:
    others = tuple(decision(action, number) for number, action in enumerate(Action) if action is not Action.DELETE)
    rejection = Rejection("b.example.com", Reason.NO_ZONE, "a sentence")
    proposed = Plan((*others, decision(Action.DELETE, 9)), (rejection,))
    assert Guard(1, 0).judge(proposed, managed=100) == proposed

    judged = Guard(0, 0).judge(proposed, managed=100)
    assert judged.decisions == others
    assert judged.rejections == (rejection,)
    assert judged.withheld == ("a9.example.com",)


def test_only_the_hostnames_that_the_instance_sees_count_as_managed() -> None:
    names = [f"a{number}.example.com" for number in range(4)]
    claims = [*(claim(name, owner="us") for name in names), *(claim(f"b.{name}", owner="them") for name in names)]
    state = Existing.of([ZONE], {ZONE: claims}, {BLUE: configuration()})
    changes = Changes(delete=tuple(endpoint(name, owner="us") for name in names))
    ours = Policy((Tunnel(BLUE),), owner_id="us")
    everyone = Policy((Tunnel(BLUE),))
    assert len(guarded_plan(state, changes, ours, Guard(0, 0.5)).withheld) == 4
    assert guarded_plan(state, changes, everyone, Guard(0, 0.5)).withheld == ()


def releasing(name: str) -> DnsRecord:
    return replace(claim(name), comment=marker("default", since=0).comment)


def test_hostnames_that_are_being_released_do_not_count_as_managed() -> None:
    names = [f"a{number}.example.com" for number in range(4)]
    records = [*map(claim, names), *(releasing(f"b.{name}") for name in names)]
    state = Existing.of([ZONE], {ZONE: records}, {BLUE: configuration()})
    two = Changes(delete=tuple(map(endpoint, names[:2])))
    three = Changes(delete=tuple(map(endpoint, names[:3])))
    assert guarded_plan(state, two, Policy((Tunnel(BLUE),)), Guard(0, 0.5)).withheld == ()
    assert len(guarded_plan(state, three, Policy((Tunnel(BLUE),)), Guard(0, 0.5)).withheld) == 3


def test_a_hostname_that_is_deleted_while_it_is_being_released_counts_as_no_deletion() -> None:
    state = Existing.of([ZONE], {ZONE: [releasing("a.example.com")]}, {BLUE: configuration()})
    planned = guarded_plan(state, Changes(delete=(endpoint("a.example.com"),)), Policy((Tunnel(BLUE),)), Guard(0, 0.0))
    assert (planned.decisions, planned.withheld) == ((), ())


def test_the_sentence_names_the_limit_and_both_settings() -> None:
    assert Guard(5, 0.25).sentence == (
        "at most 5 hostnames or 25% of the managed ones may be deleted at once;"
        " raise MAX_DELETES_FLOOR or MAX_DELETE_RATIO to allow more"
    )
