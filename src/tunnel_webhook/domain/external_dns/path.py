"""Paths: `webhook/path` as the RE2 expression that cloudflared searches for in a URL path, unanchored.

| `webhook/path-match` | `webhook/path` | expression      | matches                       |
|----------------------|----------------|-----------------|-------------------------------|
| `prefix` (default)   | `/api`, `/api/` | `^/api(/|$)`   | `/api`, `/api/x`, not `/apis` |
| `prefix`             | `/`            | none            | every path                    |
| `exact`              | `/api`         | `^/api$`        | `/api` only                   |
| `regex`              | any RE2        | unchanged       | wherever it matches           |
"""

from __future__ import annotations

import re
from functools import lru_cache

from tunnel_webhook.domain.cloudflared.re2_syntax import compile_re2
from tunnel_webhook.domain.errors import InvalidEndpoint, Reason

PREFIX_MATCH, EXACT_MATCH, REGEX_MATCH = "prefix", "exact", "regex"
_META = re.compile(r"[\\.+*?()|\[\]{}^$]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_MAX_LENGTH = 1024


@lru_cache(maxsize=16384)
def path_expression(path: str, match: str) -> str:
    """Return the expression of a path, empty for one that matches everything; raise InvalidEndpoint."""
    if match not in {PREFIX_MATCH, EXACT_MATCH, REGEX_MATCH}:
        sentence = f"webhook/path-match is {match!r}: accepted are prefix, exact and regex"
        raise InvalidEndpoint(Reason.INVALID_PATH, sentence)
    if match != REGEX_MATCH and not path.startswith("/"):
        sentence = (
            f"webhook/path {path!r} does not start with '/'; a regular expression needs webhook/path-match: regex"
        )
        raise InvalidEndpoint(Reason.INVALID_PATH, sentence)
    escaped = _META.sub(lambda meta: "\\" + meta[0], path)
    prefix = escaped.rstrip("/")
    expression = {REGEX_MATCH: path, EXACT_MATCH: f"^{escaped}$", PREFIX_MATCH: f"^{prefix}(/|$)" if prefix else ""}[
        match
    ]
    _check(expression)
    return expression


def _check(expression: str) -> None:
    if len(expression) > _MAX_LENGTH or _CONTROL.search(expression):
        sentence = (
            f"webhook/path becomes {expression!r}, which is longer than {_MAX_LENGTH} characters or holds control"
            " characters"
        )
        raise InvalidEndpoint(Reason.INVALID_PATH, sentence)
    try:
        compile_re2(expression)
    except ValueError as error:
        sentence = f"webhook/path {expression!r} is not a regular expression that RE2 accepts: {error}"
        raise InvalidEndpoint(Reason.INVALID_PATH, sentence) from error
