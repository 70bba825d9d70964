"""The variables that OpenTelemetry's SDK reads by itself: it would find a wrong value late, or with a traceback.

| variable                                             | value                                                     |
|------------------------------------------------------|-----------------------------------------------------------|
| `OTEL_EXPORTER_OTLP_…HEADERS`                        | `name=value` pairs that a header can carry                |
| `OTEL_EXPORTER_OTLP_…TIMEOUT`                        | seconds above 0                                           |
| `OTEL_EXPORTER_OTLP_…COMPRESSION`                    | `none`, `gzip`, `deflate`                                 |
| `OTEL_EXPORTER_OTLP_…PROTOCOL`                       | `http/protobuf`; what else OTLP has is accepted as well   |
| `…_CERTIFICATE`, `…_CLIENT_KEY`                      | a file that can be read                                   |
| `OTEL_TRACES_SAMPLER`, `OTEL_TRACES_SAMPLER_ARG`     | a sampler of OpenTelemetry's specification; 0 to 1        |
| `OTEL_BSP_…`, `OTEL_METRIC_EXPORT_…`                 | whole numbers above 0; milliseconds above 0               |
| `OTEL_…_LIMIT`                                       | a whole number, or `unset`                                |
| `OTEL_RESOURCE_ATTRIBUTES`                           | `name=value` pairs                                        |
| `OTEL_PROPAGATORS`                                   | `tracecontext`, `baggage`, `none`: what is installed      |
| `OTEL_PYTHON_…_EXCLUDED_URLS`, `…_SANITIZE_FIELDS`   | regular expressions of Python, comma-separated            |
| `OTEL_PYTHON_…_PROVIDER`                             | nothing: no other provider is installed                   |

`OTEL_EXPORTER_OTLP_ENDPOINT` and its like are in `VARIABLES`. What is of no use here, such as the variables of logs, is
not judged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import unquote

from tunnel_webhook.settings import files, parsers

_SIGNALS = r"(?:TRACES_|METRICS_)?"
_QUEUE, _BATCH = "OTEL_BSP_MAX_QUEUE_SIZE", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE"
_DEFAULT_QUEUE, _DEFAULT_BATCH = 2048, 512
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"(?:[!-\[\]-~](?:[ -\[\]-~]*[!-\[\]-~])?)?")
_LONGEST_MILLISECONDS = 86_400_000


def _choice(*choices: str) -> Callable[[str], object]:
    return parsers.choice(**{choice: choice for choice in choices})


def _pairs(text: str) -> None:
    """Check the pairs between commas; none is repeated in a message, since a header may be a credential."""
    for pair in filter(None, map(str.strip, text.split(","))):
        name, separator, value = (part.strip() for part in pair.partition("="))
        if not separator or not _NAME.fullmatch(unquote(name)):
            message = "comma-separated name=value pairs are expected"
            raise ValueError(message)
        if not _VALUE.fullmatch(value):
            message = "a value is expected to be of visible ASCII characters, others as %20 and the like"
            raise ValueError(message)


def _headers(text: str) -> None:
    _pairs(text)
    decoded = "".join(unquote(pair.partition("=")[2]) for pair in text.split(","))
    if not decoded.isprintable() or not decoded.isascii():
        message = "a header cannot carry a value with control characters or characters outside ASCII"
        raise ValueError(message)


def _milliseconds(text: str) -> None:
    parsers.whole_number(1, _LONGEST_MILLISECONDS)(text)


def _limit(text: str) -> None:
    if text.lower() != "unset":
        parsers.whole_number(0)(text)


def _expressions(text: str) -> None:
    for expression in text.split(","):
        try:
            re.compile(expression.strip())
        except (re.error, RecursionError, OverflowError) as error:
            message = f"comma-separated regular expressions are expected: {error}"
            raise ValueError(message) from error


def _propagators(text: str) -> None:
    parse = _choice("tracecontext", "baggage", "none")
    for word in text.split(","):
        # The SDK knows the names in lower case only.
        if word.strip() != parse(word.strip()):
            message = "lower case is expected"
            raise ValueError(message)


def _nothing(_text: str) -> None:
    message = "this program brings its own, and has no other: unset it"
    raise ValueError(message)


_SAMPLERS = tuple(
    prefix + name for prefix in ("", "parentbased_") for name in ("always_on", "always_off", "traceidratio")
)
_PARSERS: Mapping[str, tuple[Callable[[str], object], str]] = {
    rf"OTEL_EXPORTER_OTLP_{_SIGNALS}HEADERS": (_headers, "api-key=<key>"),
    rf"OTEL_EXPORTER_OTLP_{_SIGNALS}TIMEOUT": (parsers.seconds(3600), "10"),
    rf"OTEL_EXPORTER_OTLP_{_SIGNALS}COMPRESSION": (_choice("none", "gzip", "deflate"), "gzip"),
    rf"OTEL_EXPORTER_OTLP_{_SIGNALS}PROTOCOL": (
        parsers.choice(**{name: name for name in ("http/protobuf", "http/json", "grpc")}),
        "http/protobuf",
    ),
    rf"OTEL_EXPORTER_OTLP_{_SIGNALS}(?:CERTIFICATE|CLIENT_KEY|CLIENT_CERTIFICATE)": (
        files.readable_file,
        "/etc/ssl/certs/ca-certificates.crt",
    ),
    "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": (_choice("cumulative", "delta", "lowmemory"), "delta"),
    "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION": (
        _choice("explicit_bucket_histogram", "base2_exponential_bucket_histogram"),
        "explicit_bucket_histogram",
    ),
    "OTEL_TRACES_SAMPLER": (_choice(*_SAMPLERS), "parentbased_traceidratio"),
    "OTEL_TRACES_SAMPLER_ARG": (parsers.ratio, "0.1"),
    f"{_QUEUE}|{_BATCH}": (parsers.whole_number(1), "512"),
    "OTEL_BSP_(?:SCHEDULE_DELAY|EXPORT_TIMEOUT)": (_milliseconds, "5000"),
    "OTEL_METRIC_EXPORT_(?:INTERVAL|TIMEOUT)": (_milliseconds, "60000"),
    "OTEL_METRICS_EXEMPLAR_FILTER": (_choice("trace_based", "always_on", "always_off"), "trace_based"),
    "OTEL_(?:(?:SPAN_|EVENT_|LINK_)?ATTRIBUTE|SPAN_EVENT|SPAN_LINK)_COUNT_LIMIT": (_limit, "128"),
    "OTEL_(?:SPAN_)?ATTRIBUTE_VALUE_LENGTH_LIMIT": (_limit, "4096"),
    "OTEL_RESOURCE_ATTRIBUTES": (_pairs, "deployment.environment.name=production"),
    "OTEL_PROPAGATORS": (_propagators, "tracecontext,baggage"),
    "OTEL_(?:SDK_DISABLED|PYTHON_SDK_INTERNAL_METRICS_ENABLED)": (parsers.flag, "true"),
    "OTEL_LOG_LEVEL": (_choice("none", "trace", "debug", "info", "warn", "warning", "error", "fatal"), "info"),
    "OTEL_PYTHON_(?:[A-Z]+_)?EXCLUDED_URLS|OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_[A-Z_]+": (
        _expressions,
        "healthz",
    ),
    "OTEL_PYTHON_(?:TRACER|METER)_PROVIDER|OTEL_PYTHON_EXPORTER_OTLP_HTTP_(?:TRACES_|METRICS_)?CREDENTIAL_PROVIDER": (
        _nothing,
        "",
    ),
    "OTEL_PYTHON_CONTEXT": (_choice("contextvars_context"), "contextvars_context"),
}
_JUDGED = [(re.compile(pattern), parse, example) for pattern, (parse, example) in _PARSERS.items()]


def faults_in_opentelemetry(texts: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield the name of each wrong variable, what is wrong with it, and an example, which may be empty."""
    for name, text in texts.items():
        for pattern, parse, example in _JUDGED:
            if pattern.fullmatch(name):
                try:
                    parse(text)
                except ValueError as error:
                    yield name, str(error), example
    queue, batch = int(texts.get(_QUEUE, _DEFAULT_QUEUE)), int(texts.get(_BATCH, _DEFAULT_BATCH))
    if batch > queue:
        name = _BATCH if _BATCH in texts else _QUEUE
        yield name, f"a batch of {batch} spans is larger than the queue of {queue} that it is taken from", "512"
