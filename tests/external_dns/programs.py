"""The Go programs under `go/`, each a module of its own: built from the genuine packages of one version of external-dns."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

_SOURCES = Path(__file__).parent / "go"
# What Go says of a module or a toolchain that is not here and cannot be fetched; anything else is a fault of ours.
_OUT_OF_REACH = re.compile(
    r'Get "http|reading http|dial tcp|module lookup disabled|requires go >=|toolchain not available'
)


class NotHere(Exception):
    """A program cannot be built on this machine; the message says why in one line."""


@dataclass(frozen=True, slots=True)
class Programs:
    """Builds each program once, into a directory, and fails once where it cannot be built."""

    directory: Path
    _built: dict[str, Path | NotHere] = field(default_factory=dict)

    def path(self, module: str) -> Path:
        """Return where a program is; raise NotHere."""
        if module not in self._built:
            try:
                self._built[module] = self._build(module)
            except NotHere as error:
                self._built[module] = error
        built = self._built[module]
        if isinstance(built, NotHere):
            raise built
        return built

    def _build(self, module: str) -> Path:
        if shutil.which("go") is None:
            message = "Go is not on this machine, so the genuine external-dns cannot be built"
            raise NotHere(message)
        program = self.directory / module
        environment = {**os.environ, "GOFLAGS": "-mod=readonly"}  # noqa: TID251 -- Go finds its caches through the environment
        command = ("go", "build", "-o", str(program), ".")
        made = subprocess.run(
            command, cwd=_SOURCES / module, env=environment, capture_output=True, text=True, check=False
        )
        if _OUT_OF_REACH.search(made.stderr):
            message = f"tests/external_dns/go/{module} cannot be built here: {made.stderr.strip().splitlines()[-1]}"
            raise NotHere(message)
        assert made.returncode == 0, made.stderr
        return program
