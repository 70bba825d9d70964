"""Metrics, traces and logs of the process. Only this package imports OpenTelemetry's SDK.

| set                      | active                                                                    |
|--------------------------|---------------------------------------------------------------------------|
| nothing                  | metrics, read by `/metrics`; no spans, and no exporter is imported        |
| a collector of metrics   | also their export by OTLP, every OTEL_METRIC_EXPORT_INTERVAL              |
| a collector of traces    | also spans, and their export by OTLP                                      |

All other packages use OpenTelemetry's API, which does nothing until `Telemetry.install`.
"""

from __future__ import annotations

from tunnel_webhook.telemetry.log_pipe import LogPipe
from tunnel_webhook.telemetry.logs import configure_logging
from tunnel_webhook.telemetry.masking import Masking
from tunnel_webhook.telemetry.sdk import ASGIApp, Telemetry, open_telemetry

__all__ = ["ASGIApp", "LogPipe", "Masking", "Telemetry", "configure_logging", "open_telemetry"]
