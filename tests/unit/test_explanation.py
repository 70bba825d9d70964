"""Explanations: why a request for a hostname and path goes where it goes."""

from dataclasses import replace

import pytest

from tunnel_webhook.domain.claim import Release
from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.dns import DnsRecord, target_of
from tunnel_webhook.domain.external_dns.domain_filter import DomainFilter
from tunnel_webhook.domain.external_dns.endpoint import Changes
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.explanation import Explanation, Match, explain
from tunnel_webhook.domain.planning.plan import Action
from vocabulary.builders import BLUE, GREEN, POLICY, ZONE, claim, configuration, endpoint, marker, record, rule

WINS, UNREACHED, PASSED_OVER = Match.WINS, Match.UNREACHED, Match.PASSED_OVER
APP = "app.example.com"
APP_RULE, API_RULE = rule(APP, "http://app:80"), rule(APP, "http://api:80", path="^/api")
ADDRESS = record(APP, "192.0.2.1", "A")
WILDCARD = record("*.example.com", target_of(GREEN))


def explained(
    *records: DnsRecord,
    blue: TunnelConfiguration | None = None,
    hostname: str = APP,
    path: str = "/",
    policy: Policy = POLICY,
) -> Explanation:
    documents = {BLUE: blue or configuration(API_RULE, APP_RULE), GREEN: configuration()}
    return explain(Hostname(hostname), path, Existing.of([ZONE], {ZONE: records}, documents), policy)


def explained_state() -> Existing:
    """Return the state that `explained` explains, with the hostname claimed."""
    documents = {BLUE: configuration(API_RULE, APP_RULE), GREEN: configuration()}
    return Existing.of([ZONE], {ZONE: (claim(APP),)}, documents)


def matches(explanation: Explanation, tunnel: str = BLUE) -> list[tuple[int, Match, int]]:
    """Return the number of each candidate of a tunnel, what it does, and the number of the winner."""
    candidates = (candidate for candidate in explanation.candidates if candidate.tunnel == tunnel)
    return [(candidate.number, candidate.match, candidate.winner) for candidate in candidates]


def test_a_request_goes_to_the_first_rule_that_matches() -> None:
    explanation = explained(claim(APP), path="/api/users")
    assert matches(explanation) == [(1, WINS, 0), (2, UNREACHED, 1), (3, UNREACHED, 1)]
    assert explanation.winner is not None


def test_a_rule_with_another_path_is_passed_over() -> None:
    assert matches(explained(claim(APP), path="/")) == [(1, PASSED_OVER, 0), (2, WINS, 0), (3, UNREACHED, 2)]


def test_rules_for_other_hostnames_are_not_candidates() -> None:
    explanation = explained(claim(APP), blue=configuration(rule("other.example.com"), APP_RULE))
    assert [number for number, _, _ in matches(explanation)] == [2, 3]


def test_only_rules_that_a_claim_names_are_managed() -> None:
    explanation = explained(claim(APP))
    in_blue = [candidate for candidate in explanation.candidates if candidate.tunnel == BLUE]
    assert [candidate.is_managed for candidate in in_blue] == [False, True, False]


def test_each_tunnel_has_its_own_winner() -> None:
    explanation = explained(claim(APP))
    assert matches(explanation, GREEN) == [(1, WINS, 0)]
    assert explanation.tunnel == BLUE


def test_the_zone_the_claim_and_who_may_see_it_are_explained() -> None:
    explanation = explained(claim(APP, resource="service/prod/app"))
    assert explanation.zone == "example.com"
    assert explanation.tunnel == BLUE
    assert explanation.drift is None
    assert explanation.claim is not None
    assert explanation.claim.marker.resource == "service/prod/app"
    assert explanation.is_visible
    assert explanation.in_domain_filter


