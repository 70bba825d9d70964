"""The policy file as it was at the start."""

from __future__ import annotations

from dataclasses import dataclass

from tunnel_webhook.domain.external_dns.permissions import Permissions


@dataclass(frozen=True, slots=True)
class PolicyText:
    """The path of a policy file, its text, and what it says; without a file, nothing and None."""

    path: str = ""
    text: str = ""
    permissions: Permissions | None = None
