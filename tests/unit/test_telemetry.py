"""Telemetry: what a line of the log looks like, and what of OpenTelemetry is switched on by what."""

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
from opentelemetry.sdk.trace.export import SimpleSpanProcessor  # noqa: TID251 -- what telemetry was given is looked at
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter  # noqa: TID251 -- as above

from tunnel_webhook.telemetry import configure_logging, open_telemetry
from tunnel_webhook.telemetry.logs import Lines, json_line, text_line

Layout = Callable[[logging.LogRecord], str]
SECRET = 's3cr3t"t0ken'  # noqa: S105 -- the tests look for it


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Yield where logs go, and leave the loggers as they were."""
    root, ours = logging.getLogger(), logging.getLogger("tunnel_webhook")
    before = (root.handlers, root.level, ours.level)
    yield io.StringIO()
    logging.captureWarnings(capture=False)
    root.handlers, root.level, ours.level = before


def record(message: str = "said %s", *arguments: object, **members: object) -> logging.LogRecord:
    """Return an event of 2026-01-02 03:04:05.678 UTC."""
    about = {
        "name": "tunnel_webhook.x",
        "levelno": logging.INFO,
        "levelname": "INFO",
        "msg": message,
        "args": arguments,
    }
    return logging.makeLogRecord({**about, "created": 1767323045.678, "msecs": 678.0, **members})


def event(told: logging.LogRecord) -> dict[str, object]:
    decoded = json.loads(json_line(told))
    assert isinstance(decoded, dict)
    return decoded


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
def test_nobody_can_forge_an_event(layout: Layout) -> None:
    told = layout(record("said %s", "a\n2026-01-02T03:04:05.678Z INFO    tunnel_webhook.x: forged\x1b[2J\u2028"))

    assert len(told.splitlines()) == 1
    assert "\x1b" not in told


def fail() -> NoReturn:
    message = "of\nmine"
    raise ValueError(message)


def test_an_exception_is_a_member_and_lines_of_its_own_for_people() -> None:
    try:
        fail()
    except ValueError as error:
        failed = record("failed", exc_info=(type(error), error, error.__traceback__))

    told = event(failed)["exception"]
    assert isinstance(told, str)
    assert told.startswith("Traceback")
    assert told.endswith("ValueError: of\nmine")
    first, *following = text_line(failed).splitlines()
    assert first.endswith("failed")
    assert following[-2:] == ["  ValueError: of", "  mine"]
    assert all(line.startswith("  ") for line in following)


def test_an_event_within_a_span_names_it() -> None:
    context = trace.SpanContext(0xABC, 0xDEF, is_remote=False)
    with trace.use_span(trace.NonRecordingSpan(context)):
        told = event(record())
        line = text_line(record())

    assert (told["trace_id"], told["span_id"]) == ("00000000000000000000000000000abc", "0000000000000def")
    assert line.endswith(" trace_id=00000000000000000000000000000abc span_id=0000000000000def")


@pytest.mark.parametrize("layout", [json_line, text_line])
def test_a_secret_is_masked_wherever_it_stands(layout: Layout) -> None:
    lines = Lines(layout, [SECRET, ""])
    error = ValueError(f"refused {SECRET}")

    told = lines.format(record("with %s", SECRET, header=SECRET, exc_info=(ValueError, error, None)))

    assert "s3cr3t" not in told
    assert told.count("***") == 3


def test_whatever_follows_bearer_is_masked() -> None:
    told = Lines(json_line).format(record("sent %s", {"authorization": "Bearer abc.def-ghi"}))

    assert "abc" not in told
    assert json.loads(told)["message"] == "sent {'authorization': 'Bearer ***'}"


def test_other_libraries_only_warn(log: io.StringIO) -> None:
    configure_logging("debug", "json", stream=log)

    logging.getLogger("tunnel_webhook.application").debug("ours")
    logging.getLogger("httpx").info("theirs")
    logging.getLogger("litestar").warning("their warning")

    assert [json.loads(line)["message"] for line in log.getvalue().splitlines()] == ["ours", "their warning"]


def test_less_severe_lines_are_left_out(log: io.StringIO) -> None:
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


def test_metrics_tell_what_runs_and_nothing_of_the_sdk() -> None:
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


def test_without_a_collector_nothing_is_wrapped() -> None:
    telemetry, transport = open_telemetry("1.2.3"), httpx.MockTransport(lambda _: httpx.Response(200))

    assert telemetry.tracers is None
    assert telemetry.traced_app(an_app) is an_app
    assert telemetry.traced_transport(transport) is transport
    telemetry.shutdown()


def test_without_a_collector_no_exporter_is_loaded() -> None:
    looked_for = "opentelemetry.sdk.trace", "opentelemetry.exporter.otlp", "opentelemetry.instrumentation", "requests"
    script = (
        "import sys; from tunnel_webhook.telemetry import open_telemetry; open_telemetry('1').install();"
        f"print([name for name in {looked_for} if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


@pytest.mark.anyio
async def test_each_attempt_of_a_transport_is_a_client_span() -> None:
    exporter = InMemorySpanExporter()
    telemetry = open_telemetry("1.2.3", span_processors=[SimpleSpanProcessor(exporter)])
    transport = telemetry.traced_transport(httpx.MockTransport(lambda _: httpx.Response(429)))

    async with httpx.AsyncClient(transport=transport) as client:
        await client.get("http://cloudflare/zones")

    (span,) = exporter.get_finished_spans()
    assert (span.kind, span.resource.attributes["service.version"]) == (trace.SpanKind.CLIENT, "1.2.3")
    telemetry.shutdown()
