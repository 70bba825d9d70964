"""Patterns of hostnames, in a policy file and in `ADOPT_HOSTNAMES`: compared by label, never as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from tunnel_webhook.domain.errors import InvalidEndpoint
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.quotation import quoted


@dataclass(frozen=True, slots=True)
class HostnamePattern:
    """Which hostnames are meant.

    | pattern            | covers                                                            |
    |--------------------|-------------------------------------------------------------------|
    | `app.example.com`  | that name                                                         |
    | `*.example.com`    | every name below it at any depth, and every wildcard at or below it |
    | `pr-*.example.com` | names directly below `example.com` whose first label matches      |

    No pattern covers an apex unless it is written. `parent` is what follows the first label of a pattern with `*`, and
    `head` and `tail` are what surrounds the `*`.
    """

    parent: str
    head: str = ""
    tail: str = ""
    is_exact: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the pattern; raise ValueError for a text of another form."""
        first, _, parent = text.partition(".")
        stars = text.count("*")
        try:
            if not stars:
                return cls(Hostname.parse(text), is_exact=True)
            head, _, tail = first.lower().partition("*")
            if stars > 1 or "*" not in first or not parent:
                raise _invalid(text)
            if head or tail:
                Hostname.parse(f"{head or 'x'}x{tail or 'x'}.{parent}")
            return cls(Hostname.parse(parent), head, tail)
        except InvalidEndpoint as error:
            raise _invalid(text) from error

    def covers(self, hostname: str) -> bool:
        """Whether every name that a hostname stands for is meant; a wildcard stands for the names below its parent."""
        if self.is_exact:
            return hostname == self.parent
        first, _, parent = hostname.partition(".")
        if self.is_fragment:
            return parent == self.parent and self._matches(first)
        return _is_at_or_below(parent, self.parent)

    def touches(self, hostname: str) -> bool:
        """Whether any name that a hostname stands for is meant."""
        if not hostname.startswith("*."):
            return self.covers(hostname)
        below = hostname[2:]
        if self.is_exact:
            return self.parent.endswith("." + below)
        return _is_at_or_below(self.parent, below) or (not self.is_fragment and _is_at_or_below(below, self.parent))

    @property
    def is_fragment(self) -> bool:
        """Whether the `*` is a part of the first label only."""
        return bool(self.head or self.tail)

    def __str__(self) -> str:
        """Return the pattern as it is written."""
        return self.parent if self.is_exact else f"{self.head}*{self.tail}.{self.parent}"

    def _matches(self, label: str) -> bool:
        is_long_enough = len(label) >= len(self.head) + len(self.tail)
        return is_long_enough and label.startswith(self.head) and label.endswith(self.tail) and label != "*"


def _is_at_or_below(name: str, parent: str) -> bool:
    return name == parent or name.endswith("." + parent)


def _invalid(text: str) -> ValueError:
    accepted = "accepted are app.example.com, *.example.com and pr-*.example.com"
    return ValueError(f"{quoted(text)} is not a pattern of hostnames: {accepted}")
