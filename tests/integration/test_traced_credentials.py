"""Credentials are never in spans. In a separate process, since environment variables configure what is captured."""

import subprocess
import sys

CAPTURE = "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_REQUEST"
SCRIPT = """
import asyncio, httpx
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tunnel_webhook.telemetry import open_telemetry

spans = InMemorySpanExporter()
telemetry = open_telemetry("1", span_processors=[SimpleSpanProcessor(spans)])

async def request():
    transport = telemetry.traced_transport(httpx.MockTransport(lambda _: httpx.Response(200)))
    async with httpx.AsyncClient(transport=transport) as client:
        headers = {"Authorization": "Bearer secret", "X-Auth-Key": "secret", "X-Other": "captured"}
        await client.get("http://x/", headers=headers)

asyncio.run(request())
print(dict(spans.get_finished_spans()[0].attributes))
"""


def test_a_span_with_all_headers_captured_has_no_credentials() -> None:
    completed = subprocess.run(
        [sys.executable, "-c", SCRIPT], env={CAPTURE: ".*"}, capture_output=True, text=True, check=True
    )

    assert "captured" in completed.stdout
    assert "secret" not in completed.stdout
