"""Metrics of the adapter: by operation and status, never by tunnel, zone or hostname."""

import re

import pytest

from doubles.cloudflare_adapters import ZONE, cloudflare
from doubles.emulator import BLUE, Drop, Emulator, Respond, seed
from tunnel_webhook.domain.dns import RecordBatch
from tunnel_webhook.telemetry import Telemetry
from vocabulary.builders import claim, configuration

pytestmark = pytest.mark.anyio

PREFIX = "tunnel_webhook_cloudflare_"


def scraped(telemetry: Telemetry) -> dict[str, float]:
    """Return the adapter's metrics as Prometheus would scrape them, by name and labels."""
    text = telemetry.metrics()[0].decode()
    samples = re.findall(rf"^({PREFIX}\S*?)(?:{{(.*?)}})? (\S+)$", text, re.MULTILINE)
    scope = re.compile(r',?otel_scope_\w+="[^"]*"')
    return {f"{name}{{{scope.sub('', labels).lstrip(',')}}}": float(value) for name, labels, value in samples}


async def test_requests_are_counted_by_operation_and_status(telemetry: Telemetry) -> None:
    before = scraped(telemetry)
    async with cloudflare(Emulator(seed()), account="") as world:
        world.emulator.arm(Respond(path="configurations", status=502, body=""), Drop(path="configurations", nth=2))
        await world.tunnels.load(BLUE)
        await world.zones.load()
        await world.zones.save(ZONE, RecordBatch(posts=(claim("app.example.com"),)))
    after = scraped(telemetry)
    grown = {key: number - before.get(key, 0) for key, number in after.items() if number != before.get(key)}
    assert {key: number for key, number in grown.items() if key.startswith(f"{PREFIX}requests_total")} == {
        f'{PREFIX}requests_total{{operation="list zones",status="200"}}': 2,
        f'{PREFIX}requests_total{{operation="load configuration",status="502"}}': 1,
        f'{PREFIX}requests_total{{operation="load configuration",status="ReadError"}}': 1,
        f'{PREFIX}requests_total{{operation="load configuration",status="200"}}': 1,
        f'{PREFIX}requests_total{{operation="list records",status="200"}}': 1,
        f'{PREFIX}requests_total{{operation="write records",status="200"}}': 1,
    }
    assert grown[f'{PREFIX}retries_total{{operation="load configuration"}}'] == 2
    assert grown[f'{PREFIX}request_duration_seconds_count{{operation="list zones",status="200"}}'] == 2
    assert after[f"{PREFIX}rate_limit_remaining{{}}"] == 1200 - 5


async def test_the_window_in_which_a_write_by_someone_else_is_lost_is_measured(telemetry: Telemetry) -> None:
    def measured() -> dict[str, float]:
        text = telemetry.metrics()[0].decode()
        found = re.findall(r"^tunnel_webhook_write_window_seconds_(count|sum)(?:{.*?})? (\S+)$", text, re.MULTILINE)
        return {"count": 0.0, "sum": 0.0, **{name: float(value) for name, value in found}}

    before = measured()
    async with cloudflare(Emulator(seed())) as world:
        base = await world.tunnels.load(BLUE)
        world.emulator.state = world.emulator.state.with_behaviour(latency=0.25)
        await world.tunnels.save(BLUE, base, configuration(), lambda: True)
    after = measured()
    assert after["count"] - before["count"] == 1
    assert after["sum"] - before["sum"] == pytest.approx(0.25)


async def test_no_metric_names_a_zone_a_tunnel_or_a_hostname(telemetry: Telemetry) -> None:
    async with cloudflare(Emulator(seed())) as world:
        await world.tunnels.load(BLUE)
        await world.zones.load(in_full=frozenset({ZONE}))
    assert not [key for key in scraped(telemetry) if BLUE in key or ZONE.id in key or ZONE.name in key]
