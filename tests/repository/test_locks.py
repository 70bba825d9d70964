"""The locks are hashed, hold no address, and pin what pyproject.toml asks for."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = ["requirements.lock", "requirements-dev.lock"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
COMPILE = (
    "uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header"
    " --group {group} -o {lock}"
)


def pinned(lock: str) -> dict[str, str]:
    pins = re.findall(r"^([A-Za-z0-9._-]+)==([^ \\]+)", (ROOT / lock).read_text(), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pins}


def group(name: str) -> list[Requirement]:
    requirements: list[Requirement] = []
    for entry in PROJECT["dependency-groups"][name]:
        requirements += group(entry["include-group"]) if isinstance(entry, dict) else [Requirement(entry)]
    return requirements


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_no_address(lock: str) -> None:
    assert "://" not in (ROOT / lock).read_text()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_is_hashed(lock: str) -> None:
    pins = re.split(r"\n(?=[A-Za-z0-9])", (ROOT / lock).read_text().strip())

    assert [pin.split("==")[0] for pin in pins if "--hash=sha256:" not in pin] == []


@pytest.mark.parametrize(("lock", "name"), [("requirements.lock", "build"), ("requirements-dev.lock", "dev")])
def test_a_lock_holds_what_the_project_asks_for(lock: str, name: str) -> None:
    required = [*map(Requirement, PROJECT["project"]["dependencies"]), *group(name)]
    pins = pinned(lock)

    stale = [
        str(requirement)
        for requirement in required
        if not requirement.specifier.contains(pins.get(canonicalize_name(requirement.name), "0"), prereleases=True)
    ]

    assert stale == [], f"compile it again: {COMPILE.format(group=name, lock=lock)}"


def test_both_locks_agree() -> None:
    dev = pinned("requirements-dev.lock")

    assert {name: dev.get(name) for name in pinned("requirements.lock")} == pinned("requirements.lock")
