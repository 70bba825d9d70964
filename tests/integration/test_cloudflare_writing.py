"""The moment of a write: nothing between the last read and it, and what a refused document costs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from doubles.cloudflare_adapters import Cloudflare, cloudflare
from doubles.emulator import BLUE, Emulator, EmulatorTransport, Record, seed
from tunnel_webhook.application import TunnelService
from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint
from tunnel_webhook.ports import ChangesNotApplied
from vocabulary.builders import endpoint, service

pytestmark = pytest.mark.anyio

CONFIGURATIONS = "/configurations"
LATENCY = 0.1


@dataclass(slots=True)
class Watched(httpx.AsyncBaseTransport):
    """A network that notes when each request is sent and answered, and may answer itself."""

    inner: httpx.AsyncBaseTransport
    now: Callable[[], float]
    answer: Callable[[httpx.Request], httpx.Response | None] = lambda _: None
    events: list[tuple[float, str]] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        line = f"{request.method} {request.url.path.rpartition('/')[2]}"
        self.events.append((self.now(), f"{line} sent"))
        response = self.answer(request) or await self.inner.handle_async_request(request)
        self.events.append((self.now(), f"{line} answered"))
        return response


@pytest.fixture
async def opened() -> AsyncIterator[AsyncExitStack]:
    """Keep the client open."""
    async with AsyncExitStack() as stack:
        yield stack


async def watched(
    opened: AsyncExitStack,
    emulator: Emulator,
    answer: Callable[[httpx.Request], httpx.Response | None] = lambda _: None,
) -> tuple[Cloudflare, Watched]:
    network = Watched(EmulatorTransport(emulator), emulator.clock.now, answer)
    return await opened.enter_async_context(cloudflare(emulator, network=network)), network


# The moment.


@pytest.mark.parametrize(("busy", "slots"), [(0, 0), (1, 0), (6, 0), (50, 8)], ids=str)
async def test_between_the_last_read_and_the_write_no_time_passes_and_nothing_is_sent_but_by_callers_in_a_queue(
    opened: AsyncExitStack, busy: int, slots: int
) -> None:
    world, network = await watched(opened, Emulator(seed().with_behaviour(latency=LATENCY)))
    base = await world.tunnels.load(BLUE)

    async def read_on(offset: float) -> None:
        await world.emulator.clock.sleep(offset)
        while True:
            await world.zones.load(in_full=frozenset(await world.zones.zones()))

    others = [asyncio.create_task(read_on(LATENCY * (number + 0.5) / (busy + 1))) for number in range(busy)]
    for _ in range(5):
        network.events.clear()
        version = await world.tunnels.save(BLUE, base, base, lambda: True)
        assert isinstance(version, int)
        base = await world.tunnels.load(BLUE)
        lines = [line for _, line in network.events]
        written = lines.index("PUT configurations sent")
        read = max(number for number in range(written) if lines[number] == "GET configurations answered")
        assert network.events[read][0] == network.events[written][0]
        assert sum(line.endswith("sent") for line in lines[read:written]) <= slots
    for other in others:
        other.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def test_the_write_is_allowed_after_the_last_read_and_at_the_time_of_the_write(opened: AsyncExitStack) -> None:
    world, network = await watched(opened, Emulator(seed().with_behaviour(latency=LATENCY)))
    base = await world.tunnels.load(BLUE)

    def may_write() -> bool:
        network.events.append((world.emulator.clock.now(), "asked"))
        return True

    network.events.clear()
    await world.tunnels.save(BLUE, base, base, may_write)
    start = network.events[0][0]
    assert [(round(at - start, 3), line) for at, line in network.events] == [
        (0.0, "GET configurations sent"),
        (0.0, "GET configurations sent"),
        (LATENCY, "GET configurations answered"),
        (LATENCY, "GET configurations answered"),
        (LATENCY, "asked"),
        (LATENCY, "PUT configurations sent"),
        (2 * LATENCY, "PUT configurations answered"),
    ]


async def test_the_lock_is_taken_before_the_last_reads_and_freed_after_the_write(opened: AsyncExitStack) -> None:
    name = f"_tunnel-lock-{BLUE[:8]}.example.com"
    free = Record(name, "CNAME", "free.invalid", comment="tunnel-webhook-lock,until=0,holder=x")
    world, network = await watched(opened, Emulator(seed(["example.com"]).with_records("example.com", free)))
    base = await world.tunnels.load(BLUE)
    await world.zones.zones()
    network.events.clear()
    async with world.lock.held(BLUE) as lease:
        await world.tunnels.save(BLUE, base, base, lease.is_valid)
    assert [line for _, line in network.events if line.endswith("sent")] == [
        "GET dns_records sent",
        "POST batch sent",
        "GET configurations sent",
        "GET configurations sent",
        "PUT configurations sent",
        "POST batch sent",
    ]


# Documents that Cloudflare refuses.


def refusing(refuses: Callable[[list[dict[str, Any]]], bool]) -> Callable[[httpx.Request], httpx.Response | None]:
    """Return an answer that refuses documents with such rules, which cloudflared itself would accept."""

    def answer(request: httpx.Request) -> httpx.Response | None:
        if request.method != "PUT" or not refuses(json.loads(request.content)["config"]["ingress"]):
            return None
        errors = [{"code": 1056, "message": "Bad Configuration: an origin that is not allowed"}]
        return httpx.Response(400, json={"success": False, "errors": errors, "messages": [], "result": None})

    return answer


def is_at_fault(rules: list[dict[str, Any]]) -> bool:
    return any("at-fault" in rule["service"] for rule in rules)


def asked(number: int, *guilty: int) -> tuple[Endpoint, ...]:
    return tuple(
        endpoint(f"h{index:03}.example.com", "http://at-fault" if index in guilty else "http://fine")
        for index in range(number)
    )


async def rejected(api: TunnelService, *endpoints: Endpoint) -> list[str]:
    with pytest.raises(ChangesNotApplied) as caught:
        await api.apply_changes(Changes(create=endpoints))
    assert all("1056" in rejection.sentence for rejection in caught.value.rejections)
    return [rejection.hostname for rejection in caught.value.rejections]


@pytest.mark.parametrize("guilty", [0, 31, 63])
async def test_one_rule_that_cloudflare_refuses_is_rejected_alone_at_a_bounded_cost(
    opened: AsyncExitStack, guilty: int
) -> None:
    world, network = await watched(opened, Emulator(seed(plan="pro")), refusing(is_at_fault))
    api = service(world.tunnels, world.zones, clock=world.emulator.clock.now)
    await api.records()
    network.events.clear()
    hostname = f"h{guilty:03}.example.com"

    assert await rejected(api, *asked(64, guilty)) == [hostname]

    sent = [line for _, line in network.events if line.endswith("sent")]
    assert sent.count("PUT configurations sent") == 7 + 6
    assert len(sent) <= 4 + 3 * (7 + 6)
    published = {each.dns_name for each in await api.records() if each.targets == ("http://fine",)}
    assert published == {f"h{index:03}.example.com" for index in range(64)} - {hostname}

    network.events.clear()
    assert await rejected(api, *asked(64, guilty)) == [hostname]
    assert not [line for _, line in network.events if line == "PUT configurations sent"]


async def test_a_tunnel_that_refuses_everything_costs_eight_writes_and_none_until_something_else_is_asked(
    opened: AsyncExitStack,
) -> None:
    world, network = await watched(opened, Emulator(seed(plan="pro")), refusing(lambda _: True))
    api = service(world.tunnels, world.zones, clock=world.emulator.clock.now)

    async def writes(*endpoints: Endpoint) -> int:
        network.events.clear()
        assert len(await rejected(api, *endpoints)) == 64
        return [line for _, line in network.events].count("PUT configurations sent")

    assert await writes(*asked(64)) == 8
    assert await writes(*asked(64)) == 0
    assert await writes(*asked(64, 5)) == 1
    assert await writes(*asked(64, 5)) == 0
    await world.emulator.clock.sleep(600)
    assert await writes(*asked(64, 5)) == 8


async def test_a_document_that_is_refused_for_a_rule_of_someone_else_rejects_and_says_so(
    opened: AsyncExitStack,
) -> None:
    emulator = Emulator(
        seed().with_document(
            BLUE, '{"ingress":[{"hostname":"x.example.com","service":"http://at-fault"},{"service":"http_status:404"}]}'
        )
    )
    world, _ = await watched(opened, emulator, refusing(is_at_fault))
    before = emulator.state.document(BLUE)
    assert await rejected(service(world.tunnels, world.zones), endpoint()) == ["app.example.com"]
    assert emulator.state.document(BLUE) == before
