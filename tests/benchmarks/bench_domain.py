"""How planning and reporting grow with the number of managed hostnames."""

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tunnel_webhook.domain.external_dns.adjustment import adjust
from tunnel_webhook.domain.external_dns.endpoint import Changes
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.planner import plan
from tunnel_webhook.domain.planning.report import report
from vocabulary.builders import BLUE, GREEN, POLICY, ZONE, claim, configuration, endpoint, rule

SIZES = [1_000, 10_000, 20_000]


def state(size: int) -> Existing:
    """Return a state with this number of managed hostnames in one tunnel."""
    document = configuration(*(rule(f"h{number}.example.com", f"http://s{number}:80") for number in range(size)))
    records = {ZONE: tuple(claim(f"h{number}.example.com", resource=f"service/ns/s{number}") for number in range(size))}
    return Existing.of([ZONE], records, {BLUE: document, GREEN: configuration()})


def update(size: int, port: int) -> Changes:
    """Return an update of all of them, to this port."""
    endpoints = (
        endpoint(f"h{number}.example.com", f"http://s{number}:{port}", resource=f"service/ns/s{number}")
        for number in range(size)
    )
    return Changes(update_new=adjust(endpoints, POLICY).endpoints)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("port", [80, 81], ids=["nothing-changes", "everything-changes"])
def bench_plan(benchmark: BenchmarkFixture, size: int, port: int) -> None:
    existing, changes = state(size), update(size, port)

    decided = benchmark.pedantic(plan, (existing, changes, POLICY), rounds=5, warmup_rounds=1)

    assert len(decided.decisions) == (0 if port == 80 else size)


@pytest.mark.parametrize("size", SIZES)
def bench_records(benchmark: BenchmarkFixture, size: int) -> None:
    existing = state(size)

    reported = benchmark.pedantic(report, (existing, POLICY), rounds=5, warmup_rounds=1)

    assert len(reported.endpoints) == size
