"""Namespaces: whose an endpoint is, as its resource names it, and the patterns of a policy file.

Only the label `resource` names the namespace of an endpoint. external-dns sets it for every source but `pod`, `gloo`
and `--fqdn-target-template`, and a tenant cannot forge it, except through the source `connector`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tunnel_webhook.domain.claimed_paths import digest_of
from tunnel_webhook.domain.quotation import quoted

_PARTS = 3
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_PATTERN = re.compile(r"[a-z0-9-]{0,63}\*?")


def namespace_of(resource: str) -> str:
    """Return the namespace of a resource `kind/namespace/name`, empty for any other text.

    It has exactly three parts, none of them empty, and the second is a DNS label.
    """
    parts = resource.split("/")
    if len(parts) != _PARTS or not all(parts) or _LABEL.fullmatch(parts[1]) is None:
        return ""
    return parts[1]


def namespace_digest(namespace: str) -> str:
    """Return what stands for a namespace in a marker and in a set identifier: 5 characters; empty for no namespace."""
    return digest_of(namespace) if namespace else ""


@dataclass(frozen=True, slots=True)
class NamespacePattern:
    """Which namespaces a table of a policy file means; raises ValueError for a text of another form.

    | pattern    | matches                               |
    |------------|---------------------------------------|
    | `team-a`   | that namespace                        |
    | `team-b-*` | every namespace that begins like that |
    | `*`        | every namespace                       |
    | empty      | endpoints that name no namespace      |
    """

    text: str

    def __post_init__(self) -> None:
        """Check the form."""
        if _PATTERN.fullmatch(self.text) is None:
            accepted = "accepted are team-a, team-b-*, *, and an empty text for no namespace"
            message = f"{quoted(self.text)} is not a namespace: {accepted}"
            raise ValueError(message)

    def matches(self, namespace: str) -> bool:
        """Whether a namespace is meant; an empty one is no namespace."""
        if self.text.endswith("*"):
            return bool(namespace) and namespace.startswith(self.text[:-1])
        return namespace == self.text
