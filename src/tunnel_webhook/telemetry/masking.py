"""Masking: the texts that appear in no output, however they are spelt; one set per process, which learns.

| spelling of a character                | example for `@`                    |
|----------------------------------------|------------------------------------|
| itself, in upper or lower case         | `@`                                |
| after backslashes, as JSON escapes it  | backslash and `@`                  |
| percent-encoded, once or several times | `%40`, `%2540`                     |
| as an escape of JSON or Python         | `u0040` or `x40` after a backslash |

Characters may be spelt differently within one text. Its base64 is masked as well, also as a part of a longer text that
was encoded, such as `user:password`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator

MASK = "***"
_SHORTEST = 4
_SHORTEST_ENCODED = 8
_BEARER = r"(?<=(?-i:Bearer) )[^\s\"'\\]+"


class Masking:
    """Replaces secrets in texts; what follows `Bearer` is one, whatever it is."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Learn the secrets."""
        self._patterns: set[str] = set()
        self._pattern = re.compile(_BEARER, re.IGNORECASE)
        for secret in secrets:
            self.learn(secret)

    def learn(self, secret: str) -> None:
        """Mask a text from now on; one of less than 4 characters is in too many words to be masked."""
        if len(secret) < _SHORTEST:
            return
        self._patterns |= {"".join(map(_spellings, secret)), *map(re.escape, _encodings(secret.encode()))}
        longest_first = sorted(self._patterns, key=lambda pattern: (-len(pattern), pattern))
        self._pattern = re.compile("|".join([*longest_first, _BEARER]), re.IGNORECASE)

    def __call__(self, text: str) -> str:
        """Return a text without the secrets."""
        return self._pattern.sub(MASK, text)


def _spellings(character: str) -> str:
    """Return a pattern of every spelling of one character."""
    percent = "".join(f"%(?:25){{0,4}}{byte:02x}" for byte in character.encode())
    escapes = rf"\\{{1,8}}(?:u{ord(character):04x}|x{ord(character):02x})"
    # The longest first: the character itself may be the backslash or the percent sign that begins the others.
    return rf"(?:{escapes}|{percent}|\\{{0,8}}{re.escape(character)})"


def _encodings(secret: bytes) -> Iterator[str]:
    """Yield what a longer text has in common in base64, whatever stands around the secret: one for each alignment."""
    for before in range(3):
        # Only the characters that encode nothing but bits of the secret are the same in every text.
        first, last = -(-8 * before // 6), 8 * (before + len(secret)) // 6
        encoded = base64.b64encode(b"\0" * before + secret)[first:last].decode()
        if len(encoded) >= _SHORTEST_ENCODED:
            yield from (encoded, encoded.translate(str.maketrans("+/", "-_")))
