"""DNS as Cloudflare holds it: zones, records, and the writes that one request carries out."""

from __future__ import annotations

from dataclasses import dataclass

TUNNEL_DOMAIN = ".cfargotunnel.com"
AUTOMATIC_TTL = 1
CONFLICTING_TYPES = frozenset({"A", "AAAA", "CNAME", "NS"})
"""The types that cannot share a name with a CNAME (Cloudflare, "Records with the same name")."""


@dataclass(frozen=True, slots=True, order=True)
class Zone:
    """A DNS zone that the credentials can see; `name` in A-labels."""

    name: str
    id: str


@dataclass(frozen=True, slots=True, order=True)
class DnsRecord:
    """The fields of a DNS record that matter here; `id` is empty until it is stored, `name` is in A-labels."""

    name: str
    type: str
    content: str
    proxied: bool = False
    comment: str = ""
    id: str = ""

    @property
    def tunnel(self) -> str:
        """The id of the tunnel that the record points at, or nothing."""
        content = self.content.lower().removesuffix(".")
        if self.type != "CNAME" or not content.endswith(TUNNEL_DOMAIN):
            return ""
        return content.removesuffix(TUNNEL_DOMAIN)


def target_of(tunnel: str) -> str:
    """Return the content of a CNAME that points at a tunnel."""
    return tunnel + TUNNEL_DOMAIN


@dataclass(frozen=True, slots=True)
class RecordBatch:
    """Writes to one zone that Cloudflare carries out at once, in this order: deletes, patches, posts.

    `patches` carry the id of a stored record and its new content; `posts` carry no id.
    """

    deletes: tuple[DnsRecord, ...] = ()
    patches: tuple[DnsRecord, ...] = ()
    posts: tuple[DnsRecord, ...] = ()

    def __len__(self) -> int:
        """Return how many records the batch writes."""
        return len(self.deletes) + len(self.patches) + len(self.posts)

    @property
    def records(self) -> tuple[DnsRecord, ...]:
        """The records of the batch, in the order in which they are written."""
        return (*self.deletes, *self.patches, *self.posts)
