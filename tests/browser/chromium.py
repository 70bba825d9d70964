"""Headless Chromium, which opens one page, with names that resolve to this machine."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from doubles.child_process import child_process
from doubles.process import bare_environment

_OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # CI runs as root
    "--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets",  # other browsers have none
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-popup-blocking",  # a hostile page asks for a click first
)


def missing() -> str:
    """Return why no browser can be run here, or an empty text."""
    return (
        "" if shutil.which("chromium") else "no page can be opened here: chromium not found (apt-get install chromium)"
    )


@contextmanager
def opened(url: str, *names: str) -> Iterator[None]:
    """Show a page in a browser of its own until the block ends; these names resolve to 127.0.0.1."""
    rules = ",".join(f"MAP {name} 127.0.0.1" for name in names)
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as home:
        command = ["chromium", *_OPTIONS, f"--user-data-dir={home}", f"--host-resolver-rules={rules}", url]
        options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with child_process(command, env={**bare_environment(), "HOME": home}, **options):
            yield
