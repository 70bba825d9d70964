"""Why a request goes where it goes."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.dns import DnsRecord, target_of
from tunnel_webhook.domain.external_dns.domain_filter import DomainFilter
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.explanation import Explanation, Match, explain
from tunnel_webhook.domain.planning.plan import Action
from vocabulary.builders import BLUE, GREEN, POLICY, ZONE, claim, configuration, record, rule

WINS, UNREACHED, PASSED_OVER = Match.WINS, Match.UNREACHED, Match.PASSED_OVER
APP, API = rule("app.example.com", "http://app:80"), rule("app.example.com", "http://api:80", path="^/api")


def explained(
    *records: DnsRecord,
    blue: TunnelConfiguration | None = None,
    hostname: str = "app.example.com",
    path: str = "/",
    policy: Policy = POLICY,
) -> Explanation:
    held = {BLUE: blue or configuration(API, APP), GREEN: configuration()}
    return explain(Hostname(hostname), path, Existing.of([ZONE], {ZONE: records}, held), policy)


def verdicts(explanation: Explanation, tunnel: str = BLUE) -> list[tuple[int, Match, int]]:
    return [(each.number, each.match, each.winner) for each in explanation.candidates if each.tunnel == tunnel]


def test_a_request_goes_to_the_first_rule_that_matches() -> None:
    found = explained(claim("app.example.com", resource="service/prod/app"), path="/api/users")

    assert verdicts(found) == [
        (1, WINS, 0),
        (2, UNREACHED, 1),
        (3, UNREACHED, 1),
    ]
    assert [each.is_managed for each in found.candidates if each.tunnel == BLUE] == [True, True, False]
    assert (found.zone, found.tunnel, found.drift) == ("example.com", BLUE, None)
    assert found.claim is not None
    assert (found.claim.marker.resource, found.is_visible, found.in_domain_filter) == ("service/prod/app", True, True)


def test_a_rule_with_another_path_is_passed_over() -> None:
    found = explained(claim("app.example.com"), path="/")

    assert verdicts(found) == [(1, PASSED_OVER, 0), (2, WINS, 0), (3, UNREACHED, 2)]


def test_rules_for_other_hostnames_have_no_say() -> None:
    found = explained(claim("app.example.com"), blue=configuration(rule("other.example.com"), APP))

    assert [number for number, _, _ in verdicts(found)] == [2, 3]


def test_each_tunnel_has_its_own_winner() -> None:
    found = explained(claim("app.example.com"))

    assert verdicts(found, GREEN) == [(1, WINS, 0)]
    assert found.tunnel == BLUE


@pytest.mark.parametrize(
    ("records", "answering"),
    [
        ((), ""),
        ((claim("app.example.com"),), "app.example.com"),
        ((record("app.example.com", "192.0.2.1", "A"),), "app.example.com"),
        ((record("*.example.com", target_of(GREEN)), record("app.example.com", "192.0.2.1", "A")), "app.example.com"),
        ((record("*.example.com", target_of(GREEN)),), "*.example.com"),
        ((claim("*.example.com"),), "*.example.com"),
        ((record("*.com", "192.0.2.1", "A"), record("*.example.com", "192.0.2.2", "A")), "*.example.com"),
    ],
    ids=[
        "nothing",
        "a claim",
        "a record",
        "before a wildcard",
        "a wildcard",
        "a claimed wildcard",
        "the closest wildcard",
    ],
)
def test_a_record_answers_for_the_name_else_the_closest_wildcard(records: Iterable[DnsRecord], answering: str) -> None:
    found = explained(*records)

    assert (found.record.name if found.record else "") == answering
    assert found.tunnel == (found.record.tunnel if found.record else "")


def test_drift_is_told() -> None:
    assert explained(replace(claim("app.example.com"), proxied=False)).drift == "not-proxied"


def test_a_name_outside_every_zone_and_the_filter_is_told() -> None:
    policy = replace(POLICY, domain_filter=DomainFilter(("example.com",)))

    found = explained(hostname="app.elsewhere.net", policy=policy)

    assert (found.zone, found.in_domain_filter, found.claim, found.is_visible) == ("", False, None, False)


def test_a_deletion_takes_the_rules_and_the_record() -> None:
    (decision,) = explained(claim("app.example.com")).deletion.decisions

    assert (decision.action, [change.tunnel for change in decision.rules], bool(decision.release)) == (
        Action.DELETE,
        [BLUE],
        True,
    )


@pytest.mark.parametrize(
    ("records", "policy"),
    [((), POLICY), ((claim("app.example.com", owner="them"),), replace(POLICY, owner_id="us"))],
    ids=["what nobody claimed", "what another owner claimed"],
)
def test_a_deletion_does_nothing_to(records: Iterable[DnsRecord], policy: Policy) -> None:
    found = explained(*records, policy=policy)

    assert found.deletion.decisions == ()
    assert not found.is_visible
