"""The report: what external-dns reads of the managed hostnames, and their drift.

`Go bug N` names what the Go reference got wrong there.
"""

from dataclasses import replace

import pytest

from tunnel_webhook.domain.claimed_paths import ClaimedPaths
from tunnel_webhook.domain.cloudflared.ingress import IngressRule
from tunnel_webhook.domain.dns import DnsRecord, target_of
from tunnel_webhook.domain.external_dns.adjustment import adjust
from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.marker import Marker
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.planner import plan
from tunnel_webhook.domain.planning.report import report
from vocabulary.builders import BLUE, GREEN, POLICY, ZONE, claim, configuration, marker, record, rule

APP = "app.example.com"
RULE, API_RULE = rule(APP, "http://app:8080"), rule(APP, "http://api", "^/api")


def existing(*records: DnsRecord, blue: tuple[IngressRule, ...] = (), green: tuple[IngressRule, ...] = ()) -> Existing:
    return Existing.of([ZONE], {ZONE: records}, {BLUE: configuration(*blue), GREEN: configuration(*green)})


def endpoints(state: Existing, policy: Policy = POLICY) -> tuple[Endpoint, ...]:
    return report(state, policy).endpoints


def drifts(reported: Endpoint) -> list[str]:
    return [text for name, text in reported.properties if name == "webhook/drift"]


def test_a_managed_hostname_is_one_endpoint_with_the_labels_of_its_claim() -> None:
    stored = claim(APP, owner="me", resource="service/prod/app")
    expected = Endpoint(
        APP,
        "CNAME",
        ("http://app:8080",),
        labels={"owner": "me", "resource": "service/prod/app"},
        properties=(("webhook/no-tls-verify", "true"),),
    )
    state = existing(stored, blue=(rule(APP, "http://app:8080", noTLSVerify=True),))
    assert endpoints(state) == (expected,), "Go bug 8: the owner comes from the claim, without a TXT record"


def test_each_path_of_a_hostname_is_reported_under_its_own_set_identifier() -> None:
    state = existing(claim(APP, paths=["", "^/api", "^/b"]), blue=(API_RULE, rule(APP, "http://b", "^/b"), RULE))
    pathless, api, other = endpoints(state)
    assert pathless == Endpoint(APP, targets=("http://app:8080",), labels={"owner": "default"})
    assert api.set_identifier == "^/api", "Go bug 20"
    assert api.targets == ("http://api",)
    assert api.properties == (("webhook/path", "^/api"), ("webhook/path-match", "regex"))
    assert other.set_identifier == "^/b", "Go bug 20"
    assert other.targets == ("http://b",)
    assert other.properties == (("webhook/path", "^/b"), ("webhook/path-match", "regex"))


def test_only_the_first_path_has_the_resource_of_the_claim() -> None:
    pathless, api = endpoints(
        existing(claim(APP, resource="ingress/prod/app", paths=["", "^/api"]), blue=(API_RULE, RULE))
    )
    assert pathless.resource == "ingress/prod/app"
    assert api.resource == ""
    assert api.owner == "default"


@pytest.mark.parametrize(
    "records",
    [
        pytest.param([], id="without a record"),
        pytest.param([record(APP, target_of(BLUE))], id="with an unmarked CNAME to the tunnel (Go bug 6)"),
        pytest.param([record(APP, "lb.example.net")], id="with a CNAME elsewhere (Go bug 6)"),
        pytest.param([record(APP, "1.2.3.4", "A")], id="with an A record (Go bug 6)"),
        pytest.param([record(APP, "fd00::1", "AAAA")], id="with an AAAA record (Go bug 6)"),
        pytest.param([record(APP, "a text", "TXT")], id="with a TXT record (Go bug 6)"),
    ],
)
def test_a_rule_made_by_hand_is_not_reported(records: list[DnsRecord]) -> None:
    assert endpoints(existing(*records, blue=(RULE, rule("b.example.com"), rule("*.example.com")))) == ()


def test_a_hostname_outside_the_default_tunnel_is_reported_with_the_name_of_its_tunnel() -> None:
    (reported,) = endpoints(existing(claim(APP, GREEN), green=(RULE,)))
    assert reported.properties == (("webhook/tunnel", "green"),)


