"""RE2, the dialect of regular expressions that cloudflared and external-dns use.

Python's `re` accepts more than RE2 does, so RE2 itself decides (Go's `regexp` documents the same syntax). A compiled
expression may take a thousand times the memory of its text, so none is kept here: only whether it is accepted.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any, Protocol, cast

from tunnel_webhook.domain.memo import MIB, Memo, weight_of_texts

# google-re2 ships no types; `Pattern` below covers what is used.
_re2: Any = import_module("re2")

TOO_LARGE = "pattern too large - compile failed"
"""RE2's words for an expression whose program does not fit in the memory that it is given."""

_SMALL = 32 * 1024
_ESCAPES = re.compile(r"\\Q.*?(?:\\E|\Z)|\\.", re.DOTALL)


_LATIN1 = _re2.Options.Encoding.LATIN1


class Pattern(Protocol):
    """A compiled expression."""

    def search(self, text: str, /) -> object | None:
        """Return something when the expression matches anywhere in the text."""
        ...


def re2_fault(expression: str) -> str:
    """Return why Go's regexp refuses an expression, mostly in RE2's words; nothing where it accepts it.

    `TOO_LARGE` says nothing about Go, whose own limit is far higher: the expression is in RE2, and needs more than
    32 KiB, which is about 2,600 literal characters or one Unicode class. Measured: 100 times the class
    of all letters takes 78 ms in RE2's default of 8 MiB, and is refused in 0.3 ms here.
    """
    return _faults[expression]


def _fault_of(expression: str) -> str:
    try:
        compiled = _compile(expression, _SMALL)
    except ValueError as error:
        return str(error)
    # Go's regexp refuses these, although the C++ library accepts them.
    if r"\C" in _ESCAPES.findall(expression):
        return r"invalid escape sequence: \C"
    return "" if all(name.isascii() for name in compiled.groupindex) else "invalid named capture"


_faults = Memo(_fault_of, weight_of_texts, MIB)


def program_size(expression: str) -> int:
    """Return about how many instructions cloudflared runs for an expression; raise ValueError if it is not RE2.

    Go's instructions work on characters; those of RE2 on bytes, so that a class of Unicode has hundreds of them unless
    it treats each byte as a character.
    """
    return _sizes[expression]


def _size_of(expression: str) -> int:
    try:
        return int(_compile(expression.encode(), _SMALL, _LATIN1).programsize)
    except ValueError:
        return int(_compile(expression, _SMALL).programsize)


_sizes = Memo(_size_of, lambda expression, _: weight_of_texts(expression, ""), MIB)


def compile_re2(expression: str, memory: int = 8 * MIB) -> Pattern:
    """Return an expression compiled within a memory in bytes, not kept; raise ValueError with RE2's own sentence."""
    return cast("Pattern", _compile(expression, memory))


def _compile(expression: str | bytes, memory: int, encoding: object = None) -> Any:  # noqa: ANN401 -- untyped
    options = _re2.Options()
    options.encoding = encoding or options.encoding
    options.log_errors = False
    options.max_mem = memory
    try:
        return _re2.compile(expression, options)
    except _re2.error as error:
        reason = error.args[0]
        raise ValueError(reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)) from error
    finally:
        _re2.purge()  # the library keeps the last 128 it compiled
