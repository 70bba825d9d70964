"""Telemetry: the format of the log, and the parts of OpenTelemetry that each setting activates."""

import io
import json
import logging
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import NoReturn

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace.export import SimpleSpanProcessor  # noqa: TID251 -- the tests read the spans
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter  # noqa: TID251 -- as above

from tunnel_webhook.telemetry import Masking, configure_logging, open_telemetry
from tunnel_webhook.telemetry.logs import LineFormatter, json_line, text_line

Layout = Callable[[logging.LogRecord], str]
SECRET = 's3cr3t"t0ken'  # noqa: S105 -- the tests search for it


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Yield a stream for the logs, and restore the loggers."""
    root, ours = logging.getLogger(), logging.getLogger("tunnel_webhook")
    before = (root.handlers, root.level, ours.level)
    yield io.StringIO()
    logging.captureWarnings(capture=False)
    root.handlers, root.level, ours.level = before


def record(message: str = "said %s", *arguments: object, **members: object) -> logging.LogRecord:
    """Return an event of 2026-01-02 03:04:05.678 UTC."""
    attributes = {
        "name": "tunnel_webhook.x",
        "levelno": logging.INFO,
        "levelname": "INFO",
        "msg": message,
        "args": arguments,
    }
    return logging.makeLogRecord({**attributes, "created": 1767323045.678, "msecs": 678.0, **members})


def event(logged: logging.LogRecord) -> dict[str, object]:
    members = json.loads(json_line(logged))
    assert isinstance(members, dict)
    return members


def test_an_event_is_one_json_object() -> None:
    assert event(record("said %s", "hello", hostname="app.example.com")) == {
        "time": "2026-01-02T03:04:05.678Z",
        "level": "info",
        "logger": "tunnel_webhook.x",
        "message": "said hello",
        "hostname": "app.example.com",
    }


def test_an_event_is_one_line_for_people() -> None:
    line = text_line(record("said %s", "hello", hostname="app.example.com"))

    assert line == "2026-01-02T03:04:05.678Z INFO    tunnel_webhook.x: said hello hostname=app.example.com"


@pytest.mark.parametrize("layout", [json_line, text_line])
def test_a_message_cannot_forge_an_event(layout: Layout) -> None:
    line = layout(record("said %s", "a\n2026-01-02T03:04:05.678Z INFO    tunnel_webhook.x: forged\x1b[2J\u2028"))

    assert len(line.splitlines()) == 1
    assert "\x1b" not in line


def fail() -> NoReturn:
    message = "two\nlines"
    raise ValueError(message)


def test_a_traceback_is_a_member_in_json_and_indented_lines_in_text() -> None:
    try:
        fail()
    except ValueError as error:
        failed = record("failed", exc_info=(type(error), error, error.__traceback__))

    traceback = event(failed)["exception"]
    assert isinstance(traceback, str)
    assert traceback.startswith("Traceback")
    assert traceback.endswith("ValueError: two\nlines")
    first, *following = text_line(failed).splitlines()
    assert first.endswith("failed")
    assert following[-2:] == ["  ValueError: two", "  lines"]
    assert all(line.startswith("  ") for line in following)


def test_an_event_within_a_span_has_its_ids() -> None:
    context = trace.SpanContext(0xABC, 0xDEF, is_remote=False)
    with trace.use_span(trace.NonRecordingSpan(context)):
        members = event(record())
        line = text_line(record())

    assert members["trace_id"] == "00000000000000000000000000000abc"
    assert members["span_id"] == "0000000000000def"
    assert line.endswith(" trace_id=00000000000000000000000000000abc span_id=0000000000000def")


@pytest.mark.parametrize("layout", [json_line, text_line])
def test_a_secret_is_masked_in_message_extra_and_traceback(layout: Layout) -> None:
    formatter = LineFormatter(layout, Masking([SECRET, ""]))
    error = ValueError(f"refused {SECRET}")

    text = formatter.format(record("with %s", SECRET, header=SECRET, exc_info=(ValueError, error, None)))

    assert "s3cr3t" not in text
    assert text.count("***") == 3


def test_a_bearer_token_is_masked() -> None:
    line = LineFormatter(json_line).format(record("sent %s", {"authorization": "Bearer abc.def-ghi"}))

    assert "abc" not in line
    assert json.loads(line)["message"] == "sent {'authorization': 'Bearer ***'}"


def test_libraries_log_warnings_only(log: io.StringIO) -> None:
    configure_logging("debug", "json", stream=log)

    logging.getLogger("tunnel_webhook.application").debug("ours")
    logging.getLogger("httpx").info("theirs")
    logging.getLogger("litestar").warning("their warning")

    assert [json.loads(line)["message"] for line in log.getvalue().splitlines()] == ["ours", "their warning"]


def test_events_below_the_level_are_not_logged(log: io.StringIO) -> None:
    configure_logging("error", "text", stream=log)

    logging.getLogger("tunnel_webhook").warning("ours")
    logging.getLogger("litestar").warning("theirs")

    assert log.getvalue() == ""


def test_a_warning_of_python_is_an_event(log: io.StringIO) -> None:
    configure_logging("info", "json", stream=log)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning, stacklevel=1)

    assert json.loads(log.getvalue())["logger"] == "py.warnings"


def test_metrics_include_build_and_dry_run_and_nothing_of_the_sdk() -> None:
    telemetry = open_telemetry("1.2.3", dry_run=True)
    telemetry.meters.get_meter("x").create_counter("tunnel_webhook_things").add(2, {"kind": "a"})

    text, media_type = telemetry.metrics()

    python = ".".join(map(str, sys.version_info[:3]))
    lines = {line for line in text.decode().splitlines() if not line.startswith("#")}
    assert lines == {
        f'tunnel_webhook_build_info{{python="{python}",version="1.2.3"}} 1.0',
        "tunnel_webhook_dry_run 1.0",
        'tunnel_webhook_things_total{kind="a"} 2.0',
    }
    assert media_type == "text/plain; version=0.0.4; charset=utf-8"
    telemetry.shutdown()


async def an_app(*_: object) -> None:
    """Serve nothing."""


def test_without_a_collector_app_and_transport_are_not_wrapped() -> None:
    telemetry, transport = open_telemetry("1.2.3"), httpx.MockTransport(lambda _: httpx.Response(200))

    assert telemetry.tracers is None
    assert telemetry.traced_app(an_app) is an_app
    assert telemetry.traced_transport(transport) is transport
    telemetry.shutdown()


def test_without_a_collector_no_exporter_is_imported() -> None:
    unwanted = "opentelemetry.sdk.trace", "opentelemetry.exporter.otlp", "opentelemetry.instrumentation", "requests"
    script = (
        "import sys; from tunnel_webhook.telemetry import open_telemetry; open_telemetry('1').install();"
        f"print([name for name in {unwanted} if name in sys.modules])"
    )

    completed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert completed.stdout == "[]\n"


@pytest.mark.anyio
async def test_a_traced_transport_has_a_client_span_per_attempt() -> None:
    exporter = InMemorySpanExporter()
    telemetry = open_telemetry("1.2.3", span_processors=[SimpleSpanProcessor(exporter)])
    transport = telemetry.traced_transport(httpx.MockTransport(lambda _: httpx.Response(429)))

    async with httpx.AsyncClient(transport=transport) as client:
        await client.get("http://cloudflare/zones")

    (span,) = exporter.get_finished_spans()
    assert span.kind is trace.SpanKind.CLIENT
    assert span.resource.attributes["service.version"] == "1.2.3"
    telemetry.shutdown()


def test_a_secret_is_masked_in_every_part_of_a_span() -> None:
    exporter = InMemorySpanExporter()
    telemetry = open_telemetry("1", Masking([SECRET]), span_processors=[SimpleSpanProcessor(exporter)])
    assert telemetry.tracers
    with telemetry.tracers.get_tracer("x").start_as_current_span(f"at {SECRET}") as span:
        span.set_attributes({"url.full": f"http://me:{SECRET}@x/", "headers": [SECRET, "other"], "count": 1})
        span.add_event(f"saw {SECRET}", {"text": SECRET})
        span.record_exception(ValueError(SECRET))
        span.set_status(trace.StatusCode.ERROR, SECRET)
    assert telemetry.tracers.force_flush()

    (ended,) = exporter.get_finished_spans()
    assert ended.attributes == {"url.full": "http://me:***@x/", "headers": ("***", "other"), "count": 1}
    assert "s3cr3t" not in ended.to_json()
    assert [event.name for event in ended.events] == ["saw ***", "exception"]
    assert ended.status.description == "***"
    telemetry.shutdown()
