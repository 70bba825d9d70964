"""Many changes to one zone in one transaction: deletes, patches, puts, posts, whatever their order in the body.

All four arrays count together against the plan's limit (200, or 3,500). The first change that is refused undoes all of
them; the answer holds only its error, and does not say which change it was.
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
from doubles.emulator.records import members_of
from doubles.emulator.state import State
from doubles.emulator.values import Record


class Changes(msgspec.Struct, frozen=True):
    """The body of a batch."""

    deletes: tuple[Fields, ...] | None = None
    patches: tuple[Fields, ...] | None = None
    puts: tuple[Fields, ...] | None = None
    posts: tuple[Fields, ...] | None = None


def post_batch(state: State, call: Call) -> Outcome:
    """POST /zones/{zone}/dns_records/batch; the result holds null for an array that the body leaves out."""
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
    if sum(len(array or ()) for array, _ in arrays.values()) > limit:
        raise Refused(BATCH_TOO_LARGE.about(limit))
    result: dict[str, list[dict[str, Any]] | None] = {
        name: None if array is None else [members_of(write(fields)) for fields in array]
        for name, (array, write) in arrays.items()
    }
    return draft.state, succeed(result)
