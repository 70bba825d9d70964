"""What goes wrong for a while is told softly and mended by the next loop; external-dns never waits in vain."""

import pytest

from external_dns.account import Account
from external_dns.genuine import NEWEST, REGISTRIES, VERSIONS, ExternalDns, endpoint
from external_dns.webhook import StartExternalDns, StartWebhook

pytestmark = pytest.mark.external_dns
STEPS = [f"{when} {step}" for step in ("tunnels.save", "zones.save") for when in ("before", "after")]
OLD = (
    endpoint("gone.example.com"),
    endpoint("app.example.com"),
    endpoint("moved.example.com"),
    endpoint("web.example.com"),
)
NEW = (
    endpoint("new.example.com"),
    endpoint("app.example.com", "http://changed:80"),
    endpoint("moved.example.com", no_tls_verify="true"),
    endpoint("web.example.com"),
)
LIVE = {
    "new.example.com": "http://app:8080",
    "app.example.com": "http://changed:80",
    "moved.example.com": "http://app:8080",
    "web.example.com": "http://app:8080",
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("failure", ["temporary", "permanent"])
def test_a_write_that_fails_once_is_told_softly_and_made_up_for(
    newest: ExternalDns, account: Account, step: str, failure: str
) -> None:
    newest.publish(*OLD)
    account.disturb(step, failure=failure)
    newest.loop(*NEW).check_soft_error("apply")
    newest.publish(*NEW)
    assert newest.publish(*NEW).todo == {}
    account.check(LIVE)


@pytest.mark.parametrize("step", ["before tunnels.load", "before zones.load"])
@pytest.mark.parametrize("failure", ["temporary", "permanent"])
def test_a_read_that_fails_is_told_softly_and_changes_nothing(
    newest: ExternalDns, account: Account, step: str, failure: str
) -> None:
    newest.publish(*OLD)
    before = account.state()
    account.disturb(step, failure=failure)
    newest.loop(*NEW).check_soft_error("records")
    assert account.state() == before
    newest.publish(*NEW)
    assert newest.publish(*NEW).todo == {}
    account.check(LIVE)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_survives_a_failure(start: StartExternalDns, account: Account, version: str) -> None:
    dns = start(f"{version}-txt")
    account.disturb("before tunnels.save", failure="temporary")
    dns.loop(*NEW).check_soft_error("apply")
    dns.publish(*NEW)
    assert dns.publish(*NEW).todo == {}
    account.check(LIVE)


@pytest.mark.parametrize("registry", REGISTRIES)
def test_the_deadline_answers_softly_while_the_work_goes_on(
    start: StartExternalDns, webhook: StartWebhook, registry: str
) -> None:
    at = webhook(REQUEST_DEADLINE="1")
    dns = start(f"{NEWEST}-{registry}", at=at)
    at.account.disturb("before tunnels.save", delay=1.5)
    dns.loop(*NEW).check_soft_error("apply")
    assert dns.publish(*NEW).todo == {}
    at.account.check(LIVE)


def test_a_read_beyond_the_deadline_is_answered_softly(start: StartExternalDns, webhook: StartWebhook) -> None:
    at = webhook(REQUEST_DEADLINE="1")
    dns = start(f"{NEWEST}-txt", at=at)
    at.account.disturb("before zones.load", delay=1.5)
    dns.loop(*NEW).check_soft_error("records")
    dns.publish(*NEW)
    assert dns.publish(*NEW).todo == {}
    at.account.check(LIVE)


def test_fifteen_seconds_are_never_reached(start: StartExternalDns, account: Account) -> None:
    dns = start(f"{NEWEST}-txt")
    account.disturb("before tunnels.save", delay=16)
    dns.loop(*NEW).check_soft_error("apply")
    assert dns.publish(*NEW).todo == {}
    account.check(LIVE)
