"""Our process, and how the tests of this room start it and external-dns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from doubles.process import RunningWebhook
from external_dns.account import Account
from external_dns.driver import ExternalDns


@dataclass(frozen=True, slots=True)
class Webhook:
    """A running process of ours, and the account behind it."""

    process: RunningWebhook
    account: Account


class StartWebhook(Protocol):
    """Returns a process of ours with these settings on top of the usual ones; one that is running is used again."""

    def __call__(self, **settings: str) -> Webhook: ...


class StartExternalDns(Protocol):
    """Starts an external-dns, such as `v0.22-txt`, against the usual process or another one."""

    def __call__(self, kind: str, *flags: str, policy: str = "sync", at: Webhook = ...) -> ExternalDns: ...
