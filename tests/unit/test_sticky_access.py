"""Sticky Access in a plan: an annotation that is gone takes no protection away."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunnel_webhook.domain.cloudflared.ingress import IngressRule
from tunnel_webhook.domain.cloudflared.inheritance import requires_access
from tunnel_webhook.domain.dns import DnsRecord, target_of
from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.domain.external_dns.endpoint import Changes
from tunnel_webhook.domain.external_dns.hostname_pattern import HostnamePattern
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.plan import Plan
from tunnel_webhook.domain.planning.planner import plan
from vocabulary.builders import BLUE, GREEN, POLICY, ZONE, claim, configuration, endpoint, record, rule

APP = "app.example.com"
ADOPTING = replace(POLICY, adopt_hostnames=(HostnamePattern.parse("*.example.com"),))
AUDIENCE = "a" * 64
BLOCK = {"access_required": "true", "access_team_name": "acme", "access_aud_tag": AUDIENCE}
PROTECTED = rule(APP, "http://app:8080", access={"required": True, "teamName": "acme", "audTag": [AUDIENCE]})
MANAGED = (claim(APP),)
BY_HAND = (record(APP, target_of(BLUE), proxied=True),)


def existing(records: tuple[DnsRecord, ...], *rules: IngressRule) -> Existing:
    return Existing.of([ZONE], {ZONE: records}, {BLUE: configuration(*rules), GREEN: configuration()})


def written(decided: Plan, *rules: IngressRule) -> tuple[IngressRule, ...]:
    """Return the rules of the hostname once a plan is applied."""
    for decision in decided.decisions:
        for change in decision.rules:
            rules = change.applied_to(rules)
    return rules


@pytest.mark.parametrize(
    "properties",
    [
        pytest.param({}, id="H5: its annotations are gone"),
        pytest.param({"access_required": "false"}, id="it says false"),
        pytest.param({"tunnel": "green"}, id="it moves"),
        pytest.param({"http2_origin": "true"}, id="something else changes"),
    ],
)
def test_a_managed_rule_keeps_access_that_is_not_asked_for_any_more(properties: dict[str, str]) -> None:
    decided = plan(existing(MANAGED, PROTECTED), Changes(update_new=(endpoint(**properties),)), POLICY)
    assert [each.reason for each in decided.rejections] == [Reason.ACCESS_WOULD_BE_REMOVED]
    assert decided.decisions == ()


def test_the_other_paths_of_the_hostname_are_written() -> None:
    asked = (endpoint(), endpoint(target="http://api", path="/api"))
    decided = plan(existing(MANAGED, PROTECTED), Changes(update_new=asked), POLICY)
    assert [each.reason for each in decided.rejections] == [Reason.ACCESS_WOULD_BE_REMOVED]
    assert {each.path: requires_access(each) for each in written(decided, PROTECTED)} == {"": True, "^/api(/|$)": False}


@pytest.mark.parametrize(
    ("properties", "protected"),
    [
        pytest.param({"access": "none"}, False, id="consent"),
        pytest.param({**BLOCK, "access_team_name": "b"}, True, id="another team"),
    ],
)
def test_a_managed_rule_changes_its_access_where_that_is_said(properties: dict[str, str], *, protected: bool) -> None:
    decided = plan(existing(MANAGED, PROTECTED), Changes(update_new=(endpoint(**properties),)), POLICY)
    assert decided.rejections == ()
    assert [requires_access(each) for each in written(decided, PROTECTED)] == [protected]


@pytest.mark.parametrize(("properties", "protected"), [({}, True), ({"access": "none"}, False), (BLOCK, True)])
def test_a_rule_that_is_taken_over_keeps_its_access_unless_that_is_said(
    properties: dict[str, str], *, protected: bool
) -> None:
    standing = replace(PROTECTED, text=PROTECTED.text.replace("http://app:8080", "http://hand"), service="http://hand")
    asked = endpoint(adopt="true", **properties)
    decided = plan(existing(BY_HAND, standing), Changes(create=(asked,)), ADOPTING)
    assert decided.rejections == ()
    assert [(each.service, requires_access(each)) for each in written(decided, standing)] == [
        ("http://app:8080", protected)
    ]


ANY = st.fixed_dictionaries(
    {},
    optional={
        "adopt": st.just("true"),
        "tunnel": st.sampled_from(("blue", "green")),
        "http2_origin": st.just("true"),
        "access_required": st.sampled_from(("true", "false", "")),
        "access_team_name": st.sampled_from(("acme", "a.b")),
        "access_aud_tag": st.sampled_from((AUDIENCE, "tag")),
        "connect_timeout": st.sampled_from(("30", "5")),
        "nope": st.just(""),
    },
)


@given(
    st.lists(ANY, min_size=1, max_size=3),
    st.sampled_from((MANAGED, BY_HAND)),
    st.sampled_from(("create", "update_new")),
)
def test_no_endpoint_without_consent_makes_a_protected_hostname_public(
    asked: list[dict[str, str]], records: tuple[DnsRecord, ...], how: str
) -> None:
    state = existing(records, PROTECTED)
    decided = plan(state, Changes(**{how: tuple(endpoint(**properties) for properties in asked)}), POLICY)
    rules = {BLUE: (PROTECTED,), GREEN: ()}
    for decision in decided.decisions:
        for change in (*decision.rules, *decision.cleanup):
            rules[change.tunnel] = change.applied_to(rules[change.tunnel])
    left = [each for each in (*rules[BLUE], *rules[GREEN]) if not each.path]
    assert left
    assert all(map(requires_access, left))
