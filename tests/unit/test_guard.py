"""The guard: how many hostnames may be deleted within ten minutes, and what happens to a plan that deletes more."""

import math
from collections.abc import Iterable
from dataclasses import replace

import pytest

from tunnel_webhook.domain.claim import Release
from tunnel_webhook.domain.dns import DnsRecord
from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.domain.external_dns.endpoint import Changes
from tunnel_webhook.domain.external_dns.policy import Policy, Tunnel
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.guard import Guard, deletions_in, guarded_plan, released_since
from tunnel_webhook.domain.planning.plan import Action, Decision, Plan, Rejection, RuleChange
from vocabulary.builders import BLUE, GREEN, ZONE, claim, configuration, endpoint, marker, rule

POLICY = Policy((Tunnel(BLUE),))


def names(number: int, prefix: str = "a") -> tuple[Hostname, ...]:
    return tuple(Hostname(f"{prefix}{index}.example.com") for index in range(number))


def published(hostnames: Iterable[str], *others: DnsRecord) -> Existing:
    """Return a state in which hostnames are claimed and have a rule."""
    records = (*map(claim, hostnames), *others)
    return Existing.of([ZONE], {ZONE: records}, {BLUE: configuration(*map(rule, hostnames))})


def deletion_of(hostname: Hostname) -> Decision:
    return Decision(Action.DELETE, hostname, ZONE, BLUE, release=Release(claim(hostname)))


USUAL = Guard()


def judged(deleted: int, managed: int, guard: Guard = USUAL, *, recent: Iterable[Hostname] = ()) -> Plan:
    """Return what is left of a plan that deletes so many of the hostnames that exist."""
    hostnames = names(managed)
    plan = Plan(tuple(map(deletion_of, hostnames[:deleted])))
    return guard.judge(plan, published(hostnames), frozenset(hostnames), frozenset(recent))


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


@pytest.mark.parametrize(
    ("deleted", "managed", "passes"),
    [
        pytest.param(1, 1, True, id="the only one"),
        pytest.param(2, 2, True, id="both of two"),
        pytest.param(3, 3, False, id="all of three"),
        pytest.param(2, 3, True, id="two of three"),
        pytest.param(5, 5, False, id="all of five"),
        pytest.param(4, 5, True, id="four of five"),
        pytest.param(5, 6, True, id="five of six"),
        pytest.param(6, 12, True, id="half"),
        pytest.param(7, 12, False, id="more than half"),
        pytest.param(12, 12, False, id="all of twelve"),
    ],
)
def test_deletions_pass_up_to_the_limit_but_never_all_of_three_or_more(
    deleted: int, managed: int, *, passes: bool
) -> None:
    plan = judged(deleted, managed)
    assert len(plan.decisions) == (deleted if passes else 0)
    assert plan.withheld == (() if passes else names(deleted))
    assert bool(plan.withholding) is not passes


def test_a_ratio_of_one_lets_everything_pass() -> None:
    assert judged(12, 12, Guard(0, 1.0)).withheld == ()


@pytest.mark.parametrize(
    ("recent", "withheld"),
    [
        pytest.param(names(4, "gone"), 0, id="five of ten with four before"),
        pytest.param(names(5, "gone"), 1, id="six of eleven with five before"),
        pytest.param(names(5), 0, id="deleted before, and back since"),
    ],
)
def test_deletions_of_the_last_ten_minutes_count_unless_the_hostname_is_back(
    recent: tuple[Hostname, ...], withheld: int
) -> None:
    assert len(judged(1, 6, recent=recent).withheld) == withheld


def test_the_last_of_three_that_go_one_by_one_is_withheld() -> None:
    assert judged(1, 1, recent=names(2, "gone")).withheld == names(1)
    assert judged(1, 1, recent=names(1, "gone")).withheld == ()


def test_a_hostname_whose_deletion_was_begun_and_that_lost_its_rule_counts_as_deleted_although_it_is_claimed() -> None:
    stuck = names(5, "stuck")
    state = published(names(3), *map(claim, stuck))
    managed = frozenset((*names(3), *stuck))
    plan = Plan((deletion_of(names(1)[0]),))
    assert Guard().judge(plan, state, managed, frozenset(stuck)).withheld == names(1)
    assert Guard().judge(plan, state, managed).withheld == ()


def test_a_hostname_that_would_lose_every_rule_in_another_way_counts_as_deleted_and_keeps_them() -> None:
    hostnames = names(6)
    losing = Plan(
        tuple(
            Decision(Action.UPDATE, each, ZONE, BLUE, rules=(RuleChange(BLUE, removals=("",)),)) for each in hostnames
        )
    )
    assert Guard().judge(losing, published(hostnames), frozenset(hostnames)).withheld == hostnames
    assert deletions_in(losing, published(hostnames)) == frozenset(hostnames)


def test_a_hostname_that_keeps_a_rule_is_not_deleted() -> None:
    (name,) = names(1)
    records = [claim(name, paths=["", "^/a"])]
    state = Existing.of([ZONE], {ZONE: records}, {BLUE: configuration(rule(name, path="^/a"), rule(name))})
    change = RuleChange(BLUE, removals=("^/a",))
    assert deletions_in(Plan((Decision(Action.UPDATE, name, ZONE, BLUE, rules=(change,)),)), state) == frozenset()
    move = Decision(
        Action.MOVE,
        name,
        ZONE,
        GREEN,
        rules=(RuleChange(GREEN, upserts=(rule(name),)),),
        cleanup=(RuleChange(BLUE, removals=("", "^/a")),),
    )
    state = replace(state, rules={**state.rules, GREEN: {}})
    assert deletions_in(Plan((move,)), state) == frozenset()


