"""Cloudflare's JSON: pure functions of (status, headers, body), and back. Nothing here performs I/O.

Every key but `success` is optional on the wire: some error bodies have neither `messages` nor `result`, codes come as numbers
and as strings, `result_info` may lack `total_pages`, and an edge that answers in the API's place sends HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from tunnel_webhook.domain.claim import DnsRecord, RecordBatch
from tunnel_webhook.domain.ingress import TunnelConfiguration

_MAX_SENTENCE = 300
_VALIDATION_ERROR = 1004
_UNPRINTABLE = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_OPAQUE = re.compile(r"[A-Za-z0-9_-]{37,}")
_REMAINING = re.compile(r"(?:^|;)\s*r=(\d+)")
_RESET = re.compile(r"(?:^|;)\s*t=(\d+)")


class Page(msgspec.Struct):
    """Where a page of a list stands (`result_info`); everything is optional."""

    total_count: int | None = None


class _Error(msgspec.Struct):
    code: int | str | None = None
    message: str | None = None
    error_chain: list[_Error] | None = None


class _Envelope(msgspec.Struct):
    success: bool
    errors: list[_Error] | None = None
    result: msgspec.Raw = msgspec.Raw(b"null")
    result_info: Page | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What Cloudflare answered: the `result` as its own text, and of a list how many entries it has in all, if it said so."""

    result: msgspec.Raw
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """What Cloudflare answered instead; `code` is None where the body is none of the API's, `sentence` is sanitised."""

    status: int
    code: int | None
    sentence: str
    retry_after: float | None = None


def decode_response(status: int, headers: Mapping[str, str], body: bytes) -> Answer | Fault:
    """Return the answer in a response, or the fault. Success is what both the status and the envelope call so."""
    try:
        envelope = msgspec.json.decode(body, type=_Envelope)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Fault(status, None, f"HTTP {status} with a body that is not the API's", seconds_to_wait(headers))
    if envelope.success and 200 <= status < 300:  # noqa: PLR2004 -- the range is HTTP's own
        total = envelope.result_info.total_count if envelope.result_info else None
        return Answer(envelope.result, total)
    code, message = _first(envelope.errors or [])
    sentence = ": ".join(str(part) for part in (code, message) if part not in {None, ""})
    return Fault(status, code, sentence or f"HTTP {status} without a reason", seconds_to_wait(headers))


def _first(errors: list[_Error]) -> tuple[int | None, str]:
    """Return the code and the sentence of the first error; the wrapper 1004 gives way to its cause."""
    if not errors:
        return None, ""
    error, chain = errors[0], errors[0].error_chain or []
    number = _number(error.code)
    if chain and number == _VALIDATION_ERROR:
        return _first(chain)
    return number, sanitise(": ".join(each.message for each in (error, *chain) if each.message))


def _number(code: int | str | None) -> int | None:
    try:
        return None if code is None else int(code)
    except ValueError:
        return None


def sanitise(text: str) -> str:
    """Return upstream text as one short printable line, less every word as long as a credential (37 characters and more)."""
    line = _OPAQUE.sub("[removed]", _UNPRINTABLE.sub(" ", text).strip())
    return line if len(line) <= _MAX_SENTENCE else line[: _MAX_SENTENCE - 1] + "…"


def seconds_to_wait(headers: Mapping[str, str]) -> float | None:
    """Return how long the server asks to wait: `Retry-After` in seconds or as a date, measured on the server's own clock."""
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
    """Return when the rate limit of a `Ratelimit: "default";r=<remaining>;t=<seconds>` header starts afresh."""
    found = _RESET.search(headers.get("ratelimit", ""))
    return float(found[1]) if found else None


def remaining_requests(headers: Mapping[str, str]) -> int | None:
    """Return how many requests the rate limit still allows, as the same header tells; good for a metric, not for control."""
    found = _REMAINING.search(headers.get("ratelimit", ""))
    return int(found[1]) if found else None


class StoredConfiguration(msgspec.Struct):
    """A tunnel's configuration as stored; `config` keeps the very text of the document, `null` for none."""

    version: int | None = None
    config: msgspec.Raw = msgspec.Raw(b"null")
    source: str | None = None

    @property
    def text(self) -> str:
        """The document as JSON."""
        return bytes(self.config).decode()


class Tunnel(msgspec.Struct):
    """What is asked about a tunnel itself; `remote_config` and `config_src` say the same, and either may be missing."""

    deleted_at: str | None = None
    config_src: str | None = None
    remote_config: bool | None = None

    @property
    def is_local(self) -> bool:
        """Whether cloudflared's own file configures the tunnel, and not the API."""
        return self.config_src == "local" or (self.config_src is None and self.remote_config is False)


class _Named(msgspec.Struct):
    id: str | None = None
    legacy_id: str | None = None


class StoredZone(msgspec.Struct):
    """A zone as listed; `plan` is deprecated, and the only hint at how large a batch may be."""

    id: str
    name: str
    status: str | None = None
    account: _Named | None = None
    plan: _Named | None = None

    @property
    def account_id(self) -> str:
        """The account that holds the zone, or nothing where that is not said."""
        return (self.account and self.account.id) or ""

    @property
    def is_paid(self) -> bool:
        """Whether the zone is known to be on another plan than Free."""
        return ((self.plan and self.plan.legacy_id) or "free") != "free"


class StoredRecord(msgspec.Struct):
    """A DNS record as stored, as far as it concerns us."""

    id: str
    name: str
    type: str
    content: str | None = None
    proxied: bool | None = None
    comment: str | None = None

    @property
    def record(self) -> DnsRecord:
        """The record as the domain knows it."""
        return DnsRecord(
            name=self.name.lower().removesuffix("."),
            type=self.type,
            content=self.content or "",
            proxied=bool(self.proxied),
            comment=self.comment or "",
            id=self.id,
        )


def encode_configuration(configuration: TunnelConfiguration) -> bytes:
    """Return the body that replaces a tunnel's configuration: the document's text as it is."""
    return b'{"config":' + configuration.text.encode() + b"}"


def same_document(sent: str, stored: str) -> bool:
    """Whether a stored document says what was sent: Cloudflare reorders the keys of a rule and adds `warp-routing`."""
    ours, theirs = msgspec.json.decode(sent), msgspec.json.decode(stored)
    if isinstance(theirs, dict) and isinstance(ours, dict) and "warp-routing" not in ours:
        theirs.pop("warp-routing", None)
    return bool(ours == theirs)


def encode_batch(batch: RecordBatch) -> bytes:
    """Return the body of one batch; a patch carries only what we decide, so that tags, TTL and settings stay as they are."""
    return msgspec.json.encode(
        {
            "deletes": [{"id": record.id} for record in batch.deletes],
            "patches": [{"id": record.id, **_decided(record)} for record in batch.patches],
            "posts": [{"name": record.name, "type": record.type, "ttl": 1, **_decided(record)} for record in batch.posts],
        }
    )


def _decided(record: DnsRecord) -> dict[str, Any]:
    return {"content": record.content, "proxied": record.proxied, "comment": record.comment}


def records_of(stored: Iterable[StoredRecord]) -> tuple[DnsRecord, ...]:
    """Return stored records as the domain knows them, sorted."""
    return tuple(sorted(each.record for each in stored))
