"""The domain filter: which hostnames it matches, exactly as external-dns does (endpoint/domain_filter.go)."""

import pytest

from tunnel_webhook.domain.errors import InvalidEndpoint, InvalidPattern
from tunnel_webhook.domain.external_dns.domain_filter import DomainFilter
from tunnel_webhook.domain.hostname import Hostname


@pytest.mark.parametrize(
    ("include", "exclude", "name", "matches"),
    [
        pytest.param([], [], "app.example.org", True, id="nothing set - every name"),
        pytest.param(["example.com"], [], "example.com", True, id="include - the name itself"),
        pytest.param(["example.com"], [], "app.example.com", True, id="include - a name below it"),
        pytest.param(["example.com"], [], "a.b.c.example.com", True, id="include - a name several labels below it"),
        pytest.param(["example.com"], [], "*.example.com", True, id="include - the wildcard below it"),
        pytest.param(["example.com"], [], "notexample.com", False, id="include - a name that ends in it without a dot"),
        pytest.param(["example.com"], [], "com", False, id="include - its parent"),
        pytest.param(["example.com", "example.org"], [], "app.example.org", True, id="include - any of several"),
        pytest.param([".example.com"], [], "app.example.com", True, id="include with a leading dot - a name below it"),
        pytest.param([".example.com"], [], "example.com", False, id="include with a leading dot - not the name itself"),
        pytest.param([], ["example.com"], "example.com", False, id="exclude - the name itself"),
        pytest.param([], ["example.com"], "app.example.com", False, id="exclude - a name below it"),
        pytest.param([], ["example.com"], "app.example.org", True, id="exclude - any other name"),
        pytest.param([], [".example.com"], "example.com", True, id="exclude with a leading dot - not the name itself"),
        pytest.param([], [".example.com"], "app.example.com", False, id="exclude with a leading dot - a name below it"),
        pytest.param(
            ["example.com"], ["dev.example.com"], "app.example.com", True, id="both - included and not excluded"
        ),
        pytest.param(
            ["example.com"], ["dev.example.com"], "app.dev.example.com", False, id="both - included and excluded"
        ),
        pytest.param(["dev.example.com"], ["example.com"], "app.dev.example.com", False, id="both - exclude wins"),
        pytest.param([" Example.COM. "], [], "app.example.com", True, id="include - in any spelling"),
        pytest.param(["bücher.de"], [], "app.xn--bcher-kva.de", True, id="include - in Unicode"),
        pytest.param([".bücher.de"], [], "xn--bcher-kva.de", False, id="include with a leading dot - in Unicode"),
    ],
)
def test_a_list_matches_a_name_and_the_names_below_it(
    include: list[str], exclude: list[str], name: str, *, matches: bool
) -> None:
    assert DomainFilter.parse(include, exclude).matches(Hostname.parse(name)) is matches


@pytest.mark.parametrize(
    ("include", "exclude", "name", "matches"),
    [
        pytest.param(r"example", "", "app.example.org", True, id="include - found anywhere"),
        pytest.param(r"^app\.", "", "app.example.com", True, id="include - found at the anchor"),
        pytest.param(r"^app\.", "", "my.app.example.com", False, id="include - not found"),
        pytest.param("", r"\.dev\.", "app.dev.example.com", False, id="exclude - found"),
        pytest.param("", r"\.dev\.", "app.example.com", True, id="exclude - any other name"),
        pytest.param(r"example\.com$", r"\.dev\.", "app.example.com", True, id="both - included and not excluded"),
        pytest.param(r"example\.com$", r"\.dev\.", "app.dev.example.com", False, id="both - exclude wins"),
        pytest.param(r"example\.com$", r"\.dev\.", "app.example.org", False, id="both - neither"),
        pytest.param(r"^bücher\.de$", "", "xn--bcher-kva.de", True, id="include - the Unicode form is searched"),
        pytest.param(r"^\*\.a_b\.bücher\.de$", "", "*.a_b.xn--bcher-kva.de", True, id="include - label by label"),
        pytest.param(r"^xn--", "", "xn--bcher-kva.de", False, id="include - the A-labels are not searched"),
        pytest.param(r"Example", "", "app.example.com", False, id="include - in another case"),
    ],
)
def test_a_regular_expression_is_searched_anywhere_in_the_unicode_form(
    include: str, exclude: str, name: str, *, matches: bool
) -> None:
    domain_filter = DomainFilter.parse(regex_include=include, regex_exclude=exclude)
    assert domain_filter.matches(Hostname.parse(name)) is matches


