"""The genuine cloudflared (`go_cloudflared`): what a document and its rules come to, and which answers a request."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from doubles.child_process import child_process


@dataclass(frozen=True, slots=True)
class GenuineRule:
    """What cloudflared makes of a rule: its service, whether it verifies Access tokens, and its whole `originRequest`.

    The service is `bastion` for a jump host; `config` has cloudflared's own names, durations in seconds. `size` is the
    number of instructions that Go's regexp runs for its path.
    """

    service: str
    verified: bool
    config: Mapping[str, Any]
    size: int


@dataclass(frozen=True, slots=True)
class Answer:
    """Why cloudflared refuses a document and at which stage; else its rules, and the one that answers each request.

    `took` is how long it looked for each of these rules, in microseconds.
    """

    error: str
    stage: str
    matches: tuple[int, ...]
    took: tuple[int, ...]
    rules: tuple[GenuineRule, ...]


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
        rules = tuple(GenuineRule(**rule) for rule in answer["rules"] or ())
        return Answer(answer["error"], answer["stage"], tuple(answer["matches"]), tuple(answer["took"] or ()), rules)


@contextmanager
def running_cloudflared(program: Path) -> Iterator[Cloudflared]:
    """Run the program until the block ends."""
    with child_process([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        yield Cloudflared(process.stdin, process.stdout)
