"""The whole of external-dns, from its `main` on: source, wrappers, registry, controller, exit code."""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from doubles.child_process import child_process
from doubles.process import free_ports
from external_dns.account import Account
from external_dns.driver import EndpointJson, endpoint
from external_dns.webhook import StartWebhook, Webhook

pytestmark = [pytest.mark.external_dns, pytest.mark.controller]
WEB = endpoint("web.example.com", "http://web:80", resource="ingress/prod/web")
API = endpoint(
    "web.example.com", "http://api:80", resource="ingress/prod/api", identifier="api", path="/api", connect_timeout="1m"
)
LIVE: dict[str, str | dict[str, str]] = {"web.example.com": {"": "http://web:80", "^/api(/|$)": "http://api:80"}}
APPLIED, REFUSED = ("POST /records", 204), ("POST /records", 500)
LONG = 60.0
Metrics = dict[str, float]


@dataclass(frozen=True, slots=True)
class Controller:
    """The program `external-dns`, a source for it, and the process of ours that it drives."""

    program: Path
    webhook: Webhook
    source: str
    file: Path
    answered: Counter[tuple[str, int]]

    def command(self, *flags: str, metrics: int = 0) -> list[str]:
        """Return a command line of the usual flags and these; `metrics` is a port, or 0 for any."""
        usual = (f"--webhook-provider-url={self.webhook.process.webhook_url}", "--provider=webhook", "--policy=sync")
        return [str(self.program), *usual, f"--metrics-address=127.0.0.1:{metrics or free_ports(1)[0]}", *flags]

    def once(self, *flags: str) -> int:
        """Run one control loop in a process of its own, and return the exit code."""
        return subprocess.run(self.command("--once", *flags), timeout=LONG, check=False).returncode

    def publish(self, *desired: EndpointJson, registry: str = "txt") -> int:
        """Run one control loop for these endpoints."""
        self.file.write_text(json.dumps(desired))
        return self.once("--source=connector", f"--connector-source-server={self.source}", f"--registry={registry}")

    def answers(self) -> Counter[tuple[str, int]]:
        """Return how often each route gave each status in this test."""
        return answers_of(self.webhook) - self.answered


def answers_of(webhook: Webhook) -> Counter[tuple[str, int]]:
    """Return how often each route of a process gave each status."""
    metrics = httpx.get(f"{webhook.process.exposed_url}/metrics").text
    series = re.findall(r"^tunnel_webhook_requests_total\{(.*)\} (\S+)$", metrics, re.MULTILINE)
    counted = [(dict(re.findall(r'(\w+)="([^"]*)"', labels)), int(float(number))) for labels, number in series]
    return Counter({(labels["route"], int(labels["status"])): number for labels, number in counted})


@pytest.fixture
def controller(program: Callable[[str], Path], here: Webhook, tmp_path: Path) -> Iterator[Controller]:
    path, file = program("controller"), tmp_path / "endpoints.json"
    with child_process([path, "-serve-gob", "127.0.0.1:0", file], stdout=subprocess.PIPE, text=True) as source:
        assert source.stdout
        yield Controller(path, here, source.stdout.readline().strip(), file, answers_of(here))


@pytest.mark.parametrize("registry", ["noop", "txt"])
def test_a_second_run_of_the_fake_source_posts_no_changes(controller: Controller, registry: str) -> None:
    flags = ("--source=fake", "--fqdn-template=example.com", f"--registry={registry}")
    assert controller.once(*flags) == 0
    state = controller.webhook.account.state()
    assert controller.webhook.account.claims()
    assert controller.once(*flags) == 0
    assert controller.answers()[APPLIED] == 1
    assert controller.answers()["GET /records", 200] == 2
    assert controller.webhook.account.state() == state


@pytest.mark.parametrize("registry", ["noop", "txt"])
def test_hostnames_come_change_and_go(controller: Controller, account: Account, registry: str) -> None:
    changed = endpoint("web.example.com", "http://changed:80", resource="ingress/prod/web")
    wants: list[tuple[tuple[EndpointJson, ...], dict[str, str | dict[str, str]]]] = [
        ((WEB, API), LIVE),
        ((changed, API), {"web.example.com": {"": "http://changed:80", "^/api(/|$)": "http://api:80"}}),
        ((changed,), {"web.example.com": "http://changed:80"}),
        ((), {}),
    ]
    for posted, (desired, live) in enumerate(wants, start=1):
        for _ in range(2):
            assert controller.publish(*desired, registry=registry) == 0
            account.check(live)
            assert controller.answers()[APPLIED] == posted


