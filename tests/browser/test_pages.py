"""A page in headless Chromium cannot change, read or time anything through a forwarded port of the webhook."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from browser.chromium import missing, opened
from browser.site import Exchange, PortForward, Report, Site, forwarded_port, hostile_site
from doubles.emulator import API_TOKEN, BLUE, Control, emulator_process, seed
from doubles.emulator.state import State
from doubles.process import RunningWebhook, running_webhook

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

MEDIA_TYPE = "application/external.dns.webhook+json;version=1"
SECRET = "hidden.example.com"  # noqa: S105 -- a hostname that a page must not learn
TAKEN = "taken.example.com"
LATENCY = 0.4
ATTEMPTS = set(
    re.findall(r'^  "?([a-z-]+)"?: (?:async )?\(name\)', Path(__file__).with_name("page.js").read_text(), re.MULTILINE)
)


@dataclass(frozen=True, slots=True)
class Page:
    """Where a page comes from, and the host under which it believes the webhook to be."""

    origin: str
    target: str
    path: str = "/page"


PAGES = {
    "another site": Page("http://evil.test:{site}", "http://127.0.0.1:{port}"),
    "another port of this machine": Page("http://localhost:{site}", "http://localhost:{port}"),
    "a sandboxed frame": Page("http://evil.test:{site}", "http://127.0.0.1:{port}", "/frame"),
    "a name below localhost": Page("http://evil.test:{site}", "http://evil.localhost:{port}"),
    "a public address": Page("http://evil.test:{site}", "http://127.0.0.1:{port}", "/public"),
    "DNS rebinding": Page("http://rebound.test:{port}", "http://rebound.test:{port}"),
}


@dataclass(frozen=True, slots=True)
class Visit:
    """What a page reported, and what the webhook saw of it."""

    report: Report
    exchanges: list[Exchange]
    before: State
    after: State
    answered: Counter[tuple[str, int]]


@pytest.fixture(scope="module")
def cloudflare() -> Iterator[Control]:
    if reason := missing():
        pytest.skip(reason)
    with emulator_process(seed().with_behaviour(latency=LATENCY)) as control:
        yield control


@pytest.fixture(scope="module")
def webhook(cloudflare: Control) -> Iterator[RunningWebhook]:
    settings = {
        "CLOUDFLARE_API_URL": cloudflare.url,
        "CLOUDFLARE_API_TOKEN": API_TOKEN,
        "CLOUDFLARE_TUNNEL_ID": BLUE,
        "DOMAIN_FILTER": "example.com",
    }
    created = {"create": [{"dnsName": SECRET, "recordType": "CNAME", "targets": ["http://app:80"]}]}
    with running_webhook(settings) as running:
        answer = httpx.post(
            f"{running.webhook_url}/records",
            content=json.dumps(created),
            headers={"Content-Type": MEDIA_TYPE},
            timeout=60,
        )
        assert answer.status_code == 204
        yield running


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with hostile_site() as running:
        yield running


@pytest.fixture(scope="module")
def forward(webhook: RunningWebhook, site: Site) -> Iterator[PortForward]:
    with forwarded_port(int(webhook.webhook_url.rpartition(":")[2]), site.port) as running:
        yield running


@pytest.fixture(scope="module", params=PAGES)
def visit(
    request: pytest.FixtureRequest, cloudflare: Control, webhook: RunningWebhook, site: Site, forward: PortForward
) -> Iterator[Visit]:
    page = PAGES[request.param]
    origin, target = (text.format(site=site.port, port=forward.port) for text in (page.origin, page.target))
    forward.passed.clear()
    before, counted = cloudflare.state(), requests_by_answer(webhook)
    with opened(f"{origin}{page.path}?target={target}", "evil.test", "rebound.test"):
        report = site.report()
    answered = requests_by_answer(webhook)
    answered.subtract(counted)
    yield Visit(report, forward.exchanges(), before, cloudflare.state(), +answered)
    cloudflare.seed(before)


def requests_by_answer(webhook: RunningWebhook) -> Counter[tuple[str, int]]:
    """Return how many requests the webhook has answered, by route and status."""
    metrics = httpx.get(f"{webhook.exposed_url}/metrics").text
    counts = re.findall(
        r'^tunnel_webhook_requests_total\{route="([^"]*)",status="(\d+)"\} (\d+)', metrics, re.MULTILINE
    )
    return Counter({(route, int(status)): int(count) for route, status, count in counts})


def test_every_attempt_reaches_the_webhook_and_is_refused(visit: Visit) -> None:
    assert visit.report.read.keys() == ATTEMPTS
    assert {exchange.attempt for exchange in visit.exchanges} == ATTEMPTS | {"timing"}
    assert {exchange.status for exchange in visit.exchanges} == {403}


def test_no_request_reaches_a_route(visit: Visit) -> None:
    # Beside the attempts, the browser asks by itself for /favicon.ico.
    assert {route for route, _ in visit.answered} == {"unknown"}


def test_nothing_is_changed(visit: Visit) -> None:
    assert visit.after == visit.before
    assert SECRET in visit.after.document(BLUE)


def test_nothing_is_read_but_a_refusal(visit: Visit) -> None:
    # A page that rebinds its name to this machine may read what that answers.
    texts = {name: text for name, text in visit.report.read.items() if text}

    assert {name: text for name, text in texts.items() if '"status":403' not in text or "example.com" in text} == {}


def test_no_path_takes_longer_than_another(visit: Visit) -> None:
    assert max(visit.report.fastest.values()) < LATENCY * 1000
