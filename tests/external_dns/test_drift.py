"""One loop undoes edits by hand of managed hostnames."""

import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from external_dns.account import Account, Record, is_claim
from external_dns.driver import NEWEST, ExternalDns, endpoint
from external_dns.webhook import StartExternalDns, StartWebhook
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


UNDONE = {
    "record-deleted": Edit(records=lambda records: [each for each in records if each["name"] != "app.example.com"]),
    "record-grey-clouded": Edit(records=each_claim(proxied=False)),
    "record-pointed-at-the-other-tunnel": Edit(records=each_claim(content=f"{GREEN}.cfargotunnel.com")),
    "rule-removed": Edit(rules=each_rule(lambda _: [])),
    "rule-with-another-service": Edit(rules=each_rule(lambda rule: [rule.replace("app:8080", "other:1")])),
    "rule-with-another-property": Edit(rules=each_rule(lambda rule: [rule.replace("true", "false")])),
    "rule-with-one-property-more": Edit(
        rules=each_rule(lambda rule: [rule.replace(":true", ':true,"http2Origin":true')])
    ),
    "rule-duplicated": Edit(rules=each_rule(lambda rule: [rule, rule.replace("app:8080", "other:1")])),
    "rule-duplicated-behind-another-service": Edit(
        rules=each_rule(lambda rule: [rule.replace("app:8080", "other:1"), rule])
    ),
    "rule-in-upper-case": Edit(rules=each_rule(lambda rule: [rule.replace("app.example", "App.Example")])),
    "rule-with-a-service-in-upper-case": Edit(rules=each_rule(lambda rule: [rule.replace("http://app", "HTTP://APP")])),
    "rule-with-a-service-that-no-endpoint-can-have": Edit(
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


@pytest.mark.parametrize("edit", UNDONE.values(), ids=UNDONE)
def test_one_loop_undoes_the_edit(newest_everywhere: ExternalDns, account: Account, edit: Edit) -> None:
    newest_everywhere.publish(APP, WEB)
    account.edit_rules(edit.rules)
    account.edit_records(edit.records)
    assert newest_everywhere.publish(APP, WEB).todo
    assert newest_everywhere.publish(APP, WEB).todo == {}
    account.check(LIVE)
    assert account.rules("app.example.com")[0]["originRequest"] == {"noTLSVerify": True}


def test_a_rule_that_was_given_another_path_stays_and_the_managed_one_is_made_again(
    newest_everywhere: ExternalDns, account: Account
) -> None:
    newest_everywhere.publish(APP, WEB)
    (rule,) = account.rules("app.example.com")
    account.edit_rules(each_rule(lambda text: [json.dumps(json.loads(text) | {"path": "/x"})]))
    assert newest_everywhere.publish(APP, WEB).todo == {"update": ["app.example.com"]}
    assert newest_everywhere.publish(APP, WEB).todo == {}
    assert account.rules("app.example.com") == [rule | {"path": "/x"}, rule]
    newest_everywhere.publish(WEB)
    assert account.rules("app.example.com") == [rule | {"path": "/x"}]


def test_a_hostname_whose_record_was_unmarked_is_a_persons_until_the_operator_consents(
    webhook: StartWebhook, start: StartExternalDns
) -> None:
    here, consenting = webhook(), webhook(ADOPT_HOSTNAMES="app.example.com")
    newest = start(f"{NEWEST}-txt", at=here)
    newest.publish(APP, WEB)
    here.account.edit_records(each_claim(comment=""))
    before = here.account.state()
    for _ in range(2):
        newest.loop(APP, WEB).check_soft_error("apply")
        assert here.account.state() == before
    here.account.hand_over(consenting.account)
    newest = start(f"{NEWEST}-txt", at=consenting)
    newest.publish(APP, WEB)
    assert newest.publish(APP, WEB).todo == {}
    consenting.account.check(LIVE)


def test_rules_shadowed_by_a_wildcard_by_hand_are_moved_before_it(
    newest_everywhere: ExternalDns, account: Account
) -> None:
    newest_everywhere.publish(APP, WEB)
    wildcard = '{"hostname":"*.example.com","service":"http://wildcard-by-hand:80"}'
    account.edit_rules(lambda rules: [wildcard, *rules])
    bystanders = account.bystanders(LIVE)
    assert newest_everywhere.publish(APP, WEB).todo == {"update": ["app.example.com", "web.example.com"]}
    assert newest_everywhere.publish(APP, WEB).todo == {}
    account.check(LIVE, bystanders=bystanders)
    assert [rule.get("hostname") for rule in account.rules()][:3] == [
        "app.example.com",
        "web.example.com",
        "*.example.com",
    ]


def test_a_rule_that_was_moved_behind_a_wildcard_is_moved_back(
    newest_everywhere: ExternalDns, account: Account
) -> None:
    wildcard = '{"hostname":"*.example.com","service":"http://wildcard-by-hand:80"}'
    account.edit_rules(lambda rules: [wildcard, *rules])
    newest_everywhere.publish(APP, WEB)
    before = account.rules()
    account.edit_rules(lambda rules: [*rules[1:-1], rules[0], rules[-1]])
    assert account.rules()[-2]["hostname"] == "app.example.com"
    bystanders = account.bystanders(LIVE)
    assert newest_everywhere.publish(APP, WEB).todo == {"update": ["app.example.com"]}
    assert newest_everywhere.publish(APP, WEB).todo == {}
    account.check(LIVE, bystanders=bystanders)
    assert account.rules() == before


def test_a_record_that_was_pointed_elsewhere_is_not_changed_back(
    newest_everywhere: ExternalDns, account: Account
) -> None:
    newest_everywhere.publish(APP, WEB)
    account.edit_records(each_claim(content="elsewhere.example.net"))
    before = account.state()
    for _ in range(2):
        newest_everywhere.loop(APP, WEB).check_soft_error("apply")
        assert account.state() == before


def test_a_document_that_was_emptied_is_filled_again(newest_everywhere: ExternalDns, account: Account) -> None:
    newest_everywhere.publish(APP, WEB)
    account.edit_rules(lambda rules: rules[-1:])
    bystanders = account.bystanders(LIVE)
    newest_everywhere.publish(APP, WEB)
    assert newest_everywhere.publish(APP, WEB).todo == {}
    account.check(LIVE, bystanders=bystanders)


def test_a_hostname_that_is_no_longer_wanted_is_withdrawn_with_its_drift(
    newest_everywhere: ExternalDns, account: Account
) -> None:
    newest_everywhere.publish(APP, WEB)
    account.edit_rules(each_rule(lambda _: []))
    newest_everywhere.publish(WEB)
    assert newest_everywhere.publish(WEB).todo == {}
    account.check({"web.example.com": "http://web:80"})


def test_a_rule_by_hand_among_managed_ones_survives_their_deletion(
    newest_everywhere: ExternalDns, account: Account
) -> None:
    newest_everywhere.publish(APP, WEB)
    mine = '{"hostname":"mine.example.com","service":"http://mine:80","weight":1.0}'
    account.edit_rules(lambda rules: [mine, *rules])
    bystanders = account.bystanders(LIVE)
    newest_everywhere.publish()
    assert newest_everywhere.publish().todo == {}
    account.check({}, bystanders=bystanders)
    assert not any(is_claim(each) for each in account.records())
    assert account.rules("app.example.com", BLUE) == []
