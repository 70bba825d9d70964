"""What the process tells about itself: metrics, traces and logs. The only room that knows OpenTelemetry's SDK.

| set                                          | loaded and running                                                     |
|----------------------------------------------|------------------------------------------------------------------------|
| nothing                                      | metrics, read by `/metrics`; no span is made, no exporter is imported   |
| a collector for metrics                      | also their export by OTLP, every OTEL_METRIC_EXPORT_INTERVAL            |
| a collector for traces                       | also spans, and their export by OTLP                                   |

Whoever measures asks OpenTelemetry's API, which is silent until `Telemetry.install`.
"""

from __future__ import annotations

from tunnel_webhook.telemetry.logs import configure_logging
from tunnel_webhook.telemetry.sdk import ASGIApp, Telemetry, open_telemetry

__all__ = ["ASGIApp", "Telemetry", "configure_logging", "open_telemetry"]
