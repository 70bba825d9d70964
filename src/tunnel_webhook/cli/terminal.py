"""What a command prints: lines, in colour where a terminal shows them, or JSON; and a spinner while it waits."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from tunnel_webhook.domain.cloudflared.json_text import Json

_COLOURS = {"+": "green", "-": "red", "~": "yellow", "!": "bold red", "": "bold"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line: `+` is added or in place, `-` removed, `~` changed or neutral, `!` wrong; a heading has no mark."""

    mark: str
    text: str

    def __str__(self) -> str:
        """Return the line as plain text."""
        return f"  {self.mark} {self.text}" if self.mark else self.text


def print_lines(lines: Iterable[Line]) -> None:
    """Print lines on standard output, each in the colour of its mark."""
    print_texts(Text(str(line), _COLOURS[line.mark]) for line in lines)


def print_texts(texts: Iterable[Text]) -> None:
    """Print texts on standard output, a line each, without wrapping or truncating any."""
    console = Console(soft_wrap=True, highlight=False)
    for text in texts:
        console.print(text)


def print_json(value: Json) -> None:
    """Print a value on standard output as JSON."""
    print(json.dumps(value, indent=2, ensure_ascii=False))  # noqa: T201 -- the output is the purpose of the command


def waiting(text: str) -> AbstractContextManager[object]:
    """Show a text on standard error until the block ends, if that is a terminal; the block must not print."""
    return Console(stderr=True).status(text)
