"""OpenTelemetry's SDK, opened and closed once a process; without a collector nothing of it but the metrics is loaded."""
# ruff: noqa: TID251, PLC0415 -- this is the place that knows the SDK, and loads of it what is asked for

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING, TypeAlias

from opentelemetry import metrics, trace
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

if TYPE_CHECKING:
    from httpx import AsyncBaseTransport
    from opentelemetry.sdk.metrics.export import MetricReader
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

ASGIApp: TypeAlias = Callable[..., Awaitable[None]]

NAME = "tunnel-webhook"
_SANITIZE = "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SANITIZE_FIELDS"
_CREDENTIALS = ("authorization", "x-auth-key", "x-auth-email")
_SECONDS_TO_SAY_GOODBYE = 3.0


@dataclass(frozen=True, slots=True)
class Telemetry:
    """The providers of one process; `tracers` is None where no collector takes spans."""

    meters: MeterProvider
    registry: CollectorRegistry
    tracers: TracerProvider | None

    def install(self) -> None:
        """Make OpenTelemetry's API speak to these providers, for the rest of the process."""
        metrics.set_meter_provider(self.meters)
        if self.tracers:
            trace.set_tracer_provider(self.tracers)

    def metrics(self) -> tuple[bytes, str]:
        """Return every metric in Prometheus' text format, and the media type of that."""
        return generate_latest(self.registry), CONTENT_TYPE_PLAIN_0_0_4

    def traced_app(self, app: ASGIApp) -> ASGIApp:
        """Return an app that makes a SERVER span of each request, called after method and path; the app itself without tracing."""
        if not self.tracers:
            return app
        from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware

        # The app counts its requests itself, by route: a second count would only cost.
        silent = metrics.NoOpMeterProvider()
        return OpenTelemetryMiddleware(
            app, tracer_provider=self.tracers, meter_provider=silent, exclude_spans=["receive", "send"]
        )

    def traced_transport(self, transport: AsyncBaseTransport) -> AsyncBaseTransport:
        """Return a transport that makes a CLIENT span of each attempt; the transport itself without tracing."""
        if not self.tracers:
            return transport
        from opentelemetry.instrumentation.httpx import AsyncOpenTelemetryTransport

        # Asked to capture every header, it would put the credentials into spans; this is the only way to tell it.
        os.environ[_SANITIZE] = ",".join(filter(None, (os.environ.get(_SANITIZE), *_CREDENTIALS)))
        return AsyncOpenTelemetryTransport(transport, tracer_provider=self.tracers)

    def shutdown(self) -> None:
        """Send what is left, within seconds: a collector that does not answer holds up no exit."""
        closing = [
            Thread(target=provider.shutdown, daemon=True) for provider in (self.tracers, self.meters) if provider
        ]
        for thread in closing:
            thread.start()
        for thread in closing:
            thread.join(_SECONDS_TO_SAY_GOODBYE / len(closing))


def open_telemetry(
    version: str,
    *,
    dry_run: bool = False,
    export_traces: bool = False,
    export_metrics: bool = False,
    span_processors: Sequence[SpanProcessor] = (),
) -> Telemetry:
    """Return the SDK, ready to be installed; collectors are found by the OTEL_EXPORTER_OTLP_* variables.

    `span_processors` are for tests: they get every span, with or without a collector.
    """
    registry = CollectorRegistry()
    # A name in the environment wins over ours, as OpenTelemetry's specification asks.
    resource = Resource({"service.name": NAME, "service.version": version}).merge(OTELResourceDetector().detect())
    reader = PrometheusMetricReader(disable_target_info=True, scope_info_enabled=False, registry=registry)
    readers = [reader, *_exporting_readers()] if export_metrics else [reader]
    meters = MeterProvider(readers, resource, shutdown_on_exit=False)
    processors = [*span_processors, *_exporting_processors()] if export_traces else span_processors
    _state(meters, version, dry_run=dry_run)
    return Telemetry(meters, registry, _tracers(resource, processors) if processors else None)


def _state(meters: MeterProvider, version: str, *, dry_run: bool) -> None:
    meter = meters.get_meter("tunnel_webhook")
    python = ".".join(str(part) for part in sys.version_info[:3])
    build = meter.create_gauge("tunnel_webhook_build_info", description="1; the labels tell what runs")
    build.set(1, {"version": version, "python": python})
    dry = meter.create_gauge(
        "tunnel_webhook_dry_run", description="1 where changes are planned and logged only, else 0"
    )
    dry.set(int(dry_run))


def _tracers(resource: Resource, processors: Sequence[SpanProcessor]) -> TracerProvider:
    from opentelemetry.sdk.trace import TracerProvider

    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    for processor in processors:
        provider.add_span_processor(processor)
    return provider


def _exporting_readers() -> list[MetricReader]:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

    return [PeriodicExportingMetricReader(OTLPMetricExporter())]


def _exporting_processors() -> list[SpanProcessor]:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    return [BatchSpanProcessor(OTLPSpanExporter())]
