"""What a command prints: lines, in colour where a terminal shows them, or JSON; and a spinner while it waits."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from tunnel_webhook.domain.cloudflared.json_text import Json

_NARROWEST = 20
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


def print_texts(texts: Iterable[Text], indent: int = 4) -> None:
    """Print texts on standard output; on a terminal in lines of its width, all but the first of a text indented.

    Elsewhere each text is one line, which other programs can search.
    """
    console = Console(soft_wrap=True, highlight=False)
    for text in texts:
        lines = _wrapped(text, console, indent) if is_on_terminal() else [text]
        for line in lines:
            console.print(line)


def is_on_terminal() -> bool:
    """Whether standard output is a terminal."""
    return sys.stdout.isatty()


def _wrapped(text: Text, console: Console, indent: int) -> Iterator[Text]:
    for number, line in enumerate(text.wrap(console, max(console.width - indent, _NARROWEST))):
        line.rstrip()
        yield Text.assemble(" " * indent, line) if number else line


def print_json(value: Json) -> None:
    """Print a value on standard output as JSON."""
    print(json.dumps(value, indent=2, ensure_ascii=False))  # noqa: T201 -- the output is the purpose of the command


def waiting(text: str) -> AbstractContextManager[object]:
    """Show a text on standard error until the block ends, if that is a terminal; the block must not print."""
    return Console(stderr=True).status(text)
