"""Rules and documents: matched as cloudflared matches them, and read and written again without losing a character."""

import json

import pytest

from tunnel_webhook.domain.cloudflared.ingress import CATCH_ALL, IngressRule, TunnelConfiguration, without_port
from tunnel_webhook.domain.errors import InvalidConfiguration
from vocabulary.builders import configuration, rule


@pytest.mark.parametrize(
    ("hostname", "request_host", "matches"),
    [
        pytest.param("*.example.com", "a.example.com", True, id="a wildcard - one label below"),
        pytest.param("*.example.com", "a.b.c.example.com", True, id="a wildcard - any depth"),
        pytest.param("*.example.com", "a.example.com:8443", True, id="a wildcard - a port means nothing"),
        pytest.param("*.example.com", "example.com", False, id="a wildcard - not its parent"),
        pytest.param("*.api.abc.cloud", "testing-api.abc.cloud", False, id="a wildcard - only at a dot"),
        pytest.param("*example.com", "a.example.com", False, id="a wildcard without a dot - nothing below"),
        pytest.param("*example.com", "aexample.com", False, id="a wildcard without a dot - nothing that ends so"),
        pytest.param("*example.com", "*example.com", True, id="a wildcard without a dot - itself literally"),
        pytest.param("example.com", "example.com", True, id="exact"),
        pytest.param("example.com", "EXAMPLE.com", False, id="exact - case counts"),
        pytest.param("example.com", "example.com.", False, id="exact - dots are not trimmed"),
        pytest.param("example.com", "a.example.com", False, id="exact - nothing below"),
        pytest.param("Example.com", "example.com", True, id="upper case - by its alias"),
        pytest.param("Example.com", "Example.com", True, id="upper case - as it is"),
        pytest.param("*.Example.com", "a.example.com", False, id="a wildcard in upper case - has no alias"),
        pytest.param("bücher.de", "xn--bcher-kva.de", True, id="a U-label - by its alias"),
        pytest.param("*.bücher.de", "a.xn--bcher-kva.de", False, id="a wildcard over a U-label - has no alias"),
        pytest.param("*.xn--bcher-kva.de", "a.xn--bcher-kva.de", True, id="a wildcard over an A-label"),
        pytest.param("under_score.example.com", "under_score.example.com", True, id="an underscore"),
        pytest.param("", "anything", True, id="no hostname"),
        pytest.param("*", "anything", True, id="only a star"),
    ],
)
def test_a_hostname_matches_a_request_as_in_cloudflared(hostname: str, request_host: str, *, matches: bool) -> None:
    asked, otherwise = rule(hostname, path="/"), rule()
    found = TunnelConfiguration((asked, otherwise)).match(request_host, "/")
    assert found is (asked if matches else otherwise)


@pytest.mark.parametrize(
    ("path", "url_path", "matches"),
    [
        pytest.param("/api", "/x/api/y", True, id="slash api - anywhere"),
        pytest.param("api", "/v1/apiary", True, id="api - within a word"),
        pytest.param("^/api", "/api2", True, id="anchored - any continuation"),
        pytest.param("^/api(/|$)", "/api2", False, id="anchored at a slash - not within a word"),
        pytest.param("^/api(/|$)", "/api/x", True, id="anchored at a slash - below"),
        pytest.param("/a.b", "/axb", True, id="a dot is any character"),
        pytest.param("/*", "/", True, id="a star - the root"),
        pytest.param("/*", "", True, id="a star - even nothing"),
        pytest.param("/api", "/API", False, id="case counts"),
        pytest.param("", "", True, id="no path"),
    ],
)
def test_a_path_matches_a_request_as_in_cloudflared(path: str, url_path: str, *, matches: bool) -> None:
    assert rule("app.example.com", path=path).matches("app.example.com", url_path) is matches


@pytest.mark.parametrize(
    ("host", "path", "place"),
    [
        pytest.param("a.example.com", "/x", 0, id="the first match wins"),
        pytest.param("a.example.com", "/y", 1, id="other paths fall through"),
        pytest.param("b.example.com", "/x", 1, id="the wildcard takes the rest"),
        pytest.param("c.org", "/x", 2, id="the last takes everything"),
    ],
)
def test_rules_are_tried_in_their_order(host: str, path: str, place: int) -> None:
    document = configuration(rule("a.example.com", path="^/x"), rule("*.example.com"))
    assert document.match(host, path) is document.rules[place]


def test_where_nothing_matches_the_last_rule_answers() -> None:
    document = TunnelConfiguration((rule("a.example.com"), rule("b.example.com")))
    assert document.match("c.example.com", "/") is document.rules[1]


def test_where_there_is_no_rule_nothing_answers() -> None:
    assert TunnelConfiguration().match("a.example.com", "/") is None


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("a:80", "a"),
        ("a:", "a"),
        (":80", ""),
        (":", ""),
        ("[::1]:80", "::1"),
        ("http://a", "http"),
        ("a", None),
        ("", None),
        ("::1", None),
        ("[::1]", None),
        ("a:b:c", None),
        ("[a]b:80", None),
    ],
)
def test_a_port_is_split_off_as_go_does_it(host: str, expected: str | None) -> None:
    assert without_port(host) == expected


def test_a_rule_keeps_its_text_and_is_read_in_any_case() -> None:
    text = (
        '{ "Hostname": "a.example.com", "SERVICE":"http:\\/\\/a", "path":null, "originRequest" : {"x":1.50}, "y":1E2 }'
    )
    found = IngressRule.parse(text)
    assert (found.text, found.hostname, found.path, found.service) == (text, "a.example.com", "", "http://a")
    assert found.origin_request == {"x": 1.5}
    assert found == IngressRule.parse(text)
    assert found != rule("a.example.com", "http://a", x=1.5)


