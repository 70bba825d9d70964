"""What external-dns is told: what is claimed, for whom, and what is amiss with it."""

from dataclasses import replace

from tunnel_webhook.domain.cloudflared.ingress import IngressRule
from tunnel_webhook.domain.dns import DnsRecord, target_of
from tunnel_webhook.domain.external_dns.adjustment import adjust
from tunnel_webhook.domain.external_dns.endpoint import Endpoint
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.report import report
from vocabulary.builders import BLUE, GREEN, POLICY, ZONE, claim, configuration, record, rule

APP = "app.example.com"


def told(
    records: list[DnsRecord], blue: list[IngressRule], green: list[IngressRule] | None = None, policy: Policy = POLICY
) -> tuple[Endpoint, ...]:
    documents = {BLUE: configuration(*blue), GREEN: configuration(*(green or []))}
    return report(Existing.of([ZONE], {ZONE: records}, documents), policy).endpoints


def test_a_managed_hostname_is_one_endpoint_with_the_labels_of_its_claim() -> None:
    found = told(
        [claim(APP, owner="me", resource="service/prod/app")], [rule(APP, "http://app:8080", noTLSVerify=True)]
    )
    assert found == (
        Endpoint(
            APP,
            "CNAME",
            ("http://app:8080",),
            labels={"owner": "me", "resource": "service/prod/app"},
            properties=(("webhook/no-tls-verify", "true"),),
        ),
    )


def test_a_hostname_with_several_paths_is_an_endpoint_for_each() -> None:
    found = told([claim(APP)], [rule(APP, "http://b", "^/b"), rule(APP, "http://a", "^/a"), rule(APP, "http://all")])
    assert [(each.set_identifier, each.targets, dict(each.properties)) for each in found] == [
        ("", ("http://all",), {}),
        ("^/a", ("http://a",), {"webhook/path": "^/a", "webhook/path-match": "regex"}),
        ("^/b", ("http://b",), {"webhook/path": "^/b", "webhook/path-match": "regex"}),
    ]


def test_the_one_resource_of_a_claim_is_told_of_the_first_path_only() -> None:
    found = told([claim(APP, resource="ingress/prod/app")], [rule(APP, "http://a", "^/a"), rule(APP, "http://all")])
    assert [(each.set_identifier, each.resource, each.owner) for each in found] == [
        ("", "ingress/prod/app", "default"),
        ("^/a", "", "default"),
    ]


def test_a_rule_made_by_hand_is_never_told_even_with_a_record_of_its_name() -> None:
    records = [record(APP, target_of(BLUE)), record(APP, "text", "TXT"), record("b.example.com", "1.2.3.4", "A")]
    assert told(records, [rule(APP), rule("b.example.com"), rule("*.example.com")]) == ()


def test_a_hostname_outside_the_default_tunnel_tells_its_tunnel_by_name() -> None:
    (found,) = told([claim(APP, GREEN)], [], [rule(APP, "http://app")])
    assert dict(found.properties) == {"webhook/tunnel": "green"}


def test_an_instance_with_an_owner_id_tells_only_its_own() -> None:
    records = [claim(APP, owner="a"), claim("b.example.com", owner="b")]
    rules = [rule(APP, "http://app"), rule("b.example.com", "http://app")]
    assert [each.dns_name for each in told(records, rules, policy=replace(POLICY, owner_id="b"))] == ["b.example.com"]
    assert [each.dns_name for each in told(records, rules)] == [APP, "b.example.com"]


def test_a_claim_without_a_rule_is_told_with_its_drift() -> None:
    (found,) = told([claim(APP)], [])
    assert (found.targets, found.properties) == ((target_of(BLUE),), (("webhook/drift", "no-rule"),))


def test_rules_in_another_tunnel_are_told_from_there_with_their_drift() -> None:
    (found,) = told([claim(APP, BLUE)], [], [rule(APP, "http://app")])
    assert (found.targets, found.properties) == (
        ("http://app",),
        (("webhook/drift", "tunnel"), ("webhook/tunnel", "green")),
    )


def test_of_two_rules_for_one_path_the_first_is_told_since_only_it_is_used() -> None:
    (found,) = told([claim(APP)], [rule(APP, "http://first"), rule(APP, "http://second")])
    assert (found.targets, found.properties) == (("http://first",), (("webhook/drift", "duplicate-rule"),))


def test_drift_is_told_by_hostname_for_the_log() -> None:
    documents = {BLUE: configuration(rule("b.example.com", "http://b"))}
    state = Existing.of([ZONE], {ZONE: [claim(APP), claim("b.example.com")]}, documents)
    assert report(state, POLICY).drift == ((APP, "no-rule"),)


def test_what_is_told_is_what_adjusting_makes_of_it() -> None:
    rules = [
        rule(APP, "http://b", "^/b", connectTimeout=5),
        rule(APP, "http://all", access={"required": True, "teamName": "t", "audTag": ["b", "a"]}),
    ]
    found = told([claim(APP, GREEN, resource="service/prod/app")], [], rules)
    assert adjust(found, POLICY).endpoints == found
