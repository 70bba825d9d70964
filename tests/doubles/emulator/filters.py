"""Which records a listing shows, and in which order.

| parameter                                                | shows records                                             |
|----------------------------------------------------------|-----------------------------------------------------------|
| `type`, `proxied`                                        | of that type, (not) proxied                               |
| `name`, `content`, `comment`, each also `.exact`         | with that value                                           |
| the same with `.contains`, `.startswith`, `.endswith`    | with that in it, before it, behind it                     |
| `comment.present`, `comment.absent`                      | with, without a comment, whatever the value               |
| `search`                                                 | with that anywhere                                        |
| `match=any`                                              | to which one of the parameters applies; else all must     |
| `order=type` (default) `name content ttl proxied`        | in this order, `direction=desc` reverses it               |

Case means nothing. Anything else is passed over, as the API does; `name=contains:x` and its like are plain values (2025-02-21).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from doubles.emulator.envelope import Request
from doubles.emulator.values import Record

Test = Callable[[Record], bool]

_TEXTS: Mapping[str, Callable[[Record], str]] = {
    "name": lambda record: record.name,
    "content": lambda record: record.content,
    "comment": lambda record: record.comment or "",
}
_COMPARISONS: Mapping[str, Callable[[str, str], bool]] = {
    "": lambda text, wanted: text == wanted,
    "exact": lambda text, wanted: text == wanted,
    "contains": lambda text, wanted: wanted in text,
    "startswith": lambda text, wanted: text.startswith(wanted),
    "endswith": lambda text, wanted: text.endswith(wanted),
}
_ORDERS: Mapping[str, Callable[[Record], Any]] = {
    "type": lambda record: record.type,
    "name": lambda record: record.name,
    "content": lambda record: record.content,
    "ttl": lambda record: record.ttl,
    "proxied": lambda record: record.proxied,
}


def select(records: Iterable[Record], request: Request) -> Sequence[Record]:
    """Return the records that a request asks to see, in the order it asks for."""
    tests = [test for key, value in request.query if (test := _test(key, value.lower()))]
    quantifier = any if request.asked("match") == "any" and tests else all
    found = [record for record in records if quantifier(test(record) for test in tests)]
    order = _ORDERS.get(request.asked("order"), _ORDERS["type"])
    return sorted(found, key=order, reverse=request.asked("direction") == "desc")


def _test(key: str, wanted: str) -> Test | None:
    plain: Mapping[str, Test] = {
        "type": lambda record: record.type.lower() == wanted,
        "proxied": lambda record: record.proxied == (wanted == "true"),
        "comment.present": lambda record: bool(record.comment),
        "comment.absent": lambda record: not record.comment,
        "search": lambda record: any(wanted in text(record).lower() for text in _TEXTS.values()),
    }
    field, _, comparison = key.partition(".")
    if key in plain or field not in _TEXTS or comparison not in _COMPARISONS:
        return plain.get(key)
    text, compare = _TEXTS[field], _COMPARISONS[comparison]
    return lambda record: compare(text(record).lower(), wanted)
