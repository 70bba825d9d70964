"""A secret: a text that appears in no output by accident."""

from __future__ import annotations

import re

_SECRET = re.compile(r"(?!')[!#-\[\]-~]+(?<!')")


class Secret:
    """A text that `repr`, `str`, `format` and encoders do not show; only `reveal` returns it.

    It is of visible ASCII characters, which every HTTP header carries, without `"` and backslashes, and without an
    apostrophe at either end: all of these are traces of copying from a shell, YAML or JSON.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        """Take the text, which may be empty; raise ValueError for one of other characters."""
        if text and not _SECRET.fullmatch(text):
            message = "visible ASCII characters are expected, without spaces, line breaks, backslashes and quotes"
            raise ValueError(message)
        self._text = text

    def reveal(self) -> str:
        """Return the text."""
        return self._text

    def __bool__(self) -> bool:
        """Whether the text is not empty."""
        return bool(self._text)

    def __repr__(self) -> str:
        """Return a mask, or nothing for an empty text."""
        return "***" if self._text else ""
