"""All that the emulated Cloudflare stores, as one frozen value, so that a test can seed, read and compare it.

State
├── accounts, tokens, keys     tokens by their secret, global API keys by e-mail address
├── tunnels                    by id, each with its configuration document as text
├── zones                      by id, each with its records by id
└── behaviour                  switches for what the real API does in more than one way
"""

from __future__ import annotations

from hashlib import blake2s
from typing import Any

import msgspec
from msgspec.structs import replace

from doubles.emulator.behaviour import Behaviour
from doubles.emulator.values import EPOCH, Account, Configuration, Record, Token, Tunnel, Value, Zone


class State(Value, frozen=True):
    """All that the emulated Cloudflare stores."""

    accounts: dict[str, Account] = msgspec.field(default_factory=dict)
    tokens: dict[str, Token] = msgspec.field(default_factory=dict)
    keys: dict[str, str] = msgspec.field(default_factory=dict)
    tunnels: dict[str, Tunnel] = msgspec.field(default_factory=dict)
    zones: dict[str, Zone] = msgspec.field(default_factory=dict)
    behaviour: Behaviour = Behaviour()
    serial: int = 0
    """How many records were ever created; their ids are derived from it."""

    def zone(self, name: str) -> Zone:
        """Return the zone of a name."""
        return next(zone for zone in self.zones.values() if zone.name == name)

    def document(self, tunnel: str) -> str:
        """Return the text of a tunnel's document."""
        configuration = self.tunnels[tunnel].configuration
        return configuration.document if configuration else "null"

    def version(self, tunnel: str) -> int:
        """Return the version of a tunnel's document."""
        configuration = self.tunnels[tunnel].configuration
        return configuration.version if configuration else 0

    def with_token(self, token: Token) -> State:
        """Return the state with a token added or changed."""
        return replace(self, tokens={**self.tokens, token.secret: token})

    def with_tunnel(self, tunnel: Tunnel) -> State:
        """Return the state with a tunnel added or changed."""
        return replace(self, tunnels={**self.tunnels, tunnel.id: tunnel})

    def with_document(self, tunnel: str, document: str, *, at: str = EPOCH) -> State:
        """Return the state after a write of a tunnel's document, unchecked and character for character."""
        configuration = Configuration(document=document, version=self.version(tunnel) + 1, created_at=at)
        return self.with_tunnel(replace(self.tunnels[tunnel], configuration=configuration))

    def with_zone(self, zone: Zone) -> State:
        """Return the state with a zone added or changed."""
        return replace(self, zones={**self.zones, zone.id: zone})

    def with_records(self, zone: str, *records: Record) -> State:
        """Return the state with records added to the zone of a name, unchecked; records without an id get one."""
        stored = dict(self.zone(zone).records)
        for serial, record in enumerate(records, start=self.serial + 1):
            key = record.id or record_id(serial)
            stored[key] = replace(record, id=key)
        return replace(self.with_zone(replace(self.zone(zone), records=stored)), serial=self.serial + len(records))

    def with_behaviour(self, **switches: Any) -> State:
        """Return the state with some switches set."""
        return replace(self, behaviour=replace(self.behaviour, **switches))


def identifier(text: str) -> str:
    """Return 32 hexadecimal digits that identify a text."""
    return blake2s(text.encode(), digest_size=16).hexdigest()


def record_id(serial: int) -> str:
    """Return the id of the record that was created as the n-th."""
    return identifier(f"record {serial}")
