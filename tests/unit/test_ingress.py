"""Rules and documents: matched as cloudflared matches them, and parsed and written without losing a character."""

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
        pytest.param("*.example.com", "a.example.com:8443", True, id="a wildcard - a port is ignored"),
        pytest.param("*.example.com", "example.com", False, id="a wildcard - not its parent"),
        pytest.param("*.api.abc.cloud", "testing-api.abc.cloud", False, id="a wildcard - only at a dot"),
        pytest.param("*example.com", "a.example.com", False, id="a wildcard without a dot - nothing below"),
        pytest.param("*example.com", "aexample.com", False, id="a wildcard without a dot - no name that ends in it"),
        pytest.param("*example.com", "*example.com", True, id="a wildcard without a dot - only itself"),
        pytest.param("example.com", "example.com", True, id="exact"),
        pytest.param("example.com", "EXAMPLE.com", False, id="exact - case-sensitive"),
        pytest.param("example.com", "example.com.", False, id="exact - dots are not trimmed"),
        pytest.param("example.com", "a.example.com", False, id="exact - nothing below"),
        pytest.param("Example.com", "example.com", True, id="upper case - by its alias"),
        pytest.param("Example.com", "Example.com", True, id="upper case - itself"),
        pytest.param("*.Example.com", "a.example.com", False, id="a wildcard in upper case - no alias"),
        pytest.param("bücher.de", "xn--bcher-kva.de", True, id="a U-label - by its alias"),
        pytest.param("*.bücher.de", "a.xn--bcher-kva.de", False, id="a wildcard over a U-label - no alias"),
        pytest.param("*.xn--bcher-kva.de", "a.xn--bcher-kva.de", True, id="a wildcard over an A-label"),
        pytest.param("under_score.example.com", "under_score.example.com", True, id="an underscore"),
        pytest.param("", "anything", True, id="no hostname"),
        pytest.param("*", "anything", True, id="only a star"),
    ],
)
def test_a_hostname_matches_a_request_as_in_cloudflared(hostname: str, request_host: str, *, matches: bool) -> None:
    candidate, catch_all = rule(hostname, path="/"), rule()
    winner = TunnelConfiguration((candidate, catch_all)).match(request_host, "/")
    assert winner is (candidate if matches else catch_all)


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
        pytest.param("/*", "", True, id="a star - an empty path"),
        pytest.param("/api", "/API", False, id="case-sensitive"),
        pytest.param("", "", True, id="no path"),
    ],
)
def test_a_path_matches_a_request_as_in_cloudflared(path: str, url_path: str, *, matches: bool) -> None:
    assert rule("app.example.com", path=path).matches("app.example.com", url_path) is matches


@pytest.mark.parametrize(
    ("host", "path", "winner"),
    [
        pytest.param("a.example.com", "/x", 0, id="the first match wins"),
        pytest.param("a.example.com", "/y", 1, id="other paths fall through"),
        pytest.param("b.example.com", "/x", 1, id="the wildcard takes the other hosts"),
        pytest.param("c.org", "/x", 2, id="the last rule takes everything else"),
    ],
)
def test_rules_are_tried_in_their_order(host: str, path: str, winner: int) -> None:
    document = configuration(rule("a.example.com", path="^/x"), rule("*.example.com"))
    assert document.match(host, path) is document.rules[winner]


def test_a_request_that_no_rule_matches_goes_to_the_last_rule() -> None:
    document = TunnelConfiguration((rule("a.example.com"), rule("b.example.com")))
    assert document.match("c.example.com", "/") is document.rules[1]


def test_a_document_without_rules_answers_no_request() -> None:
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
def test_a_port_is_split_off_as_in_go(host: str, expected: str | None) -> None:
    assert without_port(host) == expected


def test_a_rule_keeps_its_text_and_its_members_are_found_in_any_case() -> None:
    text = (
        '{ "Hostname": "a.example.com", "SERVICE":"http:\\/\\/a", "path":null, "originRequest" : {"x":1.50}, "y":1E2 }'
    )
    parsed = IngressRule.parse(text)
    assert parsed.text == text
    assert parsed.hostname == "a.example.com"
    assert parsed.path == ""
    assert parsed.service == "http://a"
    assert parsed.origin_request == {"x": 1.5}


def test_rules_are_equal_when_their_texts_are() -> None:
    text = '{"service":"http://a","hostname":"a.example.com"}'
    assert IngressRule.parse(text) == IngressRule.parse(text)
    assert IngressRule.parse(text) != rule("a.example.com", "http://a")


def test_a_member_of_the_wrong_type_counts_as_absent() -> None:
    parsed = IngressRule.parse('{"hostname":1,"path":["/"],"service":null,"originRequest":"x"}')
    assert parsed.hostname == ""
    assert parsed.path == ""
    assert parsed.service == ""
    assert parsed.origin_request == {}


