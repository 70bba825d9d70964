"""Consent: what one endpoint asks for, and the holes of threats.md that the decision closes, by their numbers."""

from dataclasses import replace

import pytest

from tunnel_webhook.domain.errors import InvalidEndpoint, Reason
from tunnel_webhook.domain.external_dns.adjustment import adjust
from tunnel_webhook.domain.external_dns.consent import is_literal_path
from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint
from tunnel_webhook.domain.external_dns.marking import translate
from tunnel_webhook.domain.external_dns.namespace import namespace_digest
from tunnel_webhook.domain.external_dns.path import path_expression
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.external_dns.policy_file import parse_policy_file
from tunnel_webhook.domain.external_dns.properties import INVALID
from tunnel_webhook.domain.external_dns.route import ADOPT_LABEL
from tunnel_webhook.domain.external_dns.set_identifier import digest_in, path_of
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.planner import plan
from vocabulary.builders import BLUE, GREEN, POLICY, ZONE, claim, configuration, endpoint, rule

TEAMS = parse_policy_file(
    """
    version = 1
    shared = ["shared.example.com"]
    [[allow]]
    namespaces = ["team-a"]
    hostnames = ["*.example.com"]
    [[allow]]
    namespaces = ["team-b"]
    hostnames = ["*.example.com"]
    properties = ["safe", "path-regex", "no-tls-verify"]
    """
)
WITH_FILE = replace(POLICY, permissions=TEAMS)
A, B = "ingress/team-a/web", "ingress/team-b/web"
OF_A, OF_B = "http://web.team-a.svc.cluster.local:80", "http://web.team-b.svc.cluster.local:80"


def reason(asked: Endpoint, policy: Policy = POLICY) -> Reason | None:
    try:
        translate(asked, policy)
    except InvalidEndpoint as error:
        return error.reason
    return None


@pytest.mark.parametrize(
    "service",
    [
        "http://localhost:8080",
        "http://169.254.169.254",
        "http://[::ffff:169.254.169.254]",
        "http://[64:ff9b::a9fe:a9fe]",
        "http://[fd00:ec2::254]",
        "http://metadata",
        "http://169-254-169-254.default.pod.cluster.local",
        "http://0.0.0.0:80",
        "https://kubernetes.default.svc",
        "unix:/var/run/docker.sock",
    ],
)
def test_h4_an_origin_that_only_the_connector_should_reach_is_not_allowed_without_a_file(service: str) -> None:
    assert reason(endpoint(target=service)) is Reason.NOT_ALLOWED
    assert reason(endpoint(target="10.0.0.5", service=service)) is Reason.NOT_ALLOWED
    assert reason(endpoint(target=service), replace(POLICY, allowed_origins=(service,))) is None
    assert reason(endpoint(target=service), replace(POLICY, allowed_origins=("http://other",))) is Reason.NOT_ALLOWED


@pytest.mark.parametrize("service", ["http://127.1", "http://0x7f.1", "http://2130706433", "http://a..b"])
def test_h4_another_spelling_of_an_address_is_no_service(service: str) -> None:
    assert reason(endpoint(target=service)) is Reason.INVALID_SERVICE


def test_the_default_origin_is_the_operators_own_word() -> None:
    policy = replace(POLICY, default_origin="http://localhost:8080")
    assert reason(endpoint(target="10.0.0.5"), policy) is None
    assert reason(endpoint(target="http://localhost:8081"), policy) is Reason.NOT_ALLOWED
    assert reason(endpoint(target="10.0.0.5", resource=A), replace(policy, permissions=TEAMS)) is None


def test_c2_a_label_that_a_tenant_sets_adopts_nothing() -> None:
    """A DNSEndpoint may carry any label; external-dns overwrites only `resource` (source/crd.go)."""
    forged = replace(endpoint(resource=A), labels={"resource": A, ADOPT_LABEL: "true", "note": "x"})
    (adjusted,) = adjust([forged], POLICY).endpoints
    assert adjusted.labels == {"resource": A}
    (asked,) = adjust([endpoint(resource=A, adopt="true")], POLICY).endpoints
    assert asked.labels == {"resource": A, ADOPT_LABEL: "true"}
    assert translate(asked, POLICY).adopt


