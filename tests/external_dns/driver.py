"""The genuine external-dns, one control loop at a time: a driver built from `go/`, over JSON lines."""

from __future__ import annotations

import json
import select
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from doubles.child_process import child_process

VERSIONS = ("v0.14", "v0.15", "v0.18", "v0.20", "v0.22")
NEWEST = VERSIONS[-1]
REGISTRIES: Mapping[str, tuple[str, ...]] = {
    "noop": ("-registry", "noop"),
    "txt": ("-registry", "txt"),
    "txt-prefix": ("-registry", "txt", "-txt-prefix", "%{record_type}-dns.", "-txt-wildcard-replacement", "any"),
    "txt-encrypted": ("-registry", "txt", "-txt-encrypt-key", "0123456789abcdef0123456789abcdef"),
}
TXT_REGISTRIES = tuple(registry for registry in REGISTRIES if registry != "noop")
_PATIENCE = 60.0

EndpointJson = dict[str, Any]
"""An endpoint as external-dns encodes it."""


@dataclass(frozen=True, slots=True)
class Loop:
    """The outcome of one control loop. external-dns survives an error that is `soft`; `stage` is where it happened."""

    create: list[EndpointJson]
    update: list[EndpointJson]
    delete: list[EndpointJson]
    applied: bool
    error: str
    soft: bool
    stage: str

    @classmethod
    def decode(cls, line: str) -> Loop:
        """Return the outcome in a line of a driver."""
        outcome = json.loads(line)
        changes = outcome.get("changes", {})
        return cls(
            create=changes.get("create", []),
            update=changes.get("updateNew", []),
            delete=changes.get("delete", []),
            applied=outcome.get("applied", False),
            error=outcome["error"],
            soft=outcome.get("soft", False),
            stage=outcome["stage"],
        )

    @property
    def todo(self) -> Mapping[str, list[str]]:
        """The hostnames of every change that external-dns planned, by kind; empty when it had nothing to do."""
        changes = {"create": self.create, "update": self.update, "delete": self.delete}
        return {kind: sorted(each["dnsName"] for each in endpoints) for kind, endpoints in changes.items() if endpoints}

    def check_survivable(self) -> None:
        """Assert that there was no error, or one that external-dns survives."""
        assert not self.error or self.soft, f"{self.stage}: {self.error}"

    def check_soft_error(self, stage: str) -> None:
        """Assert that there was an error at this stage, and that external-dns survives it."""
        assert self.error
        assert self.stage == stage, self.error
        assert self.soft, self.error
        assert not self.applied


@dataclass(frozen=True, slots=True)
class ExternalDns:
    """A running external-dns, which keeps its connection and its registry between loops."""

    stdin: IO[str]
    stdout: IO[str]

    def loop(self, *desired: EndpointJson) -> Loop:
        """Run one control loop with these endpoints as its source."""
        self.stdin.write(json.dumps({"desired": desired}) + "\n")
        self.stdin.flush()
        if not select.select([self.stdout], [], [], _PATIENCE)[0]:
            message = f"external-dns has printed nothing for {_PATIENCE:g} s"
            raise TimeoutError(message)
        return Loop.decode(self.stdout.readline())

    def publish(self, *desired: EndpointJson) -> Loop:
        """Run one control loop that must succeed."""
        loop = self.loop(*desired)
        assert not loop.error, f"{loop.stage}: {loop.error}"
        return loop


@contextmanager
def external_dns(program: Path, url: str, *flags: str) -> Iterator[ExternalDns]:
    """Run a driver against a webhook provider; its log goes to our standard error, which pytest shows on failure."""
    command: list[str | Path] = [program, "-url", url, *flags]
    with child_process(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        yield ExternalDns(process.stdin, process.stdout)


def endpoint(
    name: str, *targets: str, kind: str = "CNAME", resource: str = "", identifier: str = "", **properties: str
) -> EndpointJson:
    """Return an endpoint as a source makes one; a keyword `no_tls_verify` is the property `webhook/no-tls-verify`."""
    encoded: EndpointJson = {
        "dnsName": name,
        "recordType": kind,
        "targets": list(targets or ("http://app:8080",)),
        "setIdentifier": identifier,
        "labels": {"resource": resource} if resource else {},
        "providerSpecific": [
            {"name": f"webhook/{key.replace('_', '-')}", "value": text} for key, text in properties.items()
        ],
    }
    return {key: value for key, value in encoded.items() if value}
