"""The driven ports with steps around each call, at which a test makes any adapter behind them wait or fail.

| call                  | steps                           |
|-----------------------|---------------------------------|
| `load`, of both ports | `before load`, `after load`     |
| `save`, of both ports | `before save`, `after save`     |
| `zones`               | `before zones`, `after zones`   |
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal

from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.dns import DnsRecord, RecordBatch, Zone
from tunnel_webhook.ports import Refusal, Superseded, TunnelRepository, ZoneRepository

Name = Literal["before load", "after load", "before save", "after save", "before zones", "after zones"]
Step = Callable[[str], Awaitable[None]]
"""Awaited with the name of each step; the call raises what it raises."""


async def pass_by(step: str) -> None:
    """Do nothing."""


def fail(failure: Exception, at: Name | None = None) -> Step:
    """Return a step that raises a failure at one place, by default at every one."""

    async def step(name: str) -> None:
        if at in {None, name}:
            raise failure

    return step


@dataclass(slots=True)
class SteppedTunnels:
    """TunnelRepository with steps."""

    inner: TunnelRepository
    step: Step = pass_by

    async def load(self, tunnel: str, /) -> TunnelConfiguration:
        await self.step("before load")
        configuration = await self.inner.load(tunnel)
        await self.step("after load")
        return configuration

    async def save(
        self,
        tunnel: str,
        base: TunnelConfiguration,
        configuration: TunnelConfiguration,
        may_write: Callable[[], bool],
        /,
    ) -> int | Superseded:
        await self.step("before save")
        saved = await self.inner.save(tunnel, base, configuration, may_write)
        await self.step("after save")
        return saved


@dataclass(slots=True)
class SteppedZones:
    """ZoneRepository with steps."""

    inner: ZoneRepository
    step: Step = pass_by

    def now(self) -> float:
        return self.inner.now()

    async def zones(self) -> tuple[Zone, ...]:
        await self.step("before zones")
        zones = await self.inner.zones()
        await self.step("after zones")
        return zones

    async def load(
        self, *, in_full: AbstractSet[Zone] = frozenset(), named: AbstractSet[Zone] = frozenset()
    ) -> Mapping[Zone, tuple[DnsRecord, ...]]:
        await self.step("before load")
        records = await self.inner.load(in_full=in_full, named=named)
        await self.step("after load")
        return records

    async def save(self, zone: Zone, batch: RecordBatch, /) -> tuple[Refusal, ...]:
        await self.step("before save")
        refusals = await self.inner.save(zone, batch)
        await self.step("after save")
        return refusals
