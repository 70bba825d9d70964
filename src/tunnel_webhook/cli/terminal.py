"""What a command prints: lines, in colour where a terminal shows them, or JSON; and a sign of life while it waits."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import AbstractContextManager

from rich.console import Console
from rich.text import Text

from tunnel_webhook.domain.cloudflared.json_text import Json


def print_lines(lines: Iterable[Text]) -> None:
    """Print lines on standard output, none of them broken or shortened."""
    console = Console(soft_wrap=True, highlight=False)
    for line in lines:
        console.print(line)


def print_json(value: Json) -> None:
    """Print a value on standard output as JSON."""
    print(json.dumps(value, indent=2, ensure_ascii=False))  # noqa: T201 -- the output is the purpose of the command


def waiting(text: str) -> AbstractContextManager[object]:
    """Show a text on standard error until the block ends, if that is a terminal; nothing else is printed meanwhile."""
    return Console(stderr=True).status(text)
