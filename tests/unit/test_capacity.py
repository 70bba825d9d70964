"""Capacity: paths of a hostname and the size of a document are bounded, and what exists stays."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunnel_webhook.domain.cloudflared.ingress import IngressRule
from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint
from tunnel_webhook.domain.external_dns.path import MAX_PROGRAMS, regex_size
from tunnel_webhook.domain.marker import Marker
from tunnel_webhook.domain.planning.capacity import MAX_DOCUMENT, MAX_PATHS
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.plan import Plan
from tunnel_webhook.domain.planning.planner import plan
from vocabulary.builders import BLUE, GREEN, POLICY, ZONE, claim, configuration, endpoint, rule

APP = "app.example.com"
LARGE = "x" * (MAX_DOCUMENT - 1000)


def expression(number: int) -> str:
    return f"^/p{number:04}(/|$)"


def standing(numbers: range, *others: IngressRule) -> Existing:
    """Return a state in which the hostname is ours and has these paths, beside other rules."""
    rules = (rule(APP, f"http://s{number}:80", expression(number)) for number in numbers)
    document = configuration(*rules, *others)
    every_path = replace(claim(APP), comment=Marker("default").comment)
    return Existing.of([ZONE], {ZONE: (every_path,)}, {BLUE: document, GREEN: configuration()})


def asked(numbers: range, port: int = 80) -> tuple[Endpoint, ...]:
    return tuple(
        endpoint(APP, f"http://s{number}:{port}", path=f"/p{number:04}", resource=f"ingress/ns/{number}")
        for number in numbers
    )


def deleted(numbers: range) -> tuple[Endpoint, ...]:
    return tuple(replace(endpoint(APP), set_identifier=expression(number)) for number in numbers)


def paths_after(state: Existing, decided: Plan) -> set[str]:
    """Return the paths of the hostname once a plan is applied."""
    rules = state.rules[BLUE].get(APP, ())
    for decision in decided.decisions:
        for change in decision.rules:
            rules = change.applied_to(rules)
    return {each.path for each in rules}


def test_a_hostname_may_have_as_many_paths_as_the_limit() -> None:
    decided = plan(standing(range(0)), Changes(create=asked(range(MAX_PATHS))), POLICY)
    assert not decided.rejections
    assert len(decided.decisions[0].rules[0].upserts) == MAX_PATHS


def test_each_path_over_the_limit_is_rejected_with_its_resource_and_the_others_are_written() -> None:
    state = standing(range(MAX_PATHS - 1))
    decided = plan(state, Changes(create=asked(range(MAX_PATHS - 1, MAX_PATHS + 2))), POLICY)
    rejected = {(each.reason, each.resource) for each in decided.rejections}
    assert rejected == {(Reason.TOO_MANY_PATHS, f"ingress/ns/{number}") for number in (MAX_PATHS, MAX_PATHS + 1)}
    assert paths_after(state, decided) == {expression(number) for number in range(MAX_PATHS)}


def test_a_hostname_that_has_too_many_paths_already_is_still_updated_and_shrinks() -> None:
    state = standing(range(MAX_PATHS + 5))
    changes = Changes(update_new=asked(range(10), port=81), delete=deleted(range(MAX_PATHS, MAX_PATHS + 3)))
    decided = plan(state, changes, POLICY)
    assert not decided.rejections
    assert len(decided.decisions[0].rules[0].upserts) == 10
    assert len(paths_after(state, decided)) == MAX_PATHS + 2


def test_a_path_that_goes_makes_room_for_one_that_comes() -> None:
    state = standing(range(MAX_PATHS))
    decided = plan(state, Changes(create=asked(range(MAX_PATHS, MAX_PATHS + 1)), delete=deleted(range(1))), POLICY)
    assert not decided.rejections
    assert paths_after(state, decided) == {expression(number) for number in range(1, MAX_PATHS + 1)}


@given(
    st.integers(0, MAX_PATHS + 20), st.integers(0, MAX_PATHS + 20), st.integers(0, 2 * MAX_PATHS), st.integers(0, 40)
)
def test_no_hostname_grows_over_the_limit_and_no_rejection_takes_a_path_away(
    held: int, first: int, last: int, gone: int
) -> None:
    state = standing(range(held))
    numbers = range(first, max(first, last))
    deletes = deleted(range(min(gone, first)))
    decided = plan(state, Changes(update_new=asked(numbers), delete=deletes), POLICY)
    after = paths_after(state, decided)
    assert len(after) <= max(MAX_PATHS, held)
    if decided.rejections:
        assert after >= {expression(number) for number in range(held)}
        assert after >= {expression(number) for number in numbers} or len(after) >= MAX_PATHS


def test_a_rule_that_does_not_fit_into_the_document_is_rejected_and_the_last_good_one_stays() -> None:
    state = standing(range(1), rule("hand.example.com", LARGE))
    longer = endpoint(APP, f"http://{'s' * 99}", path="/p0000", proxy_address="h" * 1000)
    decided = plan(state, Changes(update_new=(longer,)), POLICY)
    assert [each.reason for each in decided.rejections] == [Reason.DOCUMENT_TOO_LARGE]
    assert not decided.decisions


def test_what_does_not_fit_is_rejected_and_the_rest_is_applied() -> None:
    state = standing(range(1), rule("hand.example.com", LARGE))
    large = endpoint("large.example.com", "http://l:80", proxy_address="h" * 1000)
    small, other = endpoint("small.example.com"), endpoint("a.example.com")
    decided = plan(state, Changes(create=(large, small, other), delete=deleted(range(1))), POLICY)
    assert [each.hostname for each in decided.rejections] == ["large.example.com"]
    assert [each.hostname for each in decided.decisions] == ["a.example.com", APP, "small.example.com"]


@pytest.mark.parametrize("hand_made", [0, MAX_DOCUMENT - 500, MAX_DOCUMENT, 2 * MAX_DOCUMENT])
def test_no_plan_makes_a_document_larger_than_the_limit(hand_made: int) -> None:
    state = standing(range(1), rule("hand.example.com", "x" * hand_made))
    wanted = tuple(endpoint(f"h{number}.example.com", proxy_address="h" * 1000) for number in range(100))
    decided = plan(state, Changes(create=wanted), POLICY)
    added = sum(len(each.text) + 1 for one in decided.decisions for change in one.rules for each in change.upserts)
    before = len(state.configurations[BLUE].text)
    assert before + added <= max(MAX_DOCUMENT, before)
    assert len(decided.decisions) + len(decided.rejections) == len(wanted)


LARGE_REGEX = "((a?){5}){4}!"
SIZE = regex_size(LARGE_REGEX)


def with_regexes(numbers: range, expression: str = LARGE_REGEX) -> tuple[Endpoint, ...]:
    return tuple(endpoint(f"r{number:03}.example.com", path=expression, path_match="regex") for number in numbers)


def test_h1_a_tunnel_runs_regular_expressions_up_to_a_limit_and_the_rest_is_applied() -> None:
    fit = MAX_PROGRAMS // SIZE
    plain = tuple(endpoint(f"z{number}.example.com", path=f"/p{number}") for number in range(100))
    decided = plan(standing(range(0)), Changes(create=(*with_regexes(range(fit + 2)), *plain)), POLICY)
    assert [(each.hostname, each.reason) for each in decided.rejections] == [
        (f"r{number:03}.example.com", Reason.TOO_MANY_PATHS) for number in (fit, fit + 1)
    ]
    assert len(decided.decisions) == fit + len(plain)


def test_expressions_made_by_hand_count_and_what_exists_stays() -> None:
    hand = rule("hand.example.com", path="((a?){30}){30}!")
    state = standing(range(0), hand, rule(APP, path=LARGE_REGEX))
    changed = endpoint(APP, "http://new", path=LARGE_REGEX, path_match="regex")
    decided = plan(state, Changes(create=with_regexes(range(1)), update_new=(changed,)), POLICY)
    assert [each.hostname for each in decided.rejections] == ["r000.example.com"]
    assert [each.hostname for each in decided.decisions] == [APP]


def test_each_tunnel_has_a_limit_of_its_own() -> None:
    fit = MAX_PROGRAMS // SIZE
    blue = with_regexes(range(fit))
    green = tuple(
        replace(each, dns_name=f"g{each.dns_name}", properties=(*each.properties, ("webhook/tunnel", "green")))
        for each in blue
    )
    assert not plan(standing(range(0)), Changes(create=(*blue, *green)), POLICY).rejections


@given(st.lists(st.sampled_from((LARGE_REGEX, "^/a.*b", "^/v[0-9]/", "/api")), max_size=60), st.integers(0, 40))
def test_no_plan_makes_a_tunnel_run_more_than_the_limit(expressions: list[str], held: int) -> None:
    state = standing(range(0), *(rule(f"hand{number}.example.com", path=LARGE_REGEX) for number in range(held)))
    asked = tuple(
        endpoint(f"r{number}.example.com", path=each, path_match="regex") for number, each in enumerate(expressions)
    )
    decided = plan(state, Changes(create=asked), POLICY)
    before = sum(regex_size(each.path) for each in state.configurations[BLUE].rules)
    added = sum(regex_size(each.path) for one in decided.decisions for change in one.rules for each in change.upserts)
    assert not added or before + added <= MAX_PROGRAMS
