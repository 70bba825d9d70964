"""JSON text taken apart without loss: what is not understood keeps its very characters.

A value that is read and written again may come back changed (`1.0`, `1E2`, escapes). So the parts that are not ours stay
text, and only what we claimed is ever written anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NoReturn, TypeAlias, cast

from tunnel_webhook.domain.errors import InvalidConfiguration

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"


def _no_constant(name: str) -> NoReturn:
    message = f"{name} is not JSON"
    raise ValueError(message)


_decoder = json.JSONDecoder(parse_constant=_no_constant)
_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_space = re.compile(r"[ \t\r\n]*")


def parse_json(text: str) -> Json:
    """Return the value of a JSON text; raise InvalidConfiguration when it is not JSON."""
    try:
        return cast("Json", _decoder.decode(text))
    except (ValueError, RecursionError) as error:
        message = f"the tunnel's configuration is not JSON: {error}"
        raise InvalidConfiguration(message) from error


def to_text(value: Json) -> str:
    """Return the compact JSON text of a value."""
    return _encoder.encode(value)


@lru_cache(maxsize=1024)
def fold_key(key: str) -> str:
    """Return a member's name as Go's decoder compares it: in any case, the long s and the Kelvin sign included."""
    return key.lower().replace("\u017f", "s")


def folded(value: Json | Mapping[str, Json]) -> dict[str, Json]:
    """Return the members that Go sees, by folded name: the last one wins, null is as good as absent; of anything else none."""
    found = value if isinstance(value, Mapping) else {}
    return {fold_key(key): member for key, member in found.items() if member is not None}


def elements(text: str) -> tuple[tuple[str, Json], ...]:
    """Return each element of a JSON array as its own text and its value; the text must be an array."""
    found: list[tuple[str, Json]] = []
    at = _skip(text, _skip(text, 0) + 1)
    while text[at] != "]":
        value, end = _decoder.raw_decode(text, at)
        found.append((text[at:end], value))
        at = _next(text, end)
    return tuple(found)


def members(text: str) -> tuple[tuple[str, str], ...]:
    """Return each member of a JSON object as its key and the text of it all; the text must be an object."""
    found: list[tuple[str, str]] = []
    at = _skip(text, _skip(text, 0) + 1)
    while text[at] != "}":
        key, end = _decoder.raw_decode(text, at)
        _, end = _decoder.raw_decode(text, _skip(text, _skip(text, end) + 1))
        found.append((cast("str", key), text[at:end]))
        at = _next(text, end)
    return tuple(found)


def join_elements(texts: Iterable[str]) -> str:
    """Return the array of these element texts."""
    return "[" + ",".join(texts) + "]"


def join_members(texts: Iterable[str]) -> str:
    """Return the object of these member texts."""
    return "{" + ",".join(texts) + "}"


def _skip(text: str, at: int) -> int:
    match = _space.match(text, at)
    return match.end() if match else at


def _next(text: str, at: int) -> int:
    at = _skip(text, at)
    return _skip(text, at + 1) if text[at] == "," else at
