"""Routes: the one form of an endpoint, the rule that publishes it, and the way back from rule to endpoint."""

from dataclasses import replace

import pytest

from tunnel_webhook.domain.cloudflared.ingress import IngressRule
from tunnel_webhook.domain.errors import InvalidEndpoint, Reason
from tunnel_webhook.domain.external_dns.endpoint import Endpoint
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.external_dns.route import (
    ADOPT_LABEL,
    Route,
    endpoint_of_route,
    route_of_endpoint,
    route_of_rule,
)
from tunnel_webhook.domain.hostname import Hostname
from vocabulary.builders import BLUE, GREEN, POLICY, endpoint, rule

APP = Hostname("app.example.com")
A, B = "a" * 64, "b" * 64


def canonical(desired: Endpoint, policy: Policy = POLICY) -> Endpoint:
    """Return the one form of an endpoint that can be published."""
    return endpoint_of_route(route_of_endpoint(desired, policy), desired.labels, policy)


@pytest.mark.parametrize(
    ("desired", "expected"),
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
        pytest.param(endpoint(tunnel="blue"), endpoint(), id="webhook/tunnel of the default tunnel"),
        pytest.param(
            endpoint(adopt="True"), replace(endpoint(), labels={"tunnel-webhook-adopt": "true"}), id="webhook/adopt"
        ),
        pytest.param(endpoint(adopt="false"), endpoint(), id="webhook/adopt that is false"),
        pytest.param(
            endpoint(connect_timeout="1m", no_tls_verify="TRUE"),
            endpoint(connect_timeout="60", no_tls_verify="true"),
            id="options of the origin request",
        ),
        pytest.param(
            endpoint(access_required="true", access_team_name="t", access_aud_tag=f"{B},{A}"),
            endpoint(access_required="true", access_team_name="t", access_aud_tag=f"{A},{B}"),
            id="Access options",
        ),
        pytest.param(replace(endpoint("App.Example.COM."), ttl=300), endpoint(), id="hostname and TTL"),
        pytest.param(
            replace(endpoint(), set_identifier="weighted"), endpoint(), id="any other set identifier is dropped"
        ),
        pytest.param(
            endpoint(owner="me", resource="ingress/a/b"),
            endpoint(owner="me", resource="ingress/a/b"),
            id="labels are kept",
        ),
        pytest.param(
            endpoint(target="1.2.3.4", record_type="A"), endpoint(target="http://1.2.3.4"), id="A becomes CNAME"
        ),
        pytest.param(
            endpoint(target="fd00::1", record_type="AAAA"), endpoint(target="http://[fd00::1]"), id="AAAA becomes CNAME"
        ),
    ],
)
def test_an_endpoint_has_one_form(desired: Endpoint, expected: Endpoint) -> None:
    assert canonical(desired) == expected
    assert canonical(expected) == expected


@pytest.mark.parametrize(
    ("desired", "reason", "sentence"),
    [
        pytest.param(endpoint("a..b"), Reason.INVALID_HOSTNAME, "is not a hostname", id="an invalid hostname"),
        pytest.param(
            endpoint(service="ftp://a"), Reason.INVALID_SERVICE, "cannot be published", id="an invalid service"
        ),
        pytest.param(endpoint(path="api"), Reason.INVALID_PATH, "does not start with '/'", id="an invalid path"),
        pytest.param(
            endpoint(path_match="exact"),
            Reason.INVALID_PROPERTY,
            "webhook/path-match of app.example.com has no effect without webhook/path",
            id="a path match without a path",
        ),
        pytest.param(endpoint(tunnel="red"), Reason.UNKNOWN_TUNNEL, "names blue, green", id="an unknown tunnel"),
        pytest.param(
            endpoint(adopt="maybe"),
            Reason.INVALID_PROPERTY,
            "webhook/adopt is 'maybe': accepted are true and false",
            id="an adopt that is not a boolean",
        ),
        pytest.param(
            endpoint(no_tls_verfy="x"),
            Reason.INVALID_PROPERTY,
            "webhook/no-tls-verfy is not a property",
            id="a property",
        ),
        pytest.param(
            endpoint(bastion_mode="true"),
            Reason.INVALID_PROPERTY,
            "does not list bastion",
            id="an option that the settings forbid",
        ),
    ],
)
def test_an_endpoint_that_cannot_be_published_has_no_route(desired: Endpoint, reason: Reason, sentence: str) -> None:
    with pytest.raises(InvalidEndpoint, match=sentence) as error:
        route_of_endpoint(desired, POLICY)
    assert error.value.reason is reason


def test_a_route_knows_all_that_its_endpoint_asks_for() -> None:
    desired = endpoint(path="/api", no_tls_verify="true", tunnel="green", owner="me", resource="service/a/b")
    assert route_of_endpoint(desired, POLICY) == Route(
        hostname=APP,
        path="^/api(/|$)",
        service="http://app:8080",
        tunnel=GREEN,
        options=(("no-tls-verify", "true"),),
        owner="me",
        resource="service/a/b",
    )


def test_the_default_tunnel_is_the_first() -> None:
    assert route_of_endpoint(endpoint(), POLICY).tunnel == BLUE


def test_a_route_becomes_the_rule_that_publishes_it() -> None:
    desired = endpoint(
        path="/api", no_tls_verify="true", access_required="true", access_team_name="t", access_aud_tag=A
    )
    assert route_of_endpoint(desired, POLICY).rule == rule(
        APP,
        "http://app:8080",
        "^/api(/|$)",
        noTLSVerify=True,
        access={"audTag": [A], "required": True, "teamName": "t"},
    )


@pytest.mark.parametrize(
    "existing",
    [
        pytest.param(rule(APP, "http://app", "^/x", noTLSVerify=True, unknown=1), id="as we write it"),
        pytest.param(rule("App.example.com", "http://app", "^/x", NOTLSVERIFY=True), id="in another spelling"),
    ],
)
def test_a_rule_becomes_the_route_of_its_hostname(existing: IngressRule) -> None:
    options = (("no-tls-verify", "true"),)
    assert route_of_rule(existing, APP, GREEN) == Route(APP, "^/x", "http://app", GREEN, options)


def test_a_route_comes_back_from_its_rule() -> None:
    route = route_of_endpoint(endpoint(path="/api", connect_timeout="1m", tunnel="green"), POLICY)
    assert endpoint_of_route(route_of_rule(route.rule, APP, GREEN), {}, POLICY) == endpoint_of_route(route, {}, POLICY)


@pytest.mark.parametrize(
    ("desired", "adopts"),
    [
        pytest.param(endpoint(adopt="true"), True, id="the property"),
        pytest.param(endpoint(adopt="false"), False, id="the property is false"),
        pytest.param(replace(endpoint(), labels={ADOPT_LABEL: "true"}), True, id="the label"),
        pytest.param(
            replace(endpoint(adopt="false"), labels={ADOPT_LABEL: "true"}), False, id="the property before the label"
        ),
        pytest.param(replace(endpoint(), labels={ADOPT_LABEL: "1"}), False, id="the label has another value"),
        pytest.param(endpoint(), False, id="neither"),
    ],
)
def test_adoption_is_a_property_and_travels_on_as_a_label(desired: Endpoint, *, adopts: bool) -> None:
    route = route_of_endpoint(desired, POLICY)
    labels = endpoint_of_route(route, {}, POLICY).labels
    assert route.adopt is adopts
    assert labels == ({ADOPT_LABEL: "true"} if adopts else {})
