"""Carrying a plan out: step by step, each hostname failing alone, in an order that may stop anywhere."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from tunnel_webhook.application.instrumentation import observe_foreign_write
from tunnel_webhook.domain.cloudflared.ingress import IngressRule, TunnelConfiguration
from tunnel_webhook.domain.cloudflared.validation import check_configuration
from tunnel_webhook.domain.dns import RecordBatch, Zone
from tunnel_webhook.domain.errors import InvalidConfiguration, Reason
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.layout import lay_out
from tunnel_webhook.domain.planning.plan import Plan, Rejection, RuleChange
from tunnel_webhook.ports import Failure, PermanentFailure, TemporaryFailure, TunnelRepository, ZoneRepository

_SAVE_TRIES = 3


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a plan.

    `applied` is what was carried out, with every rejection; `waiting` the hostnames that the next sync may carry out,
    sorted, and `failure` why the first of them were not.
    """

    applied: Plan
    waiting: tuple[Hostname, ...] = ()
    failure: TemporaryFailure | None = None


@dataclass(frozen=True, slots=True)
class Executor:
    """Carries plans out on the driven ports."""

    tunnels: TunnelRepository
    zones: ZoneRepository
    policy: Policy

    async def execute(self, plan: Plan) -> Outcome:
        """Carry a plan out as far as possible; failures of the ports are in the outcome, and raise nothing."""
        progress = _Progress(plan)
        await self._write_records(progress.remaining.claims(), progress)
        await self._write_rules(progress.remaining.rules(), progress)
        await self._write_records(progress.remaining.repoints(), progress)
        await self._write_rules(progress.remaining.cleanups(), progress)
        await self._write_records(progress.remaining.releases(), progress)
        return progress.outcome()

    async def _write_records(self, batches: Mapping[Zone, RecordBatch], progress: _Progress) -> None:
        await asyncio.gather(*(self._write_zone(zone, batch, progress) for zone, batch in batches.items()))

    async def _write_zone(self, zone: Zone, batch: RecordBatch, progress: _Progress) -> None:
        try:
            refusals = await self.zones.save(zone, batch)
        except Failure as failure:
            progress.fail({record.name for record in batch.records}, failure)
        else:
            progress.reject(Rejection(refusal.name, refusal.reason, refusal.sentence) for refusal in refusals)

    async def _write_rules(self, by_tunnel: Mapping[str, Mapping[Hostname, RuleChange]], progress: _Progress) -> None:
        await asyncio.gather(*(self._write_tunnel(tunnel, changes, progress) for tunnel, changes in by_tunnel.items()))

    async def _write_tunnel(self, tunnel: str, changes: Mapping[Hostname, RuleChange], progress: _Progress) -> None:
        try:
            await self._replace(tunnel, changes, progress.remaining.claimed)
        except Failure as failure:
            progress.fail(changes.keys(), failure)

    async def _replace(self, tunnel: str, changes: Mapping[Hostname, RuleChange], managed: frozenset[Hostname]) -> None:
        """Write a document laid out on what is stored now; again, if someone else wrote in between."""
        for _ in range(_SAVE_TRIES):
            base = await self.tunnels.load(tunnel)
            desired = _desired(tunnel, base, changes, managed)
            if desired.rules == base.rules:
                return
            stored = await self.tunnels.save(tunnel, desired)
            if stored.version == base.version + 1:
                return
            observe_foreign_write(self.policy.tunnel_label(tunnel), base.version, stored.version)
        message = f"someone else keeps writing the configuration of tunnel {tunnel}: gave up after {_SAVE_TRIES} tries"
        raise TemporaryFailure(message)


@dataclass(slots=True)
class _Progress:
    """What remains of a plan while it is carried out, and what fell out of it."""

    remaining: Plan
    waiting: set[Hostname] = field(default_factory=set[Hostname])
    failure: TemporaryFailure | None = None

    def fail(self, hostnames: Collection[str], failure: Failure) -> None:
        """Take hostnames out: they wait where the failure is temporary, else they are rejected."""
        if isinstance(failure, TemporaryFailure):
            concerned = (decision.hostname for decision in self.remaining.decisions if decision.hostname in hostnames)
            self.waiting.update(concerned)
            self.failure = self.failure or failure
            self.remaining = self.remaining.without(hostnames)
        else:
            self.reject(Rejection(hostname, Reason.REFUSED, str(failure)) for hostname in hostnames)

    def reject(self, rejections: Iterable[Rejection]) -> None:
        """Take rejected hostnames out."""
        rejected = tuple(rejections)
        self.remaining = self.remaining.without({rejection.hostname for rejection in rejected}, rejected)

    def outcome(self) -> Outcome:
        """Return what became of the plan."""
        return Outcome(self.remaining, tuple(sorted(self.waiting)), self.failure)


def _desired(
    tunnel: str,
    base: TunnelConfiguration,
    changes: Mapping[Hostname, RuleChange],
    managed: frozenset[Hostname],
) -> TunnelConfiguration:
    """Return a document with the changes in it; raise PermanentFailure where cloudflared would refuse it as a whole."""
    standing: defaultdict[str, list[IngressRule]] = defaultdict(list)
    for rule in base.rules:
        standing[rule.canonical_hostname].append(rule)
    replaced = {hostname: change.applied_to(standing[hostname]) for hostname, change in changes.items()}
    desired = lay_out(base, replaced, managed)
    try:
        check_configuration(desired)
    except InvalidConfiguration as error:
        message = (
            f"the configuration of tunnel {tunnel} cannot be written until someone corrects what cloudflared refuses"
            f" in it: {error}"
        )
        raise PermanentFailure(message) from error
    return desired
