"""The guard: how many hostnames one plan may release."""

import pytest

from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.guard import Guard
from tunnel_webhook.domain.planning.plan import Action, Decision, Plan, Rejection
from vocabulary.builders import BLUE, ZONE, claim


def decision(action: Action, number: int) -> Decision:
    name = Hostname(f"a{number}.example.com")
    return Decision(action, name, ZONE, BLUE, release=claim(name) if action is Action.DELETE else None)


def deletions(count: int) -> Plan:
    return Plan(tuple(decision(Action.DELETE, number) for number in range(count)))


@pytest.mark.parametrize(
    ("floor", "ratio", "managed", "limit"),
    [
        pytest.param(5, 0.5, 0, 5, id="the floor where nothing is managed"),
        pytest.param(5, 0.5, 10, 5, id="the floor where both are the same"),
        pytest.param(5, 0.5, 11, 5, id="half of 11 is rounded down"),
        pytest.param(5, 0.5, 12, 6, id="the ratio above the floor"),
        pytest.param(5, 0.5, 200, 100, id="the ratio far above the floor"),
        pytest.param(0, 0.0, 200, 0, id="nothing at all"),
        pytest.param(0, 1.0, 200, 200, id="everything"),
    ],
)
def test_the_limit_is_the_larger_of_floor_and_ratio(floor: int, ratio: float, managed: int, limit: int) -> None:
    assert Guard(floor, ratio).limit(managed) == limit


def test_as_many_deletions_as_the_limit_pass() -> None:
    assert Guard().judge(deletions(6), managed=12) == deletions(6)


def test_one_deletion_more_than_the_limit_withholds_them_all() -> None:
    judged = Guard().judge(deletions(7), managed=12)
    assert judged.decisions == ()
    assert judged.withheld == tuple(f"a{number}.example.com" for number in range(7))


def test_what_is_not_a_deletion_is_neither_counted_nor_withheld() -> None:
    others = tuple(decision(action, number) for number, action in enumerate(Action) if action is not Action.DELETE)
    rejection = Rejection("b.example.com", Reason.NO_ZONE, "a sentence")
    asked = Plan((*others, decision(Action.DELETE, 9)), (rejection,))
    assert Guard(1, 0).judge(asked, managed=100) == asked
    judged = Guard(0, 0).judge(asked, managed=100)
    assert (judged.decisions, judged.rejections, judged.withheld) == (others, (rejection,), ("a9.example.com",))


def test_the_sentence_names_the_limit_and_both_settings() -> None:
    assert Guard(5, 0.25).sentence == (
        "at most 5 hostnames or 25% of the managed ones may go at once;"
        " raise MAX_DELETES_FLOOR or MAX_DELETE_RATIO to let them pass"
    )
