"""Logs: one line per event on standard error, as JSON for machines or as text for people, without secrets.

| logger                     | lowest level that is logged                  |
|----------------------------|----------------------------------------------|
| `tunnel_webhook` and below | LOG_LEVEL                                    |
| libraries                  | LOG_LEVEL or WARNING, whichever is higher    |

JSON members: `time` (RFC 3339, UTC), `level`, `logger`, `message`, the members of `extra`, `trace_id` and `span_id`
within a span, `exception` with the traceback. Line breaks in a message are escaped, so that no text can forge an event.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable
from typing import Protocol

from opentelemetry import trace

from tunnel_webhook.telemetry.masking import Masking

_STANDARD_ATTRIBUTES = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}


class Stream(Protocol):
    """What logging.StreamHandler needs of a stream."""

    def write(self, text: str, /) -> object:
        """Take a line."""
        ...

    def flush(self) -> object:
        """Pass on what was taken."""
        ...


def configure_logging(level: str, layout: str, masking: Masking | None = None, stream: Stream | None = None) -> None:
    """Send all logs to a stream, by default standard error, from a level upward, as `json` or `text`."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(LineFormatter({"json": json_line, "text": text_line}[layout], masking))
    lowest = logging.getLevelNamesMapping()[level.upper()]
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(lowest, logging.WARNING))
    logging.getLogger("tunnel_webhook").setLevel(lowest)
    logging.captureWarnings(capture=True)


class LineFormatter(logging.Formatter):
    """Formats records in a layout, and masks secrets in the result, as the last line of defence."""

    def __init__(self, layout: Callable[[logging.LogRecord], str], masking: Masking | None = None) -> None:
        """Take the layout and what masks its result."""
        super().__init__()
        self._layout = layout
        self._masking = masking or Masking()

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text, without the final line break."""
        return self._masking(self._layout(record))


def json_line(record: logging.LogRecord) -> str:
    """Return a record as one JSON object."""
    event: dict[str, object] = {
        "time": _time(record),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": record.getMessage(),
        **_extra(record),
        **_span(),
    }
    if traceback := _traceback(record):
        event["exception"] = traceback
    return json.dumps(event, default=str)


def text_line(record: logging.LogRecord) -> str:
    """Return a record as a line for people; a traceback follows on indented lines."""
    fields = "".join(f" {key}={value}" for key, value in (_extra(record) | _span()).items())
    line = _escaped(f"{_time(record)} {record.levelname:<7} {record.name}: {record.getMessage()}{fields}")
    return line + "".join(f"\n  {_escaped(text)}" for text in _traceback(record).splitlines())


def _time(record: logging.LogRecord) -> str:
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return f"{seconds}.{int(record.msecs):03d}Z"


def _extra(record: logging.LogRecord) -> dict[str, object]:
    return {key: value for key, value in vars(record).items() if key not in _STANDARD_ATTRIBUTES}


def _span() -> dict[str, object]:
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return {}
    return {"trace_id": trace.format_trace_id(context.trace_id), "span_id": trace.format_span_id(context.span_id)}


def _traceback(record: logging.LogRecord) -> str:
    exception = logging.Formatter().formatException(record.exc_info) if record.exc_info else record.exc_text
    return "\n".join(part for part in (exception, record.stack_info) if part)


def _escaped(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )
