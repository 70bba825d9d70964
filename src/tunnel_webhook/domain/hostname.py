"""A hostname as DNS and cloudflared hold it, and the zone that holds a hostname."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Self, TypeVar, cast

from tunnel_webhook.domain.errors import InvalidEndpoint, Reason
from tunnel_webhook.domain.idna_lookup import to_a_labels
from tunnel_webhook.domain.memo import MIB, Memo, weight_of_texts
from tunnel_webhook.domain.quotation import has_user_information, quoted, shortened

_MAX_LENGTH = 253
# A name in Unicode may be longer than its A-labels, by characters that UTS 46 drops or joins.
_MAX_TEXT = 4 * _MAX_LENGTH
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOSTNAME = re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})*")
_T = TypeVar("_T")


class Hostname(str):
    """A name in canonical form: lower-case A-labels, no trailing dot, `*` only as the whole first label.

    Labels are at most 63 characters, the whole at most 253; `_` is allowed. Names in Unicode are taken as cloudflared
    looks them up, with UTS 46, so that emoji pass.
    It is a string, so it sorts, hashes and compares as one.
    """

    __slots__ = ()

    def __new__(cls, name: str) -> Self:
        """Accept a name that is already canonical; raise InvalidEndpoint for any other text."""
        return cast("Self", _names[name])

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the canonical form of a name; raise InvalidEndpoint if it has none."""
        return super().__new__(cls, _canonical(text))


def _checked(name: str) -> Hostname:
    hostname = Hostname.parse(name)
    if hostname != name:
        raise _invalid(name)
    return hostname


def _canonical(text: str) -> str:
    if len(text) > _MAX_TEXT:
        raise _invalid(text)
    name = text.strip().lower().removesuffix(".")
    if not name.isascii() or "xn--" in name:
        name = _to_ascii(name, text)
    if len(name) > _MAX_LENGTH or _HOSTNAME.fullmatch(name) is None:
        raise _invalid(text)
    return name


# The names that exist: every sync reads them again. Those that are desired are parsed once, when they are adjusted.
_names = Memo(_checked, weight_of_texts, 4 * MIB)


def _invalid(text: str) -> InvalidEndpoint:
    sentence = (
        f"{quoted(text)} is not a hostname: labels of letters, digits, '-' and '_' (at most 63 characters each, 253 in"
        " all), with '*' only as the whole first label, such as app.example.com or *.example.com"
    )
    return InvalidEndpoint(Reason.INVALID_HOSTNAME, sentence)


def _to_ascii(name: str, text: str) -> str:
    """Return a name with A-labels; an A-label that encodes what another one stands for is refused, not replaced."""
    try:
        labels = to_a_labels(name, only_international=True)
        if name.isascii() and labels != name:
            raise _invalid(text)
        return labels.removesuffix(".")
    except UnicodeError as error:
        fault = "" if has_user_information(text) else f": {shortened(str(error))}"
        sentence = f"{quoted(text)} is not a hostname under IDNA (UTS 46){fault}"
        raise InvalidEndpoint(Reason.INVALID_HOSTNAME, sentence) from error


def wildcards_above(hostname: Hostname) -> tuple[Hostname, ...]:
    """Return the wildcard hostnames that cover a hostname, the closest first."""
    parents = (hostname.split(".", count)[-1] for count in range(1, hostname.count(".") + 1))
    return tuple(Hostname(f"*.{parent}") for parent in parents if f"*.{parent}" != hostname)


def zone_of(hostname: str, zones: Mapping[str, _T]) -> _T | None:
    """Return the value of the longest zone name that equals the hostname or ends it at a dot."""
    name = hostname
    while name:
        zone = zones.get(name)
        if zone is not None:
            return zone
        name = name.partition(".")[2]
    return None
