"""Carrying a plan out: step by step, each hostname failing alone, in an order that may stop anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping

from tunnel_webhook.application.telling import tell_foreign_write
from tunnel_webhook.domain.claim import RecordBatch, Zone
from tunnel_webhook.domain.errors import InvalidConfiguration
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.ingress import IngressRule, TunnelConfiguration
from tunnel_webhook.domain.layout import lay_out
from tunnel_webhook.domain.plan import Decision, Plan, Rejection
from tunnel_webhook.domain.policy import Policy
from tunnel_webhook.domain.validity import check
from tunnel_webhook.ports import Failure, PermanentFailure, TemporaryFailure, TunnelRepository, ZoneRepository

_SAVE_TRIES = 3


class Execution:
    """One plan being carried out: `plan` is what is left of it, `temporary` the failures to tell of at the end."""

    def __init__(self, plan: Plan, tunnels: TunnelRepository, zones: ZoneRepository, policy: Policy) -> None:
        """Take the plan and the ports to carry it out on."""
        self.plan = plan
        self.temporary: list[TemporaryFailure] = []
        self._tunnels = tunnels
        self._zones = zones
        self._policy = policy

    async def run(self) -> None:
        """Claim first, release last: a stop after any step leaves a claim, and so the truth about who must repair it."""
        await self._write_records(self.plan.claims())
        await self._write_rules(self.plan.rules())
        await self._write_records(self.plan.repoints())
        await self._write_rules(self.plan.rules_left_behind())
        await self._write_records(self.plan.releases())

    def _fail(self, names: Collection[str], failure: Failure) -> None:
        """Take hostnames out of the plan: until the next sync where the failure is temporary, else rejected."""
        if isinstance(failure, TemporaryFailure):
            self.temporary.append(failure)
            self.plan = self.plan.without(names)
        else:
            self.plan = self.plan.without(names, [Rejection(name, "refused", str(failure)) for name in names])

    async def _write_records(self, batches: Mapping[Zone, RecordBatch]) -> None:
        await asyncio.gather(*(self._write_zone(zone, batch) for zone, batch in batches.items()))

    async def _write_zone(self, zone: Zone, batch: RecordBatch) -> None:
        try:
            refusals = await self._zones.save(zone, batch)
        except Failure as failure:
            self._fail({record.name for record in (*batch.deletes, *batch.patches, *batch.posts)}, failure)
        else:
            rejections = [Rejection(refusal.name, refusal.code, refusal.sentence) for refusal in refusals]
            self.plan = self.plan.without({refusal.name for refusal in refusals}, rejections)

    async def _write_rules(self, tunnels: Mapping[str, tuple[Decision, ...]]) -> None:
        await asyncio.gather(*(self._write_tunnel(tunnel, decisions) for tunnel, decisions in tunnels.items()))

    async def _write_tunnel(self, tunnel: str, decisions: tuple[Decision, ...]) -> None:
        try:
            await self._replace(tunnel, decisions, self.plan.claimed)
        except Failure as failure:
            self._fail({decision.hostname for decision in decisions}, failure)

    async def _replace(self, tunnel: str, decisions: tuple[Decision, ...], managed: frozenset[Hostname]) -> None:
        """Lay a document out anew on what stands there now, until nobody else wrote in between."""
        for _ in range(_SAVE_TRIES):
            base = await self._tunnels.load(tunnel)
            desired = _desired(tunnel, base, decisions, managed)
            if desired.rules == base.rules:
                return
            stored = await self._tunnels.save(tunnel, desired)
            if stored.version == base.version + 1:
                return
            tell_foreign_write(self._policy.tunnel_label(tunnel), base.version, stored.version)
        message = f"somebody else keeps writing the configuration of tunnel {tunnel}: gave up after {_SAVE_TRIES} tries"
        raise TemporaryFailure(message)


def _desired(
    tunnel: str, base: TunnelConfiguration, decisions: tuple[Decision, ...], managed: frozenset[Hostname]
) -> TunnelConfiguration:
    """Return a document with these decisions in it; PermanentFailure where cloudflared would refuse it as a whole."""
    standing: dict[str, list[IngressRule]] = {decision.hostname: [] for decision in decisions}
    for rule in base.rules:
        if rule.belongs_to in standing:
            standing[rule.belongs_to].append(rule)
    replaced = {decision.hostname: decision.rules_in(tunnel, standing[decision.hostname]) for decision in decisions}
    desired = lay_out(base, replaced, managed)
    try:
        check(desired)
    except InvalidConfiguration as error:
        message = f"the configuration of tunnel {tunnel} cannot be written while cloudflared refuses what others put there: {error}"
        raise PermanentFailure(message) from error
    return desired
