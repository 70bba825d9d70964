"""Explanations: why a request for a hostname and path goes where it goes."""

from dataclasses import replace

import pytest

from tunnel_webhook.domain.claim import Release
from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.dns import DnsRecord, target_of
from tunnel_webhook.domain.external_dns.domain_filter import DomainFilter
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.explanation import Explanation, Match, explain
from tunnel_webhook.domain.planning.plan import Action
from vocabulary.builders import BLUE, GREEN, POLICY, ZONE, claim, configuration, marker, record, rule

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


def matches(explanation: Explanation, tunnel: str = BLUE) -> list[tuple[int, Match, int]]:
    """Return the number of each candidate of a tunnel, what it does, and the number of the winner."""
    candidates = (candidate for candidate in explanation.candidates if candidate.tunnel == tunnel)
    return [(candidate.number, candidate.match, candidate.winner) for candidate in candidates]


def test_a_request_goes_to_the_first_rule_that_matches() -> None:
    explanation = explained(claim(APP), path="/api/users")
    assert matches(explanation) == [(1, WINS, 0), (2, UNREACHED, 1), (3, UNREACHED, 1)]
    assert explanation.is_answered


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
    assert not explained(ADDRESS).is_answered


def test_the_drift_of_a_managed_hostname_is_explained() -> None:
    assert explained(replace(claim(APP), proxied=False)).drift == "not-proxied"


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
