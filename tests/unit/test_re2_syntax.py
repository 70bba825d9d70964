"""Regular expressions: RE2 decides, except where Go's regexp is stricter."""

import re

import pytest

from tunnel_webhook.domain.cloudflared.re2_syntax import TOO_LARGE, compile_re2, re2_fault
from vocabulary.builders import rule


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "^/api(/|$)",
        "(?i)a",
        "(?P<name>a)",
        "(?<name>a)",
        "a{1000}",
        r"\pL",
        r"\Qa.b\E",
        r"\/",
        r"\-",
        r"\\C",
        r"\Q\C\E",
        r"\Q\C",
    ],
)
def test_an_expression_in_re2_is_accepted(expression: str) -> None:
    assert not re2_fault(expression)


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        pytest.param("(", r"missing \)", id="an open group"),
        pytest.param("*", "repetition", id="a repetition of nothing"),
        pytest.param("a{1001}", "repetition", id="more than 1000 repetitions"),
        pytest.param("(?=a)", r"\(\?=", id="a look-ahead"),
        pytest.param("(?<!a)", r"\(\?<", id="a look-behind"),
        pytest.param(r"(a)\1", "escape", id="a back-reference"),
    ],
)
def test_an_expression_that_re2_refuses_is_refused_in_its_words(expression: str, reason: str) -> None:
    assert re.search(reason, re2_fault(expression))


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        pytest.param(r"\C", r"invalid escape sequence: \\C", id="one byte of any kind"),
        pytest.param(r"\\\C", r"invalid escape sequence: \\C", id="one byte after an escaped backslash"),
        pytest.param(r"\Qa\E\C", r"invalid escape sequence: \\C", id="one byte after a quotation"),
        pytest.param("(?P<é>a)", "invalid named capture", id="a name that is not ASCII"),
    ],
)
def test_an_expression_that_only_go_refuses_is_refused(expression: str, reason: str) -> None:
    assert re.search(reason, re2_fault(expression))


def test_an_expression_is_searched_anywhere_and_is_case_sensitive() -> None:
    assert compile_re2("api").search("/v1/apiary")
    assert not compile_re2("api").search("/API")


@pytest.mark.parametrize(
    "expression",
    [
        pytest.param(r"\pL\pL", id="two Unicode classes"),
        pytest.param(".{1000}", id="a thousand of any character"),
        pytest.param(r"((a?){30}){30}!", id="nested repetitions"),
    ],
)
def test_an_expression_that_needs_more_than_32_kib_is_too_large(expression: str) -> None:
    assert re2_fault(expression) == TOO_LARGE
    assert compile_re2(expression)


@pytest.mark.parametrize(
    "expression",
    [
        pytest.param("^/" + "a" * 1015 + "(/|$)", id="1,024 characters"),
        pytest.param("^/" + "\N{GREEK SMALL LETTER ALPHA}" * 1015 + "(/|$)", id="1,024 characters of two bytes"),
        pytest.param("^/" + r"\." * 507 + "(/|$)", id="1,024 characters, escaped"),
        pytest.param(r"^/\pL+$", id="any letter"),
        pytest.param(
            "^/(api|v1)/[a-z0-9_-]+/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(/|$)", id="a UUID"
        ),
    ],
)
def test_an_expression_that_a_person_writes_is_not_too_large(expression: str) -> None:
    assert not re2_fault(expression)


def test_an_expression_that_a_person_stored_is_matched_however_large_it_is() -> None:
    assert rule("a.example.com", path=r"^/(\pL{300}|\pN{300}|b)$").matches("a.example.com", "/b")
