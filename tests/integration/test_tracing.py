"""Traces: the spans of a request, their parents, attributes and events."""

import io
import json
import logging

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan  # noqa: TID251 -- the tests read the spans
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter  # noqa: TID251 -- as above
from opentelemetry.trace import SpanKind

from tunnel_webhook.container import Container
from tunnel_webhook.settings import load_settings
from tunnel_webhook.telemetry import Telemetry
from tunnel_webhook.telemetry.logs import LineFormatter, json_line

pytestmark = pytest.mark.anyio

MEDIA_TYPE = "application/external.dns.webhook+json;version=1"
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def changes(*names: str) -> bytes:
    endpoints = [{"dnsName": name, "recordType": "CNAME", "targets": ["http://app:8080"]} for name in names]
    return json.dumps({"create": endpoints}).encode()


async def post(telemetry: Telemetry, body: bytes, **headers: str) -> int:
    container = Container(settings=load_settings({"BACKEND": "memory"}), telemetry=telemetry)
    transport = httpx.ASGITransport(container.webhook_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        answer = await client.post("/records", content=body, headers={"Content-Type": MEDIA_TYPE, **headers})
    return answer.status_code


def by_name(spans: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in spans.get_finished_spans()}


async def test_apply_changes_is_a_child_of_the_request(telemetry: Telemetry, spans: InMemorySpanExporter) -> None:
    assert await post(telemetry, changes("app.example.com", "www.example.com")) == 204

    finished = by_name(spans)
    assert {name: span.kind for name, span in finished.items()} == {
        "POST /records": SpanKind.SERVER,
        "apply_changes": SpanKind.INTERNAL,
    }
    server, applying = finished["POST /records"], finished["apply_changes"]
    assert applying.parent
    assert applying.parent.span_id == server.context.span_id
    assert applying.attributes
    assert applying.attributes["tunnel_webhook.create"] == 2
    assert applying.attributes["tunnel_webhook.rejected"] == 0
    assert applying.events == ()


async def test_each_rejection_is_an_event(telemetry: Telemetry, spans: InMemorySpanExporter) -> None:
    assert await post(telemetry, changes("app.example.com", "app.example.org", "app.example.net")) == 204

    applying = by_name(spans)["apply_changes"]
    rejections = [dict(event.attributes or {}) for event in applying.events if event.name == "rejected"]
    assert [(rejection["hostname"], rejection["reason"]) for rejection in rejections] == [
        ("app.example.net", "no-zone"),
        ("app.example.org", "no-zone"),
    ]
    assert applying.attributes
    assert applying.attributes["tunnel_webhook.create"] == 1
    assert applying.attributes["tunnel_webhook.rejected"] == 2


async def test_the_trace_of_the_caller_is_continued(telemetry: Telemetry, spans: InMemorySpanExporter) -> None:
    await post(telemetry, changes(), traceparent=f"00-{TRACE}-{PARENT}-01")

    server = by_name(spans)["POST /records"]
    assert server.parent
    assert f"{server.context.trace_id:032x}" == TRACE
    assert f"{server.parent.span_id:016x}" == PARENT


async def test_the_log_line_of_a_sync_has_the_ids_of_its_span(
    telemetry: Telemetry, spans: InMemorySpanExporter
) -> None:
    stream, logger = io.StringIO(), logging.getLogger("tunnel_webhook.application")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LineFormatter(json_line))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)

    await post(telemetry, changes("app.example.com"))

    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)
    applying = by_name(spans)["apply_changes"].context
    events = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [event["message"].partition(":")[0] for event in events] == [
        "created app.example.com (unknown resource)",
        "applied",
    ]
    assert {event["trace_id"] for event in events} == {f"{applying.trace_id:032x}"}
    assert {event["span_id"] for event in events} == {f"{applying.span_id:016x}"}


async def test_a_traced_request_is_measured_as_well(telemetry: Telemetry) -> None:
    await post(telemetry, changes("app.example.com", "app.example.org"))

    text = telemetry.metrics()[0].decode()
    assert 'tunnel_webhook_rejections_total{reason="no-zone"}' in text
    assert 'tunnel_webhook_changed_hostnames_total{action="create"}' in text
    assert 'tunnel_webhook_requests_total{route="POST /records",status="204"}' in text
    assert "app.example" not in text
