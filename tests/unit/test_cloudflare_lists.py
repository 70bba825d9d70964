"""Which lists are believed: the two tables of the module, and what holds for any lists."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunnel_webhook.adapters.cloudflare.lists import agree, is_in_doubt

NAMES = st.frozensets(st.sampled_from("abcde"))
NONE, A, B, AB = frozenset(""), frozenset("a"), frozenset("b"), frozenset("ab")


@pytest.mark.parametrize(
    ("believed", "listed", "expects_some", "in_doubt"),
    [
        (None, A, False, False),
        (None, A, True, False),
        (None, NONE, False, False),
        (None, NONE, True, True),
        (A, A, True, False),
        (A, AB, False, False),
        (NONE, NONE, True, False),
        (AB, A, False, True),
        (A, NONE, False, True),
        (A, B, True, True),
    ],
    ids=[
        "the first list holds something",
        "the first list holds something, as expected",
        "the first list is empty, and nothing is expected",
        "the first list is empty, and something is expected",
        "as before",
        "more than before",
        "empty as before",
        "less than before",
        "nothing any more",
        "something else",
    ],
)
def test_a_list_is_in_doubt(
    believed: frozenset[str] | None,
    listed: frozenset[str],
    expects_some: bool,  # noqa: FBT001 -- a parameter of the table
    in_doubt: bool,  # noqa: FBT001 -- as above
) -> None:
    assert is_in_doubt(believed, listed, expects_some=expects_some) is in_doubt


@pytest.mark.parametrize(
    ("believed", "first", "second", "agrees"),
    [
        (AB, A, A, True),
        (AB, A, A | frozenset("c"), True),
        (AB, A, AB, False),
        (AB, A, B, False),
        (AB, A, NONE, False),
        (None, NONE, NONE, True),
        (None, NONE, A, False),
    ],
    ids=[
        "the same is missing",
        "the same is missing, and something is new",
        "nothing is missing any more",
        "something else is missing",
        "more is missing",
        "both are empty",
        "only the first is empty",
    ],
)
def test_two_readings_agree(
    believed: frozenset[str] | None,
    first: frozenset[str],
    second: frozenset[str],
    agrees: bool,  # noqa: FBT001 -- a parameter of the table
) -> None:
    assert agree(believed, first, second) is agrees


@given(NAMES, NAMES)
def test_one_wrong_list_never_takes_away_what_is_there(truth: frozenset[str], wrong: frozenset[str]) -> None:
    if is_in_doubt(truth, wrong, expects_some=True):
        assert not agree(truth, wrong, truth)
    else:
        assert truth <= wrong


@given(NAMES, NAMES, NAMES)
def test_what_is_gone_is_believed_by_the_second_reading(
    believed: frozenset[str], truth: frozenset[str], created_meanwhile: frozenset[str]
) -> None:
    if is_in_doubt(believed, truth, expects_some=False):
        assert agree(believed, truth, truth | (created_meanwhile - believed))
