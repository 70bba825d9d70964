"""The table of contents: what is built of what. Constructors only, all synchronous, none of which does any I/O.

`BACKEND` picks the adapters of the driven ports, and nothing takes their place. Whoever serves enters `lifetime` first.
"""

from __future__ import annotations

import time
from contextlib import AbstractAsyncContextManager, nullcontext

from dependency_injector import containers, providers

from tunnel_webhook.adapters.http.exposed import Readiness, create_exposed_app
from tunnel_webhook.adapters.http.webhook import create_webhook_app
from tunnel_webhook.adapters.memory import InMemoryInspection, InMemoryTunnels, InMemoryZones
from tunnel_webhook.application import Contact, TunnelService
from tunnel_webhook.domain.policy import Policy
from tunnel_webhook.ports import Inspection, TunnelRepository, ZoneRepository
from tunnel_webhook.settings import Settings
from tunnel_webhook.telemetry import ASGIApp, Telemetry


def _empty_documents(policy: Policy) -> dict[str, tuple[str, int]]:
    return {tunnel.id: ("{}", 0) for tunnel in policy.tunnels}


def _cloudflare(settings: Settings, telemetry: Telemetry) -> containers.Container:
    # httpx makes up a quarter of a start, and memory has no use for it.
    from tunnel_webhook.container.cloudflare import Cloudflare  # noqa: PLC0415 -- as said above

    return Cloudflare(settings=settings, telemetry=telemetry)


def _readiness(contact: Contact | None, now: float) -> Readiness:
    if contact is None:
        return Readiness(ready=True, sentence="nothing was asked of the backend yet")
    sentence = contact.failure or "the backend answered"
    return Readiness(ready=not contact.failure, sentence=sentence, seconds_since_contact=now - contact.at)


class Container(containers.DeclarativeContainer):
    """Everything that a process is made of, given its settings and its telemetry."""

    settings: providers.Dependency[Settings] = providers.Dependency(instance_of=Settings)
    telemetry: providers.Dependency[Telemetry] = providers.Dependency(instance_of=Telemetry)
    now: providers.Provider[float] = providers.Callable(time.time)

    memory_tunnels: providers.Provider[TunnelRepository] = providers.Singleton(
        InMemoryTunnels, documents=providers.Callable(_empty_documents, settings.provided.policy)
    )
    memory_zones: providers.Provider[ZoneRepository] = providers.Singleton(InMemoryZones.named, settings.provided.demo_zones)
    cloudflare: providers.Provider[containers.Container] = providers.Singleton(_cloudflare, settings, telemetry)

    tunnels: providers.Provider[TunnelRepository] = providers.Selector(
        settings.provided.backend, memory=memory_tunnels, cloudflare=cloudflare.provided.tunnels.call()
    )
    zones: providers.Provider[ZoneRepository] = providers.Selector(
        settings.provided.backend, memory=memory_zones, cloudflare=cloudflare.provided.zones.call()
    )
    inspection: providers.Provider[Inspection] = providers.Selector(
        settings.provided.backend, memory=providers.Factory(InMemoryInspection), cloudflare=cloudflare.provided.inspection.call()
    )
    lifetime: providers.Provider[AbstractAsyncContextManager[object]] = providers.Selector(
        settings.provided.backend, memory=providers.Factory(nullcontext), cloudflare=cloudflare.provided.client.call()
    )

    service: providers.Provider[TunnelService] = providers.Singleton(
        TunnelService,
        tunnels,
        zones,
        settings.provided.policy,
        settings.provided.guard,
        deadline=settings.provided.request_deadline,
        clock=now.provider,
        dry_run=settings.provided.dry_run,
        fail_on_rejection=settings.provided.fails_on_rejection,
    )
    readiness: providers.Provider[Readiness] = providers.Callable(_readiness, service.provided.contact, now)
    webhook_app: providers.Provider[ASGIApp] = providers.Singleton(
        Telemetry.traced_app, telemetry, providers.Singleton(create_webhook_app, api=service)
    )
    exposed_app: providers.Provider[ASGIApp] = providers.Singleton(
        create_exposed_app, readiness=readiness.provider, metrics=telemetry.provided.metrics
    )
