"""A secret: a text that appears in no output by accident."""

from __future__ import annotations


class Secret:
    """A text that `repr`, `str`, `format` and encoders do not show; only `reveal` returns it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        """Take the text; raise ValueError for one that an HTTP header cannot carry."""
        if text.split() not in ([], [text]) or not text.isascii():
            message = "a secret of ASCII characters without spaces and line breaks is expected"
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
