"""Who owns a hostname: the CNAME that points it at a tunnel, and the marker in that record's comment.

The marker is `heritage=tunnel-webhook,owner=<owner>[,releasing=<time>][,resource=<resource>]`, `%`-escaped, at most 100
characters (the limit of Cloudflare's Free plan, "Record attributes"). The resource is left out where it does not fit.
`releasing` is when the hostname was deleted, in whole seconds since the epoch: until the record is deleted too, its
rules stay ours to remove, should a late or simultaneous write bring them back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import unquote

from tunnel_webhook.domain.dns import DnsRecord, Zone, target_of
from tunnel_webhook.domain.errors import InvalidEndpoint, Reason
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.memo import MIB, Memo, weight_of_texts
from tunnel_webhook.domain.quotation import quoted

HERITAGE = "heritage=tunnel-webhook"
MAX_COMMENT = 100

_TIME = re.compile(r"[0-9]{1,10}")
_TO_ESCAPE = re.compile(r"[%,=\x00-\x20\x7f-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Marker:
    """The content of a claim: the owner of the hostname, and the Kubernetes resource that it comes from.

    `releasing` is the time of the release in seconds since the epoch, or None. Raises InvalidEndpoint for an owner that
    is empty, or that does not fit in a comment.
    """

    owner: str
    resource: str = ""
    releasing: int | None = None

    def __post_init__(self) -> None:
        """Check that the owner alone fits."""
        length = len(self._owned)
        if not self.owner:
            raise InvalidEndpoint(Reason.INVALID_OWNER, "the owner is empty: set OWNER_ID")
        if length > MAX_COMMENT:
            sentence = (
                f"owner {quoted(self.owner)} makes a marker of {length} characters, and a record's comment holds"
                f" {MAX_COMMENT}: choose a shorter owner id"
            )
            raise InvalidEndpoint(Reason.INVALID_OWNER, sentence)

    @staticmethod
    def parse(comment: str) -> Marker | None:
        """Return the marker in a comment; None for any other text, and for a marker that we could not write."""
        return _markers[comment]

    @property
    def comment(self) -> str:
        """The marker as a comment."""
        with_resource = f"{self._owned},resource={_escape(self.resource)}"
        return with_resource if self.resource and len(with_resource) <= MAX_COMMENT else self._owned

    @property
    def _owned(self) -> str:
        time = "" if self.releasing is None else f",releasing={self.releasing}"
        return f"{HERITAGE},owner={_escape(self.owner)}{time}"


def _parse_marker(comment: str) -> Marker | None:
    heritage, *pairs = comment.split(",")
    if heritage != HERITAGE:
        return None
    values = {key: text for key, _, text in (pair.partition("=") for pair in pairs)}
    time = values.get("releasing", "")
    releasing = int(time) if _TIME.fullmatch(time) else None
    try:
        return Marker(unquote(values.get("owner", "")), unquote(values.get("resource", "")), releasing)
    except InvalidEndpoint:
        return None


def _weigh(comment: str, marker: Marker | None) -> int:
    return weight_of_texts(comment, (marker.owner, marker.resource) if marker else "")


_markers = Memo(_parse_marker, _weigh, 4 * MIB)


def _escape(text: str) -> str:
    return _TO_ESCAPE.sub(lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode(errors="replace")), text)


def claim_for(hostname: Hostname, tunnel: str, marker: Marker) -> DnsRecord:
    """Return the record that claims a hostname: a proxied CNAME to the tunnel, marked."""
    return DnsRecord(name=hostname, type="CNAME", content=target_of(tunnel), proxied=True, comment=marker.comment)


def released_at(time: float, record: DnsRecord) -> DnsRecord | None:
    """Return a claiming record with the time of its release, in seconds since the epoch, in its marker.

    None where the owner leaves no room for the time, or the record is not marked.
    """
    marker = Marker.parse(record.comment)
    if marker is None:
        return None
    try:
        return replace(record, comment=replace(marker, releasing=int(time)).comment)
    except InvalidEndpoint:
        return None


@dataclass(frozen=True, slots=True)
class Claim:
    """A managed hostname: our CNAME, its zone, what its marker says, and the id of the tunnel that it points at."""

    hostname: Hostname
    zone: Zone
    record: DnsRecord
    marker: Marker
    tunnel: str

    @property
    def is_releasing(self) -> bool:
        """Whether the hostname was deleted; its record is kept until no late write can bring its rules back."""
        return self.marker.releasing is not None


def claims_among(records: Mapping[Zone, Iterable[DnsRecord]], tunnels: Iterable[str]) -> dict[Hostname, Claim]:
    """Return the claims among records: marked CNAMEs that point at one of these tunnels, by hostname.

    A marked record that a person pointed elsewhere is not a claim: it is a bystander, and stays untouched.
    """
    ours = frozenset(tunnels)
    pointing_here = ((record, zone) for zone in records for record in records[zone] if record.tunnel in ours)
    claims = (_claim_of(record, zone) for record, zone in pointing_here)
    return {claim.hostname: claim for claim in claims if claim}


def _claim_of(record: DnsRecord, zone: Zone) -> Claim | None:
    marker = Marker.parse(record.comment)
    if marker is None:
        return None
    try:
        hostname = Hostname(record.name)
    except InvalidEndpoint:
        return None
    return Claim(hostname, zone, record, marker, record.tunnel)
