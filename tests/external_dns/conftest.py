"""The genuine external-dns in every version, and our process for it to drive: in memory, and on an emulated Cloudflare."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from doubles.emulator import emulator_process, seed
from doubles.process import running_webhook
from external_dns.account import Account
from external_dns.doors import EmulatorDoor, SocketDoor, on_emulator
from external_dns.genuine import NEWEST, REGISTRIES, VERSIONS, ExternalDns, external_dns
from external_dns.programs import NotHere, Programs
from external_dns.webhook import StartExternalDns, StartWebhook, Webhook
from vocabulary.builders import BLUE, GREEN

NEWEST_KINDS = [f"{NEWEST}-{registry}" for registry in REGISTRIES]
OLDER_KINDS = [f"{version}-{registry}" for version in VERSIONS[:-1] for registry in ("noop", "txt")]
SETTINGS = {
    "CLOUDFLARE_TUNNEL_ID": f"blue={BLUE},green={GREEN}",
    "DOMAIN_FILTER": "example.com,example.org",
}
BURST = 150
"""Calls to Cloudflare after which a process is not used for a further test, since after 200 it paces itself."""

MEMORY = {"BACKEND": "memory", "PYTHONPATH": str(Path(__file__).parents[1])}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what takes any external-dns in memory with all of them, and on an emulated Cloudflare with the usual one."""
    for name, kinds in {"newest": NEWEST_KINDS, "any_version": [*NEWEST_KINDS, *OLDER_KINDS]}.items():
        if name in metafunc.fixturenames:
            cases = [*(("memory", kind) for kind in kinds), ("cloudflare", f"{NEWEST}-txt")]
            ids = [*kinds, f"{NEWEST}-txt-on-cloudflare"]
            metafunc.parametrize(("backend", name), cases, ids=ids, indirect=True)


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


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> str:
    """Where the account is: `memory` unless a test says `cloudflare`."""
    return str(getattr(request, "param", "memory"))


@pytest.fixture(scope="session")
def _on_memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartWebhook]:
    """Start one process for each choice of settings: it remembers nothing but what is in the account."""
    running: dict[frozenset[tuple[str, str]], Webhook] = {}
    with ExitStack() as stack:

        def start(**settings: str) -> Webhook:
            key = frozenset(settings.items())
            if key not in running:
                door = tmp_path_factory.mktemp("door") / "socket"
                command = ("-m", "external_dns.memory_process", str(door))
                process = stack.enter_context(running_webhook({**SETTINGS, **MEMORY, **settings}, command))
                running[key] = Webhook(process, Account(SocketDoor(door)))
            return running[key]

        yield start


@pytest.fixture(scope="session")
def _on_cloudflare() -> Iterator[StartWebhook]:
    """Start one process for each choice of settings, and others once these have used up what they may ask in one burst."""
    running: dict[frozenset[tuple[str, str]], Webhook] = {}
    emulator = emulator_process(seed(["example.com", "example.org"]).with_behaviour(key_order="as sent"))
    with emulator as control, ExitStack() as stack:

        def start(**settings: str) -> Webhook:
            if len(control.log()) > BURST:
                stack.close()
                running.clear()
                control.reset()
            key = frozenset(settings.items())
            if key not in running:
                process = stack.enter_context(running_webhook({**SETTINGS, **on_emulator(control), **settings}))
                running[key] = Webhook(process, Account(EmulatorDoor(control)))
            return running[key]

        yield start


@pytest.fixture
def webhook(request: pytest.FixtureRequest, backend: str) -> Iterator[StartWebhook]:
    """Serve with these settings, on an account that holds only what was made by hand; its log is shown on failure."""
    started: StartWebhook = request.getfixturevalue(f"_on_{backend}")
    used: list[tuple[Webhook, int]] = []

    def start(**settings: str) -> Webhook:
        webhook = started(**settings)
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
            return stack.enter_context(
                external_dns(path, at.process.webhook_url, "-policy", policy, *REGISTRIES[registry], *flags)
            )

        yield begin


@pytest.fixture(params=[*NEWEST_KINDS, *OLDER_KINDS])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def any_version(request: pytest.FixtureRequest, start: StartExternalDns) -> ExternalDns:
    """The newest external-dns under every registry, the older ones under noop and txt; policy sync."""
    return start(request.param)


@pytest.fixture
def newest(request: pytest.FixtureRequest, start: StartExternalDns) -> ExternalDns:
    """The newest external-dns under every registry; policy sync."""
    return start(request.param)
