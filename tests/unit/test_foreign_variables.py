"""Variables that libraries read by themselves: a wrong one is found at the start, in one line."""

from pathlib import Path

import pytest

from tunnel_webhook.settings import InvalidSetting, load_settings

CLOUDFLARE = {"CLOUDFLARE_API_TOKEN": "token", "CLOUDFLARE_TUNNEL_ID": "5456b9ca-8b73-4b44-93df-67ad7acc8e2c"}
COLLECTOR = "http://otel:4318"
WRONG = [
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "otel:4318", "an http or https URL is expected"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "grpc://otel:4317", "an http or https URL is expected"),
    ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://otel:99999", "an http or https URL is expected"),
    ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://[::1", "an http or https URL is expected"),
    ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s", "a number of seconds above 0"),
    ("OTEL_EXPORTER_OTLP_TIMEOUT", "-1", "a number of seconds above 0"),
    ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "nan", "a number of seconds above 0"),
    ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "inf", "a number of seconds above 0"),
    ("OTEL_EXPORTER_OTLP_HEADERS", "Bearer abc", "comma-separated name=value pairs are expected"),
    ("OTEL_EXPORTER_OTLP_HEADERS", "a b=c", "comma-separated name=value pairs are expected"),
    ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "key=ä", "a value is expected to be of visible ASCII characters"),
    ("OTEL_EXPORTER_OTLP_HEADERS", "key=a%0Ab", "a header cannot carry a value with control characters"),
    ("OTEL_EXPORTER_OTLP_COMPRESSION", "brotli", "one of deflate, gzip, none is expected"),
    ("OTEL_EXPORTER_OTLP_PROTOCOL", "htpp", "one of grpc, http/json, http/protobuf is expected"),
    ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/no/such/file", "the file cannot be read (No such file or directory)"),
    ("OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "/no/such/file", "the file cannot be read (No such file or directory)"),
    ("OTEL_TRACES_EXPORTER", "oltp", "'oltp' is not an exporter"),
    ("OTEL_METRICS_EXPORTER", "nothing", "'nothing' is not an exporter"),
    ("OTEL_TRACES_SAMPLER", "sometimes", "one of always_off, always_on, parentbased_always_off"),
    ("OTEL_TRACES_SAMPLER_ARG", "10%", "a number from 0 to 1 is expected"),
    ("OTEL_TRACES_SAMPLER_ARG", "2", "a number from 0 to 1 is expected"),
    ("OTEL_BSP_MAX_QUEUE_SIZE", "0", "a whole number of at least 1 is expected"),
    ("OTEL_BSP_MAX_QUEUE_SIZE", "100", "a batch of 512 spans is larger than the queue of 100"),
    ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4096", "a batch of 4096 spans is larger than the queue of 2048"),
    ("OTEL_BSP_SCHEDULE_DELAY", "5s", "a whole number from 1 to 86400000 is expected"),
    ("OTEL_METRIC_EXPORT_INTERVAL", "1m", "a whole number from 1 to 86400000 is expected"),
    ("OTEL_METRIC_EXPORT_INTERVAL", "0", "a whole number from 1 to 86400000 is expected"),
    ("OTEL_METRIC_EXPORT_TIMEOUT", "x", "a whole number from 1 to 86400000 is expected"),
    ("OTEL_METRICS_EXEMPLAR_FILTER", "all", "one of always_off, always_on, trace_based is expected"),
    ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "many", "a whole number of at least 0 is expected"),
    ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "-1", "a whole number of at least 0 is expected"),
    ("OTEL_RESOURCE_ATTRIBUTES", "production", "comma-separated name=value pairs are expected"),
    ("OTEL_PROPAGATORS", "b3", "one of baggage, none, tracecontext is expected"),
    ("OTEL_PROPAGATORS", "TraceContext", "lower case is expected"),
    ("OTEL_SDK_DISABLED", "maybe", "true or false is expected"),
    ("OTEL_LOG_LEVEL", "loud", "one of debug, error, fatal, info, none, trace, warn, warning is expected"),
    ("OTEL_PYTHON_EXCLUDED_URLS", "healthz,(", "comma-separated regular expressions are expected"),
    ("OTEL_PYTHON_METER_PROVIDER", "mine", "this program brings its own, and has no other: unset it"),
    ("OTEL_PYTHON_EXPORTER_OTLP_HTTP_TRACES_CREDENTIAL_PROVIDER", "gcp", "this program brings its own"),
    ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "sum", "one of cumulative, delta, lowmemory is expected"),
]
RIGHT = {
    "OTEL_EXPORTER_OTLP_ENDPOINT": "https://user:secret@otel.example.com:4318/otlp",
    "OTEL_EXPORTER_OTLP_HEADERS": "api-key=abc%20def, x-scope = tenant 1,",
    "OTEL_EXPORTER_OTLP_TIMEOUT": "2.5",
    "OTEL_EXPORTER_OTLP_COMPRESSION": "GZIP",
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    "OTEL_TRACES_EXPORTER": "otlp,console",
    "OTEL_METRICS_EXPORTER": "otlp",
    "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
    "OTEL_TRACES_SAMPLER_ARG": "0.25",
    "OTEL_BSP_MAX_QUEUE_SIZE": "512",
    "OTEL_BSP_SCHEDULE_DELAY": "1000",
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "unset",
    "OTEL_RESOURCE_ATTRIBUTES": "k8s.pod.name=a,service.namespace=b%20c",
    "OTEL_PROPAGATORS": "tracecontext, baggage",
    "OTEL_PYTHON_ASGI_EXCLUDED_URLS": "healthz,read.*",
    "OTEL_SERVICE_NAME": "anything at all",
}


