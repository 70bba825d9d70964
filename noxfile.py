"""What CI runs: `nox` alone runs the default sessions. Every session installs the locked versions, and nothing else."""

import json
import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nox

nox.needs_version = ">=2025.2"
nox.options.default_venv_backend = "uv"
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["lint", "types", "imports", "audit", "programs", "tests", "cover"]

SLOW = "controller or container or browser or nightly"
GENUINE = f"(external_dns or cloudflared) and not ({SLOW})"
END_TO_END, LAWS = "tests/e2e", "tests/property"
SMALL = ("tests/unit", "tests/contract", "tests/repository")
SELECTED = f"not (external_dns or cloudflared or {SLOW})"


def _install(session: nox.Session) -> None:
    session.install("--require-hashes", "--requirement", "requirements-dev.lock")
    session.install("--no-deps", "--no-build-isolation", "--editable", ".")


def _need(session: nox.Session, *programs: str) -> None:
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        session.skip(f"{' and '.join(missing)} not on this machine")


def _build(session: nox.Session, *programs: str) -> None:
    command = (sys.executable, "-m", "oracles.programs", *programs)
    session.run(*command, env={"PYTHONPATH": "tests"}, external=True)


def _pytest(
    session: nox.Session, *arguments: str, runner: tuple[str, ...] = ("python", "-m"), silent: bool = False
) -> str:
    """Run pytest, and return its output if it is silent."""
    # A random seed in CI would turn a rare failure into a riddle; `nightly` explores.
    profile = os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev")
    # An interrupted pytest ends its child processes, which takes longer than the 0.3 s after which nox kills it.
    output = session.run(
        *runner, "pytest", *arguments, env={"HYPOTHESIS_PROFILE": profile}, silent=silent, interrupt_timeout=30.0
    )
    return str(output)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format, with every rule of ruff except those that pyproject.toml excludes with a reason."""
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


@nox.session(python=False)
def programs(session: nox.Session) -> None:
    """Build the Go programs that the tests run; arguments name some of them, or `controller`."""
    _build(session, *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Run all tests, in three processes side by side; arguments go to a single pytest, without the Go programs."""
    _install(session)
    measured = ("coverage", "run", "-m")
    if session.posargs:
        _pytest(session, "-m", SELECTED, *session.posargs, runner=measured)
        return

    def genuine_then_small() -> str:
        genuine = _pytest(session, "-m", GENUINE, silent=True)
        return genuine + _pytest(session, "-m", SELECTED, *SMALL, runner=measured, silent=True)

    def processes_then_laws() -> str:
        processes = _pytest(session, "-m", SELECTED, END_TO_END, runner=measured, silent=True)
        return processes + _pytest(session, "-m", SELECTED, LAWS, runner=measured, silent=True)

    # The genuine programs and the processes mostly wait. Output comes when a run is done.
    with ThreadPoolExecutor() as pool:
        beside = (pool.submit(genuine_then_small), pool.submit(processes_then_laws))
        left = (f"--ignore={room}" for room in (END_TO_END, LAWS, *SMALL))
        _pytest(session, "-m", SELECTED, *left, runner=measured)
        for run in beside:
            sys.stdout.write(run.result())


@nox.session
def external_dns(session: nox.Session) -> None:
    """Drive the running process with the genuine external-dns, and ask the genuine planner and cloudflared."""
    _install(session)
    _pytest(session, "-m", GENUINE, *session.posargs)


@nox.session
def controller(session: nox.Session) -> None:
    """Run the whole of external-dns, its controller included, against the running process; five minutes to build."""
    _install(session)
    _need(session, "go")
    _build(session, "controller")
    _pytest(session, "-m", "controller", *session.posargs)


@nox.session
def image(session: nox.Session) -> None:
    """Build the image for real, and drive it with the genuine external-dns in a Pod; needs buildah and debootstrap."""
    _install(session)
    _need(session, "buildah", "debootstrap")
    _build(session, "v0_22")
    _pytest(session, "-m", "container", *session.posargs)


@nox.session
def browser(session: nox.Session) -> None:
    """Open hostile pages in headless Chromium beside the running process; needs chromium."""
    _install(session)
    _need(session, "chromium")
    _pytest(session, "-m", "browser", *session.posargs)


@nox.session
def nightly(session: nox.Session) -> None:
    """Run what takes longer than a change should wait for: the nightly tests, and the laws on many more examples."""
    _install(session)
    _build(session, "cloudflared", "planner")
    _pytest(session, "-m", "nightly", *session.posargs)
    session.run("python", "-m", "pytest", "--timeout=0", "tests/property", env={"HYPOTHESIS_PROFILE": "nightly"})


@nox.session
def chaos(session: nox.Session) -> None:
    """Run random histories of three processes that share tunnels; arguments: the first seed, and the one to end at."""
    _install(session)
    session.run("python", "-m", "chaos", *(session.posargs or ("0", "300")), env={"PYTHONPATH": "tests"})


@nox.session
def cover(session: nox.Session) -> None:
    """Check branch coverage of what the session `tests` ran: 100 % of domain, ports and application."""
    _install(session)
    session.run("coverage", "combine")
    core = "src/tunnel_webhook/domain/*,src/tunnel_webhook/ports.py,src/tunnel_webhook/application/*"
    session.run("coverage", "report", f"--include={core}", "--fail-under=100")
    session.run("coverage", "report", "--fail-under=98")


@nox.session
def audit(session: nox.Session) -> None:
    """Check the locks, and ask for advisories on what they pin; a package that could not be asked for is an error."""
    _install(session)
    session.run("python", "-m", "pytest", "tests/repository/test_locks.py", "-q")
    report = Path(session.create_tmp()) / "audit.json"
    report.unlink(missing_ok=True)
    options = ("--disable-pip", "--require-hashes", "--progress-spinner=off", "--format=json", f"--output={report}")
    # It exits with 1 for an advisory, and for an advisory service that is out of reach.
    output = session.run("pip-audit", "--requirement=requirements.lock", *options, success_codes=[0, 1], silent=True)
    if not report.exists():
        session.skip(f"not audited: {str(output).strip().splitlines()[-1]}")
    packages = json.loads(report.read_text())["dependencies"]
    vulnerable = [f"{each['name']}: {advisory['id']}" for each in packages for advisory in each.get("vulns", ())]
    skipped = [each for each in packages if "skip_reason" in each]
    if vulnerable:
        session.error(f"advisories: {', '.join(vulnerable)}")
    if len(skipped) == len(packages):
        session.skip(f"not audited: none of {len(packages)} packages; the first: {skipped[0]['skip_reason']}")
    if skipped:
        session.error(f"not audited: {', '.join(each['name'] for each in skipped)}")
    session.log(f"audited: {len(packages)} packages, no advisory")


@nox.session
def bench(session: nox.Session) -> None:
    """Measure: adjust over loopback, plan, records, start-up and memory. Asserts nothing about time."""
    _install(session)
    benchmarks = ("--override-ini=python_files=bench_*.py", "--override-ini=python_functions=bench_*")
    session.run("python", "-m", "pytest", "tests/benchmarks", "--benchmark-only", *benchmarks, *session.posargs)
