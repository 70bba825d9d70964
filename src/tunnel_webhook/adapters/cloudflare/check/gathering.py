"""Inspection over Cloudflare: all is read first, side by side where it may be, and then judged. Nothing is written."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import httpx

from tunnel_webhook.adapters.cloudflare.check.access import (
    about_account,
    about_clock,
    about_credentials,
    about_permissions,
)
from tunnel_webhook.adapters.cloudflare.check.observations import Sightings, TunnelSighting, cure_of, is_denied
from tunnel_webhook.adapters.cloudflare.check.tunnels import about_tunnels
from tunnel_webhook.adapters.cloudflare.check.zones import about_zones
from tunnel_webhook.adapters.cloudflare.client import CloudflareAPI, side_by_side
from tunnel_webhook.adapters.cloudflare.codec import Connector, StoredRecord, Tunnel, Usage, VerifiedToken
from tunnel_webhook.adapters.cloudflare.directory import ZoneDirectory
from tunnel_webhook.adapters.cloudflare.failures import HTTPX_ERRORS, Refused, Task, failure_from
from tunnel_webhook.domain.dns import Zone
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.ports import Failure, Finding, Level, TemporaryFailure, TunnelRepository

T = TypeVar("T")

_VERIFY = "/user/tokens/verify"
_INVALID_TOKEN = 1000


@dataclass(frozen=True, slots=True)
class CloudflareInspection:
    """Whether one account, its tunnels and its zones are as the settings need them; `now` tells the seconds of the epoch."""

    api: CloudflareAPI
    client: httpx.AsyncClient
    directory: ZoneDirectory
    tunnels: TunnelRepository
    policy: Policy
    now: Callable[[], float]
    has_token: bool = True

    async def findings(self) -> AsyncIterator[Finding]:
        """Yield every precondition, from the credentials outward."""
        for finding in diagnose(await self._gather(), self.policy):
            yield finding

    async def _gather(self) -> Sightings | Failure:
        """Return what there is to see; a failure where Cloudflare cannot even be reached."""
        date = await self._date()
        now = self.now()
        if isinstance(date, Failure):
            return date
        zones = await _attempt(self.directory.stored())
        account = await _attempt(self.directory.account_id())
        token = await self._verify(account) if self.has_token else None
        ids = [tunnel.id for tunnel in self.policy.tunnels]
        tunnels = (
            [] if isinstance(account, Failure) else await side_by_side(self._tunnel(account, each) for each in ids)
        )
        known = () if isinstance(zones, Failure) else tuple(zones)
        usages = await side_by_side(self._usage(zone) for zone in known)
        return Sightings(
            now=now,
            date=date,
            token=token,
            account=account,
            is_account_given=bool(self.directory.account),
            zones=zones,
            tunnels=dict(zip(ids, tunnels, strict=False)),
            usages=dict(zip(known, usages, strict=True)),
        )

    async def _date(self) -> str | Failure:
        """Return the time of Cloudflare's clock as a header tells it; any answer will do."""
        try:
            response = await self.client.get(_VERIFY)
        except HTTPX_ERRORS as error:
            return failure_from(Task("reach Cloudflare"), error)
        except Failure as failure:
            return failure
        return str(response.headers.get("date", ""))

    async def _verify(self, account: str | Failure) -> VerifiedToken | Failure:
        """Ask the endpoint for the tokens of users, then that for those of accounts, which the first one calls invalid."""
        token = await _attempt(self.api.get(VerifiedToken, Task("verify token"), _VERIFY))
        if isinstance(token, Refused) and token.code == _INVALID_TOKEN and isinstance(account, str):
            return await _attempt(
                self.api.get(VerifiedToken, Task("verify token"), f"/accounts/{account}/tokens/verify")
            )
        return token

    async def _tunnel(self, account: str, tunnel: str) -> TunnelSighting:
        path = f"/accounts/{account}/cfd_tunnel/{tunnel}"
        return TunnelSighting(
            await _attempt(self.api.get(Tunnel, Task("read tunnel", tunnel), path)),
            await _attempt(self.tunnels.load(tunnel)),
            await _attempt(
                self.api.get(list[Connector], Task("list connectors", f"tunnel {tunnel}"), f"{path}/connections")
            ),
        )

    async def _usage(self, zone: Zone) -> Usage | Failure:
        """Return how full a zone is; where only that is refused, and its records can be read, that is not known."""
        path = f"/zones/{zone.id}/dns_records"
        usage = await _attempt(self.api.get(Usage, Task("read usage", f"zone {zone.name}"), f"{path}/usage"))
        if not is_denied(usage):
            return usage
        listed = await _attempt(
            self.api.get(list[StoredRecord], Task("list records", f"zone {zone.name}"), f"{path}?per_page=1")
        )
        return listed if isinstance(listed, Failure) else Usage()


async def _attempt(call: Awaitable[T]) -> T | Failure:
    try:
        return await call
    except Failure as failure:
        return failure


def diagnose(sightings: Sightings | Failure, policy: Policy) -> Iterator[Finding]:
    """Judge what was seen; where the credentials open nothing, nothing else is worth telling."""
    if isinstance(sightings, Failure):
        yield Finding("connection", Level.PROBLEM, str(sightings), _cure_of_connection(sightings))
        return
    credentials = about_credentials(sightings)
    yield credentials
    yield about_clock(sightings)
    if credentials.level is Level.PROBLEM:
        return
    yield about_account(sightings)
    yield from about_permissions(sightings, policy)
    yield from about_tunnels(sightings, policy)
    yield from about_zones(sightings, policy)


def _cure_of_connection(failure: Failure) -> str:
    if isinstance(failure, TemporaryFailure):
        return "see that Cloudflare's API can be reached from here: name resolution, firewall, CLOUDFLARE_API_URL"
    return cure_of(failure)
