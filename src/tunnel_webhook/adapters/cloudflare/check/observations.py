"""What an inspection has read, as values; if reading something failed, the failure takes its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeGuard

from tunnel_webhook.adapters.cloudflare.codec import Connector, StoredTunnel, StoredZone, Usage, VerifiedToken
from tunnel_webhook.adapters.cloudflare.failures import Refused
from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.dns import DnsRecord, Zone
from tunnel_webhook.ports import Failure, TemporaryFailure


@dataclass(frozen=True, slots=True)
class TunnelObservation:
    """One tunnel, its document, and the connectors that serve it."""

    tunnel: StoredTunnel | Failure
    configuration: TunnelConfiguration | Failure
    connectors: list[Connector] | Failure

    @property
    def denial(self) -> Refused | None:
        """The answer that denies reading the tunnel, if there is one."""
        return next((value for value in (self.tunnel, self.configuration) if is_denied(value)), None)


@dataclass(frozen=True, slots=True)
class Observations:
    """Everything that was read; `date` is the header of that name, `now` our clock in seconds since the epoch.

    `token` is None if a Global API Key is used. `tunnels` is by tunnel id, and empty if the account is not known.
    `usages` has the zones that the domain filter can concern; `left_out` the claims in the others, as far as rules name
    hostnames in them; `refused_ids` why a zone of CLOUDFLARE_ZONE_IDS is not in `zones`.
    """

    now: float
    date: str
    token: VerifiedToken | Failure | None
    account: str | Failure
    is_account_set: bool
    zones: Mapping[Zone, StoredZone] | Failure
    tunnels: Mapping[str, TunnelObservation] = field(default_factory=dict[str, TunnelObservation])
    usages: Mapping[Zone, Usage | Failure] = field(default_factory=dict[Zone, Usage | Failure])
    left_out: Mapping[Zone, tuple[DnsRecord, ...] | Failure] = field(
        default_factory=dict[Zone, tuple[DnsRecord, ...] | Failure]
    )
    refused_ids: Mapping[str, Refused] = field(default_factory=dict[str, Refused])

    @property
    def lockout(self) -> Failure | None:
        """Why nothing at all could be read; None if something could."""
        if not isinstance(self.zones, Failure):
            return None
        if any(isinstance(observation.tunnel, StoredTunnel) for observation in self.tunnels.values()):
            return None
        return self.token if isinstance(self.token, Failure) else self.zones


def is_denied(value: object) -> TypeGuard[Refused]:
    """Whether Cloudflare refused our credentials where something was to be read."""
    return isinstance(value, Refused) and value.is_denial


def sentence_of(failure: Failure) -> str:
    """Return the sentence of a failure, without the cure that a refusal carries."""
    return f"Cloudflare answers {failure.status}, {failure.sentence}" if isinstance(failure, Refused) else str(failure)


def cure_of(failure: Failure) -> str:
    """Return a cure for a failure for which there is no better one."""
    if isinstance(failure, TemporaryFailure):
        return "run this again in a minute; www.cloudflarestatus.com reports outages"
    return "fix what it names, and run this again"
