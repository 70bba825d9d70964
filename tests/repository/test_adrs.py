"""The decisions: each page is whole, indexed, names what exists, and is confirmed by a check."""

import re
from pathlib import Path
from pkgutil import resolve_name

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "adrs").glob("[0-9]*.md"))
HEADINGS = ["## Context", "## Decision", "## Consequences", "## Confirmation"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_is_whole(page: Path) -> None:
    text = page.read_text()

    assert re.match(rf"# {page.name[:4]}\. \S.*\n\nStatus: (accepted|superseded by \[\d{{4}}\].*)\n", text)
    assert re.findall(r"^## .*$", text, re.MULTILINE) == HEADINGS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_confirmation_names_checks_that_exist(page: Path) -> None:
    confirmation = page.read_text().partition("## Confirmation")[2]
    named = re.findall(r"`(tests/[\w/.]+|nox -s \w+)", confirmation)
    sessions = re.findall(r"^def ([a-z]\w+)\(session", (ROOT / "noxfile.py").read_text(), re.MULTILINE)

    assert named or "ruff" in confirmation
    missing = [
        name
        for name in named
        if not (
            name.removeprefix("nox -s ") in sessions if name.startswith("nox") else (ROOT / name.rstrip(".")).exists()
        )
    ]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_module_function_and_class_that_is_named_exists(page: Path) -> None:
    packages = "domain|adapters|application|settings|telemetry|container|cli|ports"

    for name in re.findall(rf"`((?:{packages})(?:\.\w+)*)`", page.read_text()):
        assert resolve_name(f"tunnel_webhook.{name}")


def test_the_index_lists_every_page_under_its_title() -> None:
    index = (ROOT / "adrs" / "README.md").read_text()

    expected = [f"| [{page.name[:4]}]({page.name}) | {page.read_text().splitlines()[0][8:]} |" for page in PAGES]

    assert re.findall(r"^\| \[.*$", index, re.MULTILINE) == expected
