"""Many changes to one zone in one transaction: deletes, patches, puts, posts, in this order whatever the order in the body.

All four arrays count together against the plan's limit (200, or 3,500). The first change that is refused undoes all of them and
is the only one that the answer tells, without saying which it was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from doubles.emulator.call import Call, Outcome
from doubles.emulator.draft import Draft, Fields
from doubles.emulator.envelope import body_as, succeed
from doubles.emulator.plans import PLANS
from doubles.emulator.problems import BATCH_TOO_LARGE, Refused
from doubles.emulator.records import told
from doubles.emulator.state import State
from doubles.emulator.values import Record


class Changes(msgspec.Struct, frozen=True):
    """What a batch asks for."""

    deletes: tuple[Fields, ...] | None = None
    patches: tuple[Fields, ...] | None = None
    puts: tuple[Fields, ...] | None = None
    posts: tuple[Fields, ...] | None = None


def post_batch(state: State, call: Call) -> Outcome:
    """POST /zones/{zone}/dns_records/batch."""
    zone = state.zones[call.ids["zone"]]
    changes = body_as(call.request, Changes)
    draft = Draft(state, zone, call.time)
    arrays: dict[str, tuple[tuple[Fields, ...] | None, Callable[[Fields], Record]]] = {
        "deletes": (changes.deletes, draft.delete),
        "patches": (changes.patches, draft.patch),
        "puts": (changes.puts, draft.put),
        "posts": (changes.posts, draft.post),
    }
    limit = PLANS[zone.plan].batch
    if sum(len(asked or ()) for asked, _ in arrays.values()) > limit:
        raise Refused(BATCH_TOO_LARGE.about(limit))
    absent: list[dict[str, Any]] | None = None if state.behaviour.batch_absent == "null" else []
    result: dict[str, list[dict[str, Any]] | None] = {
        name: absent if asked is None else [told(write(fields)) for fields in asked]
        for name, (asked, write) in arrays.items()
    }
    return draft.state, succeed(result)
