"""Cloudflare's JSON and the domain's values: decoding what is stored, encoding what is written. No I/O.

The document of a tunnel passes through as text, so that unknown keys and the digits of numbers survive. Everything else
is read only as far as we need it, so that a missing, older or newer field does no harm.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.dns import AUTOMATIC_TTL, DnsRecord, RecordBatch


class StoredConfiguration(msgspec.Struct):
    """The configuration of a tunnel as stored; `config` keeps the text of the document, `null` if there is none."""

    version: int | None = None
    config: msgspec.Raw = msgspec.Raw(b"null")
    source: str | None = None

    @property
    def text(self) -> str:
        """The document as JSON."""
        return bytes(self.config).decode()


class StoredTunnel(msgspec.Struct):
    """A tunnel; `remote_config` and `config_src` say the same, and either may be missing."""

    name: str | None = None
    deleted_at: str | None = None
    config_src: str | None = None
    remote_config: bool | None = None

    @property
    def is_local(self) -> bool:
        """Whether a local file configures the tunnel, and not the API."""
        return self.config_src == "local" or (self.config_src is None and self.remote_config is False)


class _Named(msgspec.Struct):
    id: str | None = None
    legacy_id: str | None = None


class StoredZone(msgspec.Struct):
    """A zone; `plan` is deprecated, but the only hint at the size of a batch, and `permissions` is a legacy field."""

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
        """The account that holds the zone, or nothing if it is not given."""
        return (self.account and self.account.id) or ""

    @property
    def listed_permissions(self) -> frozenset[str]:
        """The permissions that are listed; they prove nothing."""
        return frozenset(permission for permission in self.permissions or () if isinstance(permission, str))

    @property
    def is_paid(self) -> bool:
        """Whether the zone is known to be on a plan other than Free."""
        return ((self.plan and self.plan.legacy_id) or "free") != "free"


class VerifiedToken(msgspec.Struct):
    """The state of an API token; a time is absent if there is no such limit."""

    status: str = ""
    not_before: datetime | None = None
    expires_on: datetime | None = None


class Connector(msgspec.Struct):
    """A cloudflared that is connected to a tunnel; `config_version` is the version of the document that it applied."""

    version: str = ""
    config_version: int | None = None


class Usage(msgspec.Struct):
    """How many records a zone may hold and does hold; None if that is not given."""

    record_quota: int | None = None
    record_usage: int | None = None


class StoredRecord(msgspec.Struct):
    """A DNS record as stored, as far as we need it."""

    id: str
    name: str
    type: str
    content: str | None = None
    proxied: bool | None = None
    comment: str | None = None
    created_on: datetime | None = None

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
            created=self.created_on.timestamp() if self.created_on else 0.0,
        )


def encode_configuration(configuration: TunnelConfiguration) -> bytes:
    """Return the body that replaces the configuration of a tunnel: the text of the document as it is."""
    return b'{"config":' + configuration.text.encode() + b"}"


def encode_batch(batch: RecordBatch) -> bytes:
    """Return the body of one batch; a patch carries only what we decide, so that tags, TTL and settings stay."""
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


def records_of(listed: Iterable[StoredRecord]) -> tuple[DnsRecord, ...]:
    """Return stored records as the domain knows them, sorted."""
    return tuple(sorted(stored.record for stored in listed))
