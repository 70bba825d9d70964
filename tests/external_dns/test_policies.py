"""The policies and filters of external-dns, and our own settings beside them."""

import pytest

from external_dns.account import Account
from external_dns.driver import NEWEST, endpoint
from external_dns.webhook import StartExternalDns, StartWebhook

pytestmark = pytest.mark.external_dns
USUAL = f"{NEWEST}-txt"
OLD, APP = endpoint("old.example.com"), endpoint("app.example.com")
CHANGED = endpoint("app.example.com", "http://changed:80")


def test_upsert_only_withdraws_nothing(start: StartExternalDns, account: Account) -> None:
    dns = start(USUAL, policy="upsert-only")
    dns.publish(OLD, APP)
    assert dns.publish(CHANGED).todo == {"update": ["app.example.com"]}
    assert dns.publish(CHANGED).todo == {}
    account.check({"old.example.com": "http://app:8080", "app.example.com": "http://changed:80"})


def test_create_only_changes_and_withdraws_nothing(start: StartExternalDns, account: Account) -> None:
    dns = start(USUAL, policy="create-only")
    dns.publish(OLD, APP)
    new = endpoint("new.example.com")
    assert dns.publish(CHANGED, new).todo == {"create": ["new.example.com"]}
    assert dns.publish(CHANGED, new).todo == {}
    account.check(dict.fromkeys(("old.example.com", "app.example.com", "new.example.com"), "http://app:8080"))


def test_upsert_only_adds_a_path_and_leaves_the_old_one(start: StartExternalDns, account: Account) -> None:
    dns = start(USUAL, policy="upsert-only")
    dns.publish(endpoint("app.example.com", path="/one"))
    two = endpoint("app.example.com", path="/two")
    dns.publish(two)
    assert dns.publish(two).todo == {}
    account.check({"app.example.com": {"^/one(/|$)": "http://app:8080", "^/two(/|$)": "http://app:8080"}})


def test_a_domain_filter_hides_the_other_domains(start: StartExternalDns, account: Account) -> None:
    start(USUAL).publish(OLD, endpoint("old.example.org"))
    filtered = start(USUAL, "-domain-filter", "example.org")
    wanted = (APP, endpoint("app.example.org"))
    assert filtered.publish(*wanted).todo == {"create": ["app.example.org"], "delete": ["old.example.org"]}
    assert filtered.publish(*wanted).todo == {}
    account.check({"old.example.com": "http://app:8080", "app.example.org": "http://app:8080"})


def test_names_outside_the_negotiated_filter_are_not_asked_for(start: StartExternalDns, account: Account) -> None:
    dns = start(USUAL)
    assert dns.publish(APP, endpoint("app.example.net"), endpoint("notexample.com")).todo == {
        "create": ["app.example.com"]
    }
    assert dns.publish(APP, endpoint("app.example.net"), endpoint("notexample.com")).todo == {}
    account.check({"app.example.com": "http://app:8080"})


def test_a_dry_run_writes_nothing(start: StartExternalDns, webhook: StartWebhook) -> None:
    at = webhook(DRY_RUN="true")
    dns = start(USUAL, at=at)
    for _ in range(2):
        assert dns.publish(APP).todo == {"create": ["app.example.com"]}
        at.account.check({})


def test_rejections_may_be_reported_without_an_error(start: StartExternalDns, webhook: StartWebhook) -> None:
    at = webhook(ON_REJECTION="report")
    dns = start(USUAL, at=at)
    bad = endpoint("bad.example.com", "ftp://bad:21")
    for created in (["app.example.com", "bad.example.com"], ["bad.example.com"]):
        assert dns.publish(APP, bad).todo == {"create": created}
        at.account.check({"app.example.com": "http://app:8080"})
