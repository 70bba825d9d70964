"""OpenTelemetry's SDK, opened and closed once per process; without a collector, only its metrics are imported."""
# ruff: noqa: TID251, PLC0415 -- the one module that imports the SDK, and only the parts in use

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

from tunnel_webhook.telemetry.masking import Masking

if TYPE_CHECKING:
    from httpx import AsyncBaseTransport
    from opentelemetry.sdk.metrics.export import MetricReader
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

ASGIApp: TypeAlias = Callable[..., Awaitable[None]]

NAME = "tunnel-webhook"
_SANITIZE = "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SANITIZE_FIELDS"
_CREDENTIALS = ("authorization", "x-auth-key", "x-auth-email")
_SHUTDOWN_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Telemetry:
    """The providers of one process, and its secrets; `tracers` is None without a collector of traces."""

    meters: MeterProvider
    registry: CollectorRegistry
    tracers: TracerProvider | None
    masking: Masking

    def install(self) -> None:
        """Make OpenTelemetry's API use these providers, for the rest of the process."""
        metrics.set_meter_provider(self.meters)
        if self.tracers:
            trace.set_tracer_provider(self.tracers)

    def metrics(self) -> tuple[bytes, str]:
        """Return every metric in Prometheus' text format, and its media type."""
        return generate_latest(self.registry), CONTENT_TYPE_PLAIN_0_0_4

    def traced_app(self, app: ASGIApp) -> ASGIApp:
        """Return an app with a SERVER span per request, named by method and path; the app itself without tracing."""
        if not self.tracers:
            return app
        from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware

        _hide_credentials()
        # The app itself counts requests by route.
        no_metrics = metrics.NoOpMeterProvider()
        return OpenTelemetryMiddleware(
            app, tracer_provider=self.tracers, meter_provider=no_metrics, exclude_spans=["receive", "send"]
        )

    def traced_transport(self, transport: AsyncBaseTransport) -> AsyncBaseTransport:
        """Return a transport with a CLIENT span per attempt; the transport itself without tracing."""
        if not self.tracers:
            return transport
        from opentelemetry.instrumentation.httpx import AsyncOpenTelemetryTransport

        _hide_credentials()
        return AsyncOpenTelemetryTransport(transport, tracer_provider=self.tracers)

    def shutdown(self) -> None:
        """Export what is left, within 3 seconds: a collector that does not answer must not delay the exit for long."""
        threads = [
            Thread(target=provider.shutdown, daemon=True) for provider in (self.tracers, self.meters) if provider
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(_SHUTDOWN_SECONDS / len(threads))


def _hide_credentials() -> None:
    """Keep credentials out of spans that are configured to capture all headers; only this variable does that."""
    names = os.environ.get(_SANITIZE, "").split(",")
    os.environ[_SANITIZE] = ",".join(dict.fromkeys(filter(None, (*names, *_CREDENTIALS))))


def open_telemetry(
    version: str,
    masking: Masking | None = None,
    *,
    dry_run: bool = False,
    export_traces: bool = False,
    export_metrics: bool = False,
    span_processors: Sequence[SpanProcessor] = (),
) -> Telemetry:
    """Return the SDK, ready to be installed; the SDK reads the OTEL_EXPORTER_OTLP_* variables for its collectors.

    `span_processors` are for tests: they receive every span, masked, with or without a collector.
    """
    masking = masking or Masking()
    registry = CollectorRegistry()
    # OTEL_SERVICE_NAME overrides our name, as OpenTelemetry's specification demands.
    resource = Resource({"service.name": NAME, "service.version": version}).merge(OTELResourceDetector().detect())
    reader = PrometheusMetricReader(disable_target_info=True, scope_info_enabled=False, registry=registry)
    readers = [reader, _exporting_reader()] if export_metrics else [reader]
    meters = MeterProvider(readers, resource, shutdown_on_exit=False)
    processors = [*span_processors, _exporting_processor()] if export_traces else span_processors
    _observe_process(meters, version, dry_run=dry_run)
    return Telemetry(meters, registry, _tracers(resource, processors, masking) if processors else None, masking)


def _observe_process(meters: MeterProvider, version: str, *, dry_run: bool) -> None:
    meter = meters.get_meter("tunnel_webhook")
    python = ".".join(str(part) for part in sys.version_info[:3])
    build = meter.create_gauge("tunnel_webhook_build_info", description="1, labelled with the versions")
    build.set(1, {"version": version, "python": python})
    dry = meter.create_gauge("tunnel_webhook_dry_run", description="1 if changes are only planned and logged, else 0")
    dry.set(int(dry_run))


def _tracers(resource: Resource, processors: Sequence[SpanProcessor], masking: Masking) -> TracerProvider:
    from opentelemetry.sdk.trace import TracerProvider

    from tunnel_webhook.telemetry.spans import MaskingProcessor

    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    for processor in processors:
        provider.add_span_processor(MaskingProcessor(masking, processor))
    return provider


def _exporting_reader() -> MetricReader:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

    return PeriodicExportingMetricReader(OTLPMetricExporter())


def _exporting_processor() -> SpanProcessor:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    return BatchSpanProcessor(OTLPSpanExporter())
