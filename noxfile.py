"""What CI runs: `nox` alone does all of it. Every session installs the locked versions, and nothing else."""

import os
import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2025.2"
nox.options.default_venv_backend = "uv"
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["lint", "types", "imports", "audit", "external_dns", "tests", "cover"]


def _install(session: nox.Session) -> None:
    session.install("--require-hashes", "--requirement", "requirements-dev.lock")
    session.install("--no-deps", "--no-build-isolation", "--editable", ".")


def _need(session: nox.Session, *programs: str) -> None:
    absent = [program for program in programs if shutil.which(program) is None]
    if absent:
        session.skip(f"{' and '.join(absent)} not on this machine, so that what this session drives cannot be built")


def _pytest(session: nox.Session, *arguments: str, runner: tuple[str, ...] = ("python", "-m")) -> None:
    # A random seed in CI would turn a rare failure into a riddle; `nightly` explores.
    profile = os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev")
    session.run(*runner, "pytest", *arguments, env={"HYPOTHESIS_PROFILE": profile})


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format, with every rule of ruff that pyproject.toml does not argue against."""
    _install(session)
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session
def types(session: nox.Session) -> None:
    """Check types: mypy strict on everything, pyright strict on the source."""
    _install(session)
    session.run("mypy")
    session.run("pyright", "--pythonpath", str(Path(session.bin) / "python"))


@nox.session
def imports(session: nox.Session) -> None:
    """Check the import law: dependencies point inward, and every module has a place."""
    _install(session)
    session.run("lint-imports", "--no-logo")


@nox.session
def tests(session: nox.Session) -> None:
    """Run all tests but those that need Go; further arguments go to pytest."""
    _install(session)
    selected = "not external_dns and not cloudflared and not controller and not container"
    _pytest(session, "-m", selected, *session.posargs, runner=("coverage", "run", "-m"))


@nox.session
def external_dns(session: nox.Session) -> None:
    """Drive the running process with the genuine external-dns, and ask the genuine cloudflared; skips where Go is missing."""
    _install(session)
    _need(session, "go")
    _pytest(session, "-m", "(external_dns or cloudflared) and not controller", *session.posargs)


@nox.session
def controller(session: nox.Session) -> None:
    """Run the whole of external-dns, its controller included, against the running process; five minutes to build."""
    _install(session)
    _need(session, "go")
    _pytest(session, "-m", "controller", *session.posargs)


@nox.session
def image(session: nox.Session) -> None:
    """Build the image for real, and drive it with the genuine external-dns in a Pod; skips where its tools are missing."""
    _install(session)
    _need(session, "buildah", "debootstrap")
    _pytest(session, "-m", "container", *session.posargs)


@nox.session
def cover(session: nox.Session) -> None:
    """Check branch coverage of what the other sessions ran: 100 % of domain, ports and application."""
    _install(session)
    session.run("coverage", "combine")
    core = "src/tunnel_webhook/domain/*,src/tunnel_webhook/ports.py,src/tunnel_webhook/application/*"
    session.run("coverage", "report", f"--include={core}", "--fail-under=100")
    session.run("coverage", "report", "--fail-under=98")


@nox.session
def audit(session: nox.Session) -> None:
    """Check the locks: those of pyproject.toml, hashed, without an address; and ask whether an advisory is out on one."""
    _install(session)
    session.run("python", "-m", "pytest", "tests/repository/test_locks.py", "-q")
    session.run(
        "pip-audit",
        "--requirement",
        "requirements.lock",
        "--disable-pip",
        "--require-hashes",
        "--progress-spinner",
        "off",
    )


@nox.session
def bench(session: nox.Session) -> None:
    """Measure: adjust over loopback, plan, records, start-up and memory. Asserts nothing about time."""
    _install(session)
    named = ("--override-ini=python_files=bench_*.py", "--override-ini=python_functions=bench_*")
    session.run("python", "-m", "pytest", "tests/benchmarks", "--benchmark-only", *named, *session.posargs)
