"""The genuine external-dns by version and registry, and our process for it to drive.

| fixture             | external-dns                                     | backend                               |
|---------------------|--------------------------------------------------|---------------------------------------|
| `newest`            | v0.22 with the txt registry                      | memory                                |
| `newest_everywhere` | v0.22 with the txt registry                      | memory, and the emulated Cloudflare   |
| `every_registry`    | v0.22 with every registry                        | memory, and with txt on the emulator  |
| `every_version`     | those, and the older versions                    | memory, and with txt on the emulator  |

The registry is txt where it does not matter: it is external-dns' default and the one of `deploy/values.yaml`, it gives
endpoints their owners, and it sends a TXT record beside each change, which noop does not.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from doubles.emulator import emulator_process, seed
from doubles.process import running_webhook
from external_dns.account import Account
from external_dns.backends import CloudflareBackend, MemoryBackend, on_emulator
from external_dns.driver import NEWEST, REGISTRIES, VERSIONS, ExternalDns, external_dns
from external_dns.webhook import StartExternalDns, StartWebhook, Webhook
from vocabulary.builders import BLUE, GREEN

USUAL = f"{NEWEST}-txt"
EVERY_REGISTRY = [f"{NEWEST}-{registry}" for registry in REGISTRIES]
OLDER = [f"{VERSIONS[0]}-noop", *(f"{version}-txt" for version in VERSIONS[:-1])]
KINDS = {
    "newest": [("memory", USUAL)],
    "newest_everywhere": [("memory", USUAL), ("cloudflare", USUAL)],
    "every_registry": [*(("memory", kind) for kind in EVERY_REGISTRY), ("cloudflare", USUAL)],
    "every_version": [*(("memory", kind) for kind in (*EVERY_REGISTRY, *OLDER)), ("cloudflare", USUAL)],
}
SETTINGS = {
    "CLOUDFLARE_TUNNEL_ID": f"blue={BLUE},green={GREEN}",
    "DOMAIN_FILTER": "example.com,example.org",
    "RELEASE_DELAY": "0",
    # A rejection is an error here, so that a loop shows it; deletions of earlier tests limit those of later ones.
    "ON_REJECTION": "fail",
    "MAX_DELETE_RATIO": "1",
}
BURST = 150
"""Calls to Cloudflare after which a process is not used for a further test, since it paces itself after 200."""

MEMORY = {"BACKEND": "memory", "PYTHONPATH": str(Path(__file__).parents[1])}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with every external-dns of its fixture."""
    for name in KINDS.keys() & set(metafunc.fixturenames):
        ids = [kind if backend == "memory" else f"{kind}-on-{backend}" for backend, kind in KINDS[name]]
        metafunc.parametrize(("backend", name), KINDS[name], ids=ids, indirect=True)


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> str:
    """Return where the account is: in `memory` unless a fixture of the table says `cloudflare`."""
    return str(getattr(request, "param", "memory"))


@pytest.fixture(scope="session")
def _on_memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartWebhook]:
    """Start one process for each choice of settings; its only memory is the account."""
    running: dict[frozenset[tuple[str, str]], Webhook] = {}
    with ExitStack() as stack:

        def start(**settings: str) -> Webhook:
            key = frozenset(settings.items())
            if key not in running:
                socket = tmp_path_factory.mktemp("memory") / "socket"
                command = ("-m", "external_dns.memory_process", str(socket))
                process = stack.enter_context(running_webhook({**SETTINGS, **MEMORY, **settings}, command))
                running[key] = Webhook(process, Account(MemoryBackend(socket)))
            return running[key]

        yield start


@pytest.fixture(scope="session")
def _on_cloudflare() -> Iterator[StartWebhook]:
    """Start one process for each choice of settings, and new ones once these have used up their burst of calls."""
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
                running[key] = Webhook(process, Account(CloudflareBackend(control)))
            return running[key]

        yield start


@pytest.fixture
def webhook(request: pytest.FixtureRequest, backend: str) -> Iterator[StartWebhook]:
    """Serve with these settings an account that holds only what was made by hand; pytest shows the log on failure."""
    start_on_backend: StartWebhook = request.getfixturevalue(f"_on_{backend}")
    started: list[tuple[Webhook, int]] = []

    def start(**settings: str) -> Webhook:
        webhook = start_on_backend(**settings)
        webhook.account.reset()
        started.append((webhook, webhook.process.log.stat().st_size))
        return webhook

    yield start
    for webhook, size in started:
        sys.stderr.write(webhook.process.log.read_bytes()[size:].decode())


@pytest.fixture
def here(webhook: StartWebhook) -> Webhook:
    """Serve with the usual settings."""
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


@pytest.fixture
def newest(request: pytest.FixtureRequest, start: StartExternalDns) -> ExternalDns:
    return start(request.param)


@pytest.fixture
def newest_everywhere(request: pytest.FixtureRequest, start: StartExternalDns) -> ExternalDns:
    return start(request.param)


@pytest.fixture
def every_registry(request: pytest.FixtureRequest, start: StartExternalDns) -> ExternalDns:
    return start(request.param)


@pytest.fixture
def every_version(request: pytest.FixtureRequest, start: StartExternalDns) -> ExternalDns:
    return start(request.param)
