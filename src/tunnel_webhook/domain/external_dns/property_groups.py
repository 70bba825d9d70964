"""Which properties an `[[allow]]` table may list: each by its name without `webhook/`, and the harmless ones as `safe`.

What is not safe lets a tenant reach another one's virtual host, weaken TLS or Access, run an expression of its own on
every request of the tunnel, or choose destinations per request. `ca-pool` and `bastion-mode` need their settings too.
"""

from __future__ import annotations

from tunnel_webhook.domain.cloudflared.origin_request import ORIGIN_OPTIONS
from tunnel_webhook.domain.quotation import quoted

SAFE = "safe"
PATH, PATH_REGEX = "path", "path-regex"
PATH_MATCH = "path-match"

SAFE_PROPERTIES = frozenset(
    {
        "service",
        "port",
        "scheme",
        PATH,
        PATH_MATCH,
        "access",
        "connect-timeout",
        "tls-timeout",
        "tcp-keep-alive",
        "keep-alive-timeout",
        "keep-alive-connections",
        "no-happy-eyeballs",
        "disable-chunked-encoding",
        "http2-origin",
    }
)
"""The group `safe`; a path in it is a prefix or exact."""

NAMED_PROPERTIES = SAFE_PROPERTIES | {PATH_REGEX} | ORIGIN_OPTIONS.keys()
"""Every property that a table may list; `tunnel` and `adopt` have fields of their own."""


def properties_named(name: str) -> frozenset[str]:
    """Return the properties that a group or a name stands for; raise ValueError for any other text."""
    if name == SAFE:
        return SAFE_PROPERTIES
    if name in NAMED_PROPERTIES:
        return frozenset({name})
    accepted = ", ".join(sorted(NAMED_PROPERTIES - SAFE_PROPERTIES))
    message = f"{quoted(name)} is not a property: accepted are {SAFE}, the names in it, and {accepted}"
    raise ValueError(message)
