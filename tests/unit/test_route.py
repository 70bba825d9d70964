"""Translation: the one form of an endpoint, what cannot be published, and for which reason."""

from dataclasses import replace

import pytest

from tunnel_webhook.domain.errors import InvalidEndpoint, Reason
from tunnel_webhook.domain.external_dns.endpoint import Endpoint
from tunnel_webhook.domain.external_dns.marking import mark, translate
from tunnel_webhook.domain.external_dns.origin_service import ALL_SERVICES
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.external_dns.properties import DRIFT, INVALID
from tunnel_webhook.domain.external_dns.route import ADOPT_LABEL, endpoint_of_route
from vocabulary.builders import BLUE, GREEN, POLICY, endpoint, rule

APP = "app.example.com"


def canonical(asked: Endpoint, policy: Policy = POLICY) -> Endpoint:
    """Return the one form of an endpoint that can be published, and hold it to be its own."""
    found = endpoint_of_route(translate(asked, policy), asked.labels, policy)
    assert endpoint_of_route(translate(found, policy), found.labels, policy) == found
    return found


def refused(asked: Endpoint) -> Endpoint:
    """Return an endpoint that cannot be published as it passes through, and hold it to be its own."""
    with pytest.raises(InvalidEndpoint) as first:
        translate(asked, POLICY)
    found = mark(asked, first.value)
    with pytest.raises(InvalidEndpoint) as second:
        translate(found, POLICY)
    assert second.value.reason is first.value.reason
    assert mark(found, second.value) == found
    return found


def with_properties(*properties: tuple[str, str]) -> Endpoint:
    return replace(endpoint(), properties=properties)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param(endpoint(service="HTTP://B:80/"), endpoint(target="http://b:80"), id="webhook/service"),
        pytest.param(endpoint(target="b", port="8080"), endpoint(target="http://b:8080"), id="webhook/port"),
        pytest.param(endpoint(target="b", scheme="HTTPS"), endpoint(target="https://b"), id="webhook/scheme"),
        pytest.param(
            endpoint(path="/api/"),
            replace(endpoint(path="^/api(/|$)", path_match="regex"), set_identifier="^/api(/|$)"),
            id="webhook/path",
        ),
        pytest.param(
            endpoint(path="/api", path_match="exact"),
            replace(endpoint(path="^/api$", path_match="regex"), set_identifier="^/api$"),
            id="webhook/path-match",
        ),
        pytest.param(endpoint(path="/"), endpoint(), id="webhook/path of everything"),
        pytest.param(endpoint(tunnel=GREEN.upper()), endpoint(tunnel="green"), id="webhook/tunnel"),
        pytest.param(endpoint(tunnel="blue"), endpoint(), id="webhook/tunnel of the default"),
        pytest.param(endpoint(adopt="True"), replace(endpoint(), labels={ADOPT_LABEL: "true"}), id="webhook/adopt"),
        pytest.param(endpoint(adopt="false"), endpoint(), id="webhook/adopt that is false"),
        pytest.param(
            endpoint(connect_timeout="1m", no_tls_verify="TRUE"),
            endpoint(connect_timeout="60", no_tls_verify="true"),
            id="origin request",
        ),
        pytest.param(with_properties((DRIFT, "tunnel"), (DRIFT, "")), endpoint(), id="webhook/drift is never desired"),
        pytest.param(
            with_properties(("aws/weight", "1"), ("external-dns.x/proxied", "true")),
            endpoint(),
            id="properties of others are dropped",
        ),
        pytest.param(
            with_properties(("webhook/http2-origin", "true"), ("webhook/http2-origin", "true")),
            endpoint(http2_origin="true"),
            id="twice the same",
        ),
        pytest.param(replace(endpoint("App.Example.COM."), ttl=300), endpoint(), id="name and TTL"),
        pytest.param(
            replace(endpoint(), set_identifier="weighted"), endpoint(), id="any other set identifier is dropped"
        ),
        pytest.param(
            endpoint(owner="me", resource="ingress/a/b"), endpoint(owner="me", resource="ingress/a/b"), id="labels stay"
        ),
        pytest.param(
            endpoint(target="1.2.3.4", record_type="A"), endpoint(target="http://1.2.3.4"), id="A becomes CNAME"
        ),
        pytest.param(
            endpoint(target="fd00::1", record_type="AAAA"), endpoint(target="http://[fd00::1]"), id="AAAA becomes CNAME"
        ),
    ],
)
def test_an_endpoint_has_one_form(asked: Endpoint, expected: Endpoint) -> None:
    assert canonical(asked) == expected


