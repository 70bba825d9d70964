"""The genuine cloudflared (`go_cloudflared`): what it makes of a document, and which rule answers a request."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from doubles.child_process import child_process


@dataclass(frozen=True, slots=True)
class Answer:
    """Why cloudflared refuses a document and at which stage; else the index of the rule that answers each request."""

    error: str
    stage: str
    matches: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Cloudflared:
    """The running program: one line per question, one line per answer."""

    questions: IO[str]
    answers: IO[str]

    def ask(self, document: str, requests: Sequence[tuple[str, str]]) -> Answer:
        """Return what cloudflared makes of a document, and of requests given as host and path."""
        question = {"document": document, "requests": [{"host": host, "path": path} for host, path in requests]}
        self.questions.write(json.dumps(question) + "\n")
        self.questions.flush()
        answer = json.loads(self.answers.readline())
        return Answer(answer["error"], answer["stage"], tuple(answer["matches"]))


@contextmanager
def running_cloudflared(program: Path) -> Iterator[Cloudflared]:
    """Run the program until the block ends."""
    with child_process([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        yield Cloudflared(process.stdin, process.stdout)
