"""Inspection over Cloudflare: everything is read first, concurrently where possible, and then judged."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from tunnel_webhook.adapters.cloudflare.check.access import (
    about_account,
    about_clock,
    about_credentials,
    about_permissions,
)
from tunnel_webhook.adapters.cloudflare.check.observations import Observations, TunnelObservation, cure_of, is_denied
from tunnel_webhook.adapters.cloudflare.check.tunnels import about_tunnels
from tunnel_webhook.adapters.cloudflare.check.zones import about_zones
from tunnel_webhook.adapters.cloudflare.client import CloudflareAPI, gather_or_cancel
from tunnel_webhook.adapters.cloudflare.codec import Connector, StoredRecord, StoredTunnel, Usage, VerifiedToken
from tunnel_webhook.adapters.cloudflare.credentials import ApiKey
from tunnel_webhook.adapters.cloudflare.directory import ZoneDirectory
from tunnel_webhook.adapters.cloudflare.envelope import Fault, decode_response
from tunnel_webhook.adapters.cloudflare.failures import (
    Operation,
    Refused,
    failure_of_error,
    failure_of_fault,
    is_from_between,
)
from tunnel_webhook.adapters.cloudflare.outcomes import HTTPX_ERRORS
from tunnel_webhook.adapters.cloudflare.record_lists import RecordLists
from tunnel_webhook.domain.dns import DnsRecord, Zone
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.hostname import zone_of
from tunnel_webhook.ports import Failure, Finding, Level, TemporaryFailure, TunnelRepository

T = TypeVar("T")

_VERIFY = "/user/tokens/verify"
_INVALID_TOKEN = 1000


@dataclass(frozen=True, slots=True)
class CloudflareInspection:
    """Inspects one account, its tunnels and its zones; `now` is in seconds since the epoch."""

    api: CloudflareAPI
    client: httpx.AsyncClient
    directory: ZoneDirectory
    tunnels: TunnelRepository
    policy: Policy
    now: Callable[[], float]

    async def findings(self) -> AsyncIterator[Finding]:
        """Yield a finding for every precondition, starting with the credentials."""
        for finding in _diagnose(await self._gather(), self.policy):
            yield finding

    async def _gather(self) -> Observations | Failure:
        """Return everything that can be read, or the failure if Cloudflare cannot even be reached."""
        date = await self._date()
        now = self.now()
        if isinstance(date, Failure):
            return date
        zones = await _attempt(self.directory.details())
        account = await _attempt(self.directory.account_id())
        token = None if isinstance(self.client.auth, ApiKey) else await self._verify(account)
        tunnels = dict[str, TunnelObservation]() if isinstance(account, Failure) else await self._tunnels(account)
        known = [] if isinstance(zones, Failure) else list(zones)
        concerned = {zone for zone in known if self.policy.domain_filter.concerns(zone.name)}
        return Observations(
            now=now,
            date=date,
            token=token,
            account=account,
            is_account_set=bool(self.directory.account),
            zones=zones,
            tunnels=tunnels,
            usages=await _by_zone(self._usage, concerned),
            left_out=await _by_zone(self._claims, _named(tunnels.values(), known) - concerned),
            refused_ids=self.directory.refusals,
        )

    async def _date(self) -> str | Failure:
        """Return Cloudflare's time from the Date header of any response."""
        try:
            response = await self.client.get(_VERIFY)
        except HTTPX_ERRORS as error:
            return failure_of_error(Operation("reach Cloudflare"), error)
        except Failure as failure:
            return failure
        answer = decode_response(response.status_code, response.headers, response.content)
        if isinstance(answer, Fault) and is_from_between(answer):
            return failure_of_fault(Operation("reach Cloudflare"), answer)
        return str(response.headers.get("date", ""))

    async def _verify(self, account: str | Failure) -> VerifiedToken | Failure:
        """Verify the token as a user's, and then as the account's, which the endpoint for users calls invalid."""
        operation = Operation("verify token")
        token = await _attempt(self.api.get(VerifiedToken, operation, _VERIFY))
        if isinstance(token, Refused) and token.code == _INVALID_TOKEN and isinstance(account, str):
            return await _attempt(self.api.get(VerifiedToken, operation, f"/accounts/{account}/tokens/verify"))
        return token

    async def _tunnels(self, account: str) -> Mapping[str, TunnelObservation]:
        ids = [tunnel.id for tunnel in self.policy.tunnels]
        observations = await gather_or_cancel(self._tunnel(account, tunnel) for tunnel in ids)
        return dict(zip(ids, observations, strict=True))

    async def _tunnel(self, account: str, tunnel: str) -> TunnelObservation:
        path = f"/accounts/{account}/cfd_tunnel/{tunnel}"
        listing = Operation("list connectors", f"tunnel {tunnel}")
        return TunnelObservation(
            tunnel=await _attempt(self.api.get(StoredTunnel, Operation("read tunnel", tunnel), path)),
            configuration=await _attempt(self.tunnels.load(tunnel)),
            connectors=await _attempt(self.api.get(list[Connector], listing, f"{path}/connections")),
        )

    async def _claims(self, zone: Zone) -> tuple[DnsRecord, ...] | Failure:
        """Return the claims in a zone that nothing else reads."""
        return await _attempt(RecordLists(self.api, self.directory.sleep).read(zone, in_full=False))

    async def _usage(self, zone: Zone) -> Usage | Failure:
        """Return how full a zone is; if only that is denied and its records can be read, it is unknown."""
        path, subject = f"/zones/{zone.id}/dns_records", f"zone {zone.name}"
        usage = await _attempt(self.api.get(Usage, Operation("read usage", subject), f"{path}/usage"))
        if not is_denied(usage):
            return usage
        records = await _attempt(
            self.api.get(list[StoredRecord], Operation("list records", subject), f"{path}?per_page=1")
        )
        return records if isinstance(records, Failure) else Usage()


async def _by_zone(read: Callable[[Zone], Coroutine[Any, Any, T]], zones: Iterable[Zone]) -> Mapping[Zone, T]:
    ordered = sorted(zones)
    return dict(zip(ordered, await gather_or_cancel(read(zone) for zone in ordered), strict=True))


def _named(tunnels: Iterable[TunnelObservation], zones: Iterable[Zone]) -> set[Zone]:
    """Return the zones in which rules of the tunnels have hostnames."""
    by_name = {zone.name: zone for zone in zones}
    documents = (observation.configuration for observation in tunnels)
    rules = (rule for document in documents if not isinstance(document, Failure) for rule in document.rules)
    return {zone for rule in rules if (zone := zone_of(rule.canonical_hostname, by_name))}


async def _attempt(call: Awaitable[T]) -> T | Failure:
    try:
        return await call
    except Failure as failure:
        return failure


def _diagnose(observations: Observations | Failure, policy: Policy) -> Iterator[Finding]:
    """Judge what was read; if the credentials open nothing, nothing else is worth saying."""
    if isinstance(observations, Failure):
        yield Finding("connection", Level.PROBLEM, str(observations), _cure_of_connection(observations))
        return
    credentials = about_credentials(observations)
    yield credentials
    yield about_clock(observations)
    if credentials.level is Level.PROBLEM:
        return
    yield about_account(observations)
    yield from about_permissions(observations, policy)
    yield from about_tunnels(observations, policy)
    yield from about_zones(observations, policy)


def _cure_of_connection(failure: Failure) -> str:
    if isinstance(failure, TemporaryFailure):
        return "check that Cloudflare's API can be reached from here: name resolution, firewall, CLOUDFLARE_API_URL"
    return cure_of(failure)
