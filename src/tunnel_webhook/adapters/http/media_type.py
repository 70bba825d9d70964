"""A media type, read by the grammar of RFC 9110, 8.3.1: a type, a subtype, and parameters.

| text                            | read as                                                       |
|---------------------------------|---------------------------------------------------------------|
| `Text/Plain;Charset="utf-8"`    | `text/plain` with `charset` = `utf-8`                         |
| `text/plain ;; charset=utf-8;`  | the same: parameters may be empty, with spaces around the `;` |
| `text/plain;a/b;version=1`      | invalid: `a/b` is not a parameter                             |
| `text/plain, a/b;version=1`     | invalid: a list is not a media type                           |
| `a/b;version=2;version=1`       | invalid: it is ambiguous which version counts                 |
| `a/b;version = 1`               | invalid: spaces may not surround the `=`                      |
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 -- a token of the grammar
_QUOTED = r'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*+"'
# Possessive quantifiers, since a run of empty parameters would otherwise be tried in exponentially many ways.
_PARAMETER = rf"[ \t]*+;[ \t]*+(?:({_TOKEN})=({_TOKEN}|{_QUOTED}))?+"
_MEDIA_TYPE = re.compile(rf"({_TOKEN}/{_TOKEN})((?:{_PARAMETER})*+)")


@dataclass(frozen=True, slots=True)
class MediaType:
    """The essence is `type/subtype`; it and the parameters' names are in lower case, their values unquoted."""

    essence: str
    parameters: Mapping[str, str]

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the media type that the value of one Content-Type field names, or None if it is invalid."""
        match = _MEDIA_TYPE.fullmatch(text.strip(" \t"))
        if match is None:
            return None
        pairs = [(name.lower(), _unquoted(value)) for name, value in re.findall(_PARAMETER, match[2]) if name]
        parameters = dict(pairs)
        return cls(match[1].lower(), parameters) if len(parameters) == len(pairs) else None


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
