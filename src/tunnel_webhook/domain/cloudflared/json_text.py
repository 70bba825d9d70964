"""JSON text taken apart without loss: what we do not understand keeps its exact characters.

A value that is decoded and encoded again may come back changed (`1.0`, `1E2`, escapes). So every part that is not ours
stays text, and only what we claimed is rewritten.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import NoReturn, TypeAlias, cast

from tunnel_webhook.domain.errors import InvalidConfiguration

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"


def _refuse_constant(name: str) -> NoReturn:
    message = f"{name} is not JSON"
    raise ValueError(message)


_decoder = json.JSONDecoder(parse_constant=_refuse_constant)
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


def elements(text: str) -> tuple[tuple[str, Json], ...]:
    """Return each element of a JSON array as its own text and its value; the text must be an array."""
    pairs: list[tuple[str, Json]] = []
    position = _skip_space(text, _skip_space(text, 0) + 1)
    while text[position] != "]":
        value, end = _decoder.raw_decode(text, position)
        pairs.append((text[position:end], value))
        position = _skip_comma(text, end)
    return tuple(pairs)


def members(text: str) -> tuple[tuple[str, str], ...]:
    """Return each member of a JSON object as its key and the whole member's text; the text must be an object."""
    pairs: list[tuple[str, str]] = []
    position = _skip_space(text, _skip_space(text, 0) + 1)
    while text[position] != "}":
        key, end = _decoder.raw_decode(text, position)
        _, end = _decoder.raw_decode(text, _skip_space(text, _skip_space(text, end) + 1))
        pairs.append((cast("str", key), text[position:end]))
        position = _skip_comma(text, end)
    return tuple(pairs)


def join_elements(texts: Iterable[str]) -> str:
    """Return the array of these element texts."""
    return "[" + ",".join(texts) + "]"


def join_members(texts: Iterable[str]) -> str:
    """Return the object of these member texts."""
    return "{" + ",".join(texts) + "}"


def _skip_space(text: str, position: int) -> int:
    match = _space.match(text, position)
    return match.end() if match else position


def _skip_comma(text: str, position: int) -> int:
    position = _skip_space(text, position)
    return _skip_space(text, position + 1) if text[position] == "," else position
