"""What the emulated Cloudflare holds: plain frozen values that go to JSON and back, so that a test can seed, read and compare them.

State
├── accounts, tokens, keys     who may ask; tokens by their secret, global API keys by e-mail address
├── tunnels                    by id, each with its configuration document as text
├── zones                      by id, each with its records by id
└── behaviour                  what the real API does in more than one way, as switches
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2s
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

Permission = Literal["account read", "tunnel read", "tunnel write", "zone read", "dns read", "dns write"]
PERMISSIONS: tuple[Permission, ...] = ("account read", "tunnel read", "tunnel write", "zone read", "dns read", "dns write")
EPOCH = "2026-09-29T06:57:52.563255Z"


class Value(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A frozen value that JSON with a misspelt member cannot become."""


class Account(Value):
    """An account that tunnels and zones belong to."""

    id: str
    name: str = "Example Account"


class Token(Value):
    """An API token; `grants` names for each permission the accounts and zones it holds for, `*` for all of them."""

    secret: str
    grants: dict[Permission, tuple[str, ...]] = msgspec.field(default_factory=lambda: dict.fromkeys(PERMISSIONS, ("*",)))
    status: Literal["active", "disabled", "expired"] = "active"
    account: str = ""
    """The account that owns the token; empty for a user's token."""

    id: str = "ed17574386854bf78a67040be0a770b0"
    not_before: str | None = None
    expires_on: str | None = None


class Connector(Value):
    """A cloudflared that is connected to a tunnel."""

    id: str
    version: str = "2026.8.2"
    arch: str = "linux_amd64"
    run_at: str = EPOCH
    connections: int = 4
    config_version: int | None = None
    """The version it applied; None for the newest."""


class Configuration(Value):
    """A tunnel's document as JSON text, `null` for one that was never written."""

    document: str = "null"
    version: int = 0
    source: Literal["cloudflare", "local"] = "cloudflare"
    created_at: str = EPOCH


class Tunnel(Value):
    """A tunnel; without a configuration, Cloudflare answers 404 and 1055."""

    id: str
    account: str
    name: str
    configuration: Configuration | None = Configuration()
    config_src: Literal["cloudflare", "local"] = "cloudflare"
    deleted_at: str | None = None
    status: Literal["inactive", "degraded", "healthy", "down"] = "healthy"
    connectors: tuple[Connector, ...] = ()
    secret: str = "c2VjcmV0IG9mIHRoZSB0dW5uZWw="
    created_at: str = EPOCH


class Record(Value):
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
    """What only some types have, such as `priority` or `data`."""

    created_on: str = EPOCH
    modified_on: str = EPOCH
    comment_modified_on: str | None = None
    tags_modified_on: str | None = None


class Zone(Value):
    """A zone and its records by id."""

    id: str
    name: str
    account: str
    plan: Literal["free", "pro", "business", "enterprise"] = "free"
    quota: int | None = None
    """How many records it may hold; None for what the plan gives."""

    status: Literal["initializing", "pending", "active", "moved"] = "active"
    paused: bool = False
    type: Literal["full", "partial", "secondary", "internal"] = "full"
    records: dict[str, Record] = msgspec.field(default_factory=dict)


class Problem(Value):
    """An error as the API tells it; `terse` leaves `messages` and `result` out of the body."""

    name: str
    status: int
    code: int
    message: str
    chain: tuple[tuple[int, str], ...] = ()
    more: tuple[tuple[int, str], ...] = ()
    terse: bool = False


class Behaviour(Value):
    """What the API does in more than one way; the defaults are what was recorded, or else what is harder on a client."""

    latency: float = 0.0
    """Seconds that every call takes."""

    rate_quota: int = 1200
    rate_window: float = 300.0
    """Calls per seconds and token; one more, and the token is blocked for as many seconds."""

    total_pages: bool = True
    account_id: bool = False
    """Whether a configuration tells its account."""

    deprecated_connections: bool = False
    """Whether a tunnel tells its connections, as it did until 2026-10-05."""

    config_version: bool = True
    """Whether a connector tells the version that it applied."""

    key_order: Literal["by length", "as sent"] = "by length"
    """How the members of a stored document are ordered: shorter keys first, as recorded, or as they came."""

    identical_put_counts: bool = True
    local_put: Literal["refuse", "convert"] = "refuse"
    """What a PUT to a locally managed tunnel does."""

    zone_scoped_list: Literal["own zones", "refused"] = "own zones"
    """What GET /zones tells a token that is limited to some zones."""

    verify_message: bool = False
    """Whether a good token is praised in `messages`."""

    batch_absent: Literal["null", "empty"] = "null"
    """What a batch answers for an array that was not asked for."""

    problems: tuple[Problem, ...] = ()
    """Answers to put in the place of those of `problems.py`, by name: an unconfirmed status can be had both ways."""


class State(Value):
    """All that the emulated Cloudflare holds."""

    accounts: dict[str, Account] = msgspec.field(default_factory=dict)
    tokens: dict[str, Token] = msgspec.field(default_factory=dict)
    keys: dict[str, str] = msgspec.field(default_factory=dict)
    tunnels: dict[str, Tunnel] = msgspec.field(default_factory=dict)
    zones: dict[str, Zone] = msgspec.field(default_factory=dict)
    behaviour: Behaviour = Behaviour()
    serial: int = 0
    """How many records were ever made; their ids follow from it."""

    def zone(self, name: str) -> Zone:
        """Return the zone of a name."""
        return next(zone for zone in self.zones.values() if zone.name == name)

    def document(self, tunnel: str) -> str:
        """Return the text of a tunnel's document."""
        configuration = self.tunnels[tunnel].configuration
        return configuration.document if configuration else "null"

    def with_token(self, token: Token) -> State:
        """Return the state with a token added or changed."""
        return replace(self, tokens={**self.tokens, token.secret: token})

    def with_tunnel(self, tunnel: Tunnel) -> State:
        """Return the state with a tunnel added or changed."""
        return replace(self, tunnels={**self.tunnels, tunnel.id: tunnel})

    def with_document(self, tunnel: str, document: str, *, at: str = EPOCH) -> State:
        """Return the state after somebody wrote a tunnel's document, unchecked and to the very character."""
        held = self.tunnels[tunnel]
        version = (held.configuration.version if held.configuration else 0) + 1
        written = Configuration(document=document, version=version, created_at=at)
        return self.with_tunnel(replace(held, configuration=written))

    def with_zone(self, zone: Zone) -> State:
        """Return the state with a zone added or changed."""
        return replace(self, zones={**self.zones, zone.id: zone})

    def with_records(self, zone: str, *records: Record) -> State:
        """Return the state with records added, unchecked, to the zone of a name; those without an id get one."""
        held = self.zone(zone)
        numbered = {
            (record.id or record_id(self.serial + place)): record for place, record in enumerate(records, start=1)
        }
        added = {key: replace(record, id=key) for key, record in numbered.items()}
        grown = replace(held, records={**held.records, **added})
        return replace(self.with_zone(grown), serial=self.serial + len(records))

    def with_behaviour(self, **switches: Any) -> State:
        """Return the state with some switches set."""
        return replace(self, behaviour=replace(self.behaviour, **switches))


def identifier(text: str) -> str:
    """Return 32 hexadecimal digits that stand for a text."""
    return blake2s(text.encode(), digest_size=16).hexdigest()


def record_id(serial: int) -> str:
    """Return the id of the n-th record that was ever made."""
    return identifier(f"record {serial}")


def by_name(problems: tuple[Problem, ...]) -> Mapping[str, Problem]:
    """Return problems by their names."""
    return {problem.name: problem for problem in problems}
