"""Names: a hostname as DNS and cloudflared hold it, the filter over hostnames, the zone that holds one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Self, TypeVar
from unicodedata import bidirectional

import idna

from tunnel_webhook.domain.errors import InvalidHostname, InvalidPattern
from tunnel_webhook.domain.regex import compile_re2

_MAX_LENGTH = 253
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_PLAIN = re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})*")
_JOINERS = "\u200c\u200d"
_T = TypeVar("_T")


class Hostname(str):
    """A name in its one form: lower-case A-labels, no trailing dot, `*` only as the whole first label.

    Labels are at most 63 characters, the whole at most 253; `_` is allowed. IDNA 2008 with UTS 46 mapping.
    It is a string, so it sorts, hashes and compares as one.
    """

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the one form of a name; raise InvalidHostname when it has none."""
        return cls(_canonical(text))

    @property
    def is_wildcard(self) -> bool:
        """Whether the name stands for every name below its parent."""
        return self.startswith("*.")

    @property
    def labels(self) -> int:
        """How many labels the name has."""
        return self.count(".") + 1


@lru_cache(maxsize=131072)
def _canonical(text: str) -> str:
    name = text.strip().lower().removesuffix(".")
    if not name.isascii() or "xn--" in name:
        name = _to_ascii(name, text)
    if len(name) > _MAX_LENGTH or _PLAIN.fullmatch(name) is None:
        message = (
            f"{text!r} is not a hostname: labels of letters, digits, '-' and '_' (at most 63 characters each, 253 in all),"
            " with '*' only as the whole first label, such as app.example.com or *.example.com"
        )
        raise InvalidHostname(message)
    return name


def _to_ascii(name: str, text: str) -> str:
    try:
        mapped = idna.uts46_remap(name, std3_rules=False, transitional=False)
        return ".".join(
            label if label.isascii() and not label.startswith("xn--") else idna.encode(label).decode()
            for label in mapped.removesuffix(".").split(".")
        )
    except idna.IDNAError as error:
        message = f"{text!r} is not a hostname under IDNA 2008: {error}"
        raise InvalidHostname(message) from error


def to_unicode(name: str) -> str:
    """Return a name with its A-labels as U-labels, the form in which external-dns applies regular expressions."""
    if "xn--" not in name:
        return name
    return ".".join(_label_to_unicode(label) for label in name.split("."))


def _label_to_unicode(label: str) -> str:
    try:
        return idna.decode(label) if label.startswith("xn--") else label
    except idna.IDNAError:
        return label


@lru_cache(maxsize=131072)
def alias_of(hostname: str) -> str:
    """Return the A-label form under which cloudflared also knows a rule's hostname, or nothing where that is no different.

    cloudflared asks Go's `idna.Lookup` (UTS 46, so that symbols pass which IDNA 2008 refuses), and gives a name that this
    refuses, such as one with `*` or `_`, no alias.
    """
    if hostname.isascii() and hostname == hostname.lower() and "xn--" not in hostname:
        return ""
    try:
        mapped = idna.uts46_remap(hostname, std3_rules=True).split(".")
        labels = [_to_u_label(label) for label in mapped]
        right_to_left = any(bidirectional(character) in {"R", "AL", "AN"} for label in labels for character in label)
        for label in filter(None, labels):
            _check_lookup(label, right_to_left=right_to_left)
    except UnicodeError:
        return ""
    alias = ".".join(label if label.isascii() else "xn--" + label.encode("punycode").decode() for label in labels)
    return "" if alias == hostname else alias


def _to_u_label(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    encoded = label.removeprefix("xn--")
    decoded = encoded.encode().decode("punycode")
    if encoded.rfind("-") == 0 or idna.uts46_remap(decoded) != decoded:
        message = f"{label!r} stands for what UTS 46 maps or refuses"
        raise idna.IDNAError(message)
    return decoded


def _check_lookup(label: str, *, right_to_left: bool) -> None:
    """Raise IDNAError for a label that `idna.Lookup` refuses; hyphens it looks for among the bytes."""
    octets = label.encode()
    if label.startswith("-") or label.endswith("-") or (octets[2:4] == b"--" and len(octets) > len("xx--")):
        message = f"{label!r} has a hyphen where none may be"
        raise idna.IDNAError(message)
    idna.check_initial_combiner(label)
    if right_to_left:
        idna.check_bidi(label, check_ltr=True)
    if not all(idna.valid_contextj(label, place) for place, character in enumerate(label) if character in _JOINERS):
        message = f"{label!r} has a joiner where none may be"
        raise idna.IDNAError(message)


def zone_of(hostname: Hostname, zones: Mapping[str, _T]) -> _T | None:
    """Return what belongs to the longest zone name that equals the hostname or ends it at a dot."""
    name: str = hostname
    while name:
        found = zones.get(name)
        if found is not None:
            return found
        name = name.partition(".")[2]
    return None


@dataclass(frozen=True, slots=True)
class DomainFilter:
    """Which hostnames are ours to touch, exactly as external-dns matches them (endpoint/domain_filter.go).

    | filter                        | matches                                                        |
    |-------------------------------|----------------------------------------------------------------|
    | nothing set                   | every name                                                     |
    | include `example.com`         | the name itself and every name below it                        |
    | include `.example.com`        | every name below it, not the name itself                       |
    | exclude …                     | takes away what it matches in the same way                     |
    | regex_include / regex_exclude | replace both lists; RE2, searched anywhere in the Unicode form |
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    regex_include: str = ""
    regex_exclude: str = ""

    @classmethod
    def parse(
        cls,
        include: Iterable[str] = (),
        exclude: Iterable[str] = (),
        regex_include: str = "",
        regex_exclude: str = "",
    ) -> Self:
        """Return a filter; raise InvalidHostname for a bad name, InvalidPattern for a bad or mixed regular expression."""
        for expression in (regex_include, regex_exclude):
            _check_pattern(expression)
        if (regex_include or regex_exclude) and (tuple(include) or tuple(exclude)):
            message = "a domain filter is either lists of names or regular expressions, not both"
            raise InvalidPattern(message)
        return cls(
            include=tuple(sorted({_filter_name(name) for name in include})),
            exclude=tuple(sorted({_filter_name(name) for name in exclude})),
            regex_include=regex_include,
            regex_exclude=regex_exclude,
        )

    def matches(self, hostname: Hostname) -> bool:
        """Whether the hostname passes."""
        if self.regex_include or self.regex_exclude:
            name = to_unicode(hostname)
            if self.regex_exclude and compile_re2(self.regex_exclude).search(name):
                return False
            return not self.regex_include or bool(compile_re2(self.regex_include).search(name))
        included = not self.include or any(_below(hostname, name) for name in self.include)
        return included and not any(_below(hostname, name) for name in self.exclude)


def _below(hostname: str, name: str) -> bool:
    if name.startswith("."):
        return hostname.endswith(name)
    return hostname == name or hostname.endswith("." + name)


def _filter_name(text: str) -> str:
    name = text.strip()
    return "." + Hostname.parse(name[1:]) if name.startswith(".") else Hostname.parse(name)


def _check_pattern(expression: str) -> None:
    try:
        compile_re2(expression)
    except ValueError as error:
        message = f"{expression!r} is not a regular expression that RE2 accepts: {error}"
        raise InvalidPattern(message) from error
