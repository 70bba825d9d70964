"""JSON as Go's decoder reads it into cloudflared's structs: which members it sees, and which types it accepts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from tunnel_webhook.domain.cloudflared.json_text import Json
from tunnel_webhook.domain.memo import MIB, Memo, weight_of_texts

_INT64 = range(-(2**63), 2**63)
_UINT64 = range(2**64)

GoType: TypeAlias = Callable[[Json], bool]
"""Whether Go decodes a value into a type; null is decoded into any."""


def fold_key(key: str) -> str:
    """Return a member's name as Go compares it: in any case, the long s and the Kelvin sign included."""
    return _folded[key]


def _fold(key: str) -> str:
    return key.lower().replace("\u017f", "s")


_folded = Memo(_fold, weight_of_texts, MIB)


def fold_members(value: Json | Mapping[str, Json]) -> dict[str, Json]:
    """Return an object's members by folded name: the last one wins, null counts as absent; other values have none."""
    pairs = value if isinstance(value, Mapping) else {}
    return {fold_key(key): member for key, member in pairs.items() if member is not None}


def fold_pointers(members: Mapping[str, Json]) -> dict[str, Json]:
    """Return an object's members by folded name, where each is a pointer in Go.

    Then null makes it absent again, and a later object is decoded into the earlier one of the same name.
    """
    folded: dict[str, Json] = {}
    for key, member in members.items():
        name = fold_key(key)
        earlier = folded.pop(name, None)
        if isinstance(earlier, dict) and isinstance(member, dict):
            folded[name] = {**earlier, **member}
        elif member is not None:
            folded[name] = member
    return folded


def is_bool(value: Json) -> bool:
    """Whether Go decodes a value into a `bool`."""
    return isinstance(value, bool)


def is_string(value: Json) -> bool:
    """Whether Go decodes a value into a `string`."""
    return isinstance(value, str)


def is_int64(value: Json) -> bool:
    """Whether Go decodes a value into an `int64`."""
    return isinstance(value, int) and not isinstance(value, bool) and value in _INT64


def is_uint64(value: Json) -> bool:
    """Whether Go decodes a value into a `uint64`."""
    return isinstance(value, int) and not isinstance(value, bool) and value in _UINT64


def list_of(element: GoType) -> GoType:
    """Return the type of a slice."""
    return lambda value: isinstance(value, list) and all(item is None or element(item) for item in value)


def object_of(types: Mapping[str, GoType]) -> GoType:
    """Return the type of a struct, given its fields by folded name."""
    return lambda value: isinstance(value, dict) and not mistyped_member(value, types)


def mistyped_member(members: Mapping[str, Json], types: Mapping[str, GoType]) -> str:
    """Return the first member that Go cannot decode, or nothing; unknown members and nulls are ignored."""
    for key, value in members.items():
        accepts = types.get(fold_key(key))
        if accepts is not None and value is not None and not accepts(value):
            return key
    return ""
