"""Credentials are never in spans. In a separate process, since environment variables configure what is captured."""

import subprocess
import sys

import pytest

CAPTURE = "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS"
SCRIPT = """
import asyncio, httpx, sys
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tunnel_webhook.telemetry import open_telemetry

spans = InMemorySpanExporter()
telemetry = open_telemetry("1", span_processors=[SimpleSpanProcessor(spans)])

headers = {"Authorization": "Bearer secret", "X-Auth-Key": "secret", "X-Other": "captured"}

async def client():
    transport = telemetry.traced_transport(httpx.MockTransport(lambda _: httpx.Response(200)))
    async with httpx.AsyncClient(transport=transport) as client:
        await client.get("http://x/", headers=headers)

async def server():
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    async with httpx.AsyncClient(transport=httpx.ASGITransport(telemetry.traced_app(app))) as client:
        await client.get("http://x/", headers=headers)

asyncio.run(globals()[sys.argv[1]]())
print(dict(spans.get_finished_spans()[0].attributes))
"""


@pytest.mark.parametrize("side", ["client", "server"])
def test_a_span_with_all_headers_captured_has_no_credentials(side: str) -> None:
    completed = subprocess.run(
        [sys.executable, "-c", SCRIPT, side],
        env={f"{CAPTURE}_{side.upper()}_REQUEST": ".*"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert "captured" in completed.stdout
    assert "secret" not in completed.stdout
