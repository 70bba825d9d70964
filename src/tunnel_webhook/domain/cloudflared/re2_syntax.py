"""RE2, the dialect of regular expressions that cloudflared and external-dns use.

Python's `re` accepts more than RE2 does, so RE2 itself decides (Go's `regexp` documents the same syntax).
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import import_module
from typing import Any, Protocol, cast

# google-re2 ships no types; `Pattern` below covers what is used.
_re2: Any = import_module("re2")

_ESCAPES = re.compile(r"\\Q.*?(?:\\E|\Z)|\\.", re.DOTALL)


class Pattern(Protocol):
    """A compiled expression."""

    def search(self, text: str, /) -> object | None:
        """Return something when the expression matches anywhere in the text."""
        ...


def _quiet_options() -> Any:  # noqa: ANN401 -- the library is untyped
    options = _re2.Options()
    options.log_errors = False
    return options


@lru_cache(maxsize=65536)
def compile_re2(expression: str) -> Pattern:
    """Compile an expression; raise ValueError with RE2's own sentence when it is not RE2."""
    try:
        compiled = _re2.compile(expression, _quiet_options())
    except _re2.error as error:
        reason = error.args[0]
        raise ValueError(reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)) from error
    # Go's regexp refuses these, although the C++ library accepts them.
    if r"\C" in _ESCAPES.findall(expression):
        message = r"invalid escape sequence: \C"
        raise ValueError(message)
    if not all(name.isascii() for name in compiled.groupindex):
        message = "invalid named capture"
        raise ValueError(message)
    return cast("Pattern", compiled)