@pytest.mark.parametrize(
    ("owner_id", "hostnames"),
    [
        pytest.param("b", ["b.example.com"], id="OWNER_ID: only its own"),
        pytest.param("", [APP, "b.example.com"], id="no OWNER_ID: all"),
    ],
)
def test_an_instance_reports_the_hostnames_that_it_sees(owner_id: str, hostnames: list[str]) -> None:
    state = existing(claim(APP, owner="a"), claim("b.example.com", owner="b"), blue=(RULE, rule("b.example.com")))
    reported = endpoints(state, replace(POLICY, owner_id=owner_id))
    assert [endpoint.dns_name for endpoint in reported] == hostnames


def test_a_claim_without_a_rule_is_reported_with_its_drift() -> None:
    (reported,) = endpoints(existing(claim(APP)))
    assert reported.targets == (target_of(BLUE),)
    assert reported.properties == (("webhook/drift", "no-rule"),)


def test_rules_in_another_tunnel_are_reported_from_there_with_their_drift() -> None:
    (reported,) = endpoints(existing(claim(APP, BLUE), green=(RULE,)))
    assert reported.targets == ("http://app:8080",)
    assert reported.properties == (("webhook/drift", "tunnel"), ("webhook/tunnel", "green"))


def test_of_two_rules_for_one_path_the_first_is_reported_since_only_it_is_used() -> None:
    (reported,) = endpoints(existing(claim(APP), blue=(RULE, rule(APP, "http://second"))))
    assert reported.targets == ("http://app:8080",)
    assert reported.properties == (("webhook/drift", "duplicate-rule"),)


def test_a_drift_is_reported_with_every_path_of_its_hostname() -> None:
    state = existing(replace(claim(APP, paths=["", "^/api"]), proxied=False), blue=(API_RULE, RULE))
    assert [drifts(reported) for reported in endpoints(state)] == [["not-proxied"], ["not-proxied"]]


def test_drift_is_reported_by_hostname() -> None:
    state = existing(claim(APP), claim("b.example.com"), blue=(rule("b.example.com"),))
    assert report(state, POLICY).drift == ((APP, "no-rule"),)


def test_an_update_to_what_is_reported_changes_nothing() -> None:
    access = rule(APP, "http://all", access={"required": True, "teamName": "t", "audTag": ["b" * 64, "a" * 64]})
    rules = (rule(APP, "http://b", "^/b", connectTimeout=5), access)
    state = existing(claim(APP, GREEN, resource="service/prod/app", paths=["", "^/b"]), green=rules)
    reported = endpoints(state)
    assert len(reported) == 2
    assert adjust(reported, POLICY).endpoints == reported
    assert plan(state, Changes(update_new=reported), POLICY).decisions == (), "Go bug 14"


@pytest.mark.parametrize("blue", [(), (RULE,)], ids=["its rule is gone", "its rule came back"])
def test_a_hostname_that_is_being_released_is_not_reported(blue: tuple[IngressRule, ...]) -> None:
    releasing = replace(claim(APP), comment=marker("default", since=0).comment)
    reported = report(existing(releasing, blue=blue), POLICY)
    assert (reported.endpoints, reported.drift) == ((), ())


def test_a_rule_that_a_person_added_to_the_hostname_is_not_reported() -> None:
    (reported,) = endpoints(existing(claim(APP), blue=(API_RULE, RULE)))
    assert (reported.set_identifier, reported.targets) == ("", ("http://app:8080",))


def test_a_rule_of_a_released_path_is_not_reported() -> None:
    marked = Marker("default", paths=ClaimedPaths.of([""]), leaving=ClaimedPaths.of(["^/api"]), since=0)
    (reported,) = endpoints(existing(replace(claim(APP), comment=marked.comment), blue=(API_RULE, RULE)))
    assert reported.set_identifier == ""


def test_a_resource_that_only_its_digest_names_is_not_reported() -> None:
    (reported,) = endpoints(existing(claim(APP, resource="ingress/prod/" + "a" * 99), blue=(RULE,)))
    assert reported.resource == ""
