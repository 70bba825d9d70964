"""All that the emulated Cloudflare holds, as one frozen value, so that a test can seed, read and compare it.

State
├── accounts, tokens, keys     who may ask; tokens by their secret, global API keys by e-mail address
├── tunnels                    by id, each with its configuration document as text
├── zones                      by id, each with its records by id
└── behaviour                  what the real API does in more than one way, as switches
"""

from __future__ import annotations

from hashlib import blake2s
from typing import Any

import msgspec
from msgspec.structs import replace

from doubles.emulator.behaviour import Behaviour
from doubles.emulator.values import EPOCH, Account, Configuration, Record, Token, Tunnel, Value, Zone


class State(Value, frozen=True):
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
        """Return the state after somebody wrote a tunnel's document, unchecked and to the very character."""
        held = self.tunnels[tunnel]
        written = Configuration(document=document, version=self.version(tunnel) + 1, created_at=at)
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
