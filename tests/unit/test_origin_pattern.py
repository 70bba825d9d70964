"""Patterns of origins: compared parsed, so that no spelling slips through."""

import pytest

from tunnel_webhook.domain.external_dns.origin_pattern import OriginPattern, OriginScope

SCOPE = OriginScope("team-a", "cluster.local", "https://ingress.infra.svc.cluster.local:443")
ORIGINS = (
    "http://app.team-a.svc.cluster.local:8080",
    "https://pod.app.team-a.svc",
    "http://a.pod.app.team-a.svc",
    "http://app.team-b.svc.cluster.local:8080",
    "http://app.team-a.svc.example.org:80",
    "http://team-a.svc",
    "https://ingress.infra.svc.cluster.local",
    "http://10.0.0.5",
    "http://10.0.0.5:8080",
    "http://[::ffff:10.0.0.5]:80",
    "http://[fd00::1]:80",
    "https://10.0.0.5:80",
    "http://10-0-0-5.x.pod:80",
    "http://10.0.evil.com",
    "http_status:404",
    "hello_world",
    "unix:/run/app.sock",
)


@pytest.mark.parametrize(
    ("pattern", "accepted"),
    [
        pytest.param("same-namespace", {0, 1, 14}, id="the endpoint's own namespace, and a status"),
        pytest.param("default-origin", {6}, id="DEFAULT_ORIGIN, with or without its port"),
        pytest.param("any", set(range(17)), id="any"),
        pytest.param("http://app.team-a.svc.cluster.local:*", {0}, id="a host on any port"),
        pytest.param("http://APP.team-a.svc.cluster.local.:8080/", {0}, id="a host in another spelling"),
        pytest.param("http://app.team-a.svc.cluster.local", set(), id="without a port it is the one of the scheme"),
        pytest.param("http://*.cluster.local:8080", {0, 3}, id="hosts below a name"),
        pytest.param("http://10.0.0.5", {7, 9}, id="an address on the scheme's own port"),
        pytest.param("http://10.0.0.0/8:*", {7, 8, 9}, id="M1: a network holds no name"),
        pytest.param("http://[fd00::/8]", {10}, id="a network of IPv6"),
        pytest.param("http://[fd00::1]:80", {10}, id="an address of IPv6"),
        pytest.param("http_status:404", {14}, id="a status"),
        pytest.param("http_status:*", {14}, id="every status"),
        pytest.param("http_status:403", set(), id="another status"),
        pytest.param("hello_world", {15}, id="the test server"),
        pytest.param("unix:/run/app.sock", {16}, id="a socket"),
        pytest.param("unix:/run/*", set(), id="a star is a part of the path of a socket"),
    ],
)
def test_a_pattern_accepts_origins(pattern: str, accepted: set[int]) -> None:
    assert {
        number for number, origin in enumerate(ORIGINS) if OriginPattern(pattern).accepts(origin, SCOPE)
    } == accepted


@pytest.mark.parametrize(
    ("pattern", "touched"),
    [
        pytest.param("http://10.0.0.0/8:80", {7, 9, 12}, id="a network touches a name that spells an address"),
        pytest.param("http://10.0.0.5:*", {7, 8, 9, 12}, id="and so does an address"),
    ],
)
def test_a_pattern_touches_whatever_leads_to_an_address(pattern: str, touched: set[int]) -> None:
    assert {number for number, origin in enumerate(ORIGINS) if OriginPattern(pattern).touches(origin, SCOPE)} == touched


@pytest.mark.parametrize("pattern", ["same-namespace", "default-origin"])
def test_without_a_namespace_or_a_default_origin_there_is_none_to_match(pattern: str) -> None:
    assert [each for each in ORIGINS if OriginPattern(pattern).accepts(each, OriginScope())] in (
        [],
        ["http_status:404"],
    )


@pytest.mark.parametrize(
    ("pattern", "literal"),
    [
        ("http://localhost:8080", True),
        ("http://[::1]", True),
        ("unix:/run/app.sock", True),
        ("http://localhost:*", False),
        ("http://*.example.com", False),
        ("http://127.0.0.0/8", False),
        ("any", False),
        ("same-namespace", False),
        ("default-origin", False),
        ("http_status:*", False),
    ],
)
def test_only_a_pattern_that_names_one_origin_is_literal(pattern: str, literal: bool) -> None:  # noqa: FBT001 -- a table
    assert OriginPattern(pattern).is_literal is literal


@pytest.mark.parametrize(
    "text",
    [
        "",
        "app",
        "*",
        "http://*",
        "http://10.0.*",
        "http://a.*.example.com",
        "http://10.0.0.1/8",
        "http://10.0.0.0/33",
        "http://[10.0.0.0]",
        "http://app:0",
        "http://app:70000",
        "http://app/path",
        "*://app",
        "ftp://app",
        "http://127.1",
        "http://user@app",
        "http_status:x",
        "Same-Namespace",
    ],
)
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a pattern of origins: accepted are same-namespace"):
        OriginPattern(text)
