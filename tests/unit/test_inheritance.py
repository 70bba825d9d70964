"""Inheritance: what a rule comes to in its document, and whether two rules come to the same."""

import json

import pytest

from tunnel_webhook.domain.cloudflared.ingress import IngressRule, TunnelConfiguration
from tunnel_webhook.domain.cloudflared.inheritance import (
    DEFAULTS,
    Base,
    differences,
    inherited_by,
    mean_the_same,
    requires_access,
    stated_options,
    taken_away,
)
from tunnel_webhook.domain.cloudflared.json_text import Json
from vocabulary.builders import EVERY_DEFAULT, rule

ACCESS: dict[str, Json] = {"required": True, "teamName": "acme", "audTag": ["a"]}


def document(**origin: Json) -> TunnelConfiguration:
    return TunnelConfiguration.parse(json.dumps({"originRequest": origin, "ingress": [{"service": "http_status:404"}]}))


def saying(origin: dict[str, Json]) -> IngressRule:
    return IngressRule.make("app.example.com", "", "http://app:80", origin)


def app(service: str = "http://app:80", **origin: Json) -> IngressRule:
    return IngressRule.make("app.example.com", "", service, origin)


@pytest.mark.parametrize(
    ("own", "text", "inherited"),
    [
        pytest.param(app(), '{"ingress":[]}', {}, id="a document that sets nothing"),
        pytest.param(app(), '{"originRequest":null}', {}, id="a null"),
        pytest.param(app(), '{"originRequest":"odd"}', {}, id="of the wrong type"),
        pytest.param(
            app(),
            '{"originRequest":{"httpHostHeader":"a","originServerName":"b","connectTimeout":5}}',
            {"connect-timeout": "5", "http-host-header": "a", "origin-server-name": "b"},
            id="every key that it does not set",
        ),
        pytest.param(
            app(httpHostHeader="own"), '{"originRequest":{"httpHostHeader":"a"}}', {}, id="not the keys that it sets"
        ),
        pytest.param(app(), '{"originRequest":{"connectTimeout":30}}', {}, id="a default changes nothing"),
        pytest.param(app(), '{"ORIGINREQUEST":{"NOTLSVERIFY":true}}', {"no-tls-verify": "true"}, id="keys in any case"),
        pytest.param(
            app(),
            '{"originRequest":{"noTLSVerify":true},"originrequest":{"http2Origin":true}}',
            {"http2-origin": "true", "no-tls-verify": "true"},
            id="two members of one name",
        ),
        pytest.param(
            app(),
            '{"originRequest":{"access":{"required":true,"teamName":"acme","audTag":["a"]},"ipRules":[{"prefix":"::/0"}]}}',
            {},
            id="neither Access nor IP rules",
        ),
        pytest.param(
            app(), '{"originRequest":{"bastionMode":true}}', {"bastion-mode": "true"}, id="a URL becomes a jump host"
        ),
        pytest.param(
            app("http_status:404"), '{"originRequest":{"bastionMode":true}}', {}, id="a status stays a status"
        ),
        pytest.param(app("unix:/a"), '{"originRequest":{"bastionMode":true}}', {}, id="a socket stays a socket"),
        pytest.param(app(), '{"originRequest":{"proxyType":"socks"}}', {}, id="an HTTP origin is no SOCKS proxy"),
        pytest.param(
            app("ssh://a:22"),
            '{"originRequest":{"proxyType":"socks"}}',
            {"proxy-type": "socks"},
            id="a stream becomes a SOCKS proxy",
        ),
        pytest.param(
            app(bastionMode=True),
            '{"originRequest":{"proxyType":"socks"}}',
            {"proxy-type": "socks"},
            id="a jump host of its own becomes a SOCKS proxy",
        ),
        pytest.param(
            app("bastion"),
            '{"originRequest":{"proxyType":"socks","bastionMode":true}}',
            {"proxy-type": "socks"},
            id="bastion becomes a SOCKS proxy",
        ),
    ],
)
def test_a_rule_inherits_from_its_document(own: IngressRule, text: str, inherited: dict[str, str]) -> None:
    assert inherited_by(own, TunnelConfiguration.parse(text)) == inherited


