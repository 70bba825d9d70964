"""What the Go webhook (axatol's) leaves in an account.

For `app.example.com -> http://app:80` it puts a rule of only a hostname and a service before all others of the
tunnel's document, and creates a proxied CNAME to the tunnel, TTL 1, with the comment `external-dns/http://app:80`,
which it does not change when the service changes. Until January 2025 its comments have another prefix.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from doubles.emulator import BLUE, Record, State

OLD_PREFIX = "external-dns-cloudflare-tunnel-webhook/"


def left_behind(state: State, services: Mapping[str, str], prefix: str = "external-dns/") -> State:
    """Return a state after the Go webhook published these services, by hostname and one by one, in the blue tunnel."""
    for hostname, service in services.items():
        head, ingress, rules = state.document(BLUE).partition('"ingress":[')
        # Cloudflare stores the shorter keys first.
        rule = json.dumps({"service": service, "hostname": hostname}, separators=(",", ":"))
        record = Record(hostname, "CNAME", f"{BLUE}.cfargotunnel.com", proxied=True, comment=f"{prefix}{service}")
        state = state.with_document(BLUE, f"{head}{ingress}{rule},{rules}").with_records("example.com", record)
    return state
