"""A failure that passes is a soft error, and the next loop makes up for it; external-dns never waits too long."""

import pytest

from external_dns.account import Account
from external_dns.driver import NEWEST, VERSIONS, ExternalDns, endpoint
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
def test_a_write_that_fails_once_is_a_soft_error_and_is_made_up_for(
    newest_everywhere: ExternalDns, account: Account, backend: str, step: str, failure: str
) -> None:
    newest_everywhere.publish(*OLD)
    account.disturb(step, failure=failure)
    if (backend, failure) != ("cloudflare", "temporary") or "tunnels" not in step:
        newest_everywhere.loop(*NEW).check_soft_error("apply")
    # Cloudflare answers 503 to a write of a tunnel that it did not carry out, so the same loop makes it once more.
    newest_everywhere.publish(*NEW)
    assert newest_everywhere.publish(*NEW).todo == {}
    account.check(LIVE)


@pytest.mark.parametrize("failure", ["temporary", "permanent"])
def test_a_read_of_a_tunnel_that_fails_is_made_up_for_by_what_was_read_before(
    newest_everywhere: ExternalDns, account: Account, failure: str
) -> None:
    newest_everywhere.publish(*OLD)
    before = account.state()
    account.disturb("before tunnels.load", failure=failure, times=2)
    assert newest_everywhere.publish(*OLD).todo == {}
    assert account.state() == before
    newest_everywhere.publish(*NEW)
    assert newest_everywhere.publish(*NEW).todo == {}
    account.check(LIVE)


@pytest.mark.parametrize("failure", ["temporary", "permanent"])
def test_a_read_of_a_zone_that_fails_is_a_soft_error_and_changes_nothing(
    newest_everywhere: ExternalDns, account: Account, failure: str
) -> None:
    newest_everywhere.publish(*OLD)
    before = account.state()
    account.disturb("before zones.load", failure=failure)
    newest_everywhere.loop(*NEW).check_soft_error("records")
    assert account.state() == before
    newest_everywhere.publish(*NEW)
    assert newest_everywhere.publish(*NEW).todo == {}
    account.check(LIVE)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_survives_a_failure(start: StartExternalDns, account: Account, version: str) -> None:
    dns = start(f"{version}-txt")
    account.disturb("before tunnels.save", failure="temporary")
    dns.loop(*NEW).check_soft_error("apply")
    dns.publish(*NEW)
    assert dns.publish(*NEW).todo == {}
    account.check(LIVE)


def test_an_apply_beyond_the_deadline_is_a_soft_error_while_the_work_goes_on(
    start: StartExternalDns, webhook: StartWebhook
) -> None:
    at = webhook(REQUEST_DEADLINE="1")
    dns = start(f"{NEWEST}-txt", at=at)
    at.account.disturb("before tunnels.save", delay=1.5)
    dns.loop(*NEW).check_soft_error("apply")
    assert dns.publish(*NEW).todo == {}
    at.account.check(LIVE)


def test_a_read_beyond_the_deadline_is_a_soft_error(start: StartExternalDns, webhook: StartWebhook) -> None:
    at = webhook(REQUEST_DEADLINE="1")
    dns = start(f"{NEWEST}-txt", at=at)
    at.account.disturb("before zones.load", delay=1.5)
    dns.loop(*NEW).check_soft_error("records")
    dns.publish(*NEW)
    assert dns.publish(*NEW).todo == {}
    at.account.check(LIVE)


def test_the_answer_comes_before_external_dns_gives_up_after_15_seconds(
    start: StartExternalDns, account: Account
) -> None:
    dns = start(f"{NEWEST}-txt")
    account.disturb("before tunnels.save", delay=16)
    dns.loop(*NEW).check_soft_error("apply")
    assert dns.publish(*NEW).todo == {}
    account.check(LIVE)
