"""Paths: `webhook/path` as the RE2 expression that cloudflared searches for in a URL path, unanchored.

A URL path comes without its query, and with every `%`-escape decoded.

| `webhook/path-match` | `webhook/path` | expression      | matches                       |
|----------------------|----------------|-----------------|-------------------------------|
| `prefix` (default)   | `/api`, `/api/` | `^/api(/|$)`   | `/api`, `/api/x`, not `/apis` |
| `prefix`             | `/`            | none            | every path                    |
| `exact`              | `/api`         | `^/api$`        | `/api` only                   |
| `prefix`, `exact`    | `/a%20b`       | as of `/a b`    | `/a%20b`                      |
| `regex`              | any RE2        | unchanged       | wherever it matches           |
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from tunnel_webhook.domain.cloudflared.re2_syntax import TOO_LARGE, program_size, re2_fault
from tunnel_webhook.domain.errors import InvalidEndpoint, Reason
from tunnel_webhook.domain.memo import MIB, Memo, weight_of_texts
from tunnel_webhook.domain.quotation import has_user_information, quoted, shortened

PREFIX_MATCH, EXACT_MATCH, REGEX_MATCH = "prefix", "exact", "regex"
_META = re.compile(r"[\\.+*?()|\[\]{}^$]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_REPETITION = re.compile(r"\{([0-9]{1,4})(?:,([0-9]{0,4}))?\}")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
# What a prefix or an exact path becomes: cloudflared compares its text once, and needs microseconds for hundreds.
_PLAIN = re.compile(r"\^(?:[^\\.+*?()|\[\]{}^$]|\\[\\.+*?()|\[\]{}^$])*(?:\$|\(/\|\$\))")
_ESCAPE = re.compile(r"%(?:[0-9A-Fa-f]{2})?")
_HINTS = {
    "?": "a query is not part of the path that a rule sees: leave out what follows the '?'",
    "#": "a browser sends nothing of what follows a '#': leave it out",
    "*": "a prefix needs no '*', since /api matches all below it; a pattern needs webhook/path-match: regex",
}
_MAX_LENGTH = 1024
MAX_PROGRAM = 100
"""The most instructions that the expression of a path may have; measured with cloudflared, see `planning.capacity`."""

MAX_PROGRAMS = 2_000
"""The most instructions of all expressions of a tunnel's paths together; prefix and exact paths have none."""

# RE2 parses and expands before it measures: a kilobyte of `\pL` cost 30 ms and more, one of `a{1000}` 4 ms.
_MAX_UNICODE_CLASSES = 8
_MAX_REPETITIONS = 1000


def path_expression(path: str, match: str) -> str:
    """Return the expression of a path, empty for one that matches everything; raise InvalidEndpoint."""
    return _expressions[path, match]


def _expression(path_and_match: tuple[str, str]) -> str:
    path, match = path_and_match
    fault = _fault_of_path(path, match)
    if fault:
        raise InvalidEndpoint(Reason.INVALID_PATH, fault)
    escaped = _META.sub(lambda meta: "\\" + meta[0], unquote(path))
    prefix = escaped.rstrip("/")
    expression = {REGEX_MATCH: path, EXACT_MATCH: f"^{escaped}$", PREFIX_MATCH: f"^{prefix}(/|$)" if prefix else ""}[
        match
    ]
    fault = _fault_of_expression(expression)
    if fault:
        raise InvalidEndpoint(Reason.INVALID_PATH, fault)
    return expression


_expressions = Memo(_expression, weight_of_texts, MIB)


def _fault_of_path(path: str, match: str) -> str:
    if match not in {PREFIX_MATCH, EXACT_MATCH, REGEX_MATCH}:
        return f"webhook/path-match is {quoted(match)}: accepted are prefix, exact and regex"
    if len(path) > _MAX_LENGTH:
        return f"webhook/path {quoted(path)} is too long: at most {_MAX_LENGTH} characters are accepted"
    if match != REGEX_MATCH and not path.startswith("/"):
        return (
            f"webhook/path {quoted(path)} does not start with '/'; a regular expression needs webhook/path-match: regex"
        )
    return "" if match == REGEX_MATCH else _fault_of_literal(path)


def _fault_of_literal(path: str) -> str:
    """Return why no request can have a path, or why it is not clear which ones do."""
    for character, hint in _HINTS.items():
        if character in path:
            return f"webhook/path {quoted(path)} has a {character!r}: {hint}"
    escapes = [escape[0] for escape in _ESCAPE.finditer(path)]
    if "%" in escapes:
        return f"webhook/path {quoted(path)} has a '%' that is not an escape: write %25 for the character itself"
    if any(escape.upper() == "%2F" for escape in escapes):
        return f"webhook/path {quoted(path)} has %2F, which cloudflared does not distinguish from a '/': write the '/'"
    try:
        unquote(path, errors="strict")
    except UnicodeDecodeError:
        return f"webhook/path {quoted(path)} has escapes that are not UTF-8, and a rule can hold only UTF-8"
    return ""


def regex_size(expression: str) -> int:
    """Return how many instructions cloudflared runs for an expression on every request, whatever its host.

    0 for none, and for what a prefix or an exact path becomes: those cost next to nothing. One that is too large to be
    measured here, which only a person can have written, counts as all that a tunnel may have.
    """
    if not expression or _PLAIN.fullmatch(expression):
        return 0
    try:
        return program_size(expression)
    except ValueError:
        return MAX_PROGRAMS


def _fault_of_expression(expression: str) -> str:
    if len(expression) > _MAX_LENGTH or _CONTROL.search(expression):
        return (
            f"webhook/path becomes {quoted(expression)}, which is longer than {_MAX_LENGTH} characters or holds control"
            " characters"
        )
    fault = TOO_LARGE if _is_bulky(expression) else re2_fault(expression)
    if fault == TOO_LARGE:
        return f"webhook/path {quoted(expression)} is too large for an expression that is tried on every request"
    if fault:
        words = "" if has_user_information(expression) else f": {shortened(fault)}"
        return f"webhook/path {quoted(expression)} is not a regular expression that RE2 accepts{words}"
    size = regex_size(expression)
    if size > MAX_PROGRAM:
        return (
            f"webhook/path {quoted(expression)} is too large for an expression that is tried on every request: it has"
            f" {size} instructions, and {MAX_PROGRAM} are accepted; use fewer and shorter repetitions"
        )
    return ""


def _is_bulky(expression: str) -> bool:
    """Whether an expression is seen to be too large without the cost of parsing it."""
    repetitions = sum(int(most or least) for least, most in _REPETITION.findall(expression))
    unicode_classes = sum(character in "pP" for character in _ESCAPED.findall(expression))
    return repetitions > _MAX_REPETITIONS or unicode_classes > _MAX_UNICODE_CLASSES
