"""Hostnames in one of several tunnels, and their moves."""

import pytest

from external_dns.account import Account
from external_dns.driver import ExternalDns, endpoint
from vocabulary.builders import BLUE, GREEN

pytestmark = pytest.mark.external_dns
IN_GREEN = {"app.example.com": GREEN}
HERE, THERE = endpoint("app.example.com"), endpoint("app.example.com", tunnel="green")


def test_a_hostname_moves_to_another_tunnel_and_back(newest_everywhere: ExternalDns, account: Account) -> None:
    newest_everywhere.publish(HERE)
    newest_everywhere.publish(THERE)
    assert newest_everywhere.publish(THERE).todo == {}
    account.check({"app.example.com": "http://app:8080"}, tunnels=IN_GREEN)
    assert account.rules("app.example.com", BLUE) == []
    newest_everywhere.publish(HERE)
    assert newest_everywhere.publish(HERE).todo == {}
    account.check({"app.example.com": "http://app:8080"})
    assert account.rules("app.example.com", GREEN) == []


def test_a_tunnel_is_named_by_its_id_as_well(newest_everywhere: ExternalDns, account: Account) -> None:
    newest_everywhere.publish(endpoint("app.example.com", tunnel=GREEN))
    assert newest_everywhere.publish(THERE).todo == {}
    assert newest_everywhere.publish(endpoint("app.example.com", tunnel=GREEN.upper())).todo == {}
    account.check({"app.example.com": "http://app:8080"}, tunnels=IN_GREEN)


def test_the_default_tunnel_may_be_named(newest_everywhere: ExternalDns, account: Account) -> None:
    newest_everywhere.publish(HERE)
    assert newest_everywhere.publish(endpoint("app.example.com", tunnel="blue")).todo == {}
    account.check({"app.example.com": "http://app:8080"})


def test_a_hostname_moves_with_all_its_paths_and_a_new_service(
    newest_everywhere: ExternalDns, account: Account
) -> None:
    newest_everywhere.publish(HERE, endpoint("app.example.com", "http://api:80", path="/api"))
    wanted = (
        endpoint("app.example.com", "http://new:80", tunnel="green"),
        endpoint("app.example.com", "http://api:80", path="/api", tunnel="green"),
    )
    newest_everywhere.publish(*wanted)
    assert newest_everywhere.publish(*wanted).todo == {}
    account.check({"app.example.com": {"": "http://new:80", "^/api(/|$)": "http://api:80"}}, tunnels=IN_GREEN)


def test_paths_of_one_hostname_in_two_tunnels_are_refused(newest_everywhere: ExternalDns, account: Account) -> None:
    newest_everywhere.publish(HERE)
    for _ in range(2):
        newest_everywhere.loop(
            HERE, endpoint("app.example.com", "http://api:80", path="/api", tunnel="green")
        ).check_soft_error("apply")
        account.check({"app.example.com": "http://app:8080"})


def test_a_hostname_in_another_tunnel_is_withdrawn(newest_everywhere: ExternalDns, account: Account) -> None:
    newest_everywhere.publish(THERE, endpoint("web.example.com"))
    newest_everywhere.publish(endpoint("web.example.com"))
    assert newest_everywhere.publish(endpoint("web.example.com")).todo == {}
    account.check({"web.example.com": "http://app:8080"})