def test_a_rejection_fails_a_single_run_and_affects_no_other_hostname(controller: Controller, account: Account) -> None:
    assert controller.publish(WEB, endpoint("bad.example.com", "ftp://bad:21")) == 1
    assert controller.answers()[REFUSED] == 1
    account.check({"web.example.com": "http://web:80"})


def tracks(controller: Controller, want: Callable[[Metrics], bool], *desired: EndpointJson) -> Metrics:
    """Run external-dns until its own metrics are as wanted, and return them."""
    controller.file.write_text(json.dumps(desired))
    port = free_ports(1)[0]
    flags = ("--source=connector", f"--connector-source-server={controller.source}", "--interval=200ms")
    command = controller.command(*flags, metrics=port)
    with child_process(command) as process:
        for _ in range(int(LONG / 0.1)):
            with suppress(httpx.HTTPError):
                text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
                samples = re.findall(r"^external_dns_(\w+)(?:\{.*\})? (\S+)$", text, re.MULTILINE)
                metrics = {name: float(number) for name, number in samples}
                if want(metrics):
                    return metrics
            with suppress(subprocess.TimeoutExpired):
                message = f"external-dns ended with {process.wait(0.1)}"
                raise RuntimeError(message)
    message = f"the metrics of external-dns were never as wanted within {LONG:g} s"
    raise TimeoutError(message)


@pytest.fixture
def shared(controller: Controller, webhook: StartWebhook) -> Controller:
    """A controller and a process of ours with the settings that many tenants share: the default ones."""
    at = webhook(ON_REJECTION="report", MAX_DELETE_RATIO="0.5")
    return replace(controller, webhook=at, answered=answers_of(at))


def has_synced(metrics: Metrics) -> bool:
    return metrics.get("controller_last_sync_timestamp_seconds", 0.0) > 0 and metrics["source_endpoints_total"] > 0


def fails(metrics: Metrics) -> bool:
    return metrics.get("controller_consecutive_soft_errors", 0.0) >= 2


def test_the_typo_of_one_tenant_is_no_error_of_external_dns(shared: Controller) -> None:
    metrics = tracks(shared, has_synced, WEB, endpoint("bad.example.com", "ftp://bad:21"))
    assert metrics["controller_consecutive_soft_errors"] == 0
    assert metrics["webhook_provider_applychanges_errors_total"] == 0
    assert shared.answers()[REFUSED] == 0
    shared.webhook.account.check({"web.example.com": "http://web:80"})


def test_deletions_that_are_withheld_are_an_error_of_external_dns(shared: Controller) -> None:
    many = [endpoint(f"app{number}.example.com", "http://app:80") for number in range(4)]
    assert shared.publish(*many) == 0
    metrics = tracks(shared, fails)
    assert metrics["webhook_provider_applychanges_errors_total"] >= 2
    shared.webhook.account.check({each["dnsName"]: "http://app:80" for each in many})


def test_a_failure_of_cloudflare_is_an_error_of_external_dns(shared: Controller) -> None:
    shared.webhook.account.disturb("before zones.load", failure="temporary", times=1000)
    assert tracks(shared, fails, WEB)["webhook_provider_records_errors_total"] >= 2


def test_a_running_process_posts_only_changes(controller: Controller, account: Account) -> None:
    controller.file.write_text(json.dumps([WEB, API, endpoint("mail.example.com", "10 mx.example.net", kind="MX")]))
    flags = ("--source=connector", f"--connector-source-server={controller.source}", "--interval=200ms")
    with child_process(controller.command(*flags)) as process:
        wait_for(controller, process, ("GET /records", 200), times=4)
        assert controller.answers()[APPLIED] == 1
        account.check(LIVE)
        account.disturb("before zones.load", failure="temporary")
        wait_for(controller, process, ("GET /records", 503), times=1)
        account.edit_rules(lambda rules: [rule for rule in rules if "web:80" not in rule])
        wait_for(controller, process, APPLIED, times=2)
        account.check(LIVE)
        process.terminate()
        assert process.wait(LONG) == 0


def wait_for(controller: Controller, process: subprocess.Popen[bytes], answer: tuple[str, int], *, times: int) -> None:
    for _ in range(int(LONG / 0.05)):
        if controller.answers()[answer] >= times:
            return
        with suppress(subprocess.TimeoutExpired):
            code = process.wait(0.05)
            message = f"external-dns ended with {code}"
            raise RuntimeError(message)
    message = f"{answer} was counted {controller.answers()[answer]} times in {LONG:g} s, not {times}"
    raise TimeoutError(message)
