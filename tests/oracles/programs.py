"""The Go programs that the tests run: genuine packages behind a small `main`, each a module of its own.

    PYTHONPATH=tests python -m oracles.programs [NAME ...]

builds them (`nox -s programs` does the same) into `.programs/`, before pytest starts: nothing is built, installed or
downloaded inside a test. A test that needs a program which cannot be built on this machine is skipped, and the reason
is the line that the build printed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

TESTS = Path(__file__).parents[1]
DIRECTORY = TESTS.parent / ".programs"
_DRIVERS = TESTS / "external_dns" / "go"
SOURCES: Mapping[str, Path] = {
    # Each go.mod names the dependencies of the newest external-dns, so that Go compiles them once for all five drivers.
    **{version: _DRIVERS / version for version in ("v0_22", "v0_20", "v0_18", "v0_15", "v0_14")},
    "planner": TESTS / "oracles" / "go_external_dns_planner",
    "cloudflared": TESTS / "oracles" / "go_cloudflared",
}
"""What `nox` builds: the five drivers of external-dns, its planner, and cloudflared's ingress rules."""

ON_DEMAND: Mapping[str, Path] = {"controller": _DRIVERS / "controller"}
"""What is built when it is named: the whole of external-dns takes minutes."""

_COMMAND = "python -m nox -s programs"
_BUILD = ("go", "build", "-trimpath", "-gcflags=all=-dwarf=false", "-ldflags=-s -w")
_ENVIRONMENT = {"GOFLAGS": "-mod=readonly -buildvcs=false", "CGO_ENABLED": "0"}
# The errors of Go for a module or a toolchain that is missing and cannot be fetched; anything else is our fault.
_OUT_OF_REACH = re.compile(
    r'Get "http|reading http|dial tcp|module lookup disabled|requires go >=|toolchain not available'
)


class Unavailable(Exception):
    """A program or a module is not on this machine; the message says why in one line."""


def program(name: str) -> Path:
    """Return where a built program is; raise Unavailable."""
    path, reason = DIRECTORY / name, DIRECTORY / f"{name}.unavailable"
    if reason.exists():
        raise Unavailable(reason.read_text())
    if not path.exists():
        message = f"{name} is not built: run `{_COMMAND}{f' -- {name}' if name in ON_DEMAND else ''}` first"
        raise Unavailable(message)
    return path


def module(path: str, name: str = "v0_22") -> Path:
    """Return the directory of a module that a program requires, in Go's module cache; raise Unavailable."""
    if shutil.which("go") is None:
        raise Unavailable(_without_go(path))
    command = ("go", "list", "-m", "-f", "{{.Dir}}", path)
    listed = _go(command, SOURCES[name], GOPROXY="off")
    if not listed.stdout.strip():
        message = f"{path} is not in Go's module cache: run `{_COMMAND}` first"
        raise Unavailable(message)
    return Path(listed.stdout.strip())


def build(name: str) -> None:
    """Build a program; raise Unavailable, or CalledProcessError where the fault is ours."""
    if shutil.which("go") is None:
        raise Unavailable(_without_go(name))
    built = _go((*_BUILD, "-o", str(DIRECTORY / name), "."), {**SOURCES, **ON_DEMAND}[name])
    if _OUT_OF_REACH.search(built.stderr):
        message = f"{name} cannot be built here: {built.stderr.strip().splitlines()[-1]}"
        raise Unavailable(message)
    if built.returncode:
        sys.stderr.write(built.stderr)
        built.check_returncode()


def main(names: list[str]) -> None:
    """Build these programs, or all that `nox` builds, and print a line for each with its seconds."""
    DIRECTORY.mkdir(exist_ok=True)
    for name in names or SOURCES:
        reason = DIRECTORY / f"{name}.unavailable"
        reason.unlink(missing_ok=True)
        started = time.monotonic()
        sys.stdout.write(f"{name:12} ")
        sys.stdout.flush()
        try:
            build(name)
        except Unavailable as error:
            (DIRECTORY / name).unlink(missing_ok=True)
            reason.write_text(str(error))
            sys.stdout.write(f"UNAVAILABLE, its tests will be skipped: {error}\n")
        else:
            sys.stdout.write(f"{time.monotonic() - started:6.1f} s\n")


def _go(command: tuple[str, ...], directory: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, **_ENVIRONMENT, **environment}  # noqa: TID251 -- Go finds its caches through the environment
    return subprocess.run(command, cwd=directory, env=variables, capture_output=True, text=True, check=False)


def _without_go(name: str) -> str:
    return f"{name} needs Go, which is not on this machine"


if __name__ == "__main__":
    main(sys.argv[1:])
