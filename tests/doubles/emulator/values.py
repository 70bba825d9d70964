"""What Cloudflare stores, as frozen values that go to JSON and back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

Permission = Literal["account read", "tunnel read", "tunnel write", "zone read", "dns read", "dns write"]
PERMISSIONS: tuple[Permission, ...] = (
    "account read",
    "tunnel read",
    "tunnel write",
    "zone read",
    "dns read",
    "dns write",
)
EPOCH = "2026-09-29T06:57:52.563255Z"


def stamp(now: float) -> str:
    """Return seconds since the epoch as the API writes a time: RFC 3339, UTC, with microseconds."""
    return datetime.fromtimestamp(now, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Value(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A frozen value; decoding JSON with an unknown member fails."""


class Account(Value, frozen=True):
    """An account that tunnels and zones belong to."""

    id: str
    name: str = "Example Account"


class Token(Value, frozen=True):
    """An API token; `grants` lists for each permission the accounts and zones that it covers, `*` for all of them."""

    secret: str
    grants: dict[Permission, tuple[str, ...]] = msgspec.field(
        default_factory=lambda: dict.fromkeys(PERMISSIONS, ("*",))
    )
    status: Literal["active", "disabled", "expired"] = "active"
    account: str = ""
    """The account that owns the token; empty for a user's token."""

    id: str = "ed17574386854bf78a67040be0a770b0"
    not_before: str | None = None
    expires_on: str | None = None


class Connector(Value, frozen=True):
    """A cloudflared that is connected to a tunnel."""

    id: str
    version: str = "2026.8.2"
    arch: str = "linux_amd64"
    run_at: str = EPOCH
    connections: int = 4
    config_version: int | None = None
    """The version that it applied; None for the newest."""


class Configuration(Value, frozen=True):
    """A tunnel's document as JSON text, `null` if it was never written."""

    document: str = "null"
    version: int = 0
    source: Literal["cloudflare", "local"] = "cloudflare"
    created_at: str = EPOCH


class Tunnel(Value, frozen=True):
    """A tunnel; without a configuration, Cloudflare answers 404 and 1055 for it."""

    id: str
    account: str
    name: str
    configuration: Configuration | None = Configuration()
    config_src: Literal["cloudflare", "local"] = "cloudflare"
    deleted_at: str | None = None
    status: Literal["inactive", "degraded", "healthy", "down"] = "healthy"
    connectors: tuple[Connector, ...] = ()
    created_at: str = EPOCH
    conns_active_at: str = EPOCH
    """When it was connected, while it is."""


class Record(Value, frozen=True):
    """A DNS record as it is stored, its name in full and in A-labels."""

    name: str
    type: str
    content: str
    ttl: int = 1
    proxied: bool = False
    comment: str | None = None
    tags: tuple[str, ...] = ()
    id: str = ""
    settings: dict[str, Any] = msgspec.field(default_factory=dict)
    meta: dict[str, Any] = msgspec.field(default_factory=dict)
    more: dict[str, Any] = msgspec.field(default_factory=dict)
    """Members that only some types have, such as `priority` or `data`."""

    created_on: str = EPOCH
    modified_on: str = EPOCH
    comment_modified_on: str | None = None
    tags_modified_on: str | None = None


class Zone(Value, frozen=True):
    """A zone and its records by id."""

    id: str
    name: str
    account: str
    plan: Literal["free", "pro", "business", "enterprise"] = "free"
    quota: int | None = None
    """How many records it may hold; None for the limit of its plan."""

    status: Literal["initializing", "pending", "active", "moved"] = "active"
    paused: bool = False
    type: Literal["full", "partial", "secondary", "internal"] = "full"
    records: dict[str, Record] = msgspec.field(default_factory=dict)
