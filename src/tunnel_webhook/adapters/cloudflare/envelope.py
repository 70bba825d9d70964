"""Decoding any response of Cloudflare's API, whatever was asked: a pure function of status, headers and body.

Every key but `success` is optional on the wire: some error bodies have neither `messages` nor `result`, codes arrive as
numbers and as strings, `result_info` may lack `total_pages`, and an edge that answers instead of the API sends HTML.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import msgspec

_MAX_SENTENCE = 300
_VALIDATION_ERROR = 1004
_UNPRINTABLE = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_OPAQUE = re.compile(r"[A-Za-z0-9_-]{37,}")
_REMAINING = re.compile(r"(?:^|;)\s*r=(\d+)")
_RESET = re.compile(r"(?:^|;)\s*t=(\d+)")


class _ResultInfo(msgspec.Struct):
    total_count: int | None = None


class _Error(msgspec.Struct):
    code: int | str | None = None
    message: str | None = None
    error_chain: list[_Error] | None = None


class _Envelope(msgspec.Struct):
    success: bool
    errors: list[_Error] | None = None
    result: msgspec.Raw = msgspec.Raw(b"null")
    result_info: _ResultInfo | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful response: the text of `result`, and of a page the number of entries on all pages, if given."""

    result: msgspec.Raw
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """A response that is not an answer.

    `code` is None if the body is not the API's or gives none, `sentence` is sanitised, `retry_after` is in seconds.
    `is_foreign` says that the body is not the API's: a proxy, a firewall or Cloudflare's edge answered in its place.
    """

    status: int
    code: int | None
    sentence: str
    retry_after: float | None = None
    is_foreign: bool = False


def decode_response(
    status: int, headers: Mapping[str, str], body: bytes, mask: Callable[[str], str] = str
) -> Answer | Fault:
    """Return the answer in a response, or the fault. A success is one by its status and by its envelope.

    `mask` takes secrets out of a sentence before it is shortened, so that no part of one remains.
    """
    try:
        envelope = msgspec.json.decode(body.decode(), type=_Envelope)
    except (msgspec.DecodeError, UnicodeDecodeError):
        sentence = f"HTTP {status} with a body that is not the API's"
        # What begins like JSON is the API's, and was cut off on its way.
        return Fault(status, None, sentence, seconds_to_wait(headers), is_foreign=not body.lstrip().startswith(b"{"))
    if envelope.success and 200 <= status < 300:  # noqa: PLR2004 -- the range is HTTP's own
        total = envelope.result_info.total_count if envelope.result_info else None
        return Answer(envelope.result, total)
    code, message = _first(envelope.errors or [], mask)
    sentence = ": ".join(str(part) for part in (code, message) if part not in {None, ""})
    return Fault(status, code, sentence or f"HTTP {status} without a reason", seconds_to_wait(headers))


def _first(errors: list[_Error], mask: Callable[[str], str]) -> tuple[int | None, str]:
    """Return the code and the message of the first error; the wrapper 1004 is replaced by its cause."""
    if not errors:
        return None, ""
    error, chain = errors[0], errors[0].error_chain or []
    number = _number(error.code)
    if chain and number == _VALIDATION_ERROR:
        return _first(chain, mask)
    return number, sanitise(mask(": ".join(link.message for link in (error, *chain) if link.message)))


def _number(code: int | str | None) -> int | None:
    try:
        return None if code is None else int(code)
    except ValueError:
        return None


def sanitise(text: str) -> str:
    """Return upstream text as one short printable line, without words as long as a credential (37 characters)."""
    line = _OPAQUE.sub("[removed]", _UNPRINTABLE.sub(" ", text).strip())
    return line if len(line) <= _MAX_SENTENCE else line[: _MAX_SENTENCE - 1] + "…"


def seconds_to_wait(headers: Mapping[str, str]) -> float | None:
    """Return how long the server asks to wait: `Retry-After` in seconds, or as a date by the clock of the server."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        until, sent = parsedate_to_datetime(text), parsedate_to_datetime(headers.get("date", ""))
        return max(0.0, (until - sent).total_seconds())
    except (TypeError, ValueError):
        return None


def seconds_to_reset(headers: Mapping[str, str]) -> float | None:
    """Return in how many seconds the rate limit resets, from `Ratelimit: "default";r=<remaining>;t=<seconds>`."""
    match = _RESET.search(headers.get("ratelimit", ""))
    return float(match[1]) if match else None


def remaining_requests(headers: Mapping[str, str]) -> int | None:
    """Return how many requests the rate limit still allows, from the same header; for a metric, not for control."""
    match = _REMAINING.search(headers.get("ratelimit", ""))
    return int(match[1]) if match else None
