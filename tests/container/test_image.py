"""What is in the image, and what is not."""

import re
import stat
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from container.image import ROOT, Image

pytestmark = [pytest.mark.container, pytest.mark.timeout(900)]

INSTALLED = "opt/tunnel-webhook/lib/python3.11/site-packages"
UNCHECKED_HASH = 1
BUILD_TOOLS = {"pip", "setuptools", "wheel", "ensurepip", "hatchling", "uv", "gcc", "cc", "g++", "make"}


def files(below: Path) -> list[Path]:
    return [path for path in below.rglob("*") if path.is_file() and not path.is_symlink()]


def test_it_starts_the_webhook_as_a_number_and_exposes_one_port(image: Image) -> None:
    assert image.config["User"] == "65532:65532"
    assert image.config["Entrypoint"] == ["tunnel-webhook"]
    assert image.config["Cmd"] == ["serve"]
    assert image.config["ExposedPorts"] == {"8080/tcp": {}}


def test_no_installer_and_no_compiler_is_left(image: Image) -> None:
    folders = ("bin", "site-packages", "dist-packages", "python3.11")
    places = [path for folder in folders for path in image.root.rglob(folder)]
    names = {path.name for place in places if place.is_dir() for path in place.iterdir()}

    assert {"python3", "tunnel-webhook", "tunnel_webhook", "json"} <= names
    assert {name for name in names if re.split(r"[\d.-]", name)[0] in BUILD_TOOLS} == set()


def test_what_is_installed_is_what_the_lock_pins(image: Image) -> None:
    pins = dict(re.findall(r"^([a-z0-9-]+)==([^ \\]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    pairs = [path.name.removesuffix(".dist-info").split("-") for path in (image.root / INSTALLED).glob("*.dist-info")]
    installed = {canonicalize_name(name): version for name, version in pairs}
    del installed[canonicalize_name("external-dns-cloudflare-tunnel-webhook")]

    assert installed
    assert {name: pins.get(name) for name in installed} == installed


def test_every_module_is_compiled_ahead_whatever_time_its_layer_is_given(image: Image) -> None:
    modules = [path for path in files(image.root / INSTALLED) if path.suffix == ".py"]
    compiled = {path: path.parent / "__pycache__" / f"{path.stem}.cpython-311.pyc" for path in modules}

    assert modules
    assert [module for module, path in compiled.items() if not path.exists()] == []
    assert [path for path in compiled.values() if path.read_bytes()[4] != UNCHECKED_HASH] == []


def test_its_user_owns_nothing_and_may_write_nothing(image: Image) -> None:
    user = int(image.config["User"].partition(":")[0])
    paths = [path for part in ("opt", "usr", "etc") for path in files(image.root / part)]

    assert [path for path in paths if path.stat().st_uid == user or path.stat().st_mode & stat.S_IWOTH] == []
