"""Every spelling of a hostname and every record type that a source may produce."""

import pytest

from external_dns.account import Account
from external_dns.driver import ExternalDns, endpoint

pytestmark = pytest.mark.external_dns


@pytest.mark.parametrize(
    ("spelled", "published"),
    [
        pytest.param("*.example.com", "*.example.com", id="wildcard"),
        pytest.param("*.deep.example.com", "*.deep.example.com", id="wildcard-below"),
        pytest.param("example.org", "example.org", id="apex"),
        pytest.param("a.b.c.d.example.com", "a.b.c.d.example.com", id="deep"),
        pytest.param("bücher.example.com", "xn--bcher-kva.example.com", id="unicode"),
        pytest.param("xn--bcher-kva.example.com", "xn--bcher-kva.example.com", id="punycode"),
        pytest.param("App.Example.COM", "app.example.com", id="upper-case"),
        pytest.param("app.example.com.", "app.example.com", id="trailing-dot"),
        pytest.param("BÜCHER.example.com.", "xn--bcher-kva.example.com", id="all-at-once"),
        pytest.param("_service.example.com", "_service.example.com", id="underscore"),
        pytest.param(f"{'x' * 63}.example.com", f"{'x' * 63}.example.com", id="longest-label"),
    ],
)
def test_every_spelling_of_a_hostname_is_published_once(
    newest: ExternalDns, account: Account, spelled: str, published: str
) -> None:
    newest.publish(endpoint(spelled))
    assert newest.publish(endpoint(spelled)).todo == {}
    account.check({published: "http://app:8080"})
    newest.publish(endpoint(spelled, "http://other:80"))
    assert newest.publish(endpoint(spelled, "http://other:80")).todo == {}
    account.check({published: "http://other:80"})
    newest.publish()
    assert newest.publish().todo == {}
    account.check({})


def test_a_wildcard_is_behind_the_names_that_it_would_match(newest: ExternalDns, account: Account) -> None:
    names = ("*.example.com", "app.example.com", "*.shop.example.com", "cart.shop.example.com", "example.com")
    newest.publish(*map(endpoint, names))
    assert newest.publish(*map(endpoint, reversed(names))).todo == {}
    order = [rule["hostname"] for rule in account.rules() if rule.get("hostname") in names]
    assert order == ["cart.shop.example.com", "app.example.com", "example.com", "*.shop.example.com", "*.example.com"]


def test_a_ttl_is_taken_without_a_change(newest: ExternalDns, account: Account) -> None:
    newest.publish(endpoint("app.example.com") | {"recordTTL": 60})
    assert newest.publish(endpoint("app.example.com") | {"recordTTL": 60}).todo == {}
    assert newest.publish(endpoint("app.example.com") | {"recordTTL": 300}).todo == {}
    account.check({"app.example.com": "http://app:8080"})


def test_a_set_identifier_of_the_user_is_taken_without_a_change(newest: ExternalDns, account: Account) -> None:
    newest.publish(endpoint("app.example.com", identifier="fake"))
    assert newest.publish(endpoint("app.example.com", identifier="fake")).todo == {}
    assert newest.publish(endpoint("app.example.com", identifier="other")).todo == {}
    account.check({"app.example.com": "http://app:8080"})


@pytest.mark.parametrize(
    ("address", "kind", "service"),
    [("192.0.2.7", "A", "http://192.0.2.7"), ("2001:DB8::7", "AAAA", "http://[2001:db8::7]")],
)
def test_an_address_is_an_origin(newest: ExternalDns, account: Account, address: str, kind: str, service: str) -> None:
    newest.publish(endpoint("app.example.com", address, kind=kind))
    assert newest.publish(endpoint("app.example.com", address, kind=kind)).todo == {}
    account.check({"app.example.com": service})


def test_an_address_that_becomes_a_name_changes_the_rule(newest: ExternalDns, account: Account) -> None:
    address = endpoint("app.example.com", "192.0.2.7", kind="A")
    newest.publish(address)
    assert newest.publish(address).todo == {}
    account.check({"app.example.com": "http://192.0.2.7"})
    name = endpoint("app.example.com", "http://app:8080")
    newest.publish(name)
    assert newest.publish(name).todo == {}
    account.check({"app.example.com": "http://app:8080"})


def test_both_addresses_of_a_service_become_its_cluster_name(newest: ExternalDns, account: Account) -> None:
    pair = (
        endpoint("app.example.com", "10.0.0.7", kind="A", resource="service/prod/app", port="8080"),
        endpoint("app.example.com", "fd00::7", kind="AAAA", resource="service/prod/app", port="8080"),
    )
    newest.publish(*pair)
    assert newest.publish(*reversed(pair)).todo == {}
    account.check({"app.example.com": "http://app.prod.svc.cluster.local:8080"})
    (claim,) = [each for each in account.records() if each["name"] == "app.example.com"]
    assert claim["comment"].endswith("resource=service/prod/app")


def test_a_service_that_loses_an_address_changes_nothing(newest: ExternalDns, account: Account) -> None:
    pair = (
        endpoint("app.example.com", "10.0.0.7", kind="A", resource="service/prod/app"),
        endpoint("app.example.com", "fd00::7", kind="AAAA", resource="service/prod/app"),
    )
    newest.publish(*pair)
    assert newest.publish(pair[1]).todo == {}
    account.check({"app.example.com": "http://app.prod.svc.cluster.local:80"})


def test_record_types_that_no_tunnel_serves_are_dropped_without_a_change(newest: ExternalDns, account: Account) -> None:
    others = (
        endpoint("mail.example.com", "10 mx.example.net", kind="MX"),
        endpoint("_sip._tcp.example.com", "10 5 5060 sip.example.net", kind="SRV"),
        endpoint("text.example.com", "v=spf1 -all", kind="TXT"),
        endpoint("zone.example.com", "ns1.example.net", kind="NS"),
    )
    newest.publish(endpoint("app.example.com"), *others)
    assert newest.publish(endpoint("app.example.com"), *others).todo == {}
    account.check({"app.example.com": "http://app:8080"})


def test_two_targets_that_are_plain_hosts_are_stable(newest: ExternalDns, account: Account) -> None:
    newest.publish(endpoint("app.example.com", "b.internal", "a.internal"))
    assert newest.publish(endpoint("app.example.com", "a.internal", "b.internal")).todo == {}
    account.check({"app.example.com": "http://a.internal"})


def test_two_resources_with_one_hostname_settle_on_one(newest: ExternalDns, account: Account) -> None:
    rivals = (
        endpoint("app.example.com", "http://one:80", resource="ingress/prod/one"),
        endpoint("app.example.com", "http://two:80", resource="ingress/prod/two"),
    )
    newest.publish(rivals[1])
    assert newest.publish(*rivals).todo == {}
    account.check({"app.example.com": "http://two:80"})
    newest.publish(rivals[0])
    assert newest.publish(*reversed(rivals)).todo == {}
    account.check({"app.example.com": "http://one:80"})
