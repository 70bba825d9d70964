"""The paths that a claim names, as a text of few characters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunnel_webhook.domain.claimed_paths import EVERY_PATH, NO_PATHS, ClaimedPaths, digest_of

PATHS = st.lists(st.sampled_from(["", "^/a", "^/b(/|$)", "^/c$", "x"]), max_size=5)


@pytest.mark.parametrize(
    ("paths", "text"),
    [
        pytest.param(ClaimedPaths.of([""]), ".", id="the rule without a path"),
        pytest.param(ClaimedPaths.of(["^/api(/|$)"]), "6ikXC", id="a path"),
        pytest.param(ClaimedPaths.of(["^/b", "", "^/a"]), ".-9L79eYgMa", id="the one without a path, and two others"),
        pytest.param(EVERY_PATH, "*", id="every path"),
        pytest.param(NO_PATHS, "", id="none"),
    ],
)
def test_paths_are_written_by_their_digests_sorted_and_parsed_again(paths: ClaimedPaths, text: str) -> None:
    assert paths.text == text
    assert ClaimedPaths.parse(text) == paths


@pytest.mark.parametrize("text", ["..", "abcd", ".abcdef", "ab cde", "ä" * 5, "**", ".*", "abcde."])
def test_any_other_text_is_not_a_list_of_paths(text: str) -> None:
    assert ClaimedPaths.parse(text) is None


def test_a_path_without_a_digest_in_the_list_is_not_named() -> None:
    named = ClaimedPaths.of(["", "^/api"])
    assert [path in named for path in ("", "^/api", "^/admin", ".")] == [True, True, False, False]
    assert "^/anything" in EVERY_PATH
    assert "" not in NO_PATHS


def test_a_path_that_is_a_dot_is_not_the_one_without_a_path() -> None:
    assert ClaimedPaths.of(["."]).text == digest_of(".")


@given(one=PATHS, other=PATHS)
def test_paths_are_joined_and_taken_away_as_sets(one: list[str], other: list[str]) -> None:
    left, right = ClaimedPaths.of(one), ClaimedPaths.of(other)
    assert left | right == ClaimedPaths.of([*one, *other])
    assert left - right == ClaimedPaths.of(set(one) - set(other))
    assert bool(left) is bool(one)


@pytest.mark.parametrize("some", [NO_PATHS, ClaimedPaths.of(["", "^/a"]), EVERY_PATH], ids=["none", "some", "every"])
def test_every_path_holds_any_others(some: ClaimedPaths) -> None:
    assert some | EVERY_PATH == EVERY_PATH == EVERY_PATH | some
    assert some - EVERY_PATH == NO_PATHS


def test_every_path_without_some_is_still_every_path() -> None:
    assert EVERY_PATH - ClaimedPaths.of(["^/a"]) == EVERY_PATH
    assert EVERY_PATH - NO_PATHS == EVERY_PATH
