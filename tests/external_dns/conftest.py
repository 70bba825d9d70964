"""The genuine external-dns in every version, and our process for it to drive."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from builders import BLUE, GREEN
from external_dns.account import Account
from external_dns.doors import SocketDoor
from external_dns.genuine import NEWEST, REGISTRIES, VERSIONS, ExternalDns, external_dns
from external_dns.programs import NotHere, Programs
from external_dns.webhook import StartExternalDns, StartWebhook, Webhook
from process import running_webhook

NEWEST_KINDS = [f"{NEWEST}-{registry}" for registry in REGISTRIES]
OLDER_KINDS = [f"{version}-{registry}" for version in VERSIONS[:-1] for registry in ("noop", "txt")]
SETTINGS = {
    "BACKEND": "memory",
    "CLOUDFLARE_TUNNEL_ID": f"blue={BLUE},green={GREEN}",
    "DOMAIN_FILTER": "example.com,example.org",
    "PYTHONPATH": str(Path(__file__).parents[1]),
}


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give the building of Go modules, which is setup, all the time that it needs."""
    item.add_marker(pytest.mark.timeout(120, func_only=True))


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Build a program of `go/`, or skip."""
    programs = Programs(tmp_path_factory.mktemp("go"))

    def path(module: str) -> Path:
        try:
            return programs.path(module)
        except NotHere as error:
            pytest.skip(str(error))

    return path


@pytest.fixture(scope="session")
def _webhooks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartWebhook]:
    """Start one process for each choice of settings: it remembers nothing but what is in the account."""
    running: dict[frozenset[tuple[str, str]], Webhook] = {}
    with ExitStack() as stack:

        def start(**settings: str) -> Webhook:
            key = frozenset(settings.items())
            if key not in running:
                door = tmp_path_factory.mktemp("door") / "socket"
                command = ("-m", "external_dns.memory_process", str(door))
                process = stack.enter_context(running_webhook({**SETTINGS, **settings}, command))
                running[key] = Webhook(process, Account(SocketDoor(door)))
            return running[key]

        yield start


@pytest.fixture
def webhook(_webhooks: StartWebhook) -> Iterator[StartWebhook]:
    """Serve with these settings, on an account that holds only what was made by hand; its log is shown on failure."""
    used: list[tuple[Webhook, int]] = []

    def start(**settings: str) -> Webhook:
        webhook = _webhooks(**settings)
        webhook.account.reset()
        used.append((webhook, webhook.process.log.stat().st_size))
        return webhook

    yield start
    for each, size in used:
        sys.stderr.write(each.process.log.read_bytes()[size:].decode())


@pytest.fixture
def here(webhook: StartWebhook) -> Webhook:
    """Serve with the settings that most tests use."""
    return webhook()


@pytest.fixture
def account(here: Webhook) -> Account:
    return here.account


@pytest.fixture
def start(program: Callable[[str], Path], here: Webhook) -> Iterator[StartExternalDns]:
    """Start an external-dns of a version and a registry."""
    with ExitStack() as stack:

        def begin(kind: str, *flags: str, policy: str = "sync", at: Webhook = here) -> ExternalDns:
            version, _, registry = kind.partition("-")
            path = program(version.replace(".", "_"))
            return stack.enter_context(external_dns(path, at.process.webhook_url, "-policy", policy, *REGISTRIES[registry], *flags))

        yield begin


@pytest.fixture(params=[*NEWEST_KINDS, *OLDER_KINDS])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def any_version(kind: str, start: StartExternalDns) -> ExternalDns:
    """The newest external-dns under every registry, the older ones under noop and txt; policy sync."""
    return start(kind)


@pytest.fixture(params=NEWEST_KINDS)
def newest(request: pytest.FixtureRequest, start: StartExternalDns) -> ExternalDns:
    """The newest external-dns under every registry; policy sync."""
    return start(request.param)
