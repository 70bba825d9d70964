"""The tree: how modules are named, and what no file may hold."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "tunnel_webhook"
MODULES = sorted(SOURCE.rglob("*.py"))
NOUNLESS = {"utils", "util", "common", "base", "helpers", "helper", "misc", "types", "constants", "interfaces", "dto"}
MOST_LINES = 300


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this is not a git checkout, so the files of the project are not known")
    return [ROOT / name for name in listed.stdout.splitlines()]


def test_every_module_is_named_after_a_concept() -> None:
    assert [module for module in MODULES if module.stem in NOUNLESS or module.parent.name in NOUNLESS] == []


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(SOURCE)))
def test_a_module_has_a_docstring_and_stays_short(module: Path) -> None:
    text = module.read_text()

    assert text.startswith('"""')
    assert len(text.splitlines()) <= MOST_LINES


def test_an_exception_from_a_rule_gives_its_reason() -> None:
    bare = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in [*MODULES, *sorted((ROOT / "tests").rglob("*.py")), ROOT / "noxfile.py"]
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if re.search(r"#\s*(noqa|type: ignore|pyright: ignore)", line) and " -- " not in line
    ]

    assert bare == []


def test_no_file_names_a_registry_or_a_path_of_a_machine() -> None:
    forbidden = re.compile(
        rb"pypi\.org|pythonhosted|proxy\.golang|registry\.npmjs|deb\.debian\.org|/work/(main|shared)|/root/"
    )
    exempt = {Path(__file__)}

    offenders = [
        str(path.relative_to(ROOT))
        for path in tracked()
        if path.is_file() and path not in exempt and forbidden.search(path.read_bytes())
    ]

    assert offenders == []


def test_nothing_that_a_client_chooses_is_remembered_by_number() -> None:
    """`Memo` bounds by weight; a cache by number may hold only what the operator's settings name."""
    caches = {
        (path.stem, most)
        for path in MODULES
        for most in re.findall(r"@(?:functools\.)?(?:lru_cache|cache)\b\(?(?:maxsize=)?(\w*)", path.read_text())
    }
    assert caches == {("domain_filter", "2"), ("adjustment", "1")}


def test_all_that_is_remembered_leaves_a_third_of_the_memory_limit() -> None:
    texts = [path.read_text() for path in MODULES if path.stem != "memo"]
    bounds = [
        int(factor.removesuffix(" * ") or 1)
        for text in texts
        for factor in re.findall(r"\bMemo\(.*, ((?:[0-9]+ \* )?)MIB\)", text)
    ]
    limit = re.search(r"limits:\n +memory: ([0-9]+)Mi", (ROOT / "deploy" / "values.yaml").read_text())
    assert limit
    assert len(bounds) == sum(len(re.findall(r"\bMemo\(", text)) for text in texts)
    assert sum(bounds) <= int(limit[1]) * 2 / 3
