"""Thousands of hostnames at once, and the guard that limits how many are deleted at once."""

import pytest

from external_dns.account import Account
from external_dns.driver import NEWEST, EndpointJson, ExternalDns, endpoint
from external_dns.webhook import StartExternalDns, StartWebhook

pytestmark = pytest.mark.external_dns
MANY = [
    endpoint(f"app-{number}.example.com", f"http://app-{number}:80", resource=f"service/ns-{number % 50}/app-{number}")
    for number in range(5000)
]
TWENTY = MANY[:20]


def live(endpoints: list[EndpointJson]) -> dict[str, str]:
    return {each["dnsName"]: each["targets"][0] for each in endpoints}


def test_five_thousand_hostnames_come_stay_and_go(start: StartExternalDns, webhook: StartWebhook) -> None:
    at = webhook(MAX_DELETES_FLOOR="10000")
    dns = start(f"{NEWEST}-txt", at=at)
    assert len(dns.publish(*MANY).create) == len(MANY)
    version = at.account.version()
    assert dns.publish(*reversed(MANY)).todo == {}
    assert at.account.version() == version
    at.account.check(live(MANY))
    assert len(dns.publish(*TWENTY).delete) == len(MANY) - len(TWENTY)
    assert dns.publish(*TWENTY).todo == {}
    at.account.check(live(TWENTY))


def test_a_source_that_yields_nothing_empties_no_tunnel(newest: ExternalDns, account: Account) -> None:
    newest.publish(*TWENTY)
    for _ in range(2):
        newest.loop().check_soft_error("apply")
        account.check(live(TWENTY))
    assert newest.publish(*TWENTY).todo == {}


def test_everything_else_is_applied_while_deletions_are_withheld(newest: ExternalDns, account: Account) -> None:
    newest.publish(*TWENTY)
    newest.loop(*MANY[18:25]).check_soft_error("apply")
    account.check(live(MANY[:25]))


def test_half_of_the_hostnames_may_be_deleted_at_once(newest: ExternalDns, account: Account) -> None:
    newest.publish(*TWENTY)
    newest.publish(*TWENTY[:10])
    assert newest.publish(*TWENTY[:10]).todo == {}
    account.check(live(TWENTY[:10]))


def test_deleted_paths_do_not_count_as_deleted_hostnames(newest: ExternalDns, account: Account) -> None:
    paths = [endpoint("app.example.com", path=f"/{number}") for number in range(20)]
    newest.publish(*paths)
    newest.publish(paths[0])
    assert newest.publish(paths[0]).todo == {}
    account.check({"app.example.com": {"^/0(/|$)": "http://app:8080"}})
