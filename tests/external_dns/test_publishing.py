"""Hostnames that come, change and go under every registry; the core loop under every version, too."""

import pytest

from external_dns.account import Account
from external_dns.driver import NEWEST, REGISTRIES, ExternalDns, endpoint
from external_dns.webhook import StartExternalDns

pytestmark = pytest.mark.external_dns
WEB = endpoint("web.example.com", "http://web:80", resource="ingress/prod/web")


def test_a_hostname_is_published_and_then_there_is_nothing_to_do(every_version: ExternalDns, account: Account) -> None:
    app = endpoint("app.example.com", "http://app:8080", resource="service/prod/app")
    assert every_version.publish(app).todo == {"create": ["app.example.com"]}
    version = account.version()
    assert every_version.publish(app).todo == {}
    account.check({"app.example.com": "http://app:8080"})
    assert account.version() == version


def test_a_changed_target_changes_the_rule(every_version: ExternalDns, account: Account) -> None:
    every_version.publish(WEB, endpoint("app.example.com", "http://app:8080"))
    changed = endpoint("app.example.com", "https://app:8443")
    assert every_version.publish(WEB, changed).todo == {"update": ["app.example.com"]}
    assert every_version.publish(WEB, changed).todo == {}
    account.check({"app.example.com": "https://app:8443", "web.example.com": "http://web:80"})


def test_a_hostname_that_is_no_longer_wanted_is_withdrawn(every_version: ExternalDns, account: Account) -> None:
    every_version.publish(WEB, endpoint("app.example.com"))
    assert every_version.publish(WEB).todo == {"delete": ["app.example.com"]}
    assert every_version.publish(WEB).todo == {}
    account.check({"web.example.com": "http://web:80"})


def test_the_last_hostname_leaves_the_account_as_it_was(every_registry: ExternalDns, account: Account) -> None:
    every_registry.publish(WEB)
    assert every_registry.publish().todo == {"delete": ["web.example.com"]}
    assert every_registry.publish().todo == {}
    account.check({})


def test_one_loop_creates_changes_and_withdraws(every_registry: ExternalDns, account: Account) -> None:
    every_registry.publish(WEB, endpoint("old.example.com"), endpoint("app.example.org"))
    wanted = (WEB, endpoint("new.example.org"), endpoint("app.example.org", "http://other:80"))
    loop = every_registry.publish(*wanted)
    assert loop.todo == {"create": ["new.example.org"], "update": ["app.example.org"], "delete": ["old.example.com"]}
    assert every_registry.publish(*wanted).todo == {}
    account.check(
        {"web.example.com": "http://web:80", "new.example.org": "http://app:8080", "app.example.org": "http://other:80"}
    )


def test_properties_come_change_and_go(every_version: ExternalDns, account: Account) -> None:
    properties = {"no_tls_verify": "TRUE", "connect_timeout": "1m30s", "http_host_header": "inner.example.com"}
    wanted = endpoint("app.example.com", "https://app:8443", **properties)
    every_version.publish(wanted)
    assert every_version.publish(wanted).todo == {}
    (rule,) = account.rules("app.example.com")
    assert rule["originRequest"] == {"noTLSVerify": True, "connectTimeout": 90, "httpHostHeader": "inner.example.com"}
    changed = endpoint("app.example.com", "https://app:8443", connect_timeout="5")
    assert every_version.publish(changed).todo == {"update": ["app.example.com"]}
    assert every_version.publish(changed).todo == {}
    (rule,) = account.rules("app.example.com")
    assert rule["originRequest"] == {"connectTimeout": 5}
    account.check({"app.example.com": "https://app:8443"})


@pytest.mark.parametrize("registry", REGISTRIES)
def test_a_restarted_external_dns_finds_nothing_to_do(start: StartExternalDns, account: Account, registry: str) -> None:
    kind = f"{NEWEST}-{registry}"
    wanted = (
        WEB,
        endpoint("app.example.com", identifier="one", path="/api"),
        endpoint("app.example.com", identifier="two"),
    )
    start(kind).publish(*wanted)
    assert start(kind).publish(*wanted).todo == {}
    account.check(
        {
            "web.example.com": "http://web:80",
            "app.example.com": {"": "http://app:8080", "^/api(/|$)": "http://app:8080"},
        }
    )


def test_properties_of_other_providers_are_dropped_without_a_change(
    every_version: ExternalDns, account: Account
) -> None:
    wanted = endpoint("app.example.com", no_tls_verify="true")
    foreign = {"alias": "true", "aws/weight": "10", "external-dns.alpha.kubernetes.io/cloudflare-proxied": "true"}
    wanted["providerSpecific"] += [{"name": name, "value": text} for name, text in foreign.items()]
    every_version.publish(wanted)
    wanted["providerSpecific"].reverse()
    assert every_version.publish(wanted).todo == {}
    account.check({"app.example.com": "http://app:8080"})
    assert account.rules("app.example.com")[0]["originRequest"] == {"noTLSVerify": True}
