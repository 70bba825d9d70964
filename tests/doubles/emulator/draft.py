"""The records of one zone while a batch changes them; if a change is refused, the draft is discarded.

| change                    | beside records of its name, or condition | refused |
|---------------------------|------------------------------------------|---------|
| any new or renamed record | one of the same type and content         | 81058   |
| CNAME                     | A, AAAA, CNAME                           | 81053   |
| A, AAAA                   | CNAME                                    | 81054   |
| NS                        | any other type                           | 81055   |
| any other type            | NS                                       | 81055   |
| a new record              | the zone holds as many as its quota      | 81045   |
| a patch, put or delete    | the zone holds no record of that id      | 81044   |
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import asdict, replace

from doubles.emulator.plans import PLANS, quota_of
from doubles.emulator.problems import (
    CNAME_TAKEN,
    FREE_DOMAIN,
    HOST_TAKEN,
    IDENTICAL,
    INVALID_BODY,
    NS_TAKEN,
    QUOTA_EXCEEDED,
    RECORD_GONE,
    TYPE_CHANGED,
    Refused,
)
from doubles.emulator.record_rules import check_record, full_name, stored_content
from doubles.emulator.state import State, record_id
from doubles.emulator.values import Record, Zone

_FREE_DOMAINS = ("cf", "ga", "gq", "ml", "tk")
_MORE = ("priority", "data")


class Fields(msgspec.Struct, frozen=True):
    """The fields of a record in a request; those that it leaves out are unset."""

    id: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    type: str | UnsetType = UNSET
    content: str | UnsetType = UNSET
    ttl: int | UnsetType = UNSET
    proxied: bool | UnsetType = UNSET
    comment: str | UnsetType | None = UNSET
    tags: tuple[str, ...] | UnsetType = UNSET
    settings: dict[str, Any] | UnsetType = UNSET
    priority: int | UnsetType = UNSET
    data: dict[str, Any] | UnsetType = UNSET


class Draft:
    """A zone's records, changed one after the other as Cloudflare would; `state` is the result."""

    def __init__(self, state: State, zone: Zone, time: str) -> None:
        """Begin with the records of a zone."""
        if zone.name.rpartition(".")[2] in _FREE_DOMAINS:
            raise Refused(FREE_DOMAIN)
        self._state, self._zone, self._time = state, zone, time
        self._serial = state.serial
        self._records = dict(zone.records)
        self._named: defaultdict[str, set[str]] = defaultdict(set)
        for record in zone.records.values():
            self._named[record.name].add(record.id)

    @property
    def state(self) -> State:
        """The state with the changes so far."""
        return replace(self._state.with_zone(replace(self._zone, records=self._records)), serial=self._serial)

    def delete(self, fields: Fields) -> Record:
        """Delete a record."""
        deleted = self._stored(fields)
        del self._records[deleted.id]
        self._named[deleted.name].discard(deleted.id)
        return deleted

    def patch(self, fields: Fields) -> Record:
        """Change the fields of a record that a request names."""
        return self._change(self._stored(fields), fields)

    def put(self, fields: Fields) -> Record:
        """Overwrite a record: a field that a request leaves out gets the default of a new record."""
        stored = self._stored(fields)
        blank = Record("", "", "", id=stored.id, created_on=stored.created_on, meta=stored.meta)
        return self._change(stored, fields, base=blank)

    def post(self, fields: Fields) -> Record:
        """Add a record."""
        blank = Record("", "", "", id=record_id(self._serial + 1), created_on=self._time)
        record = self._written(blank, fields)
        self._check_neighbours(record)
        quota = quota_of(self._zone)
        if quota is not None and len(self._records) >= quota:
            raise Refused(QUOTA_EXCEEDED)
        self._serial += 1
        return self._keep(record)

    def _stored(self, fields: Fields) -> Record:
        record = self._records.get(fields.id) if isinstance(fields.id, str) else None
        if record is None:
            raise Refused(RECORD_GONE)
        return record

    def _change(self, stored: Record, fields: Fields, base: Record | None = None) -> Record:
        record = self._written(base or stored, fields)
        if record.type != stored.type:
            raise Refused(TYPE_CHANGED)
        self._named[stored.name].discard(stored.id)
        self._check_neighbours(record)
        return self._keep(record)

    def _keep(self, record: Record) -> Record:
        self._records[record.id] = record
        self._named[record.name].add(record.id)
        return record

    def _written(self, base: Record, fields: Fields) -> Record:
        """Return a record with these fields changed, as it would be stored."""
        changed = {key: value for key, value in asdict(fields).items() if value is not UNSET and key != "id"}
        more = {key: changed.pop(key) for key in _MORE if key in changed}
        record = replace(base, **changed, more={**base.more, **more}, modified_on=self._time)
        kind = record.type.upper()
        record = replace(
            record,
            name=full_name(record.name, self._zone.name),
            type=kind,
            content=stored_content(kind, record.content),
            ttl=1 if record.proxied else record.ttl,
            comment=record.comment or None,
            comment_modified_on=self._time if (record.comment or None) != base.comment else base.comment_modified_on,
            tags_modified_on=self._time if record.tags != base.tags else base.tags_modified_on,
        )
        if not record.type:
            raise Refused(INVALID_BODY)
        check_record(record, PLANS[self._zone.plan])
        return record

    def _check_neighbours(self, record: Record) -> None:
        neighbours = [self._records[key] for key in self._named[record.name]]
        kinds = {neighbour.type for neighbour in neighbours}
        if any((other.type, other.content) == (record.type, record.content) for other in neighbours):
            raise Refused(IDENTICAL)
        if record.type == "CNAME" and kinds & {"A", "AAAA", "CNAME"}:
            raise Refused(HOST_TAKEN)
        if record.type in {"A", "AAAA"} and "CNAME" in kinds:
            raise Refused(CNAME_TAKEN)
        together = kinds | {record.type}
        if kinds and "NS" in together and len(together) > 1:
            raise Refused(NS_TAKEN)
