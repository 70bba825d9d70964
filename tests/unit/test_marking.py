"""Marking: an endpoint that cannot be published passes through with the reason, and is refused again for it."""

from dataclasses import replace

import pytest

from tunnel_webhook.domain.errors import InvalidEndpoint, Reason
from tunnel_webhook.domain.external_dns.endpoint import Endpoint
from tunnel_webhook.domain.external_dns.marking import mark, translate
from tunnel_webhook.domain.external_dns.properties import DRIFT, INVALID
from tunnel_webhook.domain.external_dns.route import route_of_endpoint
from vocabulary.builders import POLICY, endpoint


def fault_of(desired: Endpoint) -> InvalidEndpoint:
    """Return why an endpoint cannot be published."""
    with pytest.raises(InvalidEndpoint) as error:
        translate(desired, POLICY)
    return error.value


def marked(desired: Endpoint) -> Endpoint:
    """Return the endpoint as it passes through; assert that marking it again changes nothing."""
    fault = fault_of(desired)
    passed_through = mark(desired, fault, POLICY)
    assert fault_of(passed_through).reason is fault.reason
    assert mark(passed_through, fault_of(passed_through), POLICY) == passed_through
    return passed_through


def with_properties(*properties: tuple[str, str]) -> Endpoint:
    return replace(endpoint(), properties=properties)


def test_an_endpoint_without_a_mark_is_translated_into_its_route() -> None:
    assert translate(endpoint(path="/api"), POLICY) == route_of_endpoint(endpoint(path="/api"), POLICY)


@pytest.mark.parametrize(
    ("desired", "reason"),
    [
        pytest.param(endpoint("a..b"), "invalid-hostname", id="an invalid hostname"),
        pytest.param(endpoint(service="ftp://a"), "invalid-service", id="an invalid service"),
        pytest.param(endpoint(target=""), "invalid-service", id="no target"),
        pytest.param(endpoint(path="api"), "invalid-path", id="a path without a slash"),
        pytest.param(endpoint(path="(", path_match="regex"), "invalid-path", id="a path that is not RE2"),
        pytest.param(endpoint(path_match="exact"), "invalid-property", id="a path match without a path"),
        pytest.param(endpoint(tunnel="red"), "unknown-tunnel", id="an unknown tunnel"),
        pytest.param(endpoint(adopt="maybe"), "invalid-property", id="an invalid boolean"),
        pytest.param(endpoint(no_tls_verfy="true"), "invalid-property", id="an unknown property"),
        pytest.param(endpoint(no_tls_verify="yes"), "invalid-property", id="a value of another kind"),
        pytest.param(with_properties(("webhook/http2-origin", "")), "invalid-property", id="an empty property"),
        pytest.param(
            with_properties(("webhook/proxy-port", "2"), ("webhook/proxy-port", "1")),
            "invalid-property",
            id="a property set twice",
        ),
        pytest.param(endpoint(ca_pool="/ca.pem"), "invalid-property", id="an option that is not allowed"),
        pytest.param(endpoint(access_required="true"), "invalid-property", id="incomplete Access options"),
        pytest.param(with_properties(("", "")), "corrupted-properties", id="a nameless property"),
    ],
)
def test_an_endpoint_that_cannot_be_published_is_marked_with_its_reason(desired: Endpoint, reason: str) -> None:
    assert dict(marked(desired).properties)[INVALID] == reason


@pytest.mark.parametrize(
    ("desired", "set_identifier", "properties"),
    [
        pytest.param(endpoint(tunnel="red"), "", {"webhook/tunnel": "red"}, id="no path"),
        pytest.param(
            endpoint(tunnel="red", path="/api"),
            "^/api(/|$)",
            {"webhook/tunnel": "red", "webhook/path": "^/api(/|$)", "webhook/path-match": "regex"},
            id="a valid path",
        ),
        pytest.param(endpoint(path="api"), "?api", {"webhook/path": "api"}, id="an invalid path"),
        pytest.param(endpoint(path_match="exact"), "?", {"webhook/path-match": "exact"}, id="a match without a path"),
        pytest.param(with_properties(("", "")), "?", {}, id="a path that corruption may have lost"),
        pytest.param(
            with_properties(("", ""), ("webhook/path", "/a")),
            "^/a(/|$)",
            {"webhook/path": "^/a(/|$)", "webhook/path-match": "regex"},
            id="a path that survived corruption",
        ),
        pytest.param(
            with_properties(("aws/x", "1"), (DRIFT, "x"), ("webhook/no-tls", "1")),
            "",
            {"webhook/no-tls": "1"},
            id="properties of other providers, and a drift",
        ),
    ],
)
def test_a_marked_endpoint_keeps_its_path_and_its_own_properties(
    desired: Endpoint, set_identifier: str, properties: dict[str, str]
) -> None:
    passed_through = marked(desired)
    reason = fault_of(desired).reason.value
    assert passed_through.set_identifier == set_identifier
    assert dict(passed_through.properties) == properties | {INVALID: reason}


def test_a_marked_endpoint_is_as_canonical_as_possible() -> None:
    passed_through = marked(replace(endpoint("App.example.com.", tunnel="red", record_type="A"), ttl=300))
    assert passed_through.dns_name == "app.example.com"
    assert passed_through.record_type == "CNAME"
    assert passed_through.ttl == 0


def test_a_marked_endpoint_keeps_a_name_that_has_no_canonical_form() -> None:
    assert marked(endpoint("A..b")).dns_name == "A..b"


@pytest.mark.parametrize(
    ("code", "reason", "sentence"),
    [
        pytest.param(
            "corrupted-properties",
            Reason.CORRUPTED_PROPERTIES,
            "a property without a name",
            id="corruption, which leaves no trace",
        ),
        pytest.param(
            "invalid-path",
            Reason.INVALID_PATH,
            "it is marked with webhook/invalid=invalid-path",
            id="a reason that no longer applies",
        ),
        pytest.param(
            "nonsense", Reason.INVALID_PROPERTY, "it is marked with webhook/invalid=nonsense", id="an unknown code"
        ),
    ],
)
def test_a_mark_is_believed(code: str, reason: Reason, sentence: str) -> None:
    fault = fault_of(with_properties((INVALID, code)))
    assert fault.reason is reason
    assert sentence in str(fault)


def test_of_several_marks_the_first_in_order_counts() -> None:
    fault = fault_of(with_properties((INVALID, "unknown-tunnel"), (INVALID, "invalid-path")))
    assert fault.reason is Reason.INVALID_PATH