@pytest.mark.parametrize(
    ("records", "answering"),
    [
        pytest.param([], None, id="nothing"),
        pytest.param([claim(APP)], claim(APP), id="a claim"),
        pytest.param([ADDRESS], ADDRESS, id="a record"),
        pytest.param([WILDCARD, ADDRESS], ADDRESS, id="a record before a wildcard"),
        pytest.param([WILDCARD], WILDCARD, id="a wildcard"),
        pytest.param([claim("*.example.com")], claim("*.example.com"), id="a claimed wildcard"),
        pytest.param([record("*.com", "192.0.2.1", "A"), WILDCARD], WILDCARD, id="the closest wildcard"),
    ],
)
def test_the_record_of_the_name_answers_or_else_that_of_the_closest_wildcard(
    records: list[DnsRecord], answering: DnsRecord | None
) -> None:
    explanation = explained(*records)
    assert explanation.record == answering
    assert explanation.tunnel == (answering.tunnel if answering else "")


def test_a_hostname_that_points_at_no_tunnel_is_not_answered() -> None:
    assert not explained(ADDRESS).winner


def test_the_drift_of_a_managed_hostname_is_explained() -> None:
    assert explained(replace(claim(APP), proxied=False)).drift == "not-proxied"


def test_rules_by_others_that_are_reached_before_ours_are_explained() -> None:
    assert explained(claim(APP)).overruling == (API_RULE.path,)
    assert explained(claim(APP), blue=configuration(APP_RULE, API_RULE)).overruling == ()
    assert explained(claim(APP), blue=configuration(API_RULE)).overruling == ()
    assert explained().overruling == ()


def test_a_rule_that_the_policy_does_not_allow_any_more_is_explained() -> None:
    local = rule(APP, "http://127.0.0.1")
    other = rule("other.example.com", "http://127.0.0.1")
    explanation = explained(claim(APP), claim("other.example.com"), blue=configuration(local, other))

    (disallowed,) = explanation.disallowed
    assert (disallowed.hostname, disallowed.path) == (APP, "")
    assert "127.0.0.1" in disallowed.sentence
    assert explained(claim(APP)).disallowed == ()


def test_a_name_outside_every_zone_and_the_domain_filter_is_explained() -> None:
    policy = replace(POLICY, domain_filter=DomainFilter(("example.com",)))
    explanation = explained(hostname="app.elsewhere.net", policy=policy)
    assert explanation.zone == ""
    assert not explanation.in_domain_filter
    assert explanation.claim is None
    assert not explanation.is_visible


def test_a_deletion_removes_the_rules_and_releases_the_record() -> None:
    (decision,) = explained(claim(APP)).deletion.decisions
    assert decision.action is Action.DELETE
    assert [change.tunnel for change in decision.rules] == [BLUE]
    assert decision.release == Release(claim(APP), replace(claim(APP), comment="")), "a person's rule needs the record"


@pytest.mark.parametrize(
    ("records", "policy"),
    [
        pytest.param([], POLICY, id="not claimed"),
        pytest.param([claim(APP, owner="them")], replace(POLICY, owner_id="us"), id="claimed for another owner"),
    ],
)
def test_a_deletion_of_a_hostname_that_is_not_ours_does_nothing(records: list[DnsRecord], policy: Policy) -> None:
    explanation = explained(*records, policy=policy)
    assert explanation.deletion.decisions == ()
    assert not explanation.is_visible


def test_a_hostname_that_is_being_released_has_no_drift_and_nothing_to_delete() -> None:
    releasing = replace(claim(APP), comment=marker("default", since=1_700_000_000).comment)
    explanation = explained(releasing, blue=configuration())
    assert explanation.claim is not None
    assert explanation.claim.is_releasing
    assert explanation.drift is None
    assert explanation.deletion.decisions == ()


FAULTS = {
    "it works": ((), {}, ""),
    "no zone": ((), {"hostname": "app.elsewhere.net"}, "no zone that the credentials see holds it"),
    "no record": ((), {"hostname": "other.example.com"}, "no record answers for it"),
    "an address": (
        (record("a.example.com", "192.0.2.1", "A"),),
        {"hostname": "a.example.com"},
        "does not point at a tu",
    ),
    "not proxied": ((replace(claim("b.example.com"), proxied=False),), {"hostname": "b.example.com"}, "is not proxied"),
    "another tunnel": (
        (record("c.example.com", target_of("11111111-2222-4333-8444-555555555555"), proxied=True),),
        {"hostname": "c.example.com"},
        "points at a tunnel in which no rule takes the request",
    ),
    "only the catch-all": (
        (claim("d.example.com"),),
        {"hostname": "d.example.com"},
        "and that answers http_status:404",
    ),
    "a wildcard of another tunnel": ((WILDCARD,), {"hostname": "e.example.com"}, "is not proxied"),
}


