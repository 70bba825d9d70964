"""The records of a zone, one at a time, listed, and counted."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from doubles.emulator.call import Call, Outcome
from doubles.emulator.draft import Draft, Fields
from doubles.emulator.envelope import body_as, listing, paged, succeed
from doubles.emulator.filters import select
from doubles.emulator.plans import quota_of
from doubles.emulator.problems import RECORD_GONE, Refused
from doubles.emulator.record_rules import PROXIABLE
from doubles.emulator.state import State
from doubles.emulator.values import Record


def list_records(state: State, call: Call) -> Outcome:
    """GET /zones/{zone}/dns_records."""
    found = select(state.zones[call.ids["zone"]].records.values(), call.request)
    page = paged(call.request, found, (100, 1, 5_000_000), total_pages=state.behaviour.total_pages)
    return state, listing(page, [told(record) for record in page.items])


def get_usage(state: State, call: Call) -> Outcome:
    """GET /zones/{zone}/dns_records/usage."""
    zone = state.zones[call.ids["zone"]]
    return state, succeed({"record_quota": quota_of(zone), "record_usage": len(zone.records)})


def get_record(state: State, call: Call) -> Outcome:
    """GET /zones/{zone}/dns_records/{record}."""
    record = state.zones[call.ids["zone"]].records.get(call.ids["record"])
    if record is None:
        raise Refused(RECORD_GONE)
    return state, succeed(told(record))


def post_record(state: State, call: Call) -> Outcome:
    """POST /zones/{zone}/dns_records."""
    draft = Draft(state, state.zones[call.ids["zone"]], call.time)
    record = draft.post(body_as(call.request, Fields))
    return draft.state, succeed(told(record))


def patch_record(state: State, call: Call) -> Outcome:
    """PATCH /zones/{zone}/dns_records/{record}."""
    draft = Draft(state, state.zones[call.ids["zone"]], call.time)
    record = draft.patch(replace(body_as(call.request, Fields), id=call.ids["record"]))
    return draft.state, succeed(told(record))


def put_record(state: State, call: Call) -> Outcome:
    """PUT /zones/{zone}/dns_records/{record}."""
    draft = Draft(state, state.zones[call.ids["zone"]], call.time)
    record = draft.put(replace(body_as(call.request, Fields), id=call.ids["record"]))
    return draft.state, succeed(told(record))


def delete_record(state: State, call: Call) -> Outcome:
    """DELETE /zones/{zone}/dns_records/{record}."""
    draft = Draft(state, state.zones[call.ids["zone"]], call.time)
    gone = draft.delete(Fields(id=call.ids["record"]))
    return draft.state, succeed({"id": gone.id})


def told(record: Record) -> dict[str, Any]:
    """Return a record as the API tells it: without `zone_id`, `zone_name` and `locked`, which it dropped in 2024."""
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