NEEDED = {"access_team_name": "t", "access_aud_tag": "a"}


@pytest.mark.parametrize(
    ("asked", "reason", "sentence"),
    [
        pytest.param(endpoint("a..b"), Reason.INVALID_HOSTNAME, "is not a hostname", id="a hostname that is none"),
        pytest.param(
            endpoint(service="ftp://a"),
            Reason.INVALID_SERVICE,
            "cannot be published",
            id="a service that is none",
        ),
        pytest.param(endpoint(target=""), Reason.INVALID_SERVICE, "names no origin", id="no target"),
        pytest.param(endpoint(path="api"), Reason.INVALID_PATH, "does not start with '/'", id="a path without a slash"),
        pytest.param(endpoint(path="(", path_match="regex"), Reason.INVALID_PATH, "RE2", id="a path that is no RE2"),
        pytest.param(
            endpoint(path_match="exact"),
            Reason.INVALID_PROPERTY,
            "has no effect without webhook/path",
            id="a path-match without a path",
        ),
        pytest.param(endpoint(tunnel="red"), Reason.UNKNOWN_TUNNEL, "names blue, green", id="an unknown tunnel"),
        pytest.param(
            endpoint(adopt="maybe"),
            Reason.INVALID_PROPERTY,
            "webhook/adopt is 'maybe'",
            id="an adopt that is no boolean",
        ),
        pytest.param(
            endpoint(no_tls_verfy="true"),
            Reason.INVALID_PROPERTY,
            "webhook/no-tls-verfy is not a property",
            id="a misspelt property",
        ),
        pytest.param(
            endpoint(no_tls_verify="yes"),
            Reason.INVALID_PROPERTY,
            "accepted are true and false",
            id="a value that is not of its kind",
        ),
        pytest.param(
            with_properties(("webhook/http2-origin", "")),
            Reason.INVALID_PROPERTY,
            "has no value",
            id="a property without a value",
        ),
        pytest.param(
            with_properties(("webhook/proxy-port", "2"), ("webhook/proxy-port", "1")),
            Reason.INVALID_PROPERTY,
            "set twice, to '1' and '2'",
            id="given twice",
        ),
        pytest.param(
            endpoint(ca_pool="/ca.pem"),
            Reason.INVALID_PROPERTY,
            "ALLOW_CA_POOL=true",
            id="a CA pool that no setting allows",
        ),
        pytest.param(
            endpoint(bastion_mode="true"),
            Reason.INVALID_PROPERTY,
            "does not list bastion",
            id="a bastion mode that no setting allows",
        ),
        pytest.param(
            endpoint(**NEEDED),
            Reason.INVALID_PROPERTY,
            "no effect without webhook/access-required",
            id="access that is not required",
        ),
        pytest.param(
            endpoint(access_required="true", access_team_name="t"),
            Reason.INVALID_PROPERTY,
            "also needs webhook/access-team-name and",
            id="access without tags",
        ),
        pytest.param(
            endpoint(access_required="true", access_aud_tag="a"),
            Reason.INVALID_PROPERTY,
            "also needs webhook/access-team-name and",
            id="access without a team",
        ),
        pytest.param(
            with_properties(("", "")),
            Reason.CORRUPTED_PROPERTIES,
            "a property without a name",
            id="a nameless property",
        ),
        pytest.param(
            with_properties(("", "x"), ("webhook/nope", "")),
            Reason.CORRUPTED_PROPERTIES,
            "a property without a name",
            id="a nameless property first of all",
        ),
    ],
)
def test_what_cannot_be_published_passes_through_with_its_reason(
    asked: Endpoint, reason: Reason, sentence: str
) -> None:
    with pytest.raises(InvalidEndpoint, match=sentence) as error:
        translate(asked, POLICY)
    assert error.value.reason is reason
    assert dict(refused(asked).properties)[INVALID] == reason


@pytest.mark.parametrize(
    "asked",
    [endpoint(access_required="true", **NEEDED), endpoint(access_required="false"), endpoint(bastion_mode="false")],
)
def test_what_is_safe_is_published(asked: Endpoint) -> None:
    assert canonical(asked) == asked


