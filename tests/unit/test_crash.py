"""What is said of an error that no command expected."""

import subprocess
import sys
from pathlib import Path

import pytest

from doubles.process import bare_environment
from tunnel_webhook.settings.crash import crash_report

TOKEN = "v1.0-e24fd090c02efcfecb4de8f4ff246fd5c75b48946fdf"  # noqa: S105 -- the tests look for it


def fail(text: str) -> None:
    raise RuntimeError(text)


def raised(text: str) -> Exception:
    with pytest.raises(RuntimeError) as caught:
        fail(text)
    return caught.value


def test_an_unexpected_error_is_one_line() -> None:
    assert crash_report(raised("no\nluck"), {}) == (
        "tunnel-webhook: an unexpected error ended it: RuntimeError: no luck; LOG_LEVEL=debug shows where\n"
    )
    assert crash_report(ValueError(), {}) == (
        "tunnel-webhook: an unexpected error ended it: ValueError; LOG_LEVEL=debug shows where\n"
    )


def test_its_traceback_is_shown_where_it_is_asked_for() -> None:
    lines = crash_report(raised("no luck"), {"LOG_LEVEL": "DEBUG"}).splitlines()

    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-1] == "tunnel-webhook: an unexpected error ended it: RuntimeError: no luck"


def test_no_secret_is_in_it() -> None:
    environment = {"CLOUDFLARE_API_TOKEN": TOKEN, "HTTPS_PROXY": "http://me:hunter22@proxy", "LOG_LEVEL": "debug"}

    report = crash_report(raised(f"{TOKEN} at http://me:hunter22@proxy"), environment)

    assert TOKEN not in report
    assert "hunter22" not in report
    assert "*** at http://***@proxy" in report


def test_what_is_not_text_is_shown_all_the_same() -> None:
    assert r"\udcff" in crash_report(raised("\udcff"), {})


def test_the_process_ends_in_one_line_whatever_fails(tmp_path: Path) -> None:
    (tmp_path / "rich_click.py").write_text("raise RuntimeError('a broken installation')")
    environment = {**bare_environment(), "PYTHONPATH": str(tmp_path)}

    command = [sys.executable, "-m", "tunnel_webhook", "check"]
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)

    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.splitlines() == [
        "tunnel-webhook: an unexpected error ended it: RuntimeError: a broken installation; LOG_LEVEL=debug shows where"
    ]
