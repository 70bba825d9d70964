"""The records of a zone, listed and counted."""

from __future__ import annotations

from typing import Any

from doubles.emulator.call import Call, Outcome
from doubles.emulator.envelope import listing, paged, succeed
from doubles.emulator.filters import select
from doubles.emulator.plans import quota_of
from doubles.emulator.record_rules import PROXIABLE
from doubles.emulator.state import State
from doubles.emulator.values import Record


def list_records(state: State, call: Call) -> Outcome:
    """GET /zones/{zone}/dns_records."""
    records = select(state.zones[call.ids["zone"]].records.values(), call.request)
    page = paged(call.request, records, (100, 1, 5_000_000), total_pages=state.behaviour.total_pages)
    return state, listing(page, [members_of(record) for record in page.items])


def get_usage(state: State, call: Call) -> Outcome:
    """GET /zones/{zone}/dns_records/usage."""
    zone = state.zones[call.ids["zone"]]
    return state, succeed({"record_quota": quota_of(zone), "record_usage": len(zone.records)})


def members_of(record: Record) -> dict[str, Any]:
    """Return a record as the API answers it: without `zone_id`, `zone_name` and `locked`, which it dropped in 2024."""
    stamps = {"comment_modified_on": record.comment_modified_on, "tags_modified_on": record.tags_modified_on}
    return {
        "id": record.id,
        "name": record.name,
        "type": record.type,
        "content": record.content,
        "proxiable": record.type in PROXIABLE,
        "proxied": record.proxied,
        "ttl": record.ttl,
        "settings": record.settings,
        "meta": record.meta,
        "comment": record.comment,
        "tags": record.tags,
        **record.more,
        "created_on": record.created_on,
        "modified_on": record.modified_on,
        **{key: stamp for key, stamp in stamps.items() if stamp},
    }
