"""Several paths of one hostname: for external-dns, several endpoints of one name."""

import pytest

from external_dns.account import Account
from external_dns.driver import ExternalDns, endpoint

pytestmark = pytest.mark.external_dns
SITE = endpoint("app.example.com", "http://site:80", resource="ingress/prod/site")
API = endpoint("app.example.com", "http://api:80", resource="ingress/prod/api", identifier="api", path="/api")
DOCS = endpoint("app.example.com", "http://docs:80", resource="ingress/prod/docs", identifier="docs", path="/docs")


def test_paths_live_beside_one_another(newest: ExternalDns, account: Account) -> None:
    newest.publish(SITE, API, DOCS)
    assert newest.publish(DOCS, API, SITE).todo == {}
    account.check(
        {"app.example.com": {"^/docs(/|$)": "http://docs:80", "^/api(/|$)": "http://api:80", "": "http://site:80"}}
    )
    assert [rule.get("path", "") for rule in account.rules("app.example.com")] == ["^/docs(/|$)", "^/api(/|$)", ""]


def test_paths_need_no_set_identifier_where_their_targets_differ(newest: ExternalDns, account: Account) -> None:
    wanted = [{key: value for key, value in each.items() if key != "setIdentifier"} for each in (SITE, API, DOCS)]
    newest.publish(*wanted)
    assert newest.publish(*wanted).todo == {}
    account.check(
        {"app.example.com": {"^/docs(/|$)": "http://docs:80", "^/api(/|$)": "http://api:80", "": "http://site:80"}}
    )


def test_a_path_that_is_added_later_leaves_the_others(newest: ExternalDns, account: Account) -> None:
    newest.publish(API)
    assert newest.publish(API, DOCS).todo == {"create": ["app.example.com"]}
    assert newest.publish(API, DOCS).todo == {}
    account.check({"app.example.com": {"^/docs(/|$)": "http://docs:80", "^/api(/|$)": "http://api:80"}})


def test_a_path_that_goes_leaves_the_others(newest: ExternalDns, account: Account) -> None:
    newest.publish(SITE, API, DOCS)
    assert newest.publish(API, DOCS).todo == {"delete": ["app.example.com"]}
    assert newest.publish(API, DOCS).todo == {}
    account.check({"app.example.com": {"^/docs(/|$)": "http://docs:80", "^/api(/|$)": "http://api:80"}})
    newest.publish(DOCS)
    assert newest.publish(DOCS).todo == {}
    account.check({"app.example.com": {"^/docs(/|$)": "http://docs:80"}})


def test_the_last_path_takes_the_claim_with_it(newest: ExternalDns, account: Account) -> None:
    newest.publish(API, DOCS)
    newest.publish()
    assert newest.publish().todo == {}
    account.check({})


def test_a_changed_path_replaces_the_old_one(newest: ExternalDns, account: Account) -> None:
    newest.publish(SITE, API)
    moved = endpoint("app.example.com", "http://api:80", resource="ingress/prod/api", identifier="api", path="/v2")
    newest.publish(SITE, moved)
    assert newest.publish(SITE, moved).todo == {}
    account.check({"app.example.com": {"^/v2(/|$)": "http://api:80", "": "http://site:80"}})


def test_the_only_path_is_changed_under_a_new_record(newest: ExternalDns, account: Account) -> None:
    newest.publish(API)
    (claim,) = [each for each in account.records() if each["name"] == "app.example.com"]
    moved = endpoint("app.example.com", "http://api:80", resource="ingress/prod/api", identifier="api", path="/v2")
    newest.publish(moved)
    assert newest.publish(moved).todo == {}
    account.check({"app.example.com": {"^/v2(/|$)": "http://api:80"}})
    (swapped,) = [each for each in account.records() if each["name"] == "app.example.com"]
    assert swapped["id"] != claim["id"]
    assert swapped["content"] == claim["content"]


def test_a_service_behind_one_path_is_changed_alone(newest: ExternalDns, account: Account) -> None:
    newest.publish(SITE, API)
    changed = endpoint("app.example.com", "http://api:81", resource="ingress/prod/api", identifier="api", path="/api")
    assert newest.publish(SITE, changed).todo == {"update": ["app.example.com"]}
    assert newest.publish(SITE, changed).todo == {}
    account.check({"app.example.com": {"^/api(/|$)": "http://api:81", "": "http://site:80"}})


@pytest.mark.parametrize(
    ("properties", "expression"),
    [
        pytest.param({"path": "/api/"}, "^/api(/|$)", id="prefix-with-slash"),
        pytest.param({"path": "/"}, "", id="every-path"),
        pytest.param({"path": "/a.b+c", "path_match": "exact"}, r"^/a\.b\+c$", id="exact"),
        pytest.param({"path": r"\.(jpe?g|png)$", "path_match": "regex"}, r"\.(jpe?g|png)$", id="regex"),
        pytest.param({"path": "/ü&<x>"}, "^/ü&<x>(/|$)", id="unicode"),
    ],
)
def test_every_kind_of_path_settles(
    newest: ExternalDns, account: Account, properties: dict[str, str], expression: str
) -> None:
    newest.publish(endpoint("app.example.com", **properties))
    assert newest.publish(endpoint("app.example.com", **properties)).todo == {}
    account.check({"app.example.com": {expression: "http://app:8080"}})


def test_a_path_that_cannot_be_published_keeps_the_old_one(newest: ExternalDns, account: Account) -> None:
    newest.publish(SITE, API)
    bad = endpoint("app.example.com", "http://api:80", identifier="api", path="(?=x)", path_match="regex")
    for _ in range(2):
        newest.loop(SITE, bad).check_soft_error("apply")
        account.check({"app.example.com": {"^/api(/|$)": "http://api:80", "": "http://site:80"}})
    newest.publish(SITE, API)
    assert newest.publish(SITE, API).todo == {}
    account.check({"app.example.com": {"^/api(/|$)": "http://api:80", "": "http://site:80"}})
