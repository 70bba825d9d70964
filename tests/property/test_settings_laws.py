"""Whatever the environment, a process either starts or says in one line which variable is wrong."""

import os
import string
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tunnel_webhook.container import Container
from tunnel_webhook.settings import ALIASES, VARIABLES, InvalidSetting, from_environment
from tunnel_webhook.telemetry import Masking, open_telemetry

OTHERS = [
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    *(f"OTEL_EXPORTER_OTLP_{name}" for name in ("HEADERS", "TIMEOUT", "COMPRESSION", "PROTOCOL", "CERTIFICATE")),
    "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
    "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
    "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
    "OTEL_BSP_MAX_QUEUE_SIZE",
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
    "OTEL_BSP_SCHEDULE_DELAY",
    "OTEL_METRIC_EXPORT_INTERVAL",
    "OTEL_METRIC_EXPORT_TIMEOUT",
    "OTEL_METRICS_EXEMPLAR_FILTER",
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_RESOURCE_ATTRIBUTES",
    "OTEL_PYTHON_EXCLUDED_URLS",
    "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SANITIZE_FIELDS",
    "OTEL_SDK_DISABLED",
    "OTEL_PYTHON_EXPORTER_OTLP_HTTP_CREDENTIAL_PROVIDER",
]
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
# Where else something is exported to is not reachable here; the unit tests have the wrong URLs.
NAMES = sorted({*VARIABLES, *ALIASES, *OTHERS} - {name for name in VARIABLES if name.endswith("_ENDPOINT")})
BASES = [
    {"BACKEND": "memory"},
    {"BACKEND": "memory", "OTEL_EXPORTER_OTLP_ENDPOINT": "<the collector>"},
    {"CLOUDFLARE_API_TOKEN": "token", "CLOUDFLARE_TUNNEL_ID": "5456b9ca-8b73-4b44-93df-67ad7acc8e2c"},
    {"CLOUDFLARE_TUNNEL_ID": "5456b9ca-8b73-4b44-93df-67ad7acc8e2c"},
]
ODD = [
    *(",", "*", "*.example.com", "-1", "0", "nan", "inf", "1e999", "true", "/dev/zero", "/", "http://", "a=b"),
    *("https://[", "%", "(", "\\"),
]
# What a variable can hold: any bytes but NUL, which Python decodes with surrogates.
BYTES = st.binary(max_size=40).map(lambda data: data.replace(b"\0", b"").decode(errors="surrogateescape"))
TEXTS = st.one_of(
    st.sampled_from(ODD),
    st.text(st.sampled_from(string.ascii_letters + string.digits + " ,:/.*@=%[]-_#?\t\n"), max_size=40),
    st.sampled_from([variable.example for variable in VARIABLES.values()]),
    BYTES,
)


@pytest.fixture(autouse=True)
def _environment_of_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*os.environ]:  # noqa: TID251 -- libraries read it
        monkeypatch.delenv(name)


class Collector(BaseHTTPRequestHandler):
    """Takes whatever is exported: an exporter that is refused would go on after the test."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture(scope="module")
def collector() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    server.daemon_threads = True
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def start(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Do what `serve` does until it listens, in an environment that libraries read as well."""
    with monkeypatch.context() as patched:
        for name, text in environment.items():
            patched.setenv(name, text)
        loaded = from_environment()
        traces, metrics = loaded.exports_traces, loaded.exports_metrics
        telemetry = open_telemetry("0", Masking(loaded.secrets), export_traces=traces, export_metrics=metrics)
        try:
            container = Container(settings=loaded, telemetry=telemetry)
            container.check_dependencies()
            container.lifetime()
            container.webhook_app()
            container.monitoring_app()
        finally:
            telemetry.shutdown()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from(BASES), st.dictionaries(st.sampled_from(NAMES), TEXTS, min_size=1, max_size=3))
@example(BASES[2], {"SSL_CERT_FILE": "/no/such/file"})
@example(BASES[3], {"CLOUDFLARE_API_KEY": "key", "CLOUDFLARE_API_EMAIL": "ops @example.com"})
@example(BASES[2], {"HTTPS_PROXY": "socks5://proxy:1080"})
@example(BASES[1], {"OTEL_BSP_MAX_QUEUE_SIZE": "1"})
@example(BASES[1], {"OTEL_METRIC_EXPORT_INTERVAL": "0"})
@example(BASES[1], {"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "many"})
@example(BASES[0], {"CLOUDFLARE_API_URL": "http://a:99999"})
def test_a_process_starts_or_names_the_wrong_variable_in_one_line(
    monkeypatch: pytest.MonkeyPatch, collector: str, base: dict[str, str], variables: dict[str, str]
) -> None:
    reachable = {name: collector for name in base if name == ENDPOINT}
    try:
        start({**base, **variables, **reachable}, monkeypatch)
    except InvalidSetting as error:
        line = str(error)
        assert len(line.splitlines()) == 1
        assert line.isprintable() or "\\udc" in ascii(line)
        assert any(name in line for name in (*VARIABLES, *variables))
