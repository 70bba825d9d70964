"""Sticky Access: a rule that requires it loses it only where its endpoint says so."""

from dataclasses import replace

import pytest

from tunnel_webhook.domain.cloudflared.ingress import IngressRule
from tunnel_webhook.domain.cloudflared.json_text import Json
from tunnel_webhook.domain.errors import InvalidEndpoint
from tunnel_webhook.domain.external_dns.access import access_loss, keeping_access
from tunnel_webhook.domain.external_dns.adjustment import adjust
from tunnel_webhook.domain.external_dns.route import ACCESS_LABEL, Route, route_of_endpoint
from vocabulary.builders import POLICY, endpoint, rule

AUDIENCE = "a" * 64
BLOCK: dict[str, Json] = {"required": True, "teamName": "acme", "audTag": [AUDIENCE]}
PROTECTED = rule("app.example.com", "http://app:8080", access=BLOCK)


def route(**properties: str) -> Route:
    return route_of_endpoint(endpoint(**properties), POLICY)


@pytest.mark.parametrize(
    ("standing", "asked", "lost"),
    [
        pytest.param(PROTECTED, route(), True, id="nothing is said"),
        pytest.param(PROTECTED, route(access_required="false"), True, id="false does not consent (C5)"),
        pytest.param(PROTECTED, route(access="none"), False, id="consent"),
        pytest.param(PROTECTED, route(access="None"), False, id="consent in another case"),
        pytest.param(
            PROTECTED,
            route(access_required="true", access_team_name="other", access_aud_tag="b" * 64),
            False,
            id="another team",
        ),
        pytest.param(rule("app.example.com"), route(), False, id="no Access before"),
        pytest.param(
            rule("app.example.com", access={**BLOCK, "required": False}),
            route(),
            False,
            id="Access that is not required",
        ),
        pytest.param(rule("app.example.com", Access={"REQUIRED": True}), route(), True, id="keys in another case"),
    ],
)
def test_access_is_lost_only_by_consent(standing: IngressRule, asked: Route, *, lost: bool) -> None:
    assert bool(access_loss(standing, asked)) is lost


def test_the_sentence_names_the_hostname_the_path_and_the_cure() -> None:
    sentence = access_loss(PROTECTED, route(path="/admin"))
    assert "the rule of app.example.com (path ^/admin(/|$)) requires Access" in sentence
    assert 'set webhook/access: "none"' in sentence


def test_a_rule_that_is_taken_over_keeps_its_access_as_it_is() -> None:
    odd: dict[str, Json] = {"required": True, "teamName": "Odd.Team", "audTag": ["x"], "new": 1}
    desired = route(http2_origin="true")
    kept = keeping_access(rule("app.example.com", access=odd), desired.rule, desired)
    assert kept.origin_request == {"http2Origin": True, "access": odd}


@pytest.mark.parametrize(
    ("standing", "properties"),
    [
        pytest.param(PROTECTED, {"access": "none"}, id="consent"),
        pytest.param(
            PROTECTED,
            {"access_required": "true", "access_team_name": "other", "access_aud_tag": "b" * 64},
            id="a block of its own",
        ),
        pytest.param(rule("app.example.com"), {}, id="no Access before"),
    ],
)
def test_any_other_rule_becomes_what_is_asked(standing: IngressRule, properties: dict[str, str]) -> None:
    desired = route(**properties)
    assert keeping_access(standing, desired.rule, desired) is not None
    assert keeping_access(standing, desired.rule, desired).text == desired.rule.text


@pytest.mark.parametrize("value", ["any", "my-application", "true", "nONe!"])
def test_any_other_value_of_the_property_is_refused(value: str) -> None:
    with pytest.raises(InvalidEndpoint, match=r"webhook/access is .*: accepted is none"):
        route(access=value)


def test_consent_beside_a_requirement_is_refused() -> None:
    block = {"access_required": "true", "access_team_name": "acme", "access_aud_tag": AUDIENCE}
    with pytest.raises(InvalidEndpoint, match="remove one of them"):
        route(access="none", **block)


def test_consent_is_not_compared_by_external_dns_and_reaches_the_planner() -> None:
    (adjusted,) = adjust([endpoint(access="none")], POLICY).endpoints
    assert adjusted.properties == ()
    assert adjusted.labels == {ACCESS_LABEL: "none"}
    assert route_of_endpoint(adjusted, POLICY).waives_access
    assert not route_of_endpoint(replace(adjusted, labels={}), POLICY).waives_access


@pytest.mark.parametrize(
    "properties",
    [
        {"access_team_name": "acme", "access_aud_tag": AUDIENCE},
        {"access_required": "false", "access_team_name": "acme", "access_aud_tag": AUDIENCE},
        {"access_required": "true", "access_aud_tag": AUDIENCE},
        {"access_required": "true", "access_team_name": "acme"},
        {"access_required": "true", "access_team_name": "127.0.0.1:8080/x?", "access_aud_tag": AUDIENCE},
        {"access_required": "true", "access_team_name": "acme", "access_aud_tag": "tag"},
    ],
    ids=["not required", "required is false", "no team", "no audience", "a team that is a URL (C3)", "no audience tag"],
)
def test_keys_that_protect_nothing_or_could_be_forged_are_refused(properties: dict[str, str]) -> None:
    with pytest.raises(InvalidEndpoint):
        route(**properties)
