"""A running process on an emulated Cloudflare that takes a tenth of a second per call: how long a sync takes.

`extra_info` holds the number of calls and of writes and, if a sync takes several requests, the status of each.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import httpx
import pytest
from msgspec.structs import replace
from pytest_benchmark.fixture import BenchmarkFixture

from doubles.emulator import API_TOKEN, BLUE, GREEN, Control, State, emulator_process, seed
from doubles.process import RunningWebhook, running_webhook

MEDIA_TYPE = "application/external.dns.webhook+json;version=1"
HEADERS = {"Content-Type": MEDIA_TYPE, "Accept": MEDIA_TYPE}
LATENCY = 0.1
EXTERNAL_DNS_TIMEOUT = 15.0


@dataclass(slots=True)
class Pod:
    """A process on an emulator, started for each round."""

    control: Control
    webhook: RunningWebhook
    client: httpx.Client

    def post(self, body: bytes) -> int:
        """Apply changes as external-dns would, and return the status."""
        return self.client.post("/records", content=body).status_code

    def published(self) -> int:
        """Return how many endpoints are reported."""
        return len(self.client.get("/records").json())

    def calls(self) -> dict[str, int]:
        """Return how many calls the emulator got since the last question, and how many of them wrote."""
        methods = [call["method"] for call in self.control.log()]
        self.control.clear_log()
        return {"calls": len(methods), "writes": len(methods) - methods.count("GET")}


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as entered:
        yield entered


def start(stack: ExitStack, state: State) -> Pod:
    """Start both processes and read the endpoints, as external-dns does before it changes any."""
    stack.close()
    control = stack.enter_context(emulator_process(state.with_behaviour(latency=LATENCY)))
    settings = {
        "CLOUDFLARE_API_URL": control.url,
        "CLOUDFLARE_API_TOKEN": API_TOKEN,
        "CLOUDFLARE_TUNNEL_ID": f"blue={BLUE},green={GREEN}",
        "MAX_DELETE_RATIO": "1",
        "LOG_LEVEL": "error",
    }
    webhook = stack.enter_context(running_webhook(settings))
    client = stack.enter_context(
        httpx.Client(base_url=webhook.webhook_url, headers=HEADERS, timeout=EXTERNAL_DNS_TIMEOUT)
    )
    pod = Pod(control, webhook, client)
    assert pod.published() == 0
    pod.calls()
    return pod


def creations(count: int, zones: list[str]) -> bytes:
    """Return the changes that create so many hostnames, spread over zones."""
    endpoints = [
        {
            "dnsName": f"h{number}.{zones[number % len(zones)]}",
            "recordType": "CNAME",
            "targets": [f"http://s{number}.ns.svc.cluster.local:80"],
            "labels": {"resource": f"service/ns/s{number}"},
        }
        for number in range(count)
    ]
    return json.dumps({"create": endpoints}).encode()


def free_zone() -> State:
    """Return one zone on the Free plan, which takes the smallest batches, with room for all records."""
    state = seed(plan="free")
    return state.with_zone(replace(state.zone("example.com"), quota=10_000))


@pytest.mark.parametrize("plan", ["free", "pro"])
def bench_a_thousand_hostnames_in_one_zone(benchmark: BenchmarkFixture, stack: ExitStack, plan: str) -> None:
    body = creations(1_000, ["example.com"])

    def setup() -> tuple[tuple[Pod], dict[str, object]]:
        return (start(stack, free_zone() if plan == "free" else seed(plan="pro")),), {}

    def apply(pod: Pod) -> Pod:
        assert pod.post(body) == 204
        return pod

    pod = benchmark.pedantic(apply, setup=setup, rounds=3)

    benchmark.extra_info |= pod.calls()
    assert pod.published() == 1_000


def bench_ten_thousand_hostnames_over_four_zones(benchmark: BenchmarkFixture, stack: ExitStack) -> None:
    zones = ["example.com", "example.org", "example.net", "example.info"]
    body = creations(10_000, zones)
    statuses: list[int] = []

    def setup() -> tuple[tuple[Pod], dict[str, object]]:
        statuses.clear()
        return (start(stack, seed(zones, plan="pro")),), {}

    def apply(pod: Pod) -> Pod:
        while 204 not in statuses:
            statuses.append(pod.post(body))
            assert statuses[-1] in {204, 503}
        return pod

    pod = benchmark.pedantic(apply, setup=setup, rounds=3)

    benchmark.extra_info |= {**pod.calls(), "statuses": statuses}
    assert pod.published() == 10_000


def bench_a_quiet_sync_of_ten_thousand(benchmark: BenchmarkFixture, stack: ExitStack) -> None:
    zones = ["example.com", "example.org", "example.net", "example.info"]
    pod = start(stack, seed(zones, plan="pro"))
    assert pod.post(creations(10_000, zones)) == 204
    pod.calls()

    published = benchmark.pedantic(pod.published, rounds=3)

    benchmark.extra_info |= {name: number // 3 for name, number in pod.calls().items()}
    assert published == 10_000
