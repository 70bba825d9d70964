"""Several owners on one tunnel: each sees and changes only its own hostnames."""

import pytest

from external_dns.account import Account
from external_dns.driver import NEWEST, TXT_REGISTRIES, endpoint
from external_dns.webhook import StartExternalDns, StartWebhook

pytestmark = pytest.mark.external_dns
OF_A, OF_B = endpoint("a.example.com", "http://a:80"), endpoint("b.example.com", "http://b:80")
BOTH = {"a.example.com": "http://a:80", "b.example.com": "http://b:80"}


@pytest.mark.parametrize("registry", TXT_REGISTRIES)
def test_two_owners_share_a_tunnel(start: StartExternalDns, account: Account, registry: str) -> None:
    a, b = (start(f"{NEWEST}-{registry}", "-owner", owner) for owner in "ab")
    a.publish(OF_A)
    b.publish(OF_B)
    assert a.publish(OF_A).todo == b.publish(OF_B).todo == {}
    account.check(BOTH, owners={"a.example.com": "a", "b.example.com": "b"})
    b.publish()
    assert a.publish(OF_A).todo == b.publish().todo == {}
    account.check({"a.example.com": "http://a:80"}, owners={"a.example.com": "a"})
    b.publish(OF_B)
    a.publish()
    assert a.publish().todo == b.publish(OF_B).todo == {}
    account.check({"b.example.com": "http://b:80"}, owners={"b.example.com": "b"})


@pytest.mark.parametrize("registry", TXT_REGISTRIES)
def test_an_owner_may_be_called_anything(start: StartExternalDns, account: Account, registry: str) -> None:
    dns = start(f"{NEWEST}-{registry}", "-owner", "team a, b=c% ü")
    dns.publish(OF_A, OF_B)
    assert dns.publish(OF_A, OF_B).todo == {}
    changed = endpoint("a.example.com", "http://changed:80")
    assert dns.publish(changed).todo == {"update": ["a.example.com"], "delete": ["b.example.com"]}
    assert dns.publish(changed).todo == {}
    account.check({"a.example.com": "http://changed:80"}, owners={"a.example.com": "team%20a%2C%20b%3Dc%25%20%C3%BC"})


@pytest.mark.parametrize("registry", TXT_REGISTRIES)
def test_an_owner_too_long_for_a_comment_is_an_error(start: StartExternalDns, account: Account, registry: str) -> None:
    dns = start(f"{NEWEST}-{registry}", "-owner", "x" * 100)
    for _ in range(2):
        dns.loop(OF_A).check_soft_error("apply")
        account.check({})


@pytest.mark.parametrize("registry", TXT_REGISTRIES)
@pytest.mark.parametrize(("first", "second"), ["ab", "ba"])
def test_a_hostname_belongs_to_the_first_owner(
    start: StartExternalDns, account: Account, registry: str, first: str, second: str
) -> None:
    one, two = (start(f"{NEWEST}-{registry}", "-owner", owner) for owner in (first, second))
    one.publish(OF_A)
    rival = endpoint("a.example.com", "http://rival:80")
    assert two.publish(rival).todo == {}
    account.check({"a.example.com": "http://a:80"}, owners={"a.example.com": first})
    two.publish()
    account.check({"a.example.com": "http://a:80"}, owners={"a.example.com": first})
    one.publish()
    two.publish(rival)
    assert two.publish(rival).todo == {}
    account.check({"a.example.com": "http://rival:80"}, owners={"a.example.com": second})


@pytest.mark.parametrize("registry", TXT_REGISTRIES)
def test_a_path_of_a_hostname_of_another_owner_is_refused(
    start: StartExternalDns, account: Account, registry: str
) -> None:
    a, b = (start(f"{NEWEST}-{registry}", "-owner", owner) for owner in "ab")
    a.publish(OF_A)
    b.loop(endpoint("a.example.com", "http://b:80", path="/b"), OF_B).check_soft_error("apply")
    assert a.publish(OF_A).todo == {}
    account.check(BOTH, owners={"a.example.com": "a", "b.example.com": "b"})


def test_instances_with_an_owner_id_share_an_account_without_a_registry(
    start: StartExternalDns, webhook: StartWebhook
) -> None:
    at_a, at_b = webhook(OWNER_ID="a"), webhook(OWNER_ID="b")
    a, b = start(f"{NEWEST}-noop", at=at_a), start(f"{NEWEST}-noop", at=at_b)
    a.publish(OF_A)
    at_a.account.hand_over(at_b.account)
    assert b.publish(OF_B).todo == {"create": ["b.example.com"]}
    at_b.account.hand_over(at_a.account)
    assert a.publish(OF_A).todo == b.publish(OF_B).todo == {}
    at_a.account.check(BOTH, owners={"a.example.com": "a", "b.example.com": "b"})
    a.publish()
    assert a.publish().todo == {}
    at_a.account.check({"b.example.com": "http://b:80"}, owners={"b.example.com": "b"})


def test_an_instance_with_an_owner_id_keeps_a_hostname_from_another(
    start: StartExternalDns, webhook: StartWebhook
) -> None:
    at_a, at_b = webhook(OWNER_ID="a"), webhook(OWNER_ID="b")
    start(f"{NEWEST}-noop", at=at_a).publish(OF_A)
    at_a.account.hand_over(at_b.account)
    b = start(f"{NEWEST}-noop", at=at_b)
    for _ in range(2):
        b.loop(endpoint("a.example.com", "http://rival:80"), OF_B).check_soft_error("apply")
        at_b.account.check(BOTH, owners={"a.example.com": "a", "b.example.com": "b"})


@pytest.mark.parametrize("registry", TXT_REGISTRIES)
def test_an_owner_id_equal_to_that_of_the_registry_changes_nothing(
    start: StartExternalDns, webhook: StartWebhook, registry: str
) -> None:
    at = webhook(OWNER_ID="a")
    a, stranger = (start(f"{NEWEST}-{registry}", "-owner", owner, at=at) for owner in ("a", "stranger"))
    a.publish(OF_A)
    assert a.publish(OF_A).todo == {}
    stranger.loop(OF_B).check_soft_error("apply")
    at.account.check({"a.example.com": "http://a:80"}, owners={"a.example.com": "a"})


def test_a_move_from_one_registry_to_another_changes_nothing(start: StartExternalDns, account: Account) -> None:
    start(f"{NEWEST}-noop").publish(OF_A, OF_B)
    before = account.state()
    for registry in (*TXT_REGISTRIES, "noop"):
        assert start(f"{NEWEST}-{registry}").publish(OF_A, OF_B).todo == {}
    assert account.state() == before
