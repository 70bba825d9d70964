"""URLs as Go's `url.Parse` parses them, and the words in which it refuses the others (net/url/url.go)."""

import re

import pytest

from tunnel_webhook.domain.cloudflared.url import Url, parse_url


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("http://a", Url("http", "a", ""), id="scheme and host"),
        pytest.param("HTTP://A", Url("http", "A", ""), id="only the scheme becomes lower case"),
        pytest.param("http://a:8080", Url("http", "a", ""), id="a port"),
        pytest.param("http://a:", Url("http", "a", ""), id="an empty port"),
        pytest.param("http://a:99999", Url("http", "a", ""), id="a port out of range"),
        pytest.param("http://:80", Url("http", "", ""), id="a port without a host"),
        pytest.param("http://a/", Url("http", "a", "/"), id="a trailing slash"),
        pytest.param("http://a/b/c", Url("http", "a", "/b/c"), id="a path"),
        pytest.param("http://a?q=%zz", Url("http", "a", ""), id="a query, which is not checked"),
        pytest.param("http://a#f", Url("http", "a", ""), id="a fragment"),
        pytest.param("http://a/b%20c", Url("http", "a", "/b%20c"), id="an escape in a path"),
        pytest.param("http://u:p@a", Url("http", "a", ""), id="a user"),
        pytest.param("http://u@v@a", Url("http", "a", ""), id="the last @ ends the user"),
        pytest.param("http://[::1]:80", Url("http", "::1", ""), id="IPv6 with a port"),
        pytest.param("http://[::1]", Url("http", "::1", ""), id="IPv6"),
        pytest.param("http://[fe80::1%25eth0]", Url("http", "fe80::1%25eth0", ""), id="IPv6 with a zone"),
        pytest.param("http://[fe80::1%25a%20b]", Url("http", "fe80::1%25a%20b", ""), id="IPv6 with an escaped zone"),
        pytest.param(
            "http://[fe80::1%25a%25b]", Url("http", "fe80::1%25a%25b", ""), id="IPv6 with a percent in its zone"
        ),
        pytest.param("tcp://a:b:80", Url("tcp", "a:b", ""), id="colons before the port of anything but http"),
        pytest.param("http://b%C3%BCcher", Url("http", "b%C3%BCcher", ""), id="an escaped byte beyond ASCII"),
        pytest.param("http://bücher", Url("http", "bücher", ""), id="a character beyond ASCII"),
        pytest.param("http://a%25b", Url("http", "a%25b", ""), id="an escaped percent sign"),
        pytest.param("localhost:8080", Url("localhost", "", ""), id="a host before a colon is a scheme"),
        pytest.param("mailto:a@b", Url("mailto", "", ""), id="an opaque URL"),
        pytest.param("http:/a", Url("http", "", "/a"), id="one slash"),
        pytest.param("http:///a", Url("http", "", "/a"), id="three slashes"),
        pytest.param("//a", Url("", "a", ""), id="no scheme"),
        pytest.param("///a", Url("", "", "///a"), id="no scheme and three slashes"),
        pytest.param("a", Url("", "", "a"), id="only a path"),
        pytest.param("a/b:c", Url("", "", "a/b:c"), id="a colon after a slash"),
        pytest.param("", Url("", "", ""), id="empty"),
    ],
)
def test_go_parses_a_url(text: str, expected: Url) -> None:
    assert parse_url(text) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("http://a\nb", "net/url: invalid control character in URL", id="a control character"),
        pytest.param("http://a\x7f", "net/url: invalid control character in URL", id="a delete character"),
        pytest.param(":80", "missing protocol scheme", id="a leading colon"),
        pytest.param("1.2.3.4:80", "first path segment in URL cannot contain colon", id="an address is not a scheme"),
        pytest.param("http://a:b", 'invalid port ":b" after host', id="a port of letters"),
        pytest.param("http://a:80 ", 'invalid port ":80 " after host', id="a trailing space"),
        pytest.param("http://a:b:80", 'invalid port ":b:80" after host', id="two ports"),
        pytest.param("tcp://a:80x", 'invalid port ":80x" after host', id="a port of anything but http"),
        pytest.param("http://[::1]x", 'invalid port "x" after host', id="text after an IPv6 address"),
        pytest.param("http://[::1", "missing ']' in host", id="an open bracket"),
        pytest.param("http://a[::1]", "invalid IP-literal", id="text before a bracket"),
        pytest.param("http://[::g]", "invalid host: ", id="brackets around something else"),
        pytest.param("http://[1.2.3.4]", "invalid host: ", id="IPv4 in brackets"),
        pytest.param("http://[::1%25]", "invalid host: zone must be a non-empty string", id="an empty zone"),
        pytest.param("http://[::1%25%zz]", 'invalid URL escape "%zz"', id="a bad escape in a zone"),
        pytest.param("http://[::1%25%01]", 'invalid URL escape "%01"', id="an escaped control character in a zone"),
        pytest.param("http://[::1%25a|b]", 'invalid character "|" in host name', id="a bad character in a zone"),
        pytest.param("http://a b", 'invalid character " " in host name', id="a space in a host"),
        pytest.param("http://a|b", 'invalid character "|" in host name', id="a bad character in a host"),
        pytest.param("http://a%20b", 'invalid URL escape "%20"', id="an escaped space in a host"),
        pytest.param("http://a%", 'invalid URL escape "%"', id="an unfinished escape in a host"),
        pytest.param("http://a/%zz", 'invalid URL escape "%zz"', id="a bad escape in a path"),
        pytest.param("http://a#%zz", 'invalid URL escape "%zz"', id="a bad escape in a fragment"),
        pytest.param("http://u b@a", "net/url: invalid userinfo", id="a space in a user"),
        pytest.param("http://%zz@a", 'invalid URL escape "%zz"', id="a bad escape in a user"),
    ],
)
def test_go_refuses_a_url_in_its_own_words(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match="^" + re.escape(reason)):
        parse_url(text)
