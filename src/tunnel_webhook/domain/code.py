"""Codes: words that appear in properties, metrics and JSON, each with the sentence of the documentation."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Code(StrEnum):
    """A code; its value is the word, `meaning` the sentence."""

    meaning: str

    def __new__(cls, word: str, meaning: str) -> Self:
        """Make the word the value, and keep the meaning beside it."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.meaning = meaning
        return member
