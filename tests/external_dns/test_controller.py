"""The whole of external-dns, from its `main` on: source, wrappers, registry, controller, exit code."""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from doubles.child_process import child_process
from doubles.process import free_ports
from external_dns.account import Account
from external_dns.driver import EndpointJson, endpoint
from external_dns.webhook import Webhook

pytestmark = [pytest.mark.external_dns, pytest.mark.controller]
WEB = endpoint("web.example.com", "http://web:80", resource="ingress/prod/web")
API = endpoint(
    "web.example.com", "http://api:80", resource="ingress/prod/api", identifier="api", path="/api", connect_timeout="1m"
)
LIVE: dict[str, str | dict[str, str]] = {"web.example.com": {"": "http://web:80", "^/api(/|$)": "http://api:80"}}
APPLIED, REFUSED = ("POST /records", 204), ("POST /records", 500)
LONG = 60.0


@dataclass(frozen=True, slots=True)
class Controller:
    """The program `external-dns`, a source for it, and the process of ours that it drives."""

    program: Path
    webhook: Webhook
    source: str
    file: Path
    answered: Counter[tuple[str, int]]

    def command(self, *flags: str) -> list[str]:
        """Return a command line of the usual flags and these."""
        usual = (f"--webhook-provider-url={self.webhook.process.webhook_url}", "--provider=webhook", "--policy=sync")
        return [str(self.program), *usual, f"--metrics-address=127.0.0.1:{free_ports(1)[0]}", *flags]

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
