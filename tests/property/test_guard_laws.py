"""The guard: what a limit lets pass, a higher one lets pass as well."""

from hypothesis import given
from hypothesis import strategies as st

from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.guard import Guard
from tunnel_webhook.domain.planning.plan import Action, Decision, Plan
from vocabulary.builders import BLUE, ZONE

floors, ratios, numbers = st.integers(0, 20), st.sampled_from([each / 100 for each in range(101)]), st.integers(0, 60)


@given(floors, ratios, floors, ratios, numbers, numbers)
def test_raising_a_limit_withholds_nothing_that_was_let_pass_and_either_all_or_none_is_withheld(
    floor: int, ratio: float, more: int, higher: float, deletions: int, staying: int
) -> None:
    decisions = tuple(
        Decision(Action.DELETE, Hostname(f"a{place}.example.com"), ZONE, BLUE) for place in range(deletions)
    )
    kept = Decision(Action.UPDATE, Hostname("kept.example.com"), ZONE, BLUE)
    plan = Plan((*decisions, kept))
    judged = Guard(floor, ratio).judge(plan, deletions + staying)
    assert len(judged.withheld) in {0, deletions}
    assert kept in judged.decisions
    if not judged.withheld:
        assert Guard(floor + more, max(ratio, higher)).judge(plan, deletions + staying) == plan
