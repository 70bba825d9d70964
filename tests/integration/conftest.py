"""The telemetry of the process, shared since OpenTelemetry's API accepts its providers only once."""

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor  # noqa: TID251 -- the tests read the spans
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter  # noqa: TID251 -- as above

from tunnel_webhook.telemetry import Telemetry, open_telemetry


@pytest.fixture(scope="session")
def _exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture(scope="session")
def telemetry(_exporter: InMemorySpanExporter) -> Telemetry:
    """Return the installed telemetry, which keeps spans in memory."""
    opened = open_telemetry("1.2.3", span_processors=[SimpleSpanProcessor(_exporter)])
    opened.install()
    return opened


@pytest.fixture
def spans(_exporter: InMemorySpanExporter, telemetry: Telemetry) -> Iterator[InMemorySpanExporter]:
    """Yield the exporter with the spans that ended during the test."""
    assert telemetry.tracers
    _exporter.clear()
    yield _exporter
    _exporter.clear()
