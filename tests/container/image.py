"""The image of the Containerfile, built for real, without an engine and without a registry of images.

| part                                  | source                                                               |
|---------------------------------------|----------------------------------------------------------------------|
| the base that the Containerfile names | debootstrap, from apt's mirror                                       |
| the wheels that the lock pins         | pip, with its settings on this machine; the build reads them locally |
| the image                             | buildah, `--isolation=chroot`, in a storage of its own               |
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
TOOLS = ("apt-get", "buildah", "debootstrap", "ip", "nsenter", "setpriv", "unshare")
_NAME = "tunnel-webhook"
# Where Debian's Python looks for packages that are not Debian's; the official images have pip in such a place, too.
_INSTALLED = "usr/local/lib/python3.11/dist-packages"
_MANAGED = "usr/lib/python3.11/EXTERNALLY-MANAGED"


@dataclass(frozen=True, slots=True)
class Image:
    """A built image: its files below `root`, and its configuration as OCI spells it."""

    root: Path
    config: Mapping[str, Any]


def missing() -> str:
    """Return why no image can be built here, or an empty text."""
    absent = [tool for tool in TOOLS if shutil.which(tool) is None]
    if absent:
        return (
            f"no image can be built here: {', '.join(absent)} not found (apt-get install buildah debootstrap iproute2)"
        )
    return "" if os.geteuid() == 0 else "no image can be built here: debootstrap and mounting need root"


def build(scratch: Path) -> Image:
    """Build the image into an empty folder; raise CalledProcessError with the log as a note."""
    buildah = ("buildah", "--root", scratch / "storage", "--runroot", scratch / "run", "--storage-driver", "vfs")
    base, suite = re.findall(r"^ARG BASE=(\S+-(\w+))$", (ROOT / "Containerfile").read_text(), re.MULTILINE)[0]
    pip = _make_pip(scratch / "venv")
    _make_base(scratch / "base", suite, pip)
    imported = _run(*buildah, "from", "scratch")
    _run(*buildah, "copy", "--quiet", imported, scratch / "base", "/")
    _run(*buildah, "commit", "--quiet", "--rm", imported, base)
    wheels, settings = scratch / "wheels", scratch / "pip.conf"
    _run(
        pip / "python",
        "-m",
        "pip",
        "download",
        "--require-hashes",
        "--requirement",
        ROOT / "requirements.lock",
        "--dest",
        wheels,
    )
    settings.write_text("[global]\nno-index = true\nfind-links = /wheels\n")
    folders = ("--volume", f"{wheels}:/wheels:ro", "--volume", f"{settings}:/etc/pip.conf:ro")
    _run(*buildah, "build", "--isolation=chroot", "--pull-never", "--timestamp=0", *folders, "--tag", _NAME, ROOT)
    config = json.loads(_run(*buildah, "inspect", "--type=image", _NAME))["OCIv1"]["config"]
    return Image(Path(_run(*buildah, "mount", _run(*buildah, "from", "--pull-never", _NAME))), config)


def _make_pip(into: Path) -> Path:
    """Make an environment that has pip, and return the folder of its programs."""
    _run(sys.executable, "-m", "venv", into)
    return into / "bin"


def _make_base(into: Path, suite: str, pip: Path) -> None:
    """Make the files of a base like the official one: Debian, Python, and a pip that Debian does not manage."""
    targets = ("Created-By: Packages", f"Codename: {suite}", "Component: main")
    mirrors = _run("apt-get", "indextargets", "--format", "$(REPO_URI)", *targets).splitlines()
    _run("debootstrap", "--variant=minbase", "--include=python3,ca-certificates", suite, into, *mirrors[:1])
    (into / _MANAGED).unlink()
    for package in pip.parent.glob("lib/python3.11/site-packages/pip*"):
        shutil.copytree(package, into / _INSTALLED / package.name)


def _run(*command: str | Path) -> str:
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except subprocess.CalledProcessError as error:
        error.add_note(f"{error.stdout}\n{error.stderr}"[-8000:])
        raise