def test_c2_an_endpoint_that_is_marked_carries_no_other_label_either() -> None:
    forged = replace(endpoint(target="", resource=A), labels={"resource": A, "owner": "o", ADOPT_LABEL: "true"})
    (adjusted,) = adjust([forged], POLICY).endpoints
    assert adjusted.labels == {"owner": "o", "resource": A}


def test_c6_another_namespace_gets_no_path_of_a_hostname_that_is_held() -> None:
    existing = Existing.of(
        [ZONE],
        {ZONE: [claim("app.example.com", resource=A)]},
        {BLUE: configuration(rule("app.example.com", OF_A)), GREEN: configuration()},
    )
    (taken,) = adjust([endpoint(target=OF_B, resource=B, path="^/", path_match="regex")], WITH_FILE).endpoints
    planned = plan(existing, Changes(create=(taken,)), WITH_FILE)
    assert [rejection.reason for rejection in planned.rejections] == [Reason.HELD_BY_ANOTHER_NAMESPACE]
    assert planned.decisions == ()


def test_h2_each_of_several_targets_that_could_be_the_origin_is_judged() -> None:
    """external-dns merges the targets of endpoints of several namespaces under one label."""
    policy = replace(
        POLICY,
        permissions=parse_policy_file(
            'version = 1\n[[allow]]\nnamespaces = ["team-a"]\nhostnames = ["*.example.com"]\norigins = ["http://10.0.0.0/8"]'
        ),
    )
    merged = replace(endpoint(resource=A), targets=("10.0.0.1", "192.168.0.1"))
    assert reason(merged, policy) is Reason.NOT_ALLOWED
    assert reason(replace(merged, targets=("10.0.0.1", "10.0.0.2")), policy) is None
    assert reason(replace(merged, targets=("10.0.0.1", "169.254.169.254"))) is Reason.NOT_ALLOWED
    assert (
        reason(replace(endpoint(resource=A, service="http://10.0.0.1"), targets=("a", "192.168.0.1")), policy) is None
    )


def test_the_addresses_of_a_service_are_not_its_origin_and_are_not_judged() -> None:
    service = replace(endpoint(resource="service/team-a/web", record_type="A"), targets=("10.0.0.1", "10.0.0.2"))
    assert reason(service, WITH_FILE) is None
    assert translate(service, WITH_FILE).service == OF_A


def test_h3_namespaces_never_compete_for_one_row_of_external_dns() -> None:
    good, rival = endpoint(target=OF_B, resource=B), endpoint(target="http://a.evil", resource=A)
    adjusted = adjust([good, rival], WITH_FILE).endpoints
    assert {digest_in(each.set_identifier) for each in adjusted} == {
        namespace_digest("team-a"),
        namespace_digest("team-b"),
    }
    assert {path_of(each.set_identifier) for each in adjusted} == {""}
    assert sorted(reason(each, WITH_FILE) or "" for each in adjusted) == ["", Reason.NOT_ALLOWED]


def test_h3_a_shared_hostname_has_the_rows_that_it_has_without_a_file() -> None:
    asked = [
        endpoint("shared.example.com", OF_A, resource=A),
        endpoint("shared.example.com", OF_B, resource=B, path="/b"),
    ]
    assert [each.set_identifier for each in adjust(asked, WITH_FILE).endpoints] == ["", "^/b(/|$)"]


def test_h3_of_one_namespace_the_acceptable_endpoint_is_returned_and_the_other_reported() -> None:
    good, bad = endpoint(target=OF_A, resource=A), endpoint(target="http://a.evil", resource="service/team-a/a")
    for order in ([good, bad], [bad, good]):
        adjustment = adjust(order, WITH_FILE)
        assert [each.resource for each in adjustment.endpoints] == [A]
        assert [fault.endpoint.resource for fault in adjustment.unpublishable] == ["service/team-a/a"]