def test_a_member_of_the_wrong_type_reads_as_absent() -> None:
    found = IngressRule.parse('{"hostname":1,"path":["/"],"service":null,"originRequest":"x"}')
    assert (found.hostname, found.path, found.service, found.origin_request) == ("", "", "", {})


@pytest.mark.parametrize("text", ["null", "1", "[]"])
def test_a_rule_that_is_no_object_says_nothing(text: str) -> None:
    assert IngressRule.parse(text).is_catch_all


def test_a_new_rule_leaves_out_what_is_empty() -> None:
    assert rule("a.example.com", "http://a").text == '{"hostname":"a.example.com","service":"http://a"}'
    assert CATCH_ALL.text == '{"service":"http_status:404"}'


@pytest.mark.parametrize(
    ("hostname", "path", "every_host", "catch_all"),
    [
        ("", "", True, True),
        ("*", "", True, True),
        ("", "/x", True, False),
        ("*", "/x", True, False),
        ("*.a", "", False, False),
    ],
)
def test_a_catch_all_has_neither_hostname_nor_path(
    hostname: str, path: str, *, every_host: bool, catch_all: bool
) -> None:
    found = rule(hostname, path=path)
    assert (found.matches_every_host, found.is_catch_all) == (every_host, catch_all)


def test_a_rule_belongs_to_its_hostname_in_lower_case_a_labels() -> None:
    assert [rule(name).canonical_hostname for name in ("App.example.com", "BÜCHER.de", "*.a.de")] == [
        "app.example.com",
        "xn--bcher-kva.de",
        "*.a.de",
    ]


def test_a_rule_that_already_says_so_is_not_written_anew() -> None:
    existing = IngressRule.parse(
        '{"service": "http://a", "hostname": "a.example.com", "originRequest": {"noTLSVerify": true, "x": 1.0}}'
    )
    assert existing.revised(rule("a.example.com", "http://a", noTLSVerify=True)) is existing


def test_a_revised_rule_keeps_every_key_that_we_do_not_know() -> None:
    existing = IngressRule.parse(
        '{"x" : 1.0, "HOSTNAME":"a.example.com","service":"http://a","originRequest":{"noTLSVerify":true,"new":2.5,"access":{"z":1}},"y":[1E2]}'
    )
    revised = existing.revised(rule("a.example.com", "http://b", "^/x", http2Origin=True))
    assert revised.text == (
        '{"hostname":"a.example.com","path":"^/x","service":"http://b",'
        '"originRequest":{"new":2.5,"http2Origin":true,"access":{"z":1}},"x" : 1.0,"y":[1E2]}'
    )


@pytest.mark.parametrize(
    "other",
    [rule("b.a", "http://a"), rule("a.a", "http://b"), rule("a.a", "http://a", "/"), rule("a.a", "http://a", x=1)],
)
def test_rules_ask_the_same_only_when_all_that_we_know_is_the_same(other: IngressRule) -> None:
    one = rule("a.a", "http://a")
    assert one.is_equivalent_to(other) is ("originRequest" in other.text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"ingress":[]}', id="no rules"),
        pytest.param('{"ingress":[{"service":"http_status:404"}]}', id="one rule"),
        pytest.param(
            '{"a":1.0,"ingress":[{ "service" : "x" },null],"b":{"c" : 1E2},"a":"\\u00e9"}', id="members around them"
        ),
        pytest.param('{"a":{"ingress":[1]},"ingress":[]}', id="a decoy"),
    ],
)
def test_a_document_is_written_in_the_characters_in_which_it_was_read(text: str) -> None:
    assert TunnelConfiguration.parse(text).text == text


def test_an_unread_key_of_any_depth_survives_new_rules() -> None:
    document = TunnelConfiguration.parse(
        '{"originRequest":{"new":1.0},"ingress":[{"service":"x","new":1}],"warp-routing":{"enabled":true}}', 7
    )
    changed = document.with_rules((rule("a.example.com", "http://a"), *document.rules))
    assert changed.text == (
        '{"originRequest":{"new":1.0},"ingress":[{"hostname":"a.example.com","service":"http://a"},{"service":"x","new":1}],'
        '"warp-routing":{"enabled":true}}'
    )
    assert changed.version == 7


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("null", '{"ingress":[]}', id="null"),
        pytest.param("{}", '{"ingress":[]}', id="empty"),
        pytest.param('{"a":1}', '{"ingress":[],"a":1}', id="without ingress"),
        pytest.param('{"ingress":null,"a":1}', '{"ingress":[],"a":1}', id="ingress null"),
        pytest.param('{"INGRESS":[null]}', '{"ingress":[null]}', id="in upper case"),
    ],
)
def test_a_document_without_rules_is_one(text: str, expected: str) -> None:
    document = TunnelConfiguration.parse(text, 3)
    assert (document.text, document.version) == (expected, 3)
    assert json.loads(document.text)["ingress"] == [json.loads(each.text) for each in document.rules]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param("{", "is not JSON", id="not JSON"),
        pytest.param("[]", "is not a JSON object but list", id="a list"),
        pytest.param('"x"', "is not a JSON object but str", id="a text"),
        pytest.param('{"ingress":{}}', "ingress is not a list but dict", id="an ingress that is an object"),
        pytest.param('{"ingress":[],"Ingress":[]}', "has more than one ingress", id="two of them"),
    ],
)
def test_what_is_no_document_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(InvalidConfiguration, match=sentence):
        TunnelConfiguration.parse(text)


def test_the_version_is_no_part_of_what_a_document_says() -> None:
    assert configuration(version=1) == configuration(version=2)
