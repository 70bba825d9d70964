"""Memos: each result is computed once, and results that are no longer used are forgotten."""

import pytest

from tunnel_webhook.domain.memo import Memo


def test_each_result_is_computed_once() -> None:
    calls: list[int] = []

    def double(number: int) -> int:
        calls.append(number)
        return 2 * number

    doubled = Memo(double)
    assert doubled.results([1, 2, 1]) == [2, 4, 2]
    assert doubled.results([2, 3]) == [4, 6]
    assert calls == [1, 2, 3]


def test_an_exception_is_not_remembered() -> None:
    inverse = Memo[int, float](lambda number: 1 / number)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            inverse.results([0])
    assert len(inverse) == 0


def test_results_that_are_no_longer_used_are_forgotten() -> None:
    identity = Memo[int, int](lambda number: number)
    for start in range(0, 50_000, 1000):
        identity.results(range(start, start + 1000))
    assert len(identity) <= 2 * 1000 + 4096 + 1000
