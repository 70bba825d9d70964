"""Aliases: the second name under which cloudflared knows a rule's hostname (Go's `idna.Lookup`)."""

import pytest

from tunnel_webhook.domain.cloudflared.alias import alias_of


@pytest.mark.parametrize(
    ("hostname", "alias"),
    [
        pytest.param("App.example.com", "app.example.com", id="upper case"),
        pytest.param("bücher.de", "xn--bcher-kva.de", id="a U-label"),
        pytest.param("XN--BCHER-KVA.de", "xn--bcher-kva.de", id="an A-label in upper case"),
        pytest.param("☃.de", "xn--n3h.de", id="a symbol, which UTS 46 accepts"),
        pytest.param("App..de", "app..de", id="an empty label"),
        pytest.param("אב.de", "xn--4dbc.de", id="right to left"),
        pytest.param("ශ්\u200dරී.com", "xn--10cl1a0b660p.com", id="a joiner after a virama"),
    ],
)
def test_a_hostname_has_an_alias(hostname: str, alias: str) -> None:
    assert alias_of(hostname) == alias


@pytest.mark.parametrize(
    "hostname",
    [
        pytest.param("app.example.com", id="lower-case ASCII"),
        pytest.param("xn--bcher-kva.de", id="an A-label"),
        pytest.param("*.bücher.de", id="a wildcard"),
        pytest.param("Under_score.de", id="an underscore"),
        pytest.param("xn--a.de", id="an A-label that encodes nothing"),
        pytest.param("xn---foo.de", id="an A-label without a basic part"),
        pytest.param("-App.de", id="a leading hyphen"),
        pytest.param("App-.de", id="a trailing hyphen"),
        pytest.param("Ab--cd.de", id="two hyphens in the third place"),
        pytest.param("\u0301a.de", id="a leading combiner"),
        pytest.param("אa.de", id="right to left and left to right in one label"),
        pytest.param("a\u0660.de", id="an Arabic digit in a left-to-right label"),
        pytest.param("a\u200db.de", id="a misplaced joiner"),
    ],
)
def test_a_hostname_has_no_alias(hostname: str) -> None:
    assert alias_of(hostname) == ""
