"""What people do by hand to managed hostnames is healed by one loop."""

import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from external_dns.account import Account, Record, is_claim
from external_dns.genuine import ExternalDns, endpoint
from vocabulary.builders import BLUE, GREEN

pytestmark = pytest.mark.external_dns
APP = endpoint("app.example.com", "http://app:8080", resource="service/prod/app", no_tls_verify="true")
WEB = endpoint("web.example.com", "http://web:80")
LIVE = {"app.example.com": "http://app:8080", "web.example.com": "http://web:80"}
MINE = '"hostname":"app.example.com"'


@dataclass(frozen=True, slots=True)
class Edit:
    rules: Callable[[list[str]], list[str]] = lambda rules: rules
    records: Callable[[list[Record]], list[Record]] = lambda records: records


def each_claim(**changed: object) -> Callable[[list[Record]], list[Record]]:
    return lambda records: [each | changed if each["name"] == "app.example.com" else each for each in records]


def each_rule(edit: Callable[[str], list[str]]) -> Callable[[list[str]], list[str]]:
    return lambda rules: [text for rule in rules for text in (edit(rule) if MINE in rule else [rule])]


HEALED = {
    "record-deleted": Edit(records=lambda records: [each for each in records if each["name"] != "app.example.com"]),
    "record-grey-clouded": Edit(records=each_claim(proxied=False)),
    "record-pointed-at-the-other-tunnel": Edit(records=each_claim(content=f"{GREEN}.cfargotunnel.com")),
    "record-unmarked": Edit(records=each_claim(comment="")),
    "rule-removed": Edit(rules=each_rule(lambda _: [])),
    "rule-with-another-service": Edit(rules=each_rule(lambda rule: [rule.replace("app:8080", "other:1")])),
    "rule-with-another-property": Edit(rules=each_rule(lambda rule: [rule.replace("true", "false")])),
    "rule-with-one-property-more": Edit(
        rules=each_rule(lambda rule: [rule.replace(":true", ':true,"http2Origin":true')])
    ),
    "rule-with-another-path": Edit(rules=each_rule(lambda rule: [json.dumps(json.loads(rule) | {"path": "/x"})])),
    "rule-doubled": Edit(rules=each_rule(lambda rule: [rule, rule.replace("app:8080", "other:1")])),
    "rule-doubled-the-other-one-first": Edit(rules=each_rule(lambda rule: [rule.replace("app:8080", "other:1"), rule])),
    "rule-in-upper-case": Edit(rules=each_rule(lambda rule: [rule.replace("app.example", "App.Example")])),
    "rule-with-a-service-in-upper-case": Edit(rules=each_rule(lambda rule: [rule.replace("http://app", "HTTP://APP")])),
    "rule-with-a-service-that-nobody-can-ask-for": Edit(
        rules=each_rule(lambda rule: [rule.replace("http://app:8080", "socks-proxy")])
    ),
    "rule-and-record-gone": Edit(
        rules=each_rule(lambda _: []),
        records=lambda records: [each for each in records if each["name"] != "app.example.com"],
    ),
    "every-managed-rule-gone": Edit(
        rules=lambda rules: [rule for rule in rules if "app:" not in rule and "web:" not in rule]
    ),
}


@pytest.mark.parametrize("edit", HEALED.values(), ids=HEALED)
def test_one_loop_heals(newest: ExternalDns, account: Account, edit: Edit) -> None:
    newest.publish(APP, WEB)
    account.edit_rules(edit.rules)
    account.edit_records(edit.records)
    assert newest.publish(APP, WEB).todo
    assert newest.publish(APP, WEB).todo == {}
    account.check(LIVE)
    assert account.rules("app.example.com")[0]["originRequest"] == {"noTLSVerify": True}


def test_rules_that_a_wildcard_by_hand_takes_the_requests_of_are_put_before_it(
    newest: ExternalDns, account: Account
) -> None:
    newest.publish(APP, WEB)
    wildcard = '{"hostname":"*.example.com","service":"http://wildcard-by-hand:80"}'
    account.edit_rules(lambda rules: [wildcard, *rules])
    by_hand = account.by_hand(LIVE)
    assert newest.publish(APP, WEB).todo == {"update": ["app.example.com", "web.example.com"]}
    assert newest.publish(APP, WEB).todo == {}
    account.check(LIVE, by_hand=by_hand)
    assert [rule.get("hostname") for rule in account.rules()][:3] == [
        "app.example.com",
        "web.example.com",
        "*.example.com",
    ]


def test_a_rule_that_was_moved_behind_a_wildcard_is_put_before_it_again(newest: ExternalDns, account: Account) -> None:
    wildcard = '{"hostname":"*.example.com","service":"http://wildcard-by-hand:80"}'
    account.edit_rules(lambda rules: [wildcard, *rules])
    newest.publish(APP, WEB)
    before = account.rules()
    account.edit_rules(lambda rules: [*rules[1:-1], rules[0], rules[-1]])
    assert account.rules()[-2]["hostname"] == "app.example.com"
    by_hand = account.by_hand(LIVE)
    assert newest.publish(APP, WEB).todo == {"update": ["app.example.com"]}
    assert newest.publish(APP, WEB).todo == {}
    account.check(LIVE, by_hand=by_hand)
    assert account.rules() == before


def test_a_record_that_was_pointed_elsewhere_is_left_to_the_one_who_did_it(
    newest: ExternalDns, account: Account
) -> None:
    newest.publish(APP, WEB)
    account.edit_records(each_claim(content="elsewhere.example.net"))
    before = account.state()
    for _ in range(2):
        newest.loop(APP, WEB).check_soft_error("apply")
        assert account.state() == before


def test_a_document_that_was_emptied_is_filled_again(newest: ExternalDns, account: Account) -> None:
    newest.publish(APP, WEB)
    account.edit_rules(lambda rules: rules[-1:])
    by_hand = account.by_hand(LIVE)
    newest.publish(APP, WEB)
    assert newest.publish(APP, WEB).todo == {}
    account.check(LIVE, by_hand=by_hand)


def test_the_drift_of_a_hostname_that_nobody_wants_goes_with_it(newest: ExternalDns, account: Account) -> None:
    newest.publish(APP, WEB)
    account.edit_rules(each_rule(lambda _: []))
    newest.publish(WEB)
    assert newest.publish(WEB).todo == {}
    account.check({"web.example.com": "http://web:80"})


def test_a_rule_by_hand_among_managed_ones_survives_their_deletion(newest: ExternalDns, account: Account) -> None:
    newest.publish(APP, WEB)
    mine = '{"hostname":"mine.example.com","service":"http://mine:80","weight":1.0}'
    account.edit_rules(lambda rules: [mine, *rules])
    by_hand = account.by_hand(LIVE)
    newest.publish()
    assert newest.publish().todo == {}
    account.check({}, by_hand=by_hand)
    assert not any(is_claim(each) for each in account.records())
    assert account.rules("app.example.com", BLUE) == []
