"""Quotation: what someone else wrote, in a sentence for the operator.

No sentence is as long as its input, and none repeats the user information of a URL, which may be a password.
"""

from __future__ import annotations

import re
from collections.abc import Collection

_MOST_CHARACTERS = 100
_MOST_NAMES = 10
# As it is written, `%`-escaped, and the two characters that UTS 46 maps to it.
_AT = re.compile("@|%40|\uff20|\ufe6b")
_MASK = "***"


def masked(text: str) -> str:
    """Return a text without the user information of a URL that it may hold; masking twice changes nothing.

    | text                                | shown as                                                            |
    |-------------------------------------|---------------------------------------------------------------------|
    | `https://user:p@ss/word@host:443`   | `https://***@host:443`: a password may hold any character           |
    | `user:secret@host`                  | `***@host`                                                          |
    | `/@name`, `^/@name`                 | as it is: a path, or the expression of one, unless `//` is in it    |
    """
    ends = [at.span() for at in _AT.finditer(text)]
    if not ends:
        return text
    start, end = ends[-1]
    scheme, slashes, _ = text[:start].partition("//")
    if slashes:
        return f"{scheme}//{_MASK}@{text[end:]}"
    return text if text.startswith(("/", "^")) else f"{_MASK}@{text[end:]}"


def has_user_information(text: str) -> bool:
    """Whether a text may hold the user information of a URL."""
    return masked(text) != text or f"{_MASK}@" in text


def quoted(text: str) -> str:
    """Return a text in quotes, escaped; of more than 100 characters only the first 100, and how many there are."""
    text = masked(text)
    if len(text) <= _MOST_CHARACTERS:
        return repr(text)
    return f"{text[:_MOST_CHARACTERS]!r}… ({len(text)} characters)"


def shortened(text: str, most: int = _MOST_CHARACTERS) -> str:
    """Return a text as it is, cut after `most` characters."""
    text = masked(text)
    return text if len(text) <= most else text[:most] + "…"


def listed(names: Collection[str]) -> str:
    """Return names in order, separated by commas; of more than 10 only the first 10, and how many are left."""
    first = ", ".join(shortened(name) for name in sorted(names)[:_MOST_NAMES])
    left = len(names) - _MOST_NAMES
    return f"{first} and {left} more" if left > 0 else first
