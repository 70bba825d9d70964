"""Credentials in spans: never, whatever is captured. In a process of its own, since it is the environment that asks for it."""

import subprocess
import sys

ASK = "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_REQUEST"
SCRIPT = """
import asyncio, httpx
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tunnel_webhook.telemetry import open_telemetry

spans = InMemorySpanExporter()
telemetry = open_telemetry("1", span_processors=[SimpleSpanProcessor(spans)])

async def ask():
    transport = telemetry.traced_transport(httpx.MockTransport(lambda request: httpx.Response(200)))
    async with httpx.AsyncClient(transport=transport) as client:
        await client.get("http://x/", headers={"Authorization": "Bearer hush", "X-Auth-Key": "hush", "X-Else": "said"})

asyncio.run(ask())
print(dict(spans.get_finished_spans()[0].attributes))
"""


def test_a_span_that_captures_every_header_holds_no_credentials() -> None:
    answered = subprocess.run(
        [sys.executable, "-c", SCRIPT], env={ASK: ".*"}, capture_output=True, text=True, check=True
    )

    assert "said" in answered.stdout
    assert "hush" not in answered.stdout
