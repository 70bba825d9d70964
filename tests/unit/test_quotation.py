"""Quotations: short texts are whole, long ones are cut."""

from hypothesis import given
from hypothesis import strategies as st

from tunnel_webhook.domain.quotation import listed, quoted, shortened


def test_a_short_text_is_quoted_whole() -> None:
    assert quoted("a\nb") == r"'a\nb'"
    assert quoted("a" * 100) == repr("a" * 100)


def test_a_long_text_is_cut_and_its_length_is_given() -> None:
    assert quoted("a" * 10_000_000) == f"'{'a' * 100}'… (10000000 characters)"


def test_a_text_is_shortened_to_the_length_that_is_asked_for() -> None:
    assert shortened("a" * 253, 253) == "a" * 253
    assert shortened("a" * 254, 253) == "a" * 253 + "…"


def test_the_first_ten_of_many_names_are_listed_in_order() -> None:
    assert listed([]) == ""
    assert listed(["b", "a"]) == "a, b"
    assert listed([f"n{number:02}" for number in range(12)]).endswith("n08, n09 and 2 more")


@given(st.text(min_size=101))
def test_no_quotation_is_longer_than_ten_times_its_limit(text: str) -> None:
    assert len(quoted(text)) < 1100