def test_a_hostname_that_only_loses_a_path_is_not_withheld() -> None:
    (name,) = names(1)
    less = Release(claim(name, paths=["", "^/x"]), claim(name))
    plan = Plan((Decision(Action.UPDATE, name, ZONE, BLUE, release=less),))
    assert Guard(0, 0).judge(plan, published([name]), frozenset([name])) == plan


def test_only_deletions_are_withheld() -> None:
    (other, doomed) = names(2)
    kept = Decision(Action.CREATE, other, ZONE, BLUE, claim=claim(other))
    rejection = Rejection("b.example.com", Reason.NO_ZONE, "a sentence")
    plan = Guard(0, 0).judge(Plan((kept, deletion_of(doomed)), (rejection,)), published([doomed]), frozenset([doomed]))
    assert plan.decisions == (kept,)
    assert plan.rejections == (rejection,)
    assert plan.withheld == (doomed,)


def test_only_the_hostnames_that_the_instance_sees_count_as_managed() -> None:
    hostnames = names(4)
    claims = [
        *(claim(each, owner="us") for each in hostnames),
        *(claim(f"b.{each}", owner="them") for each in hostnames),
    ]
    state = Existing.of([ZONE], {ZONE: claims}, {BLUE: configuration()})
    changes = Changes(delete=tuple(endpoint(name, owner="us") for name in hostnames[:3]))
    ours = Policy((Tunnel(BLUE),), owner_id="us")
    everyone = Policy((Tunnel(BLUE),))
    assert len(guarded_plan(state, changes, ours, Guard(0, 0.5)).withheld) == 3
    assert guarded_plan(state, changes, everyone, Guard(0, 0.5)).withheld == ()


def releasing(name: str) -> DnsRecord:
    return replace(claim(name), comment=marker("default", since=0).comment)


def test_hostnames_that_are_being_released_do_not_count_as_managed() -> None:
    hostnames = names(4)
    records = [*map(claim, hostnames), *(releasing(f"b.{each}") for each in hostnames)]
    state = Existing.of([ZONE], {ZONE: records}, {BLUE: configuration()})
    two = Changes(delete=tuple(map(endpoint, hostnames[:2])))
    three = Changes(delete=tuple(map(endpoint, hostnames[:3])))
    assert guarded_plan(state, two, Policy((Tunnel(BLUE),)), Guard(0, 0.5)).withheld == ()
    assert len(guarded_plan(state, three, Policy((Tunnel(BLUE),)), Guard(0, 0.5)).withheld) == 3


def test_a_hostname_that_is_deleted_while_it_is_being_released_counts_as_no_deletion() -> None:
    state = Existing.of([ZONE], {ZONE: [releasing("a.example.com")]}, {BLUE: configuration()})
    planned = guarded_plan(state, Changes(delete=(endpoint("a.example.com"),)), Policy((Tunnel(BLUE),)), Guard(0, 0.0))
    assert (planned.decisions, planned.withheld) == ((), ())


def test_hostnames_that_were_marked_as_releasing_since_then_were_deleted_since_then() -> None:
    records = [replace(claim(f"r{at}.example.com"), comment=marker("us", since=at).comment) for at in (99, 100, 101)]
    state = Existing.of([ZONE], {ZONE: [*records, claim("kept.example.com")]}, {BLUE: configuration()})
    assert released_since(state, replace(POLICY, owner_id="us"), 100.0) == {"r101.example.com"}
    assert released_since(state, replace(POLICY, owner_id="them"), 100.0) == frozenset()


@pytest.mark.parametrize(
    ("plan", "sentence"),
    [
        pytest.param(
            judged(5, 5),
            "5 deletions are withheld (a0.example.com, a1.example.com, a2.example.com, a3.example.com, a4.example.com):"
            " 5 of 5 hostnames, all of them, would be gone within ten minutes; MAX_DELETE_RATIO=1 lets them pass",
            id="all",
        ),
        pytest.param(
            judged(1, 6, recent=names(6, "gone")),
            "1 deletion is withheld (a0.example.com): 7 of 12 hostnames would be gone within ten minutes;"
            " MAX_DELETES_FLOOR=7 lets them pass, and so does waiting for ten minutes",
            id="too many within ten minutes",
        ),
    ],
)
def test_the_plan_says_how_many_of_how_many_which_ones_and_what_lets_them_pass(plan: Plan, sentence: str) -> None:
    assert plan.withholding == sentence


def test_of_many_withheld_deletions_the_first_ten_are_named() -> None:
    assert "a17.example.com and 20 more)" in judged(30, 40).withholding


def test_the_guard_says_its_rule_in_one_sentence() -> None:
    assert Guard(5, 0.25).sentence == (
        "within ten minutes, 5 hostnames or 25% of the managed ones may be deleted, whichever is more, and never all of"
        " 3 or more; MAX_DELETES_FLOOR and MAX_DELETE_RATIO raise the limit, and MAX_DELETE_RATIO=1 removes it"
    )
    assert Guard(5, 1.0).sentence == "any number of hostnames may be deleted at once (MAX_DELETE_RATIO=1)"
