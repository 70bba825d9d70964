"""Provider-specific properties: which are ours, which values they may have, and what the settings allow."""

from dataclasses import replace

import pytest

from tunnel_webhook.domain.errors import InvalidEndpoint, Reason
from tunnel_webhook.domain.external_dns.endpoint import Endpoint
from tunnel_webhook.domain.external_dns.origin_service import ALL_SERVICES
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.external_dns.properties import (
    CORRUPTED,
    DRIFT,
    INVALID,
    ORIGIN_PROPERTIES,
    ROUTE_PROPERTIES,
    options_in,
    parse_boolean,
    properties_of,
)
from vocabulary.builders import POLICY, endpoint


def with_properties(*properties: tuple[str, str]) -> Endpoint:
    return replace(endpoint(), properties=properties)


def options(properties: dict[str, str], policy: Policy = POLICY) -> dict[str, str]:
    return options_in(properties_of(with_properties(*properties.items())), policy)


def named(properties: dict[str, str]) -> dict[str, str]:
    """Return properties by full name, given their options."""
    return {f"webhook/{option}": text for option, text in properties.items()}


@pytest.mark.parametrize(
    ("desired", "properties"),
    [
        pytest.param(endpoint(), {}, id="none"),
        pytest.param(endpoint(port="80"), {"webhook/port": "80"}, id="where the hostname leads"),
        pytest.param(endpoint(ca_pool="/a"), {"webhook/ca-pool": "/a"}, id="how cloudflared talks to the origin"),
        pytest.param(
            with_properties((INVALID, "invalid-path")), {INVALID: "invalid-path"}, id="the mark of an earlier adjust"
        ),
        pytest.param(with_properties((DRIFT, "tunnel"), (DRIFT, "")), {}, id="webhook/drift is dropped"),
        pytest.param(
            with_properties(("aws/weight", "1"), ("external-dns.x/proxied", "true")),
            {},
            id="properties of other providers are dropped",
        ),
        pytest.param(
            with_properties(("webhook/http2-origin", "true"), ("webhook/http2-origin", "true")),
            {"webhook/http2-origin": "true"},
            id="one that is set twice to the same value",
        ),
    ],
)
def test_an_endpoint_has_properties_by_name(desired: Endpoint, properties: dict[str, str]) -> None:
    assert properties_of(desired) == properties


@pytest.mark.parametrize("name", [*ROUTE_PROPERTIES, *ORIGIN_PROPERTIES])
def test_every_documented_property_is_known(name: str) -> None:
    assert properties_of(with_properties((name, "text"))) == {name: "text"}


@pytest.mark.parametrize(
    ("properties", "reason", "sentence"),
    [
        pytest.param(
            [("webhook/no-tls-verfy", "true")],
            Reason.INVALID_PROPERTY,
            "webhook/no-tls-verfy is not a property: check its spelling; docs/annotations.md lists them all",
            id="unknown",
        ),
        pytest.param(
            [("webhook/http2-origin", "")],
            Reason.INVALID_PROPERTY,
            "webhook/http2-origin has no value",
            id="empty",
        ),
        pytest.param(
            [("webhook/proxy-port", "2"), ("webhook/proxy-port", "1")],
            Reason.INVALID_PROPERTY,
            "webhook/proxy-port is set twice, to '1' and '2'",
            id="set twice to different values",
        ),
        pytest.param([("", "")], Reason.CORRUPTED_PROPERTIES, CORRUPTED, id="nameless"),
        pytest.param(
            [("webhook/no-tls", ""), ("", "x")],
            Reason.CORRUPTED_PROPERTIES,
            CORRUPTED,
            id="nameless, before any other fault",
        ),
    ],
)
def test_a_bad_property_is_refused(properties: list[tuple[str, str]], reason: Reason, sentence: str) -> None:
    with pytest.raises(InvalidEndpoint) as error:
        properties_of(with_properties(*properties))
    assert error.value.reason is reason
    assert str(error.value) == sentence


def test_options_are_canonical_and_only_those_of_the_origin_request() -> None:
    assert options({"webhook/port": "80", "webhook/connect-timeout": " 1m ", "webhook/no-tls-verify": "TRUE"}) == {
        "connect-timeout": "60",
        "no-tls-verify": "true",
    }


TEAM, TAG = {"access-team-name": "team"}, {"access-aud-tag": "a" * 64}


@pytest.mark.parametrize(
    ("desired", "sentence"),
    [
        pytest.param(
            {"no-tls-verify": "yes"},
            "webhook/no-tls-verify is 'yes': accepted are true and false",
            id="a value of another kind",
        ),
        pytest.param({"ca-pool": "/ca.pem"}, "ALLOW_CA_POOL=true accepts that", id="a CA pool"),
        pytest.param({"bastion-mode": "true"}, "ALLOWED_SERVICES does not list bastion", id="bastion mode"),
        pytest.param(
            TEAM | TAG,
            "Access settings have no effect without webhook/access-required: set it to true to enforce them",
            id="Access that is not required",
        ),
        pytest.param(
            {"access-environment": "fed"}, "no effect without webhook/access-required", id="only an Access environment"
        ),
        pytest.param(
            {"access-required": "true", **TEAM},
            "webhook/access-required also needs webhook/access-team-name and webhook/access-aud-tag",
            id="Access without tags",
        ),
        pytest.param(
            {"access-required": "true", **TAG},
            "webhook/access-required also needs webhook/access-team-name and webhook/access-aud-tag",
            id="Access without a team",
        ),
    ],
)
def test_an_option_that_is_invalid_or_not_allowed_is_refused(desired: dict[str, str], sentence: str) -> None:
    with pytest.raises(InvalidEndpoint, match=sentence) as error:
        options(named(desired))
    assert error.value.reason is Reason.INVALID_PROPERTY


@pytest.mark.parametrize(
    "desired",
    [
        pytest.param({"access-required": "true", **TEAM, **TAG}, id="Access with a team and tags"),
        pytest.param({"access-required": "false"}, id="Access that is explicitly not required"),
        pytest.param({"bastion-mode": "false"}, id="bastion mode that is off"),
    ],
)
def test_a_safe_option_is_accepted(desired: dict[str, str]) -> None:
    assert options(named(desired)) == desired


@pytest.mark.parametrize(
    ("policy", "desired"),
    [
        pytest.param(replace(POLICY, allow_ca_pool=True), {"ca-pool": "/ca.pem"}, id="ALLOW_CA_POOL"),
        pytest.param(replace(POLICY, allowed_services=ALL_SERVICES), {"bastion-mode": "true"}, id="ALLOWED_SERVICES"),
    ],
)
def test_a_setting_allows_a_dangerous_option(policy: Policy, desired: dict[str, str]) -> None:
    assert options(named(desired), policy) == desired


@pytest.mark.parametrize(("text", "expected"), [("true", True), ("True", True), ("false", False), ("FALSE", False)])
def test_a_boolean_is_parsed_in_any_case(text: str, *, expected: bool) -> None:
    assert parse_boolean("webhook/adopt", text) is expected


@pytest.mark.parametrize("text", ["maybe", "1", "", " true"])
def test_any_other_text_is_not_a_boolean(text: str) -> None:
    with pytest.raises(InvalidEndpoint, match=f"webhook/adopt is '{text}': accepted are true and false") as error:
        parse_boolean("webhook/adopt", text)
    assert error.value.reason is Reason.INVALID_PROPERTY
