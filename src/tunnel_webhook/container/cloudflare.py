"""The second table: the adapters of the driven ports over Cloudflare, loaded only if `BACKEND` picks them."""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from functools import partial

import httpx
from dependency_injector import containers, providers

from tunnel_webhook.adapters.cloudflare.check import CloudflareInspection
from tunnel_webhook.adapters.cloudflare.client import CloudflareAPI, http_transport, open_client
from tunnel_webhook.adapters.cloudflare.credentials import choose_credentials
from tunnel_webhook.adapters.cloudflare.directory import ZoneDirectory
from tunnel_webhook.adapters.cloudflare.lock import DnsLock
from tunnel_webhook.adapters.cloudflare.server_clock import ServerClock
from tunnel_webhook.adapters.cloudflare.tunnels import CloudflareTunnels
from tunnel_webhook.adapters.cloudflare.zones import CloudflareZones
from tunnel_webhook.ports import Inspection, TunnelRepository, WriteLock, ZoneRepository
from tunnel_webhook.settings import Settings
from tunnel_webhook.telemetry import Telemetry


class Cloudflare(containers.DeclarativeContainer):
    """Everything between the driven ports and the network; `client` is closed by its user."""

    settings: providers.Dependency[Settings] = providers.Dependency(instance_of=Settings)
    telemetry: providers.Dependency[Telemetry] = providers.Dependency(instance_of=Telemetry)
    clock = providers.Object(time.monotonic)
    sleep = providers.Object(asyncio.sleep)

    credentials: providers.Provider[httpx.Auth] = providers.Singleton(
        choose_credentials,
        token=settings.provided.cloudflare_api_token.reveal.call(),
        token_file=settings.provided.cloudflare_api_token_file,
        key=settings.provided.cloudflare_api_key.reveal.call(),
        email=settings.provided.cloudflare_api_email.reveal.call(),
        learn=telemetry.provided.masking.learn,
    )
    network: providers.Provider[httpx.AsyncBaseTransport] = providers.Singleton(
        http_transport, settings.provided.proxy_url, settings.provided.proxy_credentials
    )
    client: providers.Provider[httpx.AsyncClient] = providers.Singleton(
        open_client,
        credentials,
        providers.Callable(Telemetry.traced_transport, telemetry, network),
        base_url=settings.provided.cloudflare_api_url,
        deadline=settings.provided.request_deadline,
        clock=clock,
        sleep=sleep,
        random=providers.Object(random.random),
    )
    server_clock: providers.Provider[ServerClock] = providers.Singleton(ServerClock, clock, providers.Object(time.time))
    api: providers.Provider[CloudflareAPI] = providers.Singleton(
        CloudflareAPI, client, server_clock, telemetry.provided.masking
    )
    directory: providers.Provider[ZoneDirectory] = providers.Singleton(
        ZoneDirectory,
        api,
        clock,
        sleep,
        account=settings.provided.cloudflare_account_id,
        zone_ids=settings.provided.cloudflare_zone_ids,
    )
    tunnels: providers.Provider[TunnelRepository] = providers.Singleton(CloudflareTunnels, api, directory, clock)
    zones: providers.Provider[ZoneRepository] = providers.Singleton(
        CloudflareZones, api, directory, clock, sleep, settings.provided.policy.domain_filter
    )
    lock: providers.Provider[WriteLock] = providers.Singleton(
        DnsLock,
        api,
        directory,
        zone_name=settings.provided.lock_zone,
        holder=settings.provided.owner_id,
        clock=clock,
        sleep=sleep,
        random=providers.Object(random.random),
        nonce=providers.Object(partial(secrets.token_hex, 16)),
    )
    inspection: providers.Provider[Inspection] = providers.Singleton(
        CloudflareInspection,
        api,
        client,
        directory,
        tunnels,
        settings.provided.policy,
        now=providers.Object(time.time),
    )
