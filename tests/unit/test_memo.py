"""Memos: each result is computed once, and what is remembered is bounded by its weight."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


def test_results_that_are_no_longer_used_are_forgotten() -> None:
    memo = Memo(doubled, weightless, 64 * MIB)
    for start in range(0, 50_000, 1000):
        memo.results(range(start, start + 1000))
    assert len(memo) <= 2 * 1000 + 4096 + 1000


@given(st.lists(st.integers(0, 3000), max_size=200))
def test_results_are_right_and_together_never_heavier_than_the_limit(weights: list[int]) -> None:
    most = 100_000
    memo = Memo[int, int](doubled, lambda weight, _result: weight, most)
    for weight in weights:
        assert memo[weight] == 2 * weight
        assert sum(memo) <= most


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
