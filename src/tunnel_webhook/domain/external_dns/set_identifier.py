"""Set identifiers: how external-dns tells the endpoints of one hostname apart.

| the endpoint has                            | its set identifier                       |
|---------------------------------------------|------------------------------------------|
| no path                                     | nothing                                  |
| a path                                      | its expression                           |
| a namespace to which its hostname is bound  | `*`, the digest of the namespace, the same |

The namespace is in it so that external-dns never lets two namespaces compete for one row: it takes the smallest target,
and a rejected rival would then starve the good one (plan/conflict.go). No RE2 expression begins with `*`.
"""

from __future__ import annotations

from tunnel_webhook.domain.claimed_paths import DIGEST_LENGTH

_MARK = "*"


def identifier_of(path: str, digest: str) -> str:
    """Return the set identifier of a path, and of the digest of a namespace, which may be empty."""
    return f"{_MARK}{digest}{path}" if digest else path


def path_of(identifier: str) -> str:
    """Return the path in a set identifier."""
    return identifier[len(_MARK) + DIGEST_LENGTH :] if identifier.startswith(_MARK) else identifier


def digest_in(identifier: str) -> str:
    """Return the digest of a namespace in a set identifier, or nothing."""
    return identifier[len(_MARK) : len(_MARK) + DIGEST_LENGTH] if identifier.startswith(_MARK) else ""
