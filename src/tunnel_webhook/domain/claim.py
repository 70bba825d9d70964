"""Who owns a hostname: the CNAME that points it at a tunnel, and the marker in that record's comment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from tunnel_webhook.domain.claimed_paths import NO_PATHS, ClaimedPaths
from tunnel_webhook.domain.dns import DnsRecord, Zone, target_of
from tunnel_webhook.domain.errors import InvalidEndpoint
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.marker import Marker


def claim_for(hostname: Hostname, tunnel: str, marker: Marker) -> DnsRecord:
    """Return the record that claims a hostname: a proxied CNAME to the tunnel, marked."""
    return DnsRecord(name=hostname, type="CNAME", content=target_of(tunnel), proxied=True, comment=marker.comment)


@dataclass(frozen=True, slots=True)
class Release:
    """What a claim gives up: the record as it is before, and as it is in the end; None where it is deleted.

    In the end the record names fewer paths, or, where others still need it, none: then it is not marked any more.
    """

    record: DnsRecord
    afterwards: DnsRecord | None = None

    def pointing_at(self, tunnel: str) -> Release:
        """Return the same of a record that points at a tunnel by then."""
        content = target_of(tunnel)
        afterwards = replace(self.afterwards, content=content) if self.afterwards else None
        return Release(replace(self.record, content=content), afterwards)

    @property
    def is_whole(self) -> bool:
        """Whether all paths are given up, and so the hostname."""
        return not _named_by(self.afterwards)

    def gives_up(self, path: str) -> bool:
        """Whether the rule of a path is ours before, and is not in the end."""
        return path in _named_by(self.record) and path not in _named_by(self.afterwards)

    def begun(self, time: float) -> DnsRecord | None:
        """Return the record with its paths marked as leaving since a time, in seconds since the epoch.

        None where the marker has no room for the time, or the record has no marker.
        """
        marker = Marker.parse(self.record.comment)
        if marker is None:
            return None
        leaving = marker.named - _named_by(self.afterwards)
        try:
            marked = replace(marker, paths=marker.named - leaving, leaving=leaving, since=int(time))
        except InvalidEndpoint:
            return None
        return replace(self.record, comment=marked.comment)


def _named_by(record: DnsRecord | None) -> ClaimedPaths:
    marker = Marker.parse(record.comment) if record else None
    return marker.paths | marker.leaving if marker else NO_PATHS


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
        return self.marker.is_releasing


def claims_among(records: Mapping[Zone, Iterable[DnsRecord]], tunnels: Iterable[str]) -> dict[str, Claim]:
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
