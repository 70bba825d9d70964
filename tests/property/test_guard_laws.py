"""The guard: a plan that one limit lets pass, a higher limit lets pass as well."""

from hypothesis import given
from hypothesis import strategies as st

from tunnel_webhook.domain.claim import Release
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.guard import Guard
from tunnel_webhook.domain.planning.plan import Action, Decision, Plan
from vocabulary.builders import BLUE, ZONE, claim

floors, ratios, numbers = (
    st.integers(0, 20),
    st.sampled_from([percent / 100 for percent in range(101)]),
    st.integers(0, 60),
)


@given(floors, ratios, floors, ratios, numbers, numbers)
def test_a_higher_limit_never_withholds_more_and_either_all_deletions_or_none_are_withheld(
    floor: int, ratio: float, more: int, higher: float, deletions: int, staying: int
) -> None:
    decisions = tuple(
        Decision(Action.DELETE, name, ZONE, BLUE, release=Release(claim(name)))
        for name in (Hostname(f"a{number}.example.com") for number in range(deletions))
    )
    kept = Decision(Action.UPDATE, Hostname("kept.example.com"), ZONE, BLUE)
    plan = Plan((*decisions, kept))
    judged = Guard(floor, ratio).judge(plan, deletions + staying)
    assert len(judged.withheld) in {0, deletions}
    assert kept in judged.decisions
    if not judged.withheld:
        assert Guard(floor + more, max(ratio, higher)).judge(plan, deletions + staying) == plan