def test_the_names_of_a_filter_are_canonical_sorted_and_unique() -> None:
    domain_filter = DomainFilter.parse(
        ["Example.org.", ".bücher.de", "example.org"], ["b.example.org", "a.example.org"]
    )
    assert domain_filter.include == (".xn--bcher-kva.de", "example.org")
    assert domain_filter.exclude == ("a.example.org", "b.example.org")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("Not a name", id="spaces"),
        pytest.param("Example.com", id="upper case"),
        pytest.param("example.com.", id="a trailing dot"),
        pytest.param(".Example.com", id="upper case after the leading dot"),
    ],
)
def test_a_filter_of_a_name_that_is_not_canonical_cannot_exist(name: str) -> None:
    with pytest.raises(InvalidEndpoint, match="is not a hostname"):
        DomainFilter(include=(name,))
    with pytest.raises(InvalidEndpoint, match="is not a hostname"):
        DomainFilter(exclude=(name,))


@pytest.mark.parametrize("name", ["", ".", "app..example.com", "*", "http://example.com"])
def test_a_filter_of_an_invalid_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidEndpoint, match="is not a hostname"):
        DomainFilter.parse([name])


@pytest.mark.parametrize(
    ("include", "exclude"), [("(?=a)", ""), ("", "(?=a)"), ("a", "(?=a)")], ids=["include", "exclude", "both"]
)
def test_an_expression_that_is_not_re2_is_refused(include: str, exclude: str) -> None:
    with pytest.raises(InvalidPattern, match=r"'\(\?=a\)' is not a regular expression that RE2 accepts: "):
        DomainFilter.parse(regex_include=include, regex_exclude=exclude)


@pytest.mark.parametrize(("include", "exclude"), [(["example.com"], []), ([], ["example.com"])])
@pytest.mark.parametrize(("regex_include", "regex_exclude"), [("a", ""), ("", "a")])
def test_lists_and_regular_expressions_cannot_be_combined(
    include: list[str], exclude: list[str], regex_include: str, regex_exclude: str
) -> None:
    with pytest.raises(InvalidPattern, match="not both"):
        DomainFilter.parse(include, exclude, regex_include, regex_exclude)


@pytest.mark.parametrize(
    ("domain_filter", "zone", "concerned"),
    [
        (DomainFilter(), "example.com", True),
        (DomainFilter(regex_include="^x$"), "example.com", True),
        (DomainFilter(regex_exclude="."), "example.com", True),
        (DomainFilter(("example.com",)), "example.com", True),
        (DomainFilter((".example.com",)), "example.com", True),
        (DomainFilter(("*.example.com",)), "example.com", True),
        (DomainFilter(("com",)), "example.com", True),
        (DomainFilter(("a.example.com",)), "example.com", True),
        (DomainFilter(("example.org",)), "example.com", False),
        (DomainFilter(("anexample.com",)), "example.com", False),
        (DomainFilter(("example.com",)), "anexample.com", False),
        (DomainFilter(exclude=("example.com",)), "example.com", False),
        (DomainFilter(exclude=(".com",)), "example.com", False),
        (DomainFilter(exclude=(".example.com",)), "example.com", True),
        (DomainFilter(exclude=("a.example.com",)), "example.com", True),
        (DomainFilter(("a.example.com",), ("example.com",)), "example.com", False),
        (DomainFilter(("example.com",), ("a.example.com",)), "a.example.com", False),
    ],
    ids=[
        "nothing set",
        "an expression that matches nothing in it",
        "an expression that excludes everything",
        "the zone itself",
        "the names below the zone",
        "a wildcard in the zone",
        "a name above the zone",
        "a name below the zone",
        "another name",
        "a longer name that only ends like the zone",
        "a shorter name that the zone only ends like",
        "the zone is excluded",
        "all names below a name above the zone are excluded",
        "all names below the zone are excluded, but not the zone",
        "a part of the zone is excluded",
        "included, and the whole zone is excluded",
        "a zone that is an excluded part of another",
    ],
)
def test_a_zone_is_concerned_if_a_hostname_in_it_may_pass(
    domain_filter: DomainFilter,
    zone: str,
    concerned: bool,  # noqa: FBT001 -- a parameter of the table
) -> None:
    assert domain_filter.concerns(zone) is concerned
