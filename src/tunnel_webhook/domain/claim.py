"""Who owns a hostname: the CNAME that points it at a tunnel, and the marker in that record's comment.

The marker is `heritage=tunnel-webhook,owner=<owner>[,resource=<resource>]`, `%`-escaped, at most 100 characters (the limit of
Cloudflare's Free plan, "Record attributes"). The resource is left out where it does not fit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Self
from urllib.parse import unquote

from tunnel_webhook.domain.errors import InvalidOwner
from tunnel_webhook.domain.hostname import Hostname

HERITAGE = "heritage=tunnel-webhook"
MAX_COMMENT = 100
TUNNEL_DOMAIN = ".cfargotunnel.com"
AUTOMATIC_TTL = 1
CONFLICTING_TYPES = frozenset({"A", "AAAA", "CNAME", "NS"})
"""The types that cannot stand beside a CNAME of the same name (Cloudflare, "Records with the same name")."""

_TO_ESCAPE = re.compile(r"[%,=\x00-\x20\x7f-\U0010ffff]")


@dataclass(frozen=True, slots=True, order=True)
class Zone:
    """A DNS zone that the credentials can see; `name` in A-labels."""

    name: str
    id: str


@dataclass(frozen=True, slots=True)
class Marker:
    """What a claim says: whose the hostname is, and which Kubernetes resource asked for it."""

    owner: str
    resource: str = ""

    @classmethod
    @lru_cache(maxsize=131072)
    def parse(cls, comment: str) -> Self | None:
        """Return the marker that a comment is, or None when it is something else."""
        heritage, *pairs = comment.split(",")
        if heritage != HERITAGE:
            return None
        values = {key: text for key, _, text in (pair.partition("=") for pair in pairs)}
        owner = unquote(values.get("owner", ""))
        return cls(owner, unquote(values.get("resource", ""))) if owner else None

    @property
    def comment(self) -> str:
        """The marker as a comment; raise InvalidOwner when even the owner alone does not fit."""
        short = f"{HERITAGE},owner={_escape(self.owner)}"
        if len(short) > MAX_COMMENT:
            message = (
                f"owner {self.owner!r} makes a marker of {len(short)} characters, and a record's comment holds {MAX_COMMENT}:"
                " choose a shorter owner id"
            )
            raise InvalidOwner(message)
        long = f"{short},resource={_escape(self.resource)}"
        return long if self.resource and len(long) <= MAX_COMMENT else short


def _escape(text: str) -> str:
    return _TO_ESCAPE.sub(lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode(errors="replace")), text)


@dataclass(frozen=True, slots=True, order=True)
class DnsRecord:
    """A DNS record as far as it concerns us; `id` is empty until it is stored, `name` is in A-labels."""

    name: str
    type: str
    content: str
    proxied: bool = False
    comment: str = ""
    id: str = ""

    @property
    def marker(self) -> Marker | None:
        """The marker in the comment, if there is one."""
        return Marker.parse(self.comment)

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


def claim_for(hostname: Hostname, tunnel: str, marker: Marker) -> DnsRecord:
    """Return the record that claims a hostname: a proxied CNAME to the tunnel, marked."""
    return DnsRecord(name=hostname, type="CNAME", content=target_of(tunnel), proxied=True, comment=marker.comment)


@dataclass(frozen=True, slots=True)
class Claim:
    """A hostname that is managed: our CNAME, its zone, what its marker says, and the id of the tunnel that it points at."""

    hostname: Hostname
    zone: Zone
    record: DnsRecord
    marker: Marker
    tunnel: str


@dataclass(frozen=True, slots=True)
class RecordBatch:
    """Writes to one zone that Cloudflare carries out at once, in this order: deletes, patches, posts.

    `patches` carry the id of a stored record and all that it shall say; `posts` carry no id.
    """

    deletes: tuple[DnsRecord, ...] = ()
    patches: tuple[DnsRecord, ...] = ()
    posts: tuple[DnsRecord, ...] = ()

    def __len__(self) -> int:
        """Return how many records the batch writes."""
        return len(self.deletes) + len(self.patches) + len(self.posts)

    def without(self, names: frozenset[str]) -> Self:
        """Return the batch less the records of these names."""
        return replace(
            self,
            deletes=tuple(record for record in self.deletes if record.name not in names),
            patches=tuple(record for record in self.patches if record.name not in names),
            posts=tuple(record for record in self.posts if record.name not in names),
        )


def claims_among(records: Mapping[Zone, Iterable[DnsRecord]], tunnels: Iterable[str]) -> dict[Hostname, Claim]:
    """Return the claims among records: marked CNAMEs that point at one of these tunnels, by hostname.

    A marked record that somebody pointed elsewhere is no claim: it is a bystander, and we do not touch it.
    """
    ours = frozenset(tunnels)
    found: dict[Hostname, Claim] = {}
    for zone, stored in records.items():
        for record in stored:
            tunnel = record.tunnel
            marker = record.marker if tunnel in ours else None
            if marker is not None:
                hostname = Hostname(record.name)
                found[hostname] = Claim(hostname, zone, record, marker, tunnel)
    return found
