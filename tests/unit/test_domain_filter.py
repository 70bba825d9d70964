"""The domain filter: which hostnames pass, as external-dns itself would say (endpoint/domain_filter.go)."""

import pytest

from tunnel_webhook.domain.errors import InvalidEndpoint, InvalidPattern
from tunnel_webhook.domain.external_dns.domain_filter import DomainFilter
from tunnel_webhook.domain.hostname import Hostname


@pytest.mark.parametrize(
    ("include", "exclude", "name", "passes"),
    [
        pytest.param([], [], "app.example.org", True, id="nothing set - every name"),
        pytest.param(["example.com"], [], "example.com", True, id="include - the name itself"),
        pytest.param(["example.com"], [], "app.example.com", True, id="include - a name below it"),
        pytest.param(["example.com"], [], "a.b.c.example.com", True, id="include - a name far below it"),
        pytest.param(["example.com"], [], "*.example.com", True, id="include - the wildcard below it"),
        pytest.param(["example.com"], [], "notexample.com", False, id="include - a name that only ends so"),
        pytest.param(["example.com"], [], "com", False, id="include - its parent"),
        pytest.param(["example.com", "example.org"], [], "app.example.org", True, id="include - any of several"),
        pytest.param([".example.com"], [], "app.example.com", True, id="include with a dot - a name below it"),
        pytest.param([".example.com"], [], "example.com", False, id="include with a dot - not the name itself"),
        pytest.param([], ["example.com"], "example.com", False, id="exclude - the name itself"),
        pytest.param([], ["example.com"], "app.example.com", False, id="exclude - a name below it"),
        pytest.param([], ["example.com"], "app.example.org", True, id="exclude - all others pass"),
        pytest.param([], [".example.com"], "example.com", True, id="exclude with a dot - not the name itself"),
        pytest.param([], [".example.com"], "app.example.com", False, id="exclude with a dot - a name below it"),
        pytest.param(
            ["example.com"], ["dev.example.com"], "app.example.com", True, id="both - included and not excluded"
        ),
        pytest.param(
            ["example.com"], ["dev.example.com"], "app.dev.example.com", False, id="both - included and excluded"
        ),
        pytest.param(
            ["dev.example.com"], ["example.com"], "app.dev.example.com", False, id="both - exclude is the stronger"
        ),
        pytest.param([" Example.COM. "], [], "app.example.com", True, id="include - in any spelling"),
        pytest.param(["bücher.de"], [], "app.xn--bcher-kva.de", True, id="include - in Unicode"),
        pytest.param([".bücher.de"], [], "xn--bcher-kva.de", False, id="include with a dot - in Unicode"),
    ],
)
def test_lists_match_a_name_or_what_is_below_it(
    include: list[str], exclude: list[str], name: str, *, passes: bool
) -> None:
    assert DomainFilter.parse(include, exclude).matches(Hostname.parse(name)) is passes


@pytest.mark.parametrize(
    ("include", "exclude", "name", "passes"),
    [
        pytest.param(r"example", "", "app.example.org", True, id="include - found anywhere"),
        pytest.param(r"^app\.", "", "app.example.com", True, id="include - found at its anchor"),
        pytest.param(r"^app\.", "", "my.app.example.com", False, id="include - not found"),
        pytest.param("", r"\.dev\.", "app.dev.example.com", False, id="exclude - found"),
        pytest.param("", r"\.dev\.", "app.example.com", True, id="exclude - all others pass"),
        pytest.param(r"example\.com$", r"\.dev\.", "app.example.com", True, id="both - included and not excluded"),
        pytest.param(r"example\.com$", r"\.dev\.", "app.dev.example.com", False, id="both - exclude is the stronger"),
        pytest.param(r"example\.com$", r"\.dev\.", "app.example.org", False, id="both - neither"),
        pytest.param(r"^bücher\.de$", "", "xn--bcher-kva.de", True, id="include - the Unicode form is searched"),
        pytest.param(r"^xn--", "", "xn--bcher-kva.de", False, id="include - the A-labels are not"),
        pytest.param(r"Example", "", "app.example.com", False, id="include - case counts"),
    ],
)
def test_regular_expressions_are_searched_anywhere_in_the_unicode_form(
    include: str, exclude: str, name: str, *, passes: bool
) -> None:
    chosen = DomainFilter.parse(regex_include=include, regex_exclude=exclude)
    assert chosen.matches(Hostname.parse(name)) is passes


def test_the_names_of_a_filter_are_told_in_one_form_and_order() -> None:
    chosen = DomainFilter.parse(["Example.org.", ".bücher.de", "example.org"], ["b.example.org", "a.example.org"])
    assert chosen.include == (".xn--bcher-kva.de", "example.org")
    assert chosen.exclude == ("a.example.org", "b.example.org")


@pytest.mark.parametrize("name", ["", ".", "app..example.com", "*", "http://example.com"])
def test_a_filter_of_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidEndpoint, match="is not a hostname"):
        DomainFilter.parse([name])


@pytest.mark.parametrize(("include", "exclude"), [("(?=a)", ""), ("", "(?=a)"), ("a", "(?=a)")])
def test_a_filter_that_re2_does_not_accept_is_refused(include: str, exclude: str) -> None:
    with pytest.raises(InvalidPattern, match=r"'\(\?=a\)' is not a regular expression that RE2 accepts: "):
        DomainFilter.parse(regex_include=include, regex_exclude=exclude)


@pytest.mark.parametrize(("include", "exclude"), [(["example.com"], []), ([], ["example.com"])])
@pytest.mark.parametrize(("regex_include", "regex_exclude"), [("a", ""), ("", "a")])
def test_names_and_regular_expressions_exclude_each_other(
    include: list[str], exclude: list[str], regex_include: str, regex_exclude: str
) -> None:
    with pytest.raises(InvalidPattern, match="not both"):
        DomainFilter.parse(include, exclude, regex_include, regex_exclude)
