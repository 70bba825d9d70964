"""Which paths of a hostname a claim names, in as few characters as possible: a record's comment holds 100.

| text            | names                                                                        |
|-----------------|------------------------------------------------------------------------------|
| `.`             | the rule without a path                                                      |
| `.AbC-1x_yZ0`   | that rule, and the paths whose digests are `AbC-1` and `x_yZ0`               |
| `*`             | every path                                                                   |

A digest is the first 5 characters of the base64url form of the SHA-256 of a path's expression, so two paths share one
in a billion times; the planner refuses a path that a person's rule cannot be told from.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from sys import getsizeof
from typing import Self

from tunnel_webhook.domain.memo import MIB, Memo

DIGEST_LENGTH = 5
_WITHOUT_PATH, _EVERY = ".", "*"
_TEXT = re.compile(rf"\.?(?:[A-Za-z0-9_-]{{{DIGEST_LENGTH}}})*")


def digest_of(text: str) -> str:
    """Return 5 characters that stand for a text."""
    return _digests[text]


def _digest(text: str) -> str:
    return urlsafe_b64encode(sha256(text.encode(errors="surrogatepass")).digest())[:DIGEST_LENGTH].decode()


# A path is held by the rule that has it, too.
_digests = Memo(_digest, lambda _, digest: getsizeof(digest), 2 * MIB)


@dataclass(frozen=True, slots=True)
class ClaimedPaths:
    """The paths of one hostname that a claim names, as digests; every path where `is_every`."""

    digests: frozenset[str] = frozenset()
    is_every: bool = False

    @classmethod
    def of(cls, paths: Iterable[str]) -> Self:
        """Return what names exactly these paths, apart from those that share a digest with one of them."""
        return cls(frozenset([digest_of(path) if path else _WITHOUT_PATH for path in paths]))

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the paths of a text; None for a text that this class does not write."""
        if text == _EVERY:
            return cls(is_every=True)
        if not _TEXT.fullmatch(text):
            return None
        rest = text.removeprefix(_WITHOUT_PATH)
        found = {rest[start : start + DIGEST_LENGTH] for start in range(0, len(rest), DIGEST_LENGTH)}
        return cls(frozenset(found | ({_WITHOUT_PATH} if rest != text else set())))

    @property
    def text(self) -> str:
        """The paths as a text, the same for the same paths."""
        if self.is_every:
            return _EVERY
        paths = "".join(sorted(self.digests - {_WITHOUT_PATH}))
        return _WITHOUT_PATH + paths if _WITHOUT_PATH in self.digests else paths

    def __contains__(self, path: str) -> bool:
        """Whether a path is named; `path` is an RE2 expression, or empty."""
        return self.is_every or (digest_of(path) if path else _WITHOUT_PATH) in self.digests

    def __bool__(self) -> bool:
        """Whether any path is named."""
        return self.is_every or bool(self.digests)

    def __or__(self, other: ClaimedPaths) -> ClaimedPaths:
        """Return what names the paths of both."""
        if self.is_every or other.is_every:
            return EVERY_PATH
        if other.digests <= self.digests:
            return self
        return ClaimedPaths(self.digests | other.digests)

    def __sub__(self, other: ClaimedPaths) -> ClaimedPaths:
        """Return what names the paths of this one that the other does not; nothing is left beside every path."""
        if other.is_every:
            return NO_PATHS
        return self if self.is_every else ClaimedPaths(self.digests - other.digests)


NO_PATHS = ClaimedPaths()
EVERY_PATH = ClaimedPaths(is_every=True)
"""What a marker without `paths` names, as they were written before claims named paths."""
