"""Side doors: an account read and written behind an adapter, as a person at Cloudflare's dashboard does.

What a test expects of an adapter is compared with this, never with what the adapter itself says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Protocol

from msgspec import structs

from doubles.emulator import Configuration, Record, State
from tunnel_webhook.adapters.memory import InMemoryTunnels, InMemoryZones
from tunnel_webhook.domain.dns import DnsRecord, Zone


@dataclass(frozen=True, slots=True)
class Contents:
    """Every document (text and version) by its tunnel, and every record by the name of its zone."""

    documents: Mapping[str, tuple[str, int]]
    records: Mapping[str, tuple[DnsRecord, ...]]

    def with_document(self, tunnel: str, text: str) -> Contents:
        """Return the contents after a write of a tunnel's document."""
        _, version = self.documents[tunnel]
        return replace(self, documents={**self.documents, tunnel: (text, version + 1)})

    def with_records(self, zone: str, records: Iterable[DnsRecord]) -> Contents:
        """Return the contents with other records in a zone."""
        return replace(self, records={**self.records, zone: tuple(records)})


class SideDoor(Protocol):
    """Reads and replaces the contents of an account, and limits how many records a zone may hold."""

    def read(self) -> Contents: ...
    def write(self, contents: Contents) -> None: ...
    def limit(self, zone: str, quota: int) -> None: ...


@dataclass(frozen=True, slots=True)
class MemoryDoor:
    """The side door of the adapters in memory; a zone that they do not have yet is added."""

    tunnels: InMemoryTunnels
    zones: InMemoryZones

    def read(self) -> Contents:
        records = {zone.name: tuple(stored.values()) for zone, stored in self.zones.stored.items()}
        return Contents(dict(self.tunnels.documents), records)

    def write(self, contents: Contents) -> None:
        zones = {zone.name: zone for zone in self.zones.stored}
        self.tunnels.documents = dict(contents.documents)
        self.zones.stored = {
            zones.get(name, Zone(name, f"zone-{name}")): {record.id: record for record in records}
            for name, records in contents.records.items()
        }

    def limit(self, zone: str, quota: int) -> None:
        assert zone in self.read().records
        self.zones.quota = quota


@dataclass(frozen=True, slots=True)
class EmulatorDoor:
    """The side door of an emulator, in this process or in one of its own; its tunnels and zones are given."""

    state: Callable[[], State]
    seed: Callable[[State], None]

    def read(self) -> Contents:
        state = self.state()
        return Contents(
            {tunnel: (state.document(tunnel), state.version(tunnel)) for tunnel in state.tunnels},
            {zone.name: tuple(map(dns_record, zone.records.values())) for zone in state.zones.values()},
        )

    def write(self, contents: Contents) -> None:
        state = self.state()
        for tunnel, (text, version) in contents.documents.items():
            configuration = Configuration(document=text, version=version)
            state = state.with_tunnel(structs.replace(state.tunnels[tunnel], configuration=configuration))
        for name, records in contents.records.items():
            stored = {record.id: emulated_record(record) for record in records}
            state = state.with_zone(structs.replace(state.zone(name), records=stored))
        self.seed(state)

    def limit(self, zone: str, quota: int) -> None:
        state = self.state()
        self.seed(state.with_zone(structs.replace(state.zone(zone), quota=quota)))


def dns_record(record: Record) -> DnsRecord:
    """Return a record of the emulator as the domain knows it."""
    return DnsRecord(record.name, record.type, record.content, record.proxied, record.comment or "", record.id)


def emulated_record(record: DnsRecord) -> Record:
    """Return a record of the domain as the emulator stores it."""
    fields = {key: value for key, value in asdict(record).items() if key != "created"}
    return Record(**{**fields, "comment": record.comment or None})
