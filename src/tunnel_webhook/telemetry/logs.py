"""Logs: one line an event on standard error, as JSON for machines or as text for people; never a secret.

| logger                    | says                                                        |
|---------------------------|-------------------------------------------------------------|
| `tunnel_webhook` and below | what is as severe as LOG_LEVEL, or more                     |
| every other library's     | warnings and errors only, and no more than LOG_LEVEL allows |

JSON members: `time` (RFC 3339, UTC), `level`, `logger`, `message`, whatever the event carries as `extra`, `trace_id` and `span_id`
while a span is open, `exception` with the traceback. Line ends in a message are escaped: nobody can forge an event.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from collections.abc import Callable, Iterable
from typing import TextIO

from opentelemetry import trace

_MASK = "***"
_BEARER = r"(?<=Bearer )[^\s\"'\\]+"
_OF_EVERY_RECORD = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}


def configure_logging(level: str, layout: str, secrets: Iterable[str] = (), stream: TextIO | None = None) -> None:
    """Send all logs to a stream (standard error unless told), from this level on, as `json` or `text`."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Lines({"json": json_line, "text": text_line}[layout], secrets))
    least = logging.getLevelNamesMapping()[level.upper()]
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(least, logging.WARNING))
    logging.getLogger("tunnel_webhook").setLevel(least)
    logging.captureWarnings(capture=True)


class Lines(logging.Formatter):
    """Formats records in a layout, and masks secrets in whatever comes out of it: the last line of defence."""

    def __init__(self, layout: Callable[[logging.LogRecord], str], secrets: Iterable[str] = ()) -> None:
        """Take the layout, and the secrets; whatever follows `Bearer` is one, too."""
        super().__init__()
        self._layout = layout
        known = sorted({re.escape(form) for secret in secrets for form in (secret, json.dumps(secret)[1:-1]) if secret})
        self._secret = re.compile("|".join([*known, _BEARER]))

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as a line without its end."""
        return self._secret.sub(_MASK, self._layout(record))


def json_line(record: logging.LogRecord) -> str:
    """Return a record as one JSON object."""
    event: dict[str, object] = {
        "time": _time(record),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": record.getMessage(),
        **_carried(record),
        **_span(),
    }
    if told := _exception(record):
        event["exception"] = told
    return json.dumps(event, default=str)


def text_line(record: logging.LogRecord) -> str:
    """Return a record as a line for people; a traceback follows on lines of its own, each indented."""
    fields = "".join(f" {key}={value}" for key, value in (_carried(record) | _span()).items())
    line = _escaped(f"{_time(record)} {record.levelname:<7} {record.name}: {record.getMessage()}{fields}")
    told = _exception(record)
    return line + "".join(f"\n  {_escaped(each)}" for each in told.splitlines())


def _time(record: logging.LogRecord) -> str:
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return f"{seconds}.{int(record.msecs):03d}Z"


def _carried(record: logging.LogRecord) -> dict[str, object]:
    return {key: value for key, value in vars(record).items() if key not in _OF_EVERY_RECORD}


def _span() -> dict[str, object]:
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return {}
    return {"trace_id": trace.format_trace_id(context.trace_id), "span_id": trace.format_span_id(context.span_id)}


def _exception(record: logging.LogRecord) -> str:
    told = logging.Formatter().formatException(record.exc_info) if record.exc_info else record.exc_text or ""
    return "\n".join(part for part in (told, record.stack_info) if part)


def _escaped(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
