"""Records of the Go reference: what tells them from the records that a person made.

It names the origin in the comment when it creates a record, and does not change the comment when the origin changes.
The prefix is `external-dns-cloudflare-tunnel-webhook/` until January 2025, and `external-dns/` since
(pkg/provider/records.go).
"""

from __future__ import annotations

from tunnel_webhook.domain.dns import DnsRecord
from tunnel_webhook.domain.errors import InvalidEndpoint
from tunnel_webhook.domain.external_dns.origin_service import ALL_SERVICES, OriginService

_PREFIXES = ("external-dns/", "external-dns-cloudflare-tunnel-webhook/")


def is_of_go_reference(record: DnsRecord) -> bool:
    """Whether the Go reference made a record, which only who may edit DNS records can make believe."""
    return any(_is_service(record.comment[len(prefix) :]) for prefix in _PREFIXES if record.comment.startswith(prefix))


def _is_service(text: str) -> bool:
    try:
        OriginService.parse(text, ALL_SERVICES)
    except InvalidEndpoint:
        return False
    return True
