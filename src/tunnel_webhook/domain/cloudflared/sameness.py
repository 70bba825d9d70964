"""Whether two JSON texts of a tunnel's document say the same, however Cloudflare stored and returned them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

from tunnel_webhook.domain.cloudflared.json_text import Json

_DEFAULTS: Mapping[str, Json] = {"warp-routing": {"enabled": False}, "ingress": []}


class _Number(str):
    """A number by its text, so that `1.0` differs from `1`, and from the string "1.0"."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        """Whether the other is a number of the same text."""
        return isinstance(other, _Number) and str.__eq__(self, other)

    __hash__ = str.__hash__


_decoder = json.JSONDecoder(parse_float=_Number, parse_int=_Number)


def is_same_document(one: str, other: str) -> bool:
    """Whether two documents are the same; both must be JSON.

    The order of an object's members does not count, that of a list does, and numbers are compared by their text.
    Cloudflare adds `"warp-routing": {"enabled": false}` where it is absent; no rules are no `ingress`, or no document.
    """
    return one == other or _content(one) == _content(other)


def _content(text: str) -> Json:
    value = cast("Json", _decoder.decode(text))
    return {**_DEFAULTS, **(value or {})} if value is None or isinstance(value, dict) else value
