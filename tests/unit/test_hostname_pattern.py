"""Patterns of hostnames: what they cover, what they touch, and what is no pattern."""

import pytest

from tunnel_webhook.domain.external_dns.hostname_pattern import HostnamePattern
from tunnel_webhook.domain.hostname import Hostname

NAMES = (
    "example.com",
    "a.example.com",
    "pr-1.example.com",
    "b.a.example.com",
    "pr-1.a.example.com",
    "example.com.org",
    "badexample.com",
    "*.example.com",
    "*.a.example.com",
    "*.com",
    "*.org",
)


@pytest.mark.parametrize(
    ("pattern", "covered", "touched"),
    [
        pytest.param("A.Example.com", {"a.example.com"}, {"a.example.com", "*.example.com", "*.com"}, id="a name"),
        pytest.param(
            "*.example.com",
            {"a.example.com", "pr-1.example.com", "b.a.example.com", "pr-1.a.example.com", "*.example.com"}
            | {"*.a.example.com"},
            {"a.example.com", "pr-1.example.com", "b.a.example.com", "pr-1.a.example.com", "*.example.com"}
            | {"*.a.example.com", "*.com"},
            id="every name below, but not the apex",
        ),
        pytest.param(
            "*.a.example.com",
            {"b.a.example.com", "pr-1.a.example.com", "*.a.example.com"},
            {"b.a.example.com", "pr-1.a.example.com", "*.a.example.com", "*.example.com", "*.com"},
            id="a wildcard covers no wildcard above it, and touches it",
        ),
        pytest.param(
            "pr-*.example.com",
            {"pr-1.example.com"},
            {"pr-1.example.com", "*.example.com", "*.com"},
            id="M1: a star in a label never crosses a dot, and covers no wildcard",
        ),
        pytest.param(
            "p*-1.example.com",
            {"pr-1.example.com"},
            {"pr-1.example.com", "*.example.com", "*.com"},
            id="a star in the middle of a label",
        ),
        pytest.param("*.org", {"example.com.org", "*.org"}, {"example.com.org", "*.org"}, id="another zone"),
        pytest.param("pr-1-*1.example.com", set(), {"*.example.com", "*.com"}, id="both ends need room"),
    ],
)
def test_a_pattern_covers_whole_hostnames_and_touches_wildcards_that_hold_some(
    pattern: str, covered: set[str], touched: set[str]
) -> None:
    parsed = HostnamePattern.parse(pattern)
    assert {name for name in NAMES if parsed.covers(Hostname(name))} == covered
    assert {name for name in NAMES if parsed.touches(Hostname(name))} == touched


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("*", id="only a star"),
        pytest.param("*.", id="a star without a domain"),
        pytest.param("a.*.example.com", id="a star in another label"),
        pytest.param("**.example.com", id="two stars"),
        pytest.param("*a*.example.com", id="two stars in a label"),
        pytest.param("?.example.com", id="M1: a question mark"),
        pytest.param("[!a].example.com", id="M1: a class"),
        pytest.param("team-*.exa mple.com", id="a space"),
        pytest.param("-*.example.com", id="a label that no hostname has"),
        pytest.param(".example.com", id="a leading dot"),
        pytest.param("https://a.example.com", id="a URL"),
    ],
)
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a pattern of hostnames: accepted are"):
        HostnamePattern.parse(text)


@pytest.mark.parametrize(
    "text", ["a.example.com", "*.example.com", "pr-*.example.com", "*-pr.xn--bcher-kva.example.com"]
)
def test_a_pattern_is_shown_as_it_is_written(text: str) -> None:
    assert str(HostnamePattern.parse(text)) == text
