"""DNS as Cloudflare holds it: zones, records, and the writes that one request carries out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

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
    """The fields of a DNS record that matter here; `name` is in A-labels.

    `id` is empty until it is stored. `created` is when it was, in seconds since the epoch, and None where that is not
    known; it makes no difference between two records.
    """

    name: str
    type: str
    content: str
    proxied: bool = False
    comment: str = ""
    id: str = ""
    created: float | None = field(default=None, compare=False)

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

    `patches` carry the id of a stored record and its new content; `posts` carry no id. A name that is deleted and
    posted is a swap: either both happen or neither.
    """

    deletes: tuple[DnsRecord, ...] = ()
    patches: tuple[DnsRecord, ...] = ()
    posts: tuple[DnsRecord, ...] = ()

    def __len__(self) -> int:
        """Return how many records the batch writes."""
        return len(self.deletes) + len(self.patches) + len(self.posts)

    @property
    def swapped(self) -> frozenset[str]:
        """The names that are deleted and posted."""
        return frozenset(record.name for record in self.deletes) & frozenset(record.name for record in self.posts)

    @property
    def records(self) -> tuple[DnsRecord, ...]:
        """The records of the batch, in the order in which they are written."""
        return (*self.deletes, *self.patches, *self.posts)

    def without(self, names: Collection[str]) -> RecordBatch:
        """Return the batch without the records of these names."""
        return RecordBatch(
            deletes=tuple(record for record in self.deletes if record.name not in names),
            patches=tuple(record for record in self.patches if record.name not in names),
            posts=tuple(record for record in self.posts if record.name not in names),
        )