def test_h3_without_a_namespace_in_common_both_are_returned() -> None:
    good, bad = endpoint(target=OF_A, resource=A), endpoint(target="http://127.0.0.1", resource=B)
    assert len(adjust([good, bad], POLICY).endpoints) == 2


def test_c5_a_required_access_is_not_satisfied_by_a_false_one() -> None:
    policy = replace(
        POLICY,
        permissions=parse_policy_file(
            """
            version = 1
            [[allow]]
            namespaces = ["team-a"]
            hostnames = ["*.example.com"]
            properties = ["safe", "access-required", "access-team-name", "access-aud-tag"]
            access = "required"
            """
        ),
    )
    options = {"access_team_name": "acme", "access_aud_tag": "a" * 64}
    assert reason(endpoint(target=OF_A, resource=A, access_required="true", **options), policy) is None
    assert reason(endpoint(target=OF_A, resource=A, access_required="false"), policy) is Reason.NOT_ALLOWED
    assert reason(endpoint(target=OF_A, resource=A), policy) is Reason.NOT_ALLOWED


def test_m2_a_wildcard_needs_a_table_that_says_so() -> None:
    assert reason(endpoint("*.example.com", OF_A, resource=A), WITH_FILE) is Reason.NOT_ALLOWED


@pytest.mark.parametrize(
    ("properties", "of_a", "of_b"),
    [
        pytest.param({"no_tls_verify": "true"}, False, True, id="M4: a property that is not safe"),
        pytest.param({"http_host_header": "other.example.com"}, False, False, id="M4: another virtual host"),
        pytest.param({"path": "/api"}, True, True, id="a prefix"),
        pytest.param({"path": "/a.b", "path_match": "exact"}, True, True, id="an exact path"),
        pytest.param({"path": "^/(a|b)", "path_match": "regex"}, False, True, id="an expression"),
        pytest.param({"connect_timeout": "5"}, True, True, id="a safe property"),
        pytest.param({"tunnel": "green"}, False, False, id="another tunnel"),
        pytest.param({"adopt": "true"}, True, True, id="adoption, which the planner judges"),
    ],
)
def test_properties_are_judged_before_and_after_adjusting(
    properties: dict[str, str],
    of_a: bool,  # noqa: FBT001 -- a table
    of_b: bool,  # noqa: FBT001 -- a table
) -> None:
    for service, resource, allowed in ((OF_A, A, of_a), (OF_B, B, of_b)):
        asked = endpoint(target=service, resource=resource, **properties)
        (adjusted,) = adjust([asked], WITH_FILE).endpoints
        assert (reason(asked, WITH_FILE) is None, reason(adjusted, WITH_FILE) is None) == (allowed, allowed)
        assert dict(adjusted.properties).get(INVALID) == (None if allowed else "not-allowed")


@pytest.mark.parametrize("path", ["/", "/api", "/a(b)[c]{d}^e$f|g", "/a\\b", "/ä"])
@pytest.mark.parametrize("match", ["prefix", "exact"])
def test_the_expression_of_a_prefix_or_an_exact_path_is_literal(path: str, match: str) -> None:
    expression = path_expression(path, match)
    assert not expression or is_literal_path(expression)


@pytest.mark.parametrize(
    "expression", ["^/", "^/a", "/a$", "^/a.b$", "^/a|b$", "^/a(/|$)(/|$)", "^/\\d$", "^/a*$", "^a$", "^/a$\n"]
)
def test_any_other_expression_is_not_literal(expression: str) -> None:
    assert not is_literal_path(expression)


def test_an_endpoint_that_is_not_allowed_passes_through_marked_with_its_sentence() -> None:
    adjustment = adjust([endpoint(target=OF_B, resource=A)], WITH_FILE)
    (marked,) = adjustment.endpoints
    assert marked.properties == ((INVALID, "not-allowed"),)
    assert adjustment.unpublishable[0].sentence == (
        f"the operator's policy does not allow app.example.com -> {OF_B}: the nearest table is [[allow]] 1, and its"
        f" origins does not list {OF_B}"
    )
    assert adjust([marked], WITH_FILE).endpoints == (marked,)
