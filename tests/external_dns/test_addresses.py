"""Every spelling of our address, and the password in it: none of what a genuine external-dns sends is refused."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from doubles.process import RunningWebhook, running_webhook
from external_dns.driver import REGISTRIES, VERSIONS, endpoint, external_dns

pytestmark = pytest.mark.external_dns

PASSWORD = "c0rrect:h0rse@battery/staple"  # noqa: S105 -- of the tests
ENCODED = "c0rrect:h0rse%40battery%2Fstaple"
MEMORY = {"BACKEND": "memory", "DOMAIN_FILTER": "example.com"}
ADDRESSES = {
    "a name in capitals": "LOCALHOST:{port}",
    "a mapped address": "[::ffff:127.0.0.1]:{port}",
    "everything that a URL may have": "user:word@localhost:{port}/?x=1",
}


@pytest.fixture(scope="module")
def open_webhook() -> Iterator[RunningWebhook]:
    with running_webhook(MEMORY) as running:
        yield running


@pytest.fixture(scope="module")
def protected_webhook() -> Iterator[RunningWebhook]:
    with running_webhook({**MEMORY, "WEBHOOK_PASSWORD": PASSWORD}) as running:
        yield running


def check_syncs(webhook: RunningWebhook, program: Path, version: str, url: str) -> None:
    """Publish, find nothing left to do, and delete, as one external-dns at this URL."""
    before = len(webhook.events())
    registry = REGISTRIES["noop" if version == "v0.14" else "txt"]
    with external_dns(program, url, "-policy", "sync", *registry) as running:
        assert running.publish(endpoint("app.example.com")).todo == {"create": ["app.example.com"]}
        assert running.publish(endpoint("app.example.com")).todo == {}
        assert running.publish().todo == {"delete": ["app.example.com"]}
    assert [event["message"] for event in webhook.events()[before:] if event["level"] != "info"] == []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ADDRESSES)
def test_our_address_is_accepted_in_every_spelling(
    open_webhook: RunningWebhook, program: Callable[[str], Path], version: str, name: str
) -> None:
    port = open_webhook.webhook_url.rpartition(":")[2]
    url = "http://" + ADDRESSES[name].format(port=port)

    check_syncs(open_webhook, program(version.replace(".", "_")), version, url)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_password_in_our_url_is_sent_with_every_request(
    protected_webhook: RunningWebhook, program: Callable[[str], Path], version: str
) -> None:
    url = protected_webhook.webhook_url.replace("://", f"://any:{ENCODED}@")

    check_syncs(protected_webhook, program(version.replace(".", "_")), version, url)
