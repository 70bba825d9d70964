"""Regular expressions: RE2 decides, except where Go's regexp is stricter."""

import pytest

from tunnel_webhook.domain.cloudflared.re2_syntax import compile_re2


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
    compile_re2(expression)


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
    with pytest.raises(ValueError, match=reason):
        compile_re2(expression)


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
    with pytest.raises(ValueError, match=reason):
        compile_re2(expression)


def test_an_expression_is_searched_anywhere_and_is_case_sensitive() -> None:
    assert compile_re2("api").search("/v1/apiary")
    assert not compile_re2("api").search("/API")
