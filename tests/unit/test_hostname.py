"""Hostnames: the one form of a name, and the zone that holds a name."""

import pytest

from tunnel_webhook.domain.errors import InvalidEndpoint, Reason
from tunnel_webhook.domain.hostname import Hostname, zone_of

LONGEST_LABEL = "a" * 63
LONGEST = ".".join([LONGEST_LABEL] * 3 + ["a" * 61])


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        pytest.param("app.example.com", "app.example.com", id="canonical already"),
        pytest.param("App.EXAMPLE.com", "app.example.com", id="upper case"),
        pytest.param("app.example.com.", "app.example.com", id="a trailing dot"),
        pytest.param(" app.example.com\n", "app.example.com", id="surrounding space"),
        pytest.param("*.example.com", "*.example.com", id="a wildcard"),
        pytest.param("under_score.example.com", "under_score.example.com", id="an underscore"),
        pytest.param("_acme.example.com", "_acme.example.com", id="a leading underscore"),
        pytest.param("com", "com", id="one label"),
        pytest.param("1.2.3.4", "1.2.3.4", id="digits"),
        pytest.param("bücher.de", "xn--bcher-kva.de", id="a U-label"),
        pytest.param("BÜCHER.de.", "xn--bcher-kva.de", id="a U-label in upper case"),
        pytest.param("*.bücher.de", "*.xn--bcher-kva.de", id="a wildcard over a U-label"),
        pytest.param("under_score.bücher.de", "under_score.xn--bcher-kva.de", id="an underscore beside a U-label"),
        pytest.param("XN--Bcher-KVA.de", "xn--bcher-kva.de", id="an A-label in upper case"),
        pytest.param("straße.de", "xn--strae-oqa.de", id="a sharp s, which IDNA 2008 keeps"),
        pytest.param("xn--s28h.example.com", "xn--s28h.example.com", id="the A-label of an emoji"),
        pytest.param("🍪.example.com", "xn--hj8h.example.com", id="an emoji"),
        pytest.param("_dmarc.☃.example.com", "_dmarc.xn--n3h.example.com", id="an underscore beside a symbol"),
        pytest.param("*.א.example.com", "*.xn--4db.example.com", id="a wildcard over a label from right to left"),
        pytest.param("app。example。com", "app.example.com", id="ideographic full stops"),
        pytest.param(LONGEST, LONGEST, id="63 characters per label and 253 in all"),
    ],
)
def test_a_name_has_one_form(text: str, canonical: str) -> None:
    assert Hostname.parse(text) == canonical
    assert Hostname(canonical) == canonical


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("not a HOST", id="not a hostname"),
        pytest.param("App.example.com", id="upper case"),
        pytest.param("app.example.com.", id="a trailing dot"),
        pytest.param(" app.example.com", id="surrounding space"),
        pytest.param("bücher.de", id="a U-label"),
        pytest.param("", id="empty"),
    ],
)
def test_a_hostname_that_is_not_canonical_cannot_exist(text: str) -> None:
    with pytest.raises(InvalidEndpoint, match="is not a hostname") as error:
        Hostname(text)
    assert error.value.reason is Reason.INVALID_HOSTNAME


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param(".", id="only a dot"),
        pytest.param("*", id="only a wildcard"),
        pytest.param("app..example.com", id="an empty label"),
        pytest.param(".example.com", id="a leading dot"),
        pytest.param("app.example.com..", id="two trailing dots"),
        pytest.param("-app.example.com", id="a leading hyphen"),
        pytest.param("app-.example.com", id="a trailing hyphen"),
        pytest.param("*app.example.com", id="a wildcard in a label"),
        pytest.param("app.*.example.com", id="a wildcard in the middle"),
        pytest.param("*.*.example.com", id="two wildcards"),
        pytest.param("app example.com", id="a space"),
        pytest.param("app.example.com:80", id="a port"),
        pytest.param("http://app.example.com", id="a URL"),
        pytest.param("a" * 64 + ".example.com", id="a label of 64 characters"),
        pytest.param("a." + LONGEST, id="255 characters in all"),
        pytest.param("ü" * 60 + ".example.com", id="a label of more than 63 characters once encoded"),
    ],
)
def test_a_name_that_dns_cannot_hold_is_not_a_hostname(text: str) -> None:
    with pytest.raises(InvalidEndpoint, match=r"is not a hostname"):
        Hostname.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("xn--a.example.com", id="an A-label that encodes nothing"),
        pytest.param("_\u00a1.example.com", id="an underscore in a U-label"),
        pytest.param("a\u200db.example.com", id="a misplaced joiner"),
        pytest.param("xn--abc-.example.com", id="an A-label of ASCII"),
        pytest.param("-ü.example.com", id="a misplaced hyphen"),
        pytest.param("אa.example.com", id="both directions in a label"),
        pytest.param("1.א.example.com", id="a digit before a label from right to left"),
    ],
)
def test_a_name_that_cloudflared_would_not_look_up_is_not_a_hostname(text: str) -> None:
    with pytest.raises(InvalidEndpoint, match=r"is not a hostname"):
        Hostname.parse(text)


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        pytest.param("example.com", "example.com", id="the zone itself"),
        pytest.param("app.example.com", "example.com", id="below it"),
        pytest.param("a.b.c.example.com", "example.com", id="several labels below it"),
        pytest.param("*.example.com", "example.com", id="a wildcard"),
        pytest.param("app.dev.example.com", "dev.example.com", id="the longest wins"),
        pytest.param("dev.example.com", "dev.example.com", id="the longest wins at its own name"),
        pytest.param("com", None, id="its parent"),
        pytest.param("example.org", None, id="elsewhere"),
        pytest.param("www.notexample.com", None, id="a name that ends in it without a dot"),
    ],
)
def test_the_zone_of_a_hostname_is_the_longest_that_holds_it(name: str, zone: str | None) -> None:
    zones = {"example.com": "example.com", "dev.example.com": "dev.example.com"}
    assert zone_of(Hostname(name), zones) == zone