def test_a_rule_that_spells_every_default_out_means_the_same_without_them() -> None:
    assert mean_the_same(saying(EVERY_DEFAULT), app())
    assert differences(saying(EVERY_DEFAULT), app()) == ()


@pytest.mark.parametrize("key", sorted(EVERY_DEFAULT))
def test_a_default_that_is_spelt_out_means_the_same_unless_the_document_sets_the_key(key: str) -> None:
    others: dict[str, Json] = {
        "ipRules": [{"prefix": "::/0"}],
        "access": dict(ACCESS),
        "caPool": "/ca",
        "httpHostHeader": "a",
        "originServerName": "a",
        "proxyType": "socks",
        "proxyAddress": "::1",
    }
    value = EVERY_DEFAULT[key]
    other = others.get(key, not value if isinstance(value, bool) else 7)
    spelt, plain = app("ssh://app:22", **{key: value}), app("ssh://app:22")
    assert mean_the_same(spelt, plain)
    overridden = Base.of(document(**{key: other}))
    assert mean_the_same(spelt, plain, overridden) is (key in {"access", "ipRules"})


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        pytest.param(app(), app("http://other:80"), [("service", "http://app:80", "http://other:80")], id="service"),
        pytest.param(app(connectTimeout=5), app(), [("connectTimeout", "5", "30")], id="a default that is not spelt"),
        pytest.param(
            app(access=dict(ACCESS)),
            app(noTLSVerify=True),
            [
                ("noTLSVerify", "false", "true"),
                ("access.required", "true", "false"),
                ("access.teamName", "acme", ""),
                ("access.audTag", "a", ""),
            ],
            id="several",
        ),
        pytest.param(
            app(access={**ACCESS, "required": False}), app(), [], id="Access that is not required is the same as none"
        ),
    ],
)
def test_the_keys_that_differ_are_named_with_both_values(
    one: IngressRule, other: IngressRule, found: list[tuple[str, str, str]]
) -> None:
    assert differences(one, other) == tuple(found)
    assert mean_the_same(one, other) is (not found)


@pytest.mark.parametrize("other", [rule("b.example.com"), rule("app.example.com", path="^/a")], ids=["host", "path"])
def test_rules_of_other_requests_never_mean_the_same(other: IngressRule) -> None:
    assert not mean_the_same(rule("app.example.com"), other)


def test_what_a_rule_loses_is_named_and_what_it_changes_is_not() -> None:
    standing = app(connectTimeout=5, noTLSVerify=True, access=dict(ACCESS), httpHostHeader="a")
    desired = app(httpHostHeader="b")
    gone = ("connectTimeout", "noTLSVerify", "access.required", "access.teamName", "access.audTag")
    assert taken_away(standing, desired) == gone
    assert taken_away(desired, standing) == ()


@pytest.mark.parametrize(
    ("origin", "required"),
    [
        pytest.param({"access": {"required": True}}, True, id="required alone is closed"),
        pytest.param({"access": {"required": False, "teamName": "a"}}, False, id="not required"),
        pytest.param({}, False, id="none"),
        pytest.param(
            {"access": {"required": True}, "Access": {"Required": False}}, False, id="taken back by another case"
        ),
        pytest.param({"access": {"required": True}, "Access": {}}, True, id="an empty one in another case"),
        pytest.param({"access": {"required": True}, "Access": None}, False, id="a null in another case"),
        pytest.param({"access": {"required": True, "Required": None}}, True, id="a null under it changes nothing"),
        pytest.param({"access": {"required": True, "REQUIRED": False}}, False, id="another case under it"),
    ],
)
def test_access_is_required_if_cloudflared_says_so(origin: dict[str, Json], *, required: bool) -> None:
    assert requires_access(saying(origin)) is required


def test_nothing_is_stated_by_a_rule_that_sets_nothing() -> None:
    assert stated_options({}, DEFAULTS) == {}


def test_c4_access_that_the_document_sets_protects_no_rule() -> None:
    guarded = document(access={**ACCESS, "audTag": ["a" * 64]})
    assert inherited_by(app(), guarded) == {}
    assert Base.of(guarded) == DEFAULTS
    assert not requires_access(app())
