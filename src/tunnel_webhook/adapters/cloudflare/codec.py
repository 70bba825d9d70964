"""Cloudflare's JSON and the domain's values: what is stored is decoded, what is written encoded. Nothing here performs I/O.

A tunnel's document passes through as text, so that unknown keys and the very digits of numbers survive; every other thing is
read as far as it concerns us, and what is missing or of an older or newer fashion does no harm.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.dns import AUTOMATIC_TTL, DnsRecord, RecordBatch


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

    name: str | None = None
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
    """A zone as listed; `plan` is deprecated, and the only hint at how large a batch may be; `permissions` are a legacy."""

    id: str
    name: str
    status: str | None = None
    paused: bool | None = None
    type: str | None = None
    permissions: Any = None
    account: _Named | None = None
    plan: _Named | None = None

    @property
    def account_id(self) -> str:
        """The account that holds the zone, or nothing where that is not said."""
        return (self.account and self.account.id) or ""

    @property
    def listed_permissions(self) -> frozenset[str]:
        """The permissions that are listed, which prove nothing; none where none are."""
        return frozenset(each for each in self.permissions or () if isinstance(each, str))

    @property
    def is_paid(self) -> bool:
        """Whether the zone is known to be on another plan than Free."""
        return ((self.plan and self.plan.legacy_id) or "free") != "free"


class VerifiedToken(msgspec.Struct):
    """What Cloudflare says of an API token; the times are absent where there is no limit."""

    status: str = ""
    not_before: datetime | None = None
    expires_on: datetime | None = None


class Connector(msgspec.Struct):
    """A cloudflared that is connected to a tunnel; `config_version` is the document that it applied, where that is told."""

    id: str = ""
    version: str = ""
    config_version: int | None = None


class Usage(msgspec.Struct):
    """How many records a zone may hold, and how many it does; None where that is not told."""

    record_quota: int | None = None
    record_usage: int | None = None


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
    ours = msgspec.json.decode(sent, type=dict[str, Any])
    theirs = msgspec.json.decode(stored, type=dict[str, Any])
    if "warp-routing" not in ours:
        theirs.pop("warp-routing", None)
    return ours == theirs


def encode_batch(batch: RecordBatch) -> bytes:
    """Return the body of one batch; a patch carries only what we decide, so that tags, TTL and settings stay as they are."""
    return msgspec.json.encode(
        {
            "deletes": [{"id": record.id} for record in batch.deletes],
            "patches": [{"id": record.id, **_decided(record)} for record in batch.patches],
            "posts": [_new(record) for record in batch.posts],
        }
    )


def _new(record: DnsRecord) -> dict[str, Any]:
    # A name may be a Hostname, and msgspec encodes no subclass of str.
    return {"name": str(record.name), "type": record.type, "ttl": AUTOMATIC_TTL, **_decided(record)}


def _decided(record: DnsRecord) -> dict[str, Any]:
    return {"content": record.content, "proxied": record.proxied, "comment": record.comment}


def records_of(stored: Iterable[StoredRecord]) -> tuple[DnsRecord, ...]:
    """Return stored records as the domain knows them, sorted."""
    return tuple(sorted(each.record for each in stored))
