"""The Cloudflare adapters on an emulated Cloudflare, for tests: no sockets, and no time but the emulator's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from doubles.emulator import ACCOUNT, API_TOKEN, BASE_URL, Emulator, EmulatorTransport, zone_id
from doubles.side_doors import dns_record
from tunnel_webhook.adapters.cloudflare.client import CloudflareAPI, open_client
from tunnel_webhook.adapters.cloudflare.credentials import ApiToken
from tunnel_webhook.adapters.cloudflare.directory import ZoneDirectory
from tunnel_webhook.adapters.cloudflare.tunnels import CloudflareTunnels
from tunnel_webhook.adapters.cloudflare.zones import CloudflareZones
from tunnel_webhook.domain.dns import DnsRecord, Zone

ZONE = Zone("example.com", zone_id("example.com"))


@dataclass(frozen=True, slots=True)
class Cloudflare:
    """Both driven ports, and the emulator that is behind them."""

    emulator: Emulator
    tunnels: CloudflareTunnels
    zones: CloudflareZones

    @property
    def calls(self) -> list[str]:
        """What was asked, as `GET /zones?page=1`."""
        return [call.line for call in self.emulator.log]

    def calls_to(self, method: str, part: str) -> int:
        """Return how many calls had this method and this part of a path or query."""
        return sum(line.startswith(method) and part in line for line in self.calls)

    def stored(self, zone: Zone = ZONE) -> dict[str, DnsRecord]:
        """Return the records of a zone by name, as the emulator holds them."""
        records = map(dns_record, self.emulator.state.zones[zone.id].records.values())
        return {record.name: record for record in records}


@asynccontextmanager
async def cloudflare(
    emulator: Emulator,
    *,
    credentials: httpx.Auth | None = None,
    account: str = ACCOUNT,
    zone_ids: tuple[str, ...] = (),
    budget: float = 10.0,
) -> AsyncIterator[Cloudflare]:
    """Yield the adapters on an emulator, in the emulator's time."""
    clock = emulator.clock
    async with open_client(
        credentials or ApiToken(API_TOKEN),
        EmulatorTransport(emulator),
        budget=budget,
        clock=clock.now,
        sleep=clock.sleep,
        random=lambda: 0.5,
        base_url=BASE_URL,
    ) as client:
        api = CloudflareAPI(client)
        directory = ZoneDirectory(api, clock.now, account, zone_ids)
        yield Cloudflare(emulator, CloudflareTunnels(api, directory), CloudflareZones(api, directory, clock.now))