def test_a_setting_allows_what_is_refused_otherwise() -> None:
    policy = replace(POLICY, allow_ca_pool=True, allowed_services=ALL_SERVICES)
    asked = endpoint(ca_pool="/ca.pem", bastion_mode="true")
    assert canonical(asked, policy) == asked


@pytest.mark.parametrize(
    ("asked", "set_identifier", "kept"),
    [
        pytest.param(endpoint(tunnel="red"), "", {"webhook/tunnel": "red"}, id="no path"),
        pytest.param(
            endpoint(tunnel="red", path="/api"),
            "^/api(/|$)",
            {"webhook/tunnel": "red", "webhook/path": "^/api(/|$)", "webhook/path-match": "regex"},
            id="a sound path",
        ),
        pytest.param(endpoint(path="api"), "?api", {"webhook/path": "api"}, id="a path that is none"),
        pytest.param(endpoint(path_match="exact"), "?", {"webhook/path-match": "exact"}, id="a match without a path"),
        pytest.param(with_properties(("", "")), "?", {}, id="a path that may have been lost to corruption"),
        pytest.param(
            with_properties(("", ""), ("webhook/path", "/a")),
            "^/a(/|$)",
            {"webhook/path": "^/a(/|$)", "webhook/path-match": "regex"},
            id="a path despite corruption",
        ),
        pytest.param(
            with_properties(("aws/x", "1"), (DRIFT, "x"), ("webhook/nope", "1")),
            "",
            {"webhook/nope": "1"},
            id="properties of others and drift",
        ),
    ],
)
def test_what_cannot_be_published_keeps_the_path_that_it_stands_for(
    asked: Endpoint, set_identifier: str, kept: dict[str, str]
) -> None:
    found = refused(asked)
    properties = dict(found.properties)
    assert properties.pop(INVALID)
    assert (found.set_identifier, properties) == (set_identifier, kept)


def test_what_cannot_be_published_is_as_canonical_as_it_gets() -> None:
    found = refused(replace(endpoint("App.example.com.", tunnel="red", record_type="A"), ttl=300))
    assert (found.dns_name, found.record_type, found.ttl) == (APP, "CNAME", 0)
    assert refused(endpoint("A..b")).dns_name == "A..b"


@pytest.mark.parametrize(
    ("code", "reason", "sentence"),
    [
        pytest.param(
            "corrupted-properties",
            Reason.CORRUPTED_PROPERTIES,
            "a property without a name",
            id="corruption, whose traces are gone",
        ),
        pytest.param(
            "invalid-path",
            Reason.INVALID_PATH,
            "it is marked with webhook/invalid=invalid-path",
            id="a reason that is mended",
        ),
        pytest.param(
            "nonsense", Reason.INVALID_PROPERTY, "it is marked with webhook/invalid=nonsense", id="a code that is none"
        ),
    ],
)
def test_a_mark_is_believed(code: str, reason: Reason, sentence: str) -> None:
    with pytest.raises(InvalidEndpoint, match=sentence) as error:
        translate(with_properties((INVALID, code)), POLICY)
    assert error.value.reason is reason


def test_a_route_becomes_the_rule_that_publishes_it() -> None:
    asked = endpoint(
        path="/api",
        no_tls_verify="true",
        access_required="true",
        tunnel="green",
        owner="me",
        resource="service/a/b",
        **NEEDED,
    )
    route = translate(asked, POLICY)
    assert route.rule == rule(
        APP,
        "http://app:8080",
        "^/api(/|$)",
        noTLSVerify=True,
        access={"audTag": ["a"], "required": True, "teamName": "t"},
    )
    assert (route.tunnel, route.owner, route.resource, route.adopt) == (GREEN, "me", "service/a/b", False)


@pytest.mark.parametrize(
    ("asked", "adopts"),
    [
        (endpoint(adopt="true"), True),
        (endpoint(adopt="false"), False),
        (replace(endpoint(), labels={ADOPT_LABEL: "true"}), True),
        (replace(endpoint(adopt="false"), labels={ADOPT_LABEL: "true"}), False),
        (endpoint(), False),
    ],
)
def test_adoption_is_asked_for_as_a_property_and_travels_on_as_a_label(asked: Endpoint, *, adopts: bool) -> None:
    route = translate(asked, POLICY)
    assert route.adopt is adopts
    assert (endpoint_of_route(route, {}, POLICY).labels.get(ADOPT_LABEL) == "true") is adopts


def test_the_default_tunnel_is_the_first() -> None:
    assert translate(endpoint(), POLICY).tunnel == BLUE
