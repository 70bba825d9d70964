"""The one dialect of regular expressions that cloudflared and external-dns speak: RE2.

Python's `re` accepts more than RE2 does, so RE2 itself is asked (Go's `regexp` documents the same syntax).
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import import_module
from typing import Any, Protocol, cast

# google-re2 ships no types; `Pattern` below is all of it that is used.
_re2: Any = import_module("re2")

_ESCAPES = re.compile(r"\\Q.*?(?:\\E|\Z)|\\.", re.DOTALL)


class Pattern(Protocol):
    """A compiled expression."""

    def search(self, text: str, /) -> object | None:
        """Return something when the expression matches anywhere in the text."""
        ...


def _quiet() -> Any:  # noqa: ANN401 -- as untyped as its library
    options = _re2.Options()
    options.log_errors = False
    return options


@lru_cache(maxsize=65536)
def compile_re2(expression: str) -> Pattern:
    """Compile an expression; raise ValueError with RE2's own sentence when it is not RE2."""
    try:
        compiled = _re2.compile(expression, _quiet())
    except _re2.error as error:
        reason = error.args[0]
        raise ValueError(reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)) from error
    # What Go's regexp refuses although the C++ library accepts it.
    if r"\C" in _ESCAPES.findall(expression):
        message = r"invalid escape sequence: \C"
        raise ValueError(message)
    if not all(name.isascii() for name in compiled.groupindex):
        message = "invalid named capture"
        raise ValueError(message)
    return cast("Pattern", compiled)
