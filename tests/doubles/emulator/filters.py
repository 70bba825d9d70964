"""Which records a listing shows, and in which order.

| parameter                                             | shows records                                     |
|-------------------------------------------------------|---------------------------------------------------|
| `type`                                                | of that type                                      |
| `name`, `content`, `comment`, each also `.exact`      | with that value                                   |
| the same with `.contains`, `.startswith`, `.endswith` | whose value contains, starts with or ends with it |
| `order=name`                                          | by name; without it, by type                      |

All parameters must apply; case is ignored. Other parameters are ignored, as the API ignores unknown ones;
`name=contains:x` and the like are plain values (2025-02-21).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from doubles.emulator.envelope import Request
from doubles.emulator.values import Record

Test = Callable[[Record], bool]

_TEXTS: Mapping[str, Callable[[Record], str]] = {
    "name": lambda record: record.name,
    "content": lambda record: record.content,
    "comment": lambda record: record.comment or "",
}
_COMPARISONS: Mapping[str, Callable[[str, str], bool]] = {
    "": lambda text, value: text == value,
    "exact": lambda text, value: text == value,
    "contains": lambda text, value: value in text,
    "startswith": lambda text, value: text.startswith(value),
    "endswith": lambda text, value: text.endswith(value),
}


def select(records: Iterable[Record], request: Request) -> Sequence[Record]:
    """Return the records that a request asks for, in its order."""
    tests = [test for key, value in request.query if (test := _test(key, value.lower()))]
    selected = [record for record in records if all(test(record) for test in tests)]
    by_name = request.asked("order") == "name"
    return sorted(selected, key=lambda record: record.name if by_name else record.type)


def _test(key: str, value: str) -> Test | None:
    if key == "type":
        return lambda record: record.type.lower() == value
    field, _, comparison = key.partition(".")
    if field not in _TEXTS or comparison not in _COMPARISONS:
        return None
    text, compare = _TEXTS[field], _COMPARISONS[comparison]
    return lambda record: compare(text(record).lower(), value)
