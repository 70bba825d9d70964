"""The second table: the adapters of the driven ports over Cloudflare, loaded only where `BACKEND` picks them."""

from __future__ import annotations

import asyncio
import operator
import random
import time
from pathlib import Path

import httpx
from dependency_injector import containers, providers

from tunnel_webhook.adapters.cloudflare.check import CloudflareInspection
from tunnel_webhook.adapters.cloudflare.client import CloudflareAPI, http_transport, open_client
from tunnel_webhook.adapters.cloudflare.credentials import ApiKey, ApiToken, ApiTokenFile
from tunnel_webhook.adapters.cloudflare.directory import ZoneDirectory
from tunnel_webhook.adapters.cloudflare.tunnels import CloudflareTunnels
from tunnel_webhook.adapters.cloudflare.zones import CloudflareZones
from tunnel_webhook.ports import Inspection, TunnelRepository, ZoneRepository
from tunnel_webhook.settings import Settings
from tunnel_webhook.telemetry import Telemetry


def _credentials(settings: Settings) -> httpx.Auth:
    if settings.cloudflare_api_token:
        return ApiToken(settings.cloudflare_api_token.reveal())
    if settings.cloudflare_api_token_file:
        return ApiTokenFile(Path(settings.cloudflare_api_token_file))
    return ApiKey(settings.cloudflare_api_key.reveal(), settings.cloudflare_api_email)


def _budget(settings: Settings) -> float:
    # Cloudflare's own reason for a failure shall come before the deadline, which knows none.
    return 0.8 * settings.request_deadline


class Cloudflare(containers.DeclarativeContainer):
    """Everything between the driven ports and the network; who enters `client` closes it."""

    settings: providers.Dependency[Settings] = providers.Dependency(instance_of=Settings)
    telemetry: providers.Dependency[Telemetry] = providers.Dependency(instance_of=Telemetry)
    clock = providers.Object(time.monotonic)

    network: providers.Provider[httpx.AsyncBaseTransport] = providers.Singleton(http_transport)
    client: providers.Provider[httpx.AsyncClient] = providers.Singleton(
        open_client,
        credentials=providers.Callable(_credentials, settings),
        transport=providers.Callable(Telemetry.traced_transport, telemetry, network),
        budget=providers.Callable(_budget, settings),
        clock=clock,
        sleep=providers.Object(asyncio.sleep),
        random=providers.Object(random.random),
        base_url=settings.provided.cloudflare_api_url,
    )
    api: providers.Provider[CloudflareAPI] = providers.Singleton(CloudflareAPI, client)
    directory: providers.Provider[ZoneDirectory] = providers.Singleton(
        ZoneDirectory,
        api,
        clock,
        account=settings.provided.cloudflare_account_id,
        zone_ids=settings.provided.cloudflare_zone_ids,
    )
    tunnels: providers.Provider[TunnelRepository] = providers.Singleton(CloudflareTunnels, api, directory)
    zones: providers.Provider[ZoneRepository] = providers.Singleton(CloudflareZones, api, directory, clock)
    inspection: providers.Provider[Inspection] = providers.Singleton(
        CloudflareInspection,
        api,
        client,
        directory,
        tunnels,
        settings.provided.policy,
        now=providers.Object(time.time),
        has_token=providers.Callable(operator.not_, settings.provided.cloudflare_api_key),
    )
