"""A Pod around the image, made as a kubelet makes one of our values.

It has namespaces of its own for processes, mounts and the network, a read-only root without a writable `/tmp`, the user
of the image, and no privileges. external-dns runs beside it in the same network, as in the Pod of the chart.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from shutil import which

from container.image import Image
from doubles.child_process import child_process

_LONG = 30.0
_LISTEN = "0A"
_START = """
set -e
root=$1; shift
mount --bind "$root" "$root"
mount --types proc proc "$root/proc"
mount --options remount,bind,ro "$root"
ip link set lo up
exec "$@"
"""
_GET = "import sys, urllib.request as r; a = r.urlopen(sys.argv[1]); print(a.status, a.read().decode(), end='')"


@dataclass(frozen=True, slots=True)
class Pod:
    """A running Pod: `process` started it, `pid` is the id of its own process outside of the namespace."""

    process: subprocess.Popen[bytes]
    pid: int
    log: Path

    def beside(self, *command: str | Path) -> list[str | Path]:
        """Return the command that runs another one in the Pod's network."""
        return [_program("nsenter"), f"--target={self.pid}", "--net", *command]

    def get(self, url: str) -> tuple[int, str]:
        """Return the status and the body of an answer to GET."""
        got = subprocess.run(self.beside(sys.executable, "-c", _GET, url), check=True, capture_output=True, text=True)
        status, _, body = got.stdout.partition(" ")
        return int(status), body

    def status(self) -> dict[str, str]:
        """Return the fields of the process in /proc."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return {name: " ".join(text.split()) for name, _, text in (line.partition(":") for line in lines)}

    def listening(self) -> set[str]:
        """Return the addresses and ports on which the Pod listens."""
        return set(_listening(self.pid))

    def stop(self) -> int:
        """End the process as a kubelet does, and return its exit code."""
        subprocess.run(["kill", "-TERM", str(self.pid)], check=True)
        return self.process.wait(_LONG)


@contextmanager
def running_pod(image: Image, environment: Mapping[str, str], log: Path) -> Iterator[Pod]:
    """Start the image's command with its variables and these; wait for both servers; kill it with the block."""
    variables = [f"{name}={text}" for name, text in environment.items()]
    config, root = image.config, str(image.root)
    apart = [_program("unshare"), "--mount", "--net", "--pid", "--fork", "sh", "-c", _START, "sh", root]
    env = [_program("env"), "--ignore-environment", *config["Env"], *variables]
    user = [
        _program("setpriv"),
        "--no-new-privs",
        _program("chroot"),
        f"--userspec={config['User']}",
        "--groups=",
        root,
    ]
    command = [*apart, *env, *user, *config["Entrypoint"], *config["Cmd"]]
    with (
        log.open("wb") as file,
        child_process(command, patience=0, stdout=file, stderr=subprocess.STDOUT) as process,
    ):
        yield Pod(process, _wait_for(process, log), log)


def _wait_for(process: subprocess.Popen[bytes], log: Path) -> int:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    give_up = time.monotonic() + _LONG
    while process.poll() is None and time.monotonic() < give_up:
        for child in map(int, children.read_text().split()):
            if len(set(_listening(child))) > 1:
                return child
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
    message = f"the process does not serve:\n{log.read_text()}"
    raise RuntimeError(message)


def _listening(pid: int) -> Iterator[str]:
    for row in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
        _, local, _, state, *_ = row.split()
        address, port = local.split(":")
        if state == _LISTEN:
            yield f"{IPv4Address(bytes.fromhex(address)[::-1])}:{int(port, 16)}"


def _program(name: str) -> str:
    """Return the path of a program: it is started with the search path of the image."""
    path = which(name)
    assert path, name
    return path
