"""What an inspection has read, as values; where reading failed, the failure stands in the place of what was not read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeGuard

from tunnel_webhook.adapters.cloudflare.codec import Connector, StoredZone, Tunnel, Usage, VerifiedToken
from tunnel_webhook.adapters.cloudflare.failures import Refused
from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.dns import Zone
from tunnel_webhook.ports import Failure, TemporaryFailure

_DENIED = frozenset({401, 403})


@dataclass(frozen=True, slots=True)
class TunnelSighting:
    """One tunnel, its document, and the connectors that serve it."""

    tunnel: Tunnel | Failure
    configuration: TunnelConfiguration | Failure
    connectors: list[Connector] | Failure

    @property
    def refusal(self) -> Refused | None:
        """The answer that denies reading the tunnel, if there is one."""
        return next((each for each in (self.tunnel, self.configuration) if is_denied(each)), None)


@dataclass(frozen=True, slots=True)
class Sightings:
    """Everything that was read; `date` is the header of that name, `now` our clock in seconds since the epoch.

    `token` is None where a Global API Key is used; `tunnels` is by tunnel id, and holds nothing where the account is not known.
    """

    now: float
    date: str
    token: VerifiedToken | Failure | None
    account: str | Failure
    is_account_given: bool
    zones: Mapping[Zone, StoredZone] | Failure
    tunnels: Mapping[str, TunnelSighting] = field(default_factory=dict[str, TunnelSighting])
    usages: Mapping[Zone, Usage | Failure] = field(default_factory=dict[Zone, Usage | Failure])

    @property
    def lockout(self) -> Failure | None:
        """Why nothing at all was read, or None where something was."""
        if not isinstance(self.zones, Failure) or any(
            isinstance(each.tunnel, Tunnel) for each in self.tunnels.values()
        ):
            return None
        return self.token if isinstance(self.token, Failure) else self.zones


def is_denied(found: object) -> TypeGuard[Refused]:
    """Whether Cloudflare refused to let us read something."""
    return isinstance(found, Refused) and found.status in _DENIED


def told(failure: Failure) -> str:
    """Return what a failure says, without the cure that a refusal carries."""
    return f"Cloudflare answers {failure.status}, {failure.sentence}" if isinstance(failure, Refused) else str(failure)


def cure_of(failure: Failure) -> str:
    """Return what can be done about a failure of which nothing better is known."""
    if isinstance(failure, TemporaryFailure):
        return "run this again in a minute; www.cloudflarestatus.com tells of outages"
    return "mend what it names, and run this again"
