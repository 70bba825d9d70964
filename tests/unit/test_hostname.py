"""Hostnames: the one form of a name, the alias that cloudflared gives one, and the zone that holds one."""

import pytest

from tunnel_webhook.domain.cloudflared.alias import alias_of
from tunnel_webhook.domain.errors import InvalidEndpoint
from tunnel_webhook.domain.hostname import Hostname, zone_of

LONGEST_LABEL = "a" * 63
LONGEST = ".".join([LONGEST_LABEL] * 3 + ["a" * 61])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("app.example.com", "app.example.com", id="as it is"),
        pytest.param("App.EXAMPLE.com", "app.example.com", id="upper case"),
        pytest.param("app.example.com.", "app.example.com", id="a trailing dot"),
        pytest.param(" app.example.com\n", "app.example.com", id="space around it"),
        pytest.param("*.example.com", "*.example.com", id="a wildcard"),
        pytest.param("under_score.example.com", "under_score.example.com", id="an underscore"),
        pytest.param("_acme.example.com", "_acme.example.com", id="an underscore first"),
        pytest.param("com", "com", id="one label"),
        pytest.param("1.2.3.4", "1.2.3.4", id="digits"),
        pytest.param("bücher.de", "xn--bcher-kva.de", id="a U-label"),
        pytest.param("BÜCHER.de.", "xn--bcher-kva.de", id="a U-label in upper case"),
        pytest.param("*.bücher.de", "*.xn--bcher-kva.de", id="a wildcard over a U-label"),
        pytest.param("under_score.bücher.de", "under_score.xn--bcher-kva.de", id="an underscore beside a U-label"),
        pytest.param("XN--Bcher-KVA.de", "xn--bcher-kva.de", id="an A-label in upper case"),
        pytest.param("straße.de", "xn--strae-oqa.de", id="a sharp s, which IDNA 2008 keeps"),
        pytest.param("app。example。com", "app.example.com", id="ideographic full stops"),
        pytest.param(LONGEST, LONGEST, id="63 a label and 253 in all"),
    ],
)
def test_a_name_has_one_form(text: str, expected: str) -> None:
    assert Hostname.parse(text) == expected
    assert Hostname.parse(expected) == expected


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param(".", id="only a dot"),
        pytest.param("*", id="only a wildcard"),
        pytest.param("app..example.com", id="an empty label"),
        pytest.param(".example.com", id="a leading dot"),
        pytest.param("app.example.com..", id="two trailing dots"),
        pytest.param("-app.example.com", id="a leading hyphen"),
        pytest.param("app-.example.com", id="a trailing hyphen"),
        pytest.param("*app.example.com", id="a wildcard that is part of a label"),
        pytest.param("app.*.example.com", id="a wildcard in the middle"),
        pytest.param("*.*.example.com", id="two wildcards"),
        pytest.param("app example.com", id="a space"),
        pytest.param("app.example.com:80", id="a port"),
        pytest.param("http://app.example.com", id="a URL"),
        pytest.param("a" * 64 + ".example.com", id="a label of 64"),
        pytest.param("a." + LONGEST, id="255 in all"),
        pytest.param("ü" * 60 + ".example.com", id="a label of 64 once encoded"),
    ],
)
def test_what_dns_cannot_hold_is_no_hostname(text: str) -> None:
    with pytest.raises(InvalidEndpoint, match=r"is not a hostname"):
        Hostname.parse(text)


@pytest.mark.parametrize("text", ["☃.example.com", "xn--n3h.example.com", "xn--a.example.com", "a\u200db.example.com"])
def test_what_idna_2008_refuses_is_no_hostname_and_says_so(text: str) -> None:
    with pytest.raises(InvalidEndpoint, match=r"is not a hostname under IDNA 2008: "):
        Hostname.parse(text)


@pytest.mark.parametrize(
    ("hostname", "expected"),
    [
        pytest.param("app.example.com", "", id="plain"),
        pytest.param("App.example.com", "app.example.com", id="upper case"),
        pytest.param("bücher.de", "xn--bcher-kva.de", id="a U-label"),
        pytest.param("xn--bcher-kva.de", "", id="an A-label"),
        pytest.param("XN--BCHER-KVA.de", "xn--bcher-kva.de", id="an A-label in upper case"),
        pytest.param("☃.de", "xn--n3h.de", id="a symbol, which UTS 46 lets pass"),
        pytest.param("App..de", "app..de", id="an empty label"),
        pytest.param("*.bücher.de", "", id="a wildcard has none"),
        pytest.param("Under_score.de", "", id="an underscore has none"),
        pytest.param("xn--a.de", "", id="an A-label that stands for nothing has none"),
        pytest.param("xn---foo.de", "", id="an A-label without a basic part has none"),
        pytest.param("-App.de", "", id="a leading hyphen has none"),
        pytest.param("App-.de", "", id="a trailing hyphen has none"),
        pytest.param("Ab--cd.de", "", id="two hyphens in the third place have none"),
        pytest.param("\u0301a.de", "", id="a leading combiner has none"),
        pytest.param("אב.de", "xn--4dbc.de", id="right to left"),
        pytest.param("אa.de", "", id="right and left mixed have none"),
        pytest.param("a\u200db.de", "", id="a joiner out of place has none"),
        pytest.param("ශ්\u200dරී.com", "xn--10cl1a0b660p.com", id="a joiner after a virama"),
    ],
)
def test_cloudflared_knows_a_name_under_its_alias_too(hostname: str, expected: str) -> None:
    assert alias_of(hostname) == expected


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        pytest.param("example.com", "example.com", id="the zone itself"),
        pytest.param("app.example.com", "example.com", id="below it"),
        pytest.param("a.b.c.example.com", "example.com", id="far below it"),
        pytest.param("*.example.com", "example.com", id="a wildcard"),
        pytest.param("app.dev.example.com", "dev.example.com", id="the longest wins"),
        pytest.param("dev.example.com", "dev.example.com", id="the longest wins at its apex"),
        pytest.param("com", None, id="above it"),
        pytest.param("example.org", None, id="elsewhere"),
    ],
)
def test_the_zone_of_a_hostname_is_the_longest_that_holds_it(name: str, zone: str | None) -> None:
    zones = {each: each for each in ("example.com", "dev.example.com")}
    assert zone_of(Hostname.parse(name), zones) == zone


def test_a_zone_ends_a_hostname_only_at_a_dot() -> None:
    assert zone_of(Hostname.parse("www.notexample.com"), {"example.com": "zone"}) is None
