"""The table of contents: what is built from what. All constructors are synchronous, and none does any I/O.

`BACKEND` selects the adapters of the driven ports. Enter `lifetime` before the first call of a port.
"""

from __future__ import annotations

import time
from contextlib import AbstractAsyncContextManager, nullcontext

from dependency_injector import containers, providers

from tunnel_webhook.adapters.http.admission import Admission
from tunnel_webhook.adapters.http.monitoring import create_monitoring_app
from tunnel_webhook.adapters.http.webhook import create_webhook_app
from tunnel_webhook.adapters.memory import InMemoryInspection, InMemoryTunnels, InMemoryZones, NoLock
from tunnel_webhook.application import (
    Contact,
    Deletions,
    Documents,
    Executor,
    Gathering,
    Operator,
    Refusals,
    SyncLog,
    TunnelService,
    Turns,
)
from tunnel_webhook.ports import Inspection, TunnelRepository, WriteLock, ZoneRepository
from tunnel_webhook.settings import Settings
from tunnel_webhook.telemetry import ASGIApp, Telemetry


def _cloudflare(settings: Settings, telemetry: Telemetry) -> containers.Container:
    # Importing httpx is a quarter of the start-up time, and the memory backend does not need it.
    from tunnel_webhook.container.cloudflare import Cloudflare  # noqa: PLC0415 -- see above

    return Cloudflare(settings=settings, telemetry=telemetry)


class Container(containers.DeclarativeContainer):
    """Every object of a process, given its settings and its telemetry."""

    settings: providers.Dependency[Settings] = providers.Dependency(instance_of=Settings)
    telemetry: providers.Dependency[Telemetry] = providers.Dependency(instance_of=Telemetry)

    memory_tunnels: providers.Provider[TunnelRepository] = providers.Singleton(
        InMemoryTunnels.empty, settings.provided.tunnel_ids
    )
    memory_zones: providers.Provider[ZoneRepository] = providers.Singleton(
        InMemoryZones.empty, settings.provided.demo_zones
    )
    cloudflare: providers.Provider[containers.Container] = providers.Singleton(_cloudflare, settings, telemetry)

    tunnels: providers.Provider[TunnelRepository] = providers.Selector(
        settings.provided.backend, memory=memory_tunnels, cloudflare=cloudflare.provided.tunnels.call()
    )
    zones: providers.Provider[ZoneRepository] = providers.Selector(
        settings.provided.backend, memory=memory_zones, cloudflare=cloudflare.provided.zones.call()
    )
    inspection: providers.Provider[Inspection] = providers.Selector(
        settings.provided.backend,
        memory=providers.Factory(InMemoryInspection),
        cloudflare=cloudflare.provided.inspection.call(),
    )
    lifetime: providers.Provider[AbstractAsyncContextManager[object]] = providers.Selector(
        settings.provided.backend, memory=providers.Factory(nullcontext), cloudflare=cloudflare.provided.client.call()
    )

    policy = settings.provided.policy
    guard = settings.provided.guard
    lock: providers.Provider[WriteLock] = providers.Selector(
        settings.provided.lock_kind, off=providers.Factory(NoLock), dns=cloudflare.provided.lock.call()
    )
    clock = providers.Object(time.monotonic)
    sync_log: providers.Provider[SyncLog] = providers.Singleton(SyncLog, policy, clock)
    documents: providers.Provider[Documents] = providers.Singleton(Documents, tunnels, lock, policy, clock, sync_log)
    gathering: providers.Provider[Gathering] = providers.Singleton(Gathering, documents, zones, policy)
    turns: providers.Provider[Turns] = providers.Singleton(Turns, settings.provided.request_deadline)
    contact: providers.Provider[Contact] = providers.Singleton(Contact, providers.Object(time.time))
    service: providers.Provider[TunnelService] = providers.Singleton(
        TunnelService,
        gathering=gathering,
        executor=providers.Singleton(
            Executor,
            documents,
            zones,
            providers.Singleton(Refusals, clock),
            clock,
            settings.provided.release_delay,
        ),
        turns=turns,
        contact=contact,
        policy=policy,
        guard=guard,
        deletions=providers.Singleton(Deletions, clock),
        sync_log=sync_log,
        dry_run=settings.provided.dry_run,
        fail_on_rejection=settings.provided.fails_on_rejection,
    )
    operator: providers.Provider[Operator] = providers.Singleton(Operator, gathering, policy, guard)

    admission: providers.Provider[Admission] = providers.Singleton(
        Admission,
        providers.Callable(frozenset, settings.provided.allowed_hosts),
        settings.provided.password.reveal.call(),
    )
    webhook_app: providers.Provider[ASGIApp] = providers.Singleton(
        Telemetry.traced_app, telemetry, providers.Singleton(create_webhook_app, service, admission)
    )
    monitoring_app: providers.Provider[ASGIApp] = providers.Singleton(
        create_monitoring_app, readiness=contact.provided.readiness, metrics=telemetry.provided.metrics
    )
