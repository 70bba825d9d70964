"""The genuine cloudflared, asked what it makes of a document: `go/`, built from its own packages."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_SOURCE = Path(__file__).parent / "go_cloudflared"
# What Go says of a module or a toolchain that is not here and cannot be fetched; anything else is a fault of ours.
_OUT_OF_REACH = re.compile(
    r'Get "http|reading http|dial tcp|module lookup disabled|requires go >=|toolchain not available'
)


class NotHere(Exception):
    """The program cannot be built on this machine; the message says why in one line."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What cloudflared says: why it refuses a document and at which stage, else which rule answers each request."""

    error: str
    stage: str
    matches: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Oracle:
    """The running program: a question a line, an answer a line."""

    questions: IO[str]
    answers: IO[str]

    def ask(self, document: str, requests: Sequence[tuple[str, str]]) -> Answer:
        """Return what cloudflared makes of a document, and of requests given as host and path."""
        asked = [{"host": host, "path": path} for host, path in requests]
        self.questions.write(json.dumps({"document": document, "requests": asked}) + "\n")
        self.questions.flush()
        answer = json.loads(self.answers.readline())
        return Answer(answer["error"], answer["stage"], tuple(answer["matches"]))


def build(directory: Path) -> Path:
    """Build the program into a directory; raise NotHere."""
    if shutil.which("go") is None:
        message = "Go is not on this machine, so the genuine cloudflared cannot be built"
        raise NotHere(message)
    program = directory / "oracle"
    made = subprocess.run(
        ("go", "build", "-o", str(program), "."), cwd=_SOURCE, capture_output=True, text=True, check=False
    )
    if _OUT_OF_REACH.search(made.stderr):
        message = f"tests/oracles/go_cloudflared cannot be built here: {made.stderr.strip().splitlines()[-1]}"
        raise NotHere(message)
    assert made.returncode == 0, made.stderr
    return program


@contextmanager
def running(program: Path) -> Iterator[Oracle]:
    """Run the program, and end it."""
    with subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        yield Oracle(process.stdin, process.stdout)
