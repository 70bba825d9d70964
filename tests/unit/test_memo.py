"""Memos: each result is computed once, and what is remembered is bounded by its weight."""

import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunnel_webhook.domain.errors import InvalidEndpoint
from tunnel_webhook.domain.external_dns.origin_service import OriginService
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.memo import MIB, Memo, weight_of_texts


def doubled(number: int) -> int:
    return 2 * number


def weightless(_argument: object, _result: object) -> int:
    return 0


def test_each_result_is_computed_once() -> None:
    calls: list[int] = []

    def recorded(number: int) -> int:
        calls.append(number)
        return 2 * number

    memo = Memo(recorded, weightless, MIB)
    assert memo.results([1, 2, 1]) == [2, 4, 2]
    assert memo.results([2, 3]) == [4, 6]
    assert calls == [1, 2, 3]


def test_an_exception_is_not_remembered() -> None:
    inverse = Memo[int, float](lambda number: 1 / number, weightless, MIB)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            inverse.results([0])
    assert len(inverse) == 0


def test_a_result_is_forgotten_once_two_calls_in_a_row_did_not_use_it() -> None:
    memo = Memo(doubled, weightless, MIB)
    memo.results(range(1000))
    for used in (range(500), range(500, 600), range(500), range(400, 500)):
        memo.results(used)
        assert set(used) <= set(memo)
    assert set(memo) == set(range(500))


@given(st.lists(st.lists(st.integers(0, 30), max_size=20, unique=True), max_size=20))
def test_what_is_remembered_is_what_the_last_two_calls_used(
    calls: list[list[int]],
) -> None:
    memo = Memo(doubled, lambda number, _result: number, MIB)
    before: list[int] = []
    for arguments in calls:
        assert memo.results(arguments) == [2 * argument for argument in arguments]
        assert set(memo) == {*before, *arguments}
        before = arguments
    emptied = [memo.results([]) for _ in range(2)]
    assert emptied == [[], []]
    assert not memo


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.integers(1, 1000))
def test_results_are_right_and_together_never_heavier_than_the_limit(start: int, step: int) -> None:
    memo = Memo[int, int](doubled, lambda number, _result: number % 900, MIB)
    largest = 0
    for number in range(start, start + 12_000 * step, step):
        assert memo[number] == 2 * number
        if number // step % 50 == 0:
            held = sum(each % 900 for each in memo)
            largest = max(largest, held)
            assert held <= MIB
    assert largest > 0 or step % 900 == 0 == start % 900


def test_what_is_forgotten_makes_room() -> None:
    memo = Memo[int, int](doubled, lambda _number, _result: 900, MIB)
    for start in range(0, 100_000, 300):
        memo.results(range(start, start + 300))
        assert set(range(max(start - 300, 0), start + 300)) <= set(memo)


def test_a_result_of_more_than_a_thousandth_of_the_limit_is_not_remembered_and_displaces_nothing() -> None:
    memo = Memo[str, str](str.lower, weight_of_texts, MIB)
    assert memo["A"] == "a"
    assert memo["B" * 1000] == "b" * 1000
    assert list(memo) == ["A"]


def test_what_is_remembered_does_not_outgrow_its_limit_in_memory() -> None:
    memo = Memo[str, str](str.upper, weight_of_texts, MIB)
    tracemalloc.start()
    try:
        for number in range(100_000):
            _ = memo[f"text {number}"]
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 1.5 * MIB


@pytest.mark.parametrize(
    ("make", "text"), [(Hostname, "App.example.com"), (OriginService, "HTTP://app:80"), (OriginService, "http://app/")]
)
def test_only_a_text_that_is_canonical_already_is_accepted_as_it_is(make: Callable[[str], str], text: str) -> None:
    for _ in range(2):
        with pytest.raises(InvalidEndpoint):
            make(text)