@pytest.mark.parametrize("text", ["null", "1", "[]"])
def test_a_rule_that_is_not_an_object_is_empty(text: str) -> None:
    assert IngressRule.parse(text).is_catch_all


def test_a_new_rule_has_no_empty_members() -> None:
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
    assert rule(hostname, path=path).matches_every_host is every_host
    assert rule(hostname, path=path).is_catch_all is catch_all


@pytest.mark.parametrize(
    ("hostname", "canonical"),
    [("App.example.com", "app.example.com"), ("BÜCHER.de", "xn--bcher-kva.de"), ("*.a.de", "*.a.de")],
)
def test_the_canonical_hostname_of_a_rule_is_in_lower_case_a_labels(hostname: str, canonical: str) -> None:
    assert rule(hostname).canonical_hostname == canonical


def test_a_rule_that_already_says_the_same_is_kept() -> None:
    existing = IngressRule.parse(
        '{"service": "http://a", "hostname": "a.example.com", "originRequest": {"noTLSVerify": true, "x": 1.0}}'
    )
    assert existing.revised(rule("a.example.com", "http://a", noTLSVerify=True)) is existing


def test_a_revised_rule_keeps_its_unknown_keys() -> None:
    existing = IngressRule.parse(
        '{"x" : 1.0, "HOSTNAME":"a.example.com","service":"http://a",'
        '"originRequest":{"noTLSVerify":true,"new":2.5,"access":{"z":1}},"y":[1E2]}'
    )
    revised = existing.revised(rule("a.example.com", "http://b", "^/x", http2Origin=True))
    assert revised.text == (
        '{"hostname":"a.example.com","path":"^/x","service":"http://b",'
        '"originRequest":{"new":2.5,"http2Origin":true,"access":{"z":1}},"x" : 1.0,"y":[1E2]}'
    )


@pytest.mark.parametrize(
    ("other", "is_equivalent"),
    [
        pytest.param(rule("b.a", "http://a"), False, id="another hostname"),
        pytest.param(rule("a.a", "http://b"), False, id="another service"),
        pytest.param(rule("a.a", "http://a", "/"), False, id="another path"),
        pytest.param(rule("a.a", "http://a", noTLSVerify=True), False, id="another origin request"),
        pytest.param(rule("a.a", "http://a", x=1), True, id="an unknown key"),
    ],
)
def test_rules_are_equivalent_when_all_that_we_know_is_equal(other: IngressRule, *, is_equivalent: bool) -> None:
    assert rule("a.a", "http://a").is_equivalent_to(other) is is_equivalent


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"ingress":[]}', id="no rules"),
        pytest.param('{"ingress":[{"service":"http_status:404"}]}', id="one rule"),
        pytest.param(
            '{"a":1.0,"ingress":[{ "service" : "x" },null],"b":{"c" : 1E2},"a":"\\u00e9"}',
            id="other members around the rules",
        ),
        pytest.param('{"a":{"ingress":[1]},"ingress":[]}', id="an ingress deeper down"),
    ],
)
def test_a_document_is_written_with_the_characters_that_were_parsed(text: str) -> None:
    assert TunnelConfiguration.parse(text).text == text


def test_new_rules_keep_the_unknown_keys_of_a_document() -> None:
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
    ("text", "written"),
    [
        pytest.param("null", '{"ingress":[]}', id="null"),
        pytest.param("{}", '{"ingress":[]}', id="empty"),
        pytest.param('{"a":1}', '{"ingress":[],"a":1}', id="without ingress"),
        pytest.param('{"ingress":null,"a":1}', '{"ingress":[],"a":1}', id="ingress null"),
        pytest.param('{"INGRESS":[null]}', '{"ingress":[null]}', id="ingress in upper case"),
    ],
)
def test_a_document_is_written_with_an_ingress(text: str, written: str) -> None:
    document = TunnelConfiguration.parse(text, 3)
    assert document.text == written
    assert document.version == 3
    assert json.loads(document.text)["ingress"] == [json.loads(rule.text) for rule in document.rules]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param("{", "is not JSON", id="not JSON"),
        pytest.param("[]", "is not a JSON object but list", id="a list"),
        pytest.param('"x"', "is not a JSON object but str", id="a string"),
        pytest.param('{"ingress":{}}', "ingress is not a list but dict", id="an ingress that is not a list"),
        pytest.param('{"ingress":[],"Ingress":[]}', "has more than one ingress", id="two ingress members"),
    ],
)
def test_a_text_that_is_not_a_document_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(InvalidConfiguration, match=sentence):
        TunnelConfiguration.parse(text)


def test_the_version_does_not_count_when_documents_are_compared() -> None:
    assert configuration(version=1) == configuration(version=2)
