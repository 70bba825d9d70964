"""The Cloudflare adapters on an emulated Cloudflare: no sockets, and no time but the emulator's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count

import httpx

from doubles.emulator import ACCOUNT, API_TOKEN, BASE_URL, Emulator, EmulatorTransport, zone_id
from doubles.side_doors import dns_record
from tunnel_webhook.adapters.cloudflare.client import CloudflareAPI, open_client
from tunnel_webhook.adapters.cloudflare.credentials import ApiToken
from tunnel_webhook.adapters.cloudflare.directory import ZoneDirectory
from tunnel_webhook.adapters.cloudflare.lock import DnsLock
from tunnel_webhook.adapters.cloudflare.server_clock import ServerClock
from tunnel_webhook.adapters.cloudflare.tunnels import CloudflareTunnels
from tunnel_webhook.adapters.cloudflare.zones import CloudflareZones
from tunnel_webhook.domain.dns import DnsRecord, Zone
from tunnel_webhook.domain.external_dns.domain_filter import DomainFilter

ZONE = Zone("example.com", zone_id("example.com"))
DEADLINE, TIMEOUT = 12.5, 10.0
"""How long the work of the adapters may take, and so a single call, in the emulator's seconds."""

_nonces = count(1)


@dataclass(frozen=True, slots=True)
class Cloudflare:
    """The driven ports, and the emulator behind them."""

    emulator: Emulator
    tunnels: CloudflareTunnels
    zones: CloudflareZones
    lock: DnsLock

    @property
    def calls(self) -> list[str]:
        """Every call so far, as `GET /zones?page=1`."""
        return [call.line for call in self.emulator.log]

    @property
    def methods(self) -> list[str]:
        """The method of every call so far."""
        return [line.split()[0] for line in self.calls]

    def calls_to(self, method: str, part: str = "") -> int:
        """Return how many calls have this method and this part of a path or query."""
        return sum(line.startswith(method) and part in line for line in self.calls)

    def records(self, zone: Zone = ZONE) -> dict[str, DnsRecord]:
        """Return the records that the emulator holds in a zone, by name."""
        records = map(dns_record, self.emulator.state.zones[zone.id].records.values())
        return {record.name: record for record in records}


def emulated_client(
    emulator: Emulator, credentials: httpx.Auth | None = None, network: httpx.AsyncBaseTransport | None = None
) -> httpx.AsyncClient:
    """Return the adapter's client on an emulator, in the emulator's time; `network` wraps the emulator's own."""
    clock = emulator.clock
    return open_client(
        credentials or ApiToken(API_TOKEN),
        network or EmulatorTransport(emulator),
        base_url=BASE_URL,
        deadline=DEADLINE,
        clock=clock.now,
        sleep=clock.sleep,
        random=lambda: 0.5,
    )


@asynccontextmanager
async def cloudflare(  # noqa: PLR0913 -- keywords with a default, each for a few tests
    emulator: Emulator,
    *,
    credentials: httpx.Auth | None = None,
    account: str = ACCOUNT,
    zone_ids: tuple[str, ...] = (),
    domain_filter: DomainFilter | None = None,
    lock_zone: str = "",
    holder: str = "us",
    ahead: float = 0.0,
    network: httpx.AsyncBaseTransport | None = None,
) -> AsyncIterator[Cloudflare]:
    """Yield the adapters on an emulator; our clock is `ahead` of Cloudflare's in seconds."""
    async with emulated_client(emulator, credentials, network) as client:
        now, sleep = emulator.clock.now, emulator.clock.sleep
        api = CloudflareAPI(client, ServerClock(now, lambda: now() + ahead))
        directory = ZoneDirectory(api, now, sleep, account, zone_ids)
        yield Cloudflare(
            emulator,
            CloudflareTunnels(api, directory, now),
            CloudflareZones(api, directory, now, sleep, domain_filter or DomainFilter()),
            DnsLock(api, directory, lock_zone, holder, now, sleep, lambda: 0.5, lambda: f"{next(_nonces):x}"),
        )
