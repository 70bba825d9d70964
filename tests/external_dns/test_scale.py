"""Thousands of hostnames at once, and the guard that limits how many are deleted at once."""

import pytest

from external_dns.driver import NEWEST, EndpointJson, ExternalDns, endpoint
from external_dns.webhook import StartExternalDns, StartWebhook, Webhook

pytestmark = pytest.mark.external_dns
MANY = [
    endpoint(f"app-{number}.example.com", f"http://app-{number}:80", resource=f"service/ns-{number % 50}/app-{number}")
    for number in range(5000)
]
TWENTY = MANY[:20]


def live(endpoints: list[EndpointJson]) -> dict[str, str]:
    return {each["dnsName"]: each["targets"][0] for each in endpoints}


def test_five_thousand_hostnames_come_stay_and_go(start: StartExternalDns, webhook: StartWebhook) -> None:
    at = webhook()
    dns = start(f"{NEWEST}-txt", at=at)
    assert len(dns.publish(*MANY).create) == len(MANY)
    version = at.account.version()
    assert dns.publish(*reversed(MANY)).todo == {}
    assert at.account.version() == version
    at.account.check(live(MANY))
    assert len(dns.publish(*TWENTY).delete) == len(MANY) - len(TWENTY)
    assert dns.publish(*TWENTY).todo == {}
    at.account.check(live(TWENTY))


@pytest.fixture
def guarded(webhook: StartWebhook) -> Webhook:
    """Serve with the guard of the default settings; what is rejected is no error, and what is withheld is one."""
    return webhook(MAX_DELETE_RATIO="0.5", ON_REJECTION="report")


@pytest.fixture
def dns(start: StartExternalDns, guarded: Webhook) -> ExternalDns:
    return start(f"{NEWEST}-txt", at=guarded)


@pytest.mark.parametrize("number", [3, 5, 20])
def test_a_source_that_yields_nothing_empties_no_tunnel(dns: ExternalDns, guarded: Webhook, number: int) -> None:
    published = MANY[:number]
    dns.publish(*published)
    for _ in range(2):
        dns.loop().check_soft_error("apply")
        guarded.account.check(live(published))
    assert dns.publish(*published).todo == {}


def test_everything_else_is_applied_while_deletions_are_withheld(dns: ExternalDns, guarded: Webhook) -> None:
    dns.publish(*TWENTY)
    dns.loop(*MANY[18:25]).check_soft_error("apply")
    guarded.account.check(live(MANY[:25]))


def test_a_source_that_fails_bit_by_bit_empties_no_tunnel(dns: ExternalDns, guarded: Webhook) -> None:
    fifty = MANY[100:150]
    dns.publish(*fifty)
    for left in (40, 30, 26):
        dns.publish(*fifty[:left])
    for left in (20, 10, 0):
        dns.loop(*fifty[:left]).check_soft_error("apply")
        guarded.account.check(live(fifty[:26]))
    assert dns.publish(*fifty[:26]).todo == {}


def test_less_than_half_of_the_hostnames_may_be_deleted_at_once(dns: ExternalDns, guarded: Webhook) -> None:
    many = MANY[200:400]
    dns.publish(*many)
    dns.publish(*many[:120])
    assert dns.publish(*many[:120]).todo == {}
    guarded.account.check(live(many[:120]))


def test_deleted_paths_do_not_count_as_deleted_hostnames(dns: ExternalDns, guarded: Webhook) -> None:
    paths = [endpoint("app.example.com", path=f"/{number}") for number in range(20)]
    dns.publish(*paths)
    dns.publish(paths[0])
    assert dns.publish(paths[0]).todo == {}
    guarded.account.check({"app.example.com": {"^/0(/|$)": "http://app:8080"}})
