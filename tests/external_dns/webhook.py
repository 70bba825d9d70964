"""Our process as the tests of this room use it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from doubles.process import RunningWebhook
from external_dns.account import Account
from external_dns.genuine import ExternalDns


@dataclass(frozen=True, slots=True)
class Webhook:
    """A process of ours, and the account behind it."""

    process: RunningWebhook
    account: Account


class StartWebhook(Protocol):
    """Starts our process with these settings beside the usual ones, or finds the one that runs."""

    def __call__(self, **settings: str) -> Webhook: ...


class StartExternalDns(Protocol):
    """Starts an external-dns such as `v0.22-txt`, against the usual process unless told otherwise."""

    def __call__(self, kind: str, *flags: str, policy: str = "sync", at: Webhook = ...) -> ExternalDns: ...
