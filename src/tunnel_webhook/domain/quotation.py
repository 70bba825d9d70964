"""Quotation: what someone else wrote, in a sentence for the operator, so that no sentence is as long as its input."""

from __future__ import annotations

from collections.abc import Collection

_MOST_CHARACTERS = 100
_MOST_NAMES = 10


def quoted(text: str) -> str:
    """Return a text in quotes, escaped; of more than 100 characters only the first 100, and how many there are."""
    if len(text) <= _MOST_CHARACTERS:
        return repr(text)
    return f"{text[:_MOST_CHARACTERS]!r}… ({len(text)} characters)"


def shortened(text: str, most: int = _MOST_CHARACTERS) -> str:
    """Return a text as it is, cut after `most` characters."""
    return text if len(text) <= most else text[:most] + "…"


def listed(names: Collection[str]) -> str:
    """Return names in order, separated by commas; of more than 10 only the first 10, and how many are left."""
    first = ", ".join(shortened(name) for name in sorted(names)[:_MOST_NAMES])
    left = len(names) - _MOST_NAMES
    return f"{first} and {left} more" if left > 0 else first
