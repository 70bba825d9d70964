"""Rules and records made by hand for a hostname that external-dns asks for."""

import pytest

from external_dns.account import Account, record
from external_dns.driver import ExternalDns, endpoint
from vocabulary.builders import BLUE, GREEN

pytestmark = pytest.mark.external_dns
RULE = '{"hostname":"app.example.com","service":"http://by-hand:80","mine":1.0}'
OURS = f"{BLUE}.cfargotunnel.com"


def test_a_different_rule_stays_and_is_an_error(newest: ExternalDns, account: Account) -> None:
    account.edit_rules(lambda rules: [RULE, *rules])
    before = account.bystanders(())
    good = endpoint("good.example.com")
    for _ in range(2):
        newest.loop(endpoint("app.example.com"), good).check_soft_error("apply")
        account.check({"good.example.com": "http://app:8080"}, bystanders=before)
    assert newest.publish(good).todo == {}
    account.check({"good.example.com": "http://app:8080"}, bystanders=before)


def test_a_different_rule_is_adopted_on_request(newest: ExternalDns, account: Account) -> None:
    account.edit_rules(lambda rules: [RULE, *rules])
    newest.loop(endpoint("app.example.com")).check_soft_error("apply")
    newest.publish(endpoint("app.example.com", adopt="true"))
    assert newest.publish(endpoint("app.example.com", adopt="true")).todo == {}
    assert newest.publish(endpoint("app.example.com")).todo == {}
    account.check({"app.example.com": "http://app:8080"})
    (rule,) = account.rules("app.example.com")
    assert rule["mine"] == 1.0


def test_an_equivalent_rule_is_adopted(newest: ExternalDns, account: Account) -> None:
    account.edit_rules(lambda rules: [RULE, *rules])
    account.edit_records(lambda records: [*records, record("app.example.com", OURS, proxied=True, comment="by hand")])
    equivalent = endpoint("app.example.com", "http://by-hand:80")
    newest.publish(equivalent)
    assert newest.publish(equivalent).todo == {}
    account.check({"app.example.com": "http://by-hand:80"})
    assert account.rules("app.example.com")[0]["mine"] == 1.0


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
