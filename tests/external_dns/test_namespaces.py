"""Namespaces under a policy file: who gets a hostname, who keeps it, and that the genuine external-dns settles."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from external_dns.account import Account
from external_dns.driver import REGISTRIES, ExternalDns, endpoint
from external_dns.webhook import StartExternalDns, StartWebhook

pytestmark = pytest.mark.external_dns
BOTH = """
version = 1
shared = ["shared.example.com"]
[[allow]]
namespaces = ["team-a", "team-b"]
hostnames = ["*.example.com"]
properties = ["safe", "path-regex"]
"""
OF_A, OF_B = "http://web.team-a.svc.cluster.local:80", "http://web.team-b.svc.cluster.local:80"


@dataclass(frozen=True, slots=True)
class Tenants:
    """An external-dns, the account behind our process, and the policy file of that."""

    dns: ExternalDns
    account: Account
    file: Path


def of_a(name: str = "app.example.com", service: str = OF_A, **properties: str) -> dict[str, object]:
    return endpoint(name, service, resource="ingress/team-a/web", **properties)


def of_b(name: str = "app.example.com", service: str = OF_B, **properties: str) -> dict[str, object]:
    return endpoint(name, service, resource="ingress/team-b/web", **properties)


@pytest.fixture(params=[registry for registry in REGISTRIES if registry in {"noop", "txt"}])
def tenants(request: pytest.FixtureRequest, webhook: StartWebhook, start: StartExternalDns, tmp_path: Path) -> Tenants:
    file = tmp_path / "policy.toml"
    file.write_text(BOTH)
    here = webhook(POLICY_FILE=str(file), ALLOWED_ORIGINS="")
    return Tenants(start(f"v0.22-{request.param}", at=here), here.account, file)


def test_each_namespace_has_its_hostnames_and_nothing_is_left_to_do(tenants: Tenants) -> None:
    wanted = [of_a("a.example.com"), of_a("a.example.com", path="/api"), of_b("b.example.com")]
    tenants.dns.publish(*wanted)
    assert tenants.dns.publish(*wanted).todo == {}
    tenants.account.check({"a.example.com": {"^/api(/|$)": OF_A, "": OF_A}, "b.example.com": {"": OF_B}})
    tenants.dns.publish(of_b("b.example.com"))
    assert tenants.dns.publish(of_b("b.example.com")).todo == {}
    tenants.account.check({"b.example.com": {"": OF_B}})


def test_h3_a_rival_of_another_namespace_neither_gets_the_hostname_nor_starves_its_holder(tenants: Tenants) -> None:
    tenants.dns.publish(of_b())
    for rival in (of_a(), of_a(path="^/", path_match="regex"), of_a(service="http://a.evil")):
        tenants.dns.loop(of_b(), rival).check_survivable()
        tenants.account.check({"app.example.com": {"": OF_B}})
        changed = of_b(connect_timeout="5")
        tenants.dns.loop(changed, rival).check_survivable()
        (rule,) = tenants.account.rules("app.example.com")
        assert rule["originRequest"] == {"connectTimeout": 5}
        tenants.dns.loop(of_b(), rival).check_survivable()
    tenants.dns.publish(of_b())
    assert tenants.dns.publish(of_b()).todo == {}


def test_a_hostname_changes_hands_in_one_change_set(tenants: Tenants) -> None:
    tenants.dns.publish(of_a())
    assert tenants.dns.publish(of_b()).todo == {"create": ["app.example.com"], "delete": ["app.example.com"]}
    assert tenants.dns.publish(of_b()).todo == {}
    tenants.account.check({"app.example.com": {"": OF_B}})
    tenants.dns.loop(of_a(), of_b()).check_survivable()
    tenants.account.check({"app.example.com": {"": OF_B}})


def test_a_shared_hostname_has_paths_of_several_namespaces(tenants: Tenants) -> None:
    wanted = [of_a("shared.example.com"), of_b("shared.example.com", path="/b")]
    tenants.dns.publish(*wanted)
    assert tenants.dns.publish(*wanted).todo == {}
    tenants.account.check({"shared.example.com": {"^/b(/|$)": OF_B, "": OF_A}})


def test_a_hostname_that_becomes_shared_or_not_settles(tenants: Tenants) -> None:
    tenants.dns.publish(of_a())
    for text in (BOTH.replace("shared.example", "app.example"), BOTH):
        tenants.file.write_text(text)
        tenants.dns.publish(of_a())
        tenants.dns.publish(of_a())
        assert tenants.dns.publish(of_a()).todo == {}
        tenants.account.check({"app.example.com": {"": OF_A}})


def test_what_a_tightened_policy_does_not_allow_any_more_stays_as_it_is(tenants: Tenants) -> None:
    tenants.dns.publish(of_a(), of_b("b.example.com"))
    tenants.file.write_text(BOTH.replace('"team-a", ', ""))
    for _ in range(2):
        tenants.dns.loop(of_a(connect_timeout="9"), of_b("b.example.com")).check_survivable()
        tenants.account.check({"app.example.com": {"": OF_A}, "b.example.com": {"": OF_B}})
    assert all("originRequest" not in rule for rule in tenants.account.rules("app.example.com"))
    tenants.file.write_text(BOTH)
    tenants.dns.publish(of_a(connect_timeout="9"), of_b("b.example.com"))
    assert any("originRequest" in rule for rule in tenants.account.rules("app.example.com"))
