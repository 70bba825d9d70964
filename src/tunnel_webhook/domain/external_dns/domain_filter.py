"""The domain filter: which hostnames may be touched, exactly as external-dns matches them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from tunnel_webhook.domain.cloudflared.re2_syntax import Pattern, compile_re2
from tunnel_webhook.domain.errors import InvalidPattern
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.idna_lookup import to_u_labels
from tunnel_webhook.domain.quotation import quoted, shortened


@dataclass(frozen=True, slots=True)
class DomainFilter:
    """Which hostnames are ours to touch (external-dns, endpoint/domain_filter.go).

    | filter                        | matches                                                        |
    |-------------------------------|----------------------------------------------------------------|
    | nothing set                   | every name                                                     |
    | include `example.com`         | the name itself and every name below it                        |
    | include `.example.com`        | every name below it, not the name itself                       |
    | exclude …                     | takes away what it matches in the same way                     |
    | regex_include / regex_exclude | replace both lists; RE2, searched anywhere in the Unicode form |

    Names are in the form of Hostname, after a leading dot if they have one. Raises InvalidEndpoint for a bad name,
    InvalidPattern for a bad expression or for lists beside expressions.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    regex_include: str = ""
    regex_exclude: str = ""

    def __post_init__(self) -> None:
        """Check the names and the expressions."""
        for expression in (self.regex_include, self.regex_exclude):
            _check_pattern(expression)
        if self.is_regular and (self.include or self.exclude):
            message = "a domain filter is either lists of names or regular expressions, not both"
            raise InvalidPattern(message)
        for name in (*self.include, *self.exclude):
            Hostname(name.removeprefix("."))

    @classmethod
    def parse(
        cls,
        include: Iterable[str] = (),
        exclude: Iterable[str] = (),
        regex_include: str = "",
        regex_exclude: str = "",
    ) -> Self:
        """Return a filter of names as people write them."""
        return cls(
            include=tuple(sorted({_parse_name(text) for text in include})),
            exclude=tuple(sorted({_parse_name(text) for text in exclude})),
            regex_include=regex_include,
            regex_exclude=regex_exclude,
        )

    @property
    def is_regular(self) -> bool:
        """Whether regular expressions decide."""
        return bool(self.regex_include or self.regex_exclude)

    def concerns(self, zone: str) -> bool:
        """Whether a hostname in a zone may pass; if not, nothing in that zone is ever asked for.

        | filter                 | the zone                         | concerns it |
        |------------------------|----------------------------------|-------------|
        | regular expressions    | any                              | yes         |
        | an exclude             | matches its name                 | no          |
        | no include             | any other                        | yes         |
        | an include             | is the name, above it, or below  | yes         |
        | includes               | any other                        | no          |
        """
        if self.is_regular:
            return True
        if any(_matches(zone, name) for name in self.exclude):
            return False
        return not self.include or any(_overlap(zone, name.removeprefix(".")) for name in self.include)

    def matches(self, hostname: Hostname) -> bool:
        """Whether the hostname passes."""
        if self.is_regular:
            name = _to_unicode(hostname)
            if self.regex_exclude and _compiled(self.regex_exclude).search(name):
                return False
            return not self.regex_include or bool(_compiled(self.regex_include).search(name))
        included = not self.include or any(_matches(hostname, name) for name in self.include)
        return included and not any(_matches(hostname, name) for name in self.exclude)


def _matches(hostname: str, name: str) -> bool:
    if name.startswith("."):
        return hostname.endswith(name)
    return hostname == name or hostname.endswith("." + name)


def _overlap(zone: str, name: str) -> bool:
    """Whether one of two names is the other, or below it."""
    return zone == name or zone.endswith("." + name) or name.endswith("." + zone)


def _parse_name(text: str) -> str:
    name = text.strip()
    return "." + Hostname.parse(name[1:]) if name.startswith(".") else Hostname.parse(name)


# The two expressions of one filter, which the operator chose; every hostname is compared with them.
@lru_cache(maxsize=2)
def _compiled(expression: str) -> Pattern:
    return compile_re2(expression)


def _check_pattern(expression: str) -> None:
    try:
        _compiled(expression)
    except ValueError as error:
        message = f"{quoted(expression)} is not a regular expression that RE2 accepts: {shortened(str(error))}"
        raise InvalidPattern(message) from error


def _to_unicode(name: str) -> str:
    """Return a name with its A-labels as U-labels, the form in which external-dns applies regular expressions."""
    return to_u_labels(name) if "xn--" in name else name