def refusal(environment: dict[str, str]) -> str:
    with pytest.raises(InvalidSetting) as raised:
        load_settings(environment)
    line = str(raised.value)
    assert "\n" not in line
    return line


@pytest.mark.parametrize(("name", "text", "fault"), WRONG, ids=lambda text: text)
def test_a_value_that_the_sdk_would_stumble_over_is_refused(name: str, text: str, fault: str) -> None:
    line = refusal({"BACKEND": "memory", name: text})

    assert line.startswith(f"{name}=")
    assert fault in line


def test_values_that_the_sdk_understands_are_accepted() -> None:
    settings = load_settings({"BACKEND": "memory", **RIGHT})

    assert settings.notices == ()
    assert settings.exports_traces
    assert settings.exports_metrics


@pytest.mark.parametrize("text", ["k=a%0Ab", "just-the-secret", "key=s3cret\u00e4"])
def test_a_refused_header_is_not_shown(text: str) -> None:
    line = refusal({"BACKEND": "memory", "OTEL_EXPORTER_OTLP_HEADERS": text})

    assert line.startswith("OTEL_EXPORTER_OTLP_HEADERS=***: ")
    assert text not in line


@pytest.mark.parametrize("protocol", ["grpc", "http/json"])
@pytest.mark.parametrize("signal", ["", "TRACES_", "METRICS_"])
def test_another_protocol_of_otlp_is_noticed(signal: str, protocol: str) -> None:
    name = f"OTEL_EXPORTER_OTLP_{signal}PROTOCOL"
    (notice,) = load_settings({"BACKEND": "memory", name: protocol}).notices

    assert notice.startswith(f"{name} has no effect: the protocol is http/protobuf")


def test_certificates_that_do_not_exist_are_refused(tmp_path: Path) -> None:
    missing, empty = str(tmp_path / "none"), tmp_path / "empty"
    empty.write_text("no certificate")

    assert refusal({**CLOUDFLARE, "SSL_CERT_FILE": missing}).startswith(
        f"SSL_CERT_FILE={missing!r}: the file cannot be read (No such file or directory); for example SSL_CERT"
    )
    assert "the file holds no certificate in PEM form" in refusal({**CLOUDFLARE, "SSL_CERT_FILE": str(empty)})
    assert "the file cannot be read" in refusal({**CLOUDFLARE, "SSL_CERT_FILE": str(tmp_path)})
    assert "the file cannot be read" in refusal({**CLOUDFLARE, "SSL_CERT_FILE": " "})
    assert "no such directory" in refusal({**CLOUDFLARE, "SSL_CERT_DIR": f"{missing}:{empty}"})


def test_certificates_of_an_exporter_are_judged_where_something_is_exported(tmp_path: Path) -> None:
    wrong = {"BACKEND": "memory", "REQUESTS_CA_BUNDLE": str(tmp_path / "none")}

    assert "REQUESTS_CA_BUNDLE=" in refusal({**wrong, "OTEL_EXPORTER_OTLP_ENDPOINT": COLLECTOR})
    assert load_settings(wrong).notices == ()


def test_certificates_that_exist_are_accepted(tmp_path: Path) -> None:
    import certifi  # noqa: PLC0415 -- httpx brings it

    assert load_settings({**CLOUDFLARE, "SSL_CERT_FILE": certifi.where(), "SSL_CERT_DIR": "/no/such"}).notices == ()
    assert load_settings({**CLOUDFLARE, "SSL_CERT_DIR": f"/no/such:{tmp_path}"}).notices == ()
    bundle = {"OTEL_EXPORTER_OTLP_ENDPOINT": COLLECTOR, "CURL_CA_BUNDLE": str(tmp_path)}
    assert load_settings({"BACKEND": "memory", **bundle}).exports_traces
