"""The running process over loopback: adjust, records, start-up and memory.

`extra_info` holds the ratio to msgspec's own decode + encode of the same body, CPU seconds, and MiB.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from doubles.process import RunningWebhook, running_webhook

MEDIA_TYPE = "application/external.dns.webhook+json;version=1"
HEADERS = {"Content-Type": MEDIA_TYPE, "Accept": MEDIA_TYPE}
MEMORY = {"BACKEND": "memory", "DOMAIN_FILTER": "example.com", "LOG_LEVEL": "error"}
ENOUGH = 60.0


class Endpoint(msgspec.Struct, omit_defaults=True, gc=False):
    """The endpoint of the wire, for the bare decoding and encoding to compare with."""

    dnsName: str  # noqa: N815 -- the wire's spelling
    targets: list[str]
    recordType: str  # noqa: N815 -- the wire's spelling
    labels: dict[str, str] = {}
    providerSpecific: list[dict[str, str]] = []  # noqa: N815 -- the wire's spelling


def body(size: int) -> bytes:
    """Return what external-dns sends for so many hostnames, each with a property."""
    return msgspec.json.encode(
        [
            Endpoint(
                f"h{number}.example.com",
                [f"http://s{number}.ns.svc.cluster.local:80"],
                "CNAME",
                {"resource": f"service/ns/s{number}"},
                [{"name": "webhook/no-tls-verify", "value": "true"}],
            )
            for number in range(size)
        ]
    )


@pytest.fixture
def webhook() -> Iterator[RunningWebhook]:
    with running_webhook(MEMORY) as running:
        yield running


def rss_mib(pid: int, field: str) -> float:
    """Return the resident memory of a process: VmRSS now, VmHWM at its peak."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(field))


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("size", [100, 1_000, 10_000, 60_000])
def bench_adjust_over_loopback(benchmark: BenchmarkFixture, webhook: RunningWebhook, size: int) -> None:
    sent = body(size)
    rounds = max(3, min(30, 30_000 // size))

    def bare() -> None:
        msgspec.json.encode(msgspec.json.decode(sent, type=list[Endpoint]))

    times: list[float] = []
    for _ in range(rounds):
        began = time.perf_counter()
        bare()
        times.append(time.perf_counter() - began)

    with httpx.Client(base_url=webhook.webhook_url, headers=HEADERS, timeout=ENOUGH) as client:
        first = time.perf_counter()
        assert client.post("/adjustendpoints", content=sent).status_code == 200
        first = time.perf_counter() - first
        benchmark.pedantic(client.post, ("/adjustendpoints",), {"content": sent}, rounds=rounds)

    assert benchmark.stats is not None
    benchmark.extra_info |= {
        "ratio to msgspec (median)": round(benchmark.stats["median"] / sorted(times)[len(times) // 2], 2),
        "ratio of the first request": round(first / sorted(times)[len(times) // 2], 2),
        "peak MiB": round(rss_mib(webhook.process.pid, "VmHWM")),
    }


def bench_records_of_10000(benchmark: BenchmarkFixture, webhook: RunningWebhook) -> None:
    with httpx.Client(base_url=webhook.webhook_url, headers=HEADERS, timeout=ENOUGH) as client:
        created = b'{"create":' + body(10_000) + b"}"
        assert client.post("/records", content=created).status_code == 204

        answer = benchmark.pedantic(client.get, ("/records",), rounds=5)

    assert len(answer.json()) == 10_000


def bench_start_up(benchmark: BenchmarkFixture) -> None:
    used: list[float] = []
    idle: list[float] = []

    def start() -> None:
        with running_webhook(MEMORY) as running:
            assert httpx.get(running.webhook_url + "/", timeout=ENOUGH).status_code == 200
            used.append(cpu_seconds(running.process.pid))
            idle.append(rss_mib(running.process.pid, "VmRSS"))

    benchmark.pedantic(start, rounds=5)

    benchmark.extra_info |= {
        "CPU seconds from exec to the first answer (median)": sorted(used)[len(used) // 2],
        "idle MiB (median)": round(sorted(idle)[len(idle) // 2], 1),
    }