@pytest.mark.parametrize(("records", "asked", "fault"), FAULTS.values(), ids=FAULTS)
def test_a_hostname_that_does_not_work_is_said_not_to(
    records: tuple[DnsRecord, ...], asked: dict[str, str], fault: str
) -> None:
    explanation = explained(claim(APP), *records, hostname=asked.get("hostname", APP))

    assert fault in explanation.fault
    assert bool(explanation.fault) == bool(fault)
    assert explanation.works == (not fault)


def test_a_catch_all_with_a_service_answers_for_every_hostname() -> None:
    document = TunnelConfiguration.parse('{"ingress":[{"service":"http://everything:80"}]}')

    assert explained(claim(APP), blue=document).works


def test_a_managed_rule_that_answers_with_a_status_does_what_was_asked() -> None:
    assert explained(claim(APP), blue=configuration(rule(APP, "http_status:503"))).works


@pytest.mark.parametrize(
    ("records", "policy", "reasons"),
    [
        pytest.param((), POLICY, [], id="free"),
        pytest.param((claim(APP),), POLICY, [], id="ours"),
        pytest.param((ADDRESS,), POLICY, ["record-conflict"], id="an address"),
        pytest.param((claim(APP, owner="them"),), replace(POLICY, owner_id="us"), ["owned-by-other"], id="another's"),
        pytest.param(
            (), replace(POLICY, domain_filter=DomainFilter(("other.net",))), ["outside-domain-filter"], id="filtered"
        ),
        pytest.param((), replace(POLICY, default_origin="ftp://not-a-service"), [], id="the origin is not judged"),
    ],
)
def test_why_a_name_would_be_rejected_is_said_whatever_is_asked_for_it(
    records: tuple[DnsRecord, ...], policy: Policy, reasons: list[str]
) -> None:
    explanation = explained(*records, policy=policy, blue=configuration())

    assert [rejection.reason.value for rejection in explanation.rejections] == reasons
    assert not explanation.is_asked


def test_why_what_was_asked_for_is_rejected_is_said_and_that_it_does_not_work() -> None:
    last = Changes(create=(endpoint(APP, "ftp://app"), endpoint("other.example.com", "ftp://other")))

    explanation = explain(Hostname(APP), "/", explained_state(), POLICY, last)

    (rejection,) = explanation.rejections
    assert rejection.reason == "invalid-service"
    assert explanation.is_asked
    assert not explanation.fault
    assert not explanation.works


def test_a_change_set_that_does_not_name_the_hostname_says_nothing_of_it() -> None:
    last = Changes(create=(endpoint("other.example.com", "ftp://other"),))

    explanation = explain(Hostname(APP), "/", explained_state(), POLICY, last)

    assert not explanation.is_asked
    assert explanation.works


def test_the_claim_of_a_wildcard_above_is_explained() -> None:
    wildcard = claim("*.example.com", resource="service/w/w")
    explanation = explained(wildcard)

    assert explanation.claim is None
    assert explanation.covering is not None
    assert explanation.covering.record == wildcard
    assert explained(claim(APP), wildcard).covering is None


def test_the_rule_that_wins_shows_what_it_inherits_and_whether_it_checks_access() -> None:
    guarded = rule(APP, "http://app:80", access={"required": True, "teamName": "t", "audTag": ["a" * 64]})
    inherited = '{"originRequest":{"httpHostHeader":"internal"},"ingress":'
    text = f'{inherited}[{guarded.text},{{"service":"http_status:404"}}]}}'

    winner = explained(claim(APP), blue=TunnelConfiguration.parse(text)).winner

    assert winner is not None
    assert winner.inherited == {"http-host-header": "internal"}
    assert winner.own["access-required"] == "true"
    assert winner.requires_access
