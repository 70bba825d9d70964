"""Rules and records made by hand for a hostname that external-dns asks for."""

import json

import pytest

from external_dns.account import Account, record
from external_dns.driver import NEWEST, ExternalDns, endpoint
from external_dns.webhook import StartExternalDns, StartWebhook
from vocabulary.builders import BLUE, GREEN

pytestmark = pytest.mark.external_dns
RULE = '{"hostname":"app.example.com","service":"http://by-hand:80","mine":1.0}'
OURS = f"{BLUE}.cfargotunnel.com"
USUAL = f"{NEWEST}-txt"
CONSENT = {"ADOPT_HOSTNAMES": "app.example.com"}
"""The operator's consent to what is made by hand being taken over."""


def test_a_different_rule_stays_and_is_an_error(newest: ExternalDns, account: Account) -> None:
    account.edit_rules(lambda rules: [RULE, *rules])
    before = account.bystanders(())
    good = endpoint("good.example.com")
    for _ in range(2):
        newest.loop(endpoint("app.example.com"), good).check_soft_error("apply")
        account.check({"good.example.com": "http://app:8080"}, bystanders=before)
    assert newest.publish(good).todo == {}
    account.check({"good.example.com": "http://app:8080"}, bystanders=before)


def test_a_different_rule_is_adopted_on_request_where_the_operator_consents(
    webhook: StartWebhook, start: StartExternalDns
) -> None:
    at = webhook(**CONSENT)
    newest = start(USUAL, at=at)
    at.account.edit_rules(lambda rules: [RULE, *rules])
    newest.loop(endpoint("app.example.com")).check_soft_error("apply")
    newest.publish(endpoint("app.example.com", adopt="true"))
    assert newest.publish(endpoint("app.example.com", adopt="true")).todo == {}
    assert newest.publish(endpoint("app.example.com")).todo == {}
    at.account.check({"app.example.com": "http://app:8080"})
    (rule,) = at.account.rules("app.example.com")
    assert rule["mine"] == 1.0


def test_the_rules_of_other_paths_stay_where_one_is_adopted(webhook: StartWebhook, start: StartExternalDns) -> None:
    at = webhook(**CONSENT)
    newest = start(USUAL, at=at)
    other = '{"hostname":"app.example.com","path":"/api/.*","service":"http://api-by-hand:80"}'
    at.account.edit_rules(lambda rules: [other, RULE, *rules])
    asked = endpoint("app.example.com", adopt="true")
    newest.publish(asked)
    assert newest.publish(asked).todo == {}
    assert [(rule.get("path"), rule["service"]) for rule in at.account.rules("app.example.com")] == [
        ("/api/.*", "http://api-by-hand:80"),
        (None, "http://app:8080"),
    ]
    newest.publish()
    assert at.account.rules("app.example.com") == [json.loads(other)]


def test_an_equivalent_rule_is_adopted_where_the_operator_consents(
    webhook: StartWebhook, start: StartExternalDns
) -> None:
    at = webhook(**CONSENT)
    newest = start(USUAL, at=at)
    at.account.edit_rules(lambda rules: [RULE, *rules])
    by_hand = record("app.example.com", OURS, proxied=True, comment="by hand")
    at.account.edit_records(lambda records: [*records, by_hand])
    equivalent = endpoint("app.example.com", "http://by-hand:80")
    newest.publish(equivalent)
    assert newest.publish(equivalent).todo == {}
    at.account.check({"app.example.com": "http://by-hand:80"})
    assert at.account.rules("app.example.com")[0]["mine"] == 1.0


@pytest.mark.parametrize("properties", [{}, {"adopt": "true"}], ids=["plain", "adopt"])
@pytest.mark.parametrize("service", ["http://by-hand:80", "http://app:8080"], ids=["the-same", "another"])
def test_nothing_is_adopted_without_the_operators_consent(
    newest: ExternalDns, account: Account, service: str, properties: dict[str, str]
) -> None:
    account.edit_rules(lambda rules: [RULE, *rules])
    account.edit_records(lambda records: [*records, record("app.example.com", OURS, proxied=True, comment="by hand")])
    before = account.state()
    newest.loop(endpoint("app.example.com", service, **properties)).check_soft_error("apply")
    assert account.state() == before


@pytest.mark.parametrize(
    "taken",
    [
        pytest.param(record("app.example.com", "192.0.2.1", "A", proxied=True), id="A"),
        pytest.param(record("app.example.com", "2001:db8::1", "AAAA"), id="AAAA"),
        pytest.param(record("app.example.com", "elsewhere.example.net"), id="CNAME"),
        pytest.param(record("app.example.com", "ns.example.net", "NS"), id="NS"),
        pytest.param(record("app.example.com", f"{GREEN}.cfargotunnel.com", proxied=True), id="other-tunnel"),
    ],
)
@pytest.mark.parametrize("adopt", [{}, {"adopt": "true"}], ids=["plain", "adopt"])
def test_a_record_stays_and_is_an_error(
    newest: ExternalDns, account: Account, taken: dict[str, object], adopt: dict[str, str]
) -> None:
    account.edit_records(lambda records: [taken, *records])
    before = account.bystanders(())
    for _ in range(2):
        newest.loop(endpoint("app.example.com", **adopt), endpoint("good.example.com")).check_soft_error("apply")
        account.check({"good.example.com": "http://app:8080"}, bystanders=before)


def test_a_document_that_cloudflared_refuses_is_not_changed_until_it_is_corrected(
    newest: ExternalDns, account: Account
) -> None:
    newest.publish(endpoint("old.example.com"))
    account.edit_rules(lambda rules: ['{"hostname":"broken.example.com","service":"no-service"}', *rules])
    broken = account.state()["documents"]
    wanted = (endpoint("app.example.com"), endpoint("old.example.com", "http://changed:80"))
    for _ in range(2):
        newest.loop(*wanted).check_soft_error("apply")
        assert account.state()["documents"] == broken
    account.edit_rules(lambda rules: rules[1:])
    newest.publish(*wanted)
    assert newest.publish(*wanted).todo == {}
    account.check({"app.example.com": "http://app:8080", "old.example.com": "http://changed:80"})


def test_a_text_record_of_a_hostname_is_left_alone(newest: ExternalDns, account: Account) -> None:
    account.edit_records(lambda records: [record("app.example.com", "v=spf1 -all", "TXT"), *records])
    before = account.bystanders(())
    newest.publish(endpoint("app.example.com"))
    assert newest.publish(endpoint("app.example.com")).todo == {}
    account.check({"app.example.com": "http://app:8080"}, bystanders=before)
    newest.publish()
    account.check({}, bystanders=before)


def test_a_wildcard_rule_by_hand_keeps_its_requests(newest: ExternalDns, account: Account) -> None:
    newest.publish(endpoint("one.wild.example.com"), endpoint("*.example.com"))
    assert newest.publish(endpoint("one.wild.example.com"), endpoint("*.example.com")).todo == {}
    order = [rule.get("hostname", "") for rule in account.rules()]
    assert order.index("one.wild.example.com") < order.index("*.wild.example.com") < order.index("*.example.com")
    account.check({"one.wild.example.com": "http://app:8080", "*.example.com": "http://app:8080"})
