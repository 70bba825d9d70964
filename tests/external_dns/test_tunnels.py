"""Hostnames that live in one of several tunnels, and move."""

import pytest

from external_dns.account import Account
from external_dns.genuine import ExternalDns, endpoint
from vocabulary.builders import BLUE, GREEN

pytestmark = pytest.mark.external_dns
IN_GREEN = {"app.example.com": GREEN}
HERE, THERE = endpoint("app.example.com"), endpoint("app.example.com", tunnel="green")


def test_a_hostname_moves_to_another_tunnel_and_back(newest: ExternalDns, account: Account) -> None:
    newest.publish(HERE)
    newest.publish(THERE)
    assert newest.publish(THERE).todo == {}
    account.check({"app.example.com": "http://app:8080"}, tunnels=IN_GREEN)
    assert account.rules("app.example.com", BLUE) == []
    newest.publish(HERE)
    assert newest.publish(HERE).todo == {}
    account.check({"app.example.com": "http://app:8080"})
    assert account.rules("app.example.com", GREEN) == []


def test_a_tunnel_is_named_by_its_id_as_well(newest: ExternalDns, account: Account) -> None:
    newest.publish(endpoint("app.example.com", tunnel=GREEN))
    assert newest.publish(THERE).todo == {}
    assert newest.publish(endpoint("app.example.com", tunnel=GREEN.upper())).todo == {}
    account.check({"app.example.com": "http://app:8080"}, tunnels=IN_GREEN)


def test_the_default_tunnel_may_be_named(newest: ExternalDns, account: Account) -> None:
    newest.publish(HERE)
    assert newest.publish(endpoint("app.example.com", tunnel="blue")).todo == {}
    account.check({"app.example.com": "http://app:8080"})


def test_a_hostname_moves_with_all_its_paths_and_a_new_service(newest: ExternalDns, account: Account) -> None:
    newest.publish(HERE, endpoint("app.example.com", "http://api:80", path="/api"))
    wanted = (
        endpoint("app.example.com", "http://new:80", tunnel="green"),
        endpoint("app.example.com", "http://api:80", path="/api", tunnel="green"),
    )
    newest.publish(*wanted)
    assert newest.publish(*wanted).todo == {}
    account.check({"app.example.com": {"": "http://new:80", "^/api(/|$)": "http://api:80"}}, tunnels=IN_GREEN)


def test_paths_of_one_hostname_in_two_tunnels_are_refused(newest: ExternalDns, account: Account) -> None:
    newest.publish(HERE)
    for _ in range(2):
        newest.loop(HERE, endpoint("app.example.com", "http://api:80", path="/api", tunnel="green")).check_soft_error(
            "apply"
        )
        account.check({"app.example.com": "http://app:8080"})


def test_a_hostname_in_another_tunnel_is_withdrawn(newest: ExternalDns, account: Account) -> None:
    newest.publish(THERE, endpoint("web.example.com"))
    newest.publish(endpoint("web.example.com"))
    assert newest.publish(endpoint("web.example.com")).todo == {}
    account.check({"web.example.com": "http://app:8080"})
