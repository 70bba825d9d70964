"""Carrying a plan out: step by step, each hostname failing alone, in an order that may stop anywhere.

What was refused for what is in it is not asked again (`refusals`).

| a tunnel or its document                      | its hostnames                                                    |
|-----------------------------------------------|------------------------------------------------------------------|
| cannot be relied on now, or fails temporarily | wait for the next sync                                           |
| fails for good, or does not exist             | are rejected                                                     |
| is refused for what is in it                  | are halved down to the guilty ones, which are rejected; if eight |
|                                               | writes were refused, the others wait, or are rejected as well    |
|                                               | where not one write was accepted                                 |
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

from tunnel_webhook.application.documents import LAST_WRITE, Documents, TunnelState
from tunnel_webhook.application.refusals import Refusals
from tunnel_webhook.domain.claim import Release
from tunnel_webhook.domain.claimed_paths import NO_PATHS, ClaimedPaths
from tunnel_webhook.domain.cloudflared.ingress import IngressRule, TunnelConfiguration
from tunnel_webhook.domain.cloudflared.validation import check_configuration
from tunnel_webhook.domain.dns import RecordBatch, Zone
from tunnel_webhook.domain.errors import InvalidConfiguration, Reason
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.layout import lay_out
from tunnel_webhook.domain.planning.plan import Decision, Plan, RuleChange
from tunnel_webhook.ports import Failure, PermanentFailure, Refusal, TemporaryFailure, Unacceptable, ZoneRepository

_REFUSED_WRITES = 8
_NOT_FOUND_YET = "the zone refused several requests, and the next sync goes on to look for the records at fault: {}"


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
    """Carries plans out on the driven ports; `clock` is monotonic, in seconds.

    Released paths are only marked, and given up by a later plan; with a `release_delay` of 0, at once.
    """

    documents: Documents
    zones: ZoneRepository
    refusals: Refusals
    clock: Callable[[], float]
    release_delay: float

    async def execute(self, plan: Plan, states: Mapping[str, TunnelState], started: float) -> Outcome:
        """Carry a plan out as far as possible; failures of the ports are in the outcome, and raise nothing.

        `states` is what the plan was made from, by tunnel id, and `started` (monotonic seconds) when that was read: no
        write begins later than 45 s after it.
        """
        progress = _Progress(plan)
        for decision in plan.decisions:
            if obstacle := _obstacle(decision, states):
                progress.fail({decision.hostname}, obstacle)
        step = _Step(self, progress, started + LAST_WRITE)
        await step.write_records(progress.remaining.claims())
        await step.write_rules(progress.remaining.rules())
        await step.write_records(progress.remaining.repoints())
        await step.write_rules(progress.remaining.cleanups())
        await step.release(progress.remaining.releases())
        await step.discard(progress.remaining.discards(), answers=1)
        return progress.outcome()


@dataclass(frozen=True, slots=True)
class _Step:
    """The steps of one plan; no write begins after `not_after`, in monotonic seconds."""

    executor: Executor
    progress: _Progress
    not_after: float

    async def write_records(self, batches: Mapping[Zone, RecordBatch]) -> None:
        """Write one batch per zone, side by side."""
        await asyncio.gather(*(self._write_zone(zone, batch) for zone, batch in batches.items()))

    async def _write_zone(self, zone: Zone, batch: RecordBatch) -> None:
        known = self.executor.refusals.among_records(zone, batch)
        self._reject(known)
        batch = batch.without({refusal.name for refusal in known})
        if not batch:
            return
        try:
            self._check_time()
            refusals = await self.executor.zones.save(zone, batch)
        except Failure as failure:
            self.progress.fail({record.name for record in batch.records}, failure)
        else:
            self.executor.refusals.remember_records(zone, batch, refusals)
            self._reject(refusals)

    def _reject(self, refusals: Iterable[Refusal]) -> None:
        for refusal in refusals:
            if refusal.is_final:
                self.progress.reject({refusal.name}, refusal.reason, refusal.sentence)
            else:
                self.progress.fail({refusal.name}, TemporaryFailure(_NOT_FOUND_YET.format(refusal.sentence)))

    def _check_time(self) -> None:
        if self.executor.clock() >= self.not_after:
            message = f"nothing is written later than {LAST_WRITE:g} s after it was planned"
            raise TemporaryFailure(message)

    async def write_rules(self, by_tunnel: Mapping[str, Mapping[Hostname, RuleChange]]) -> None:
        """Write one document per tunnel, side by side."""
        await asyncio.gather(*(self._write_tunnel(tunnel, changes) for tunnel, changes in by_tunnel.items()))

    async def _write_tunnel(self, tunnel: str, changes: Mapping[Hostname, RuleChange]) -> None:
        refusals = self.executor.refusals
        for hostname, refusal in refusals.among(changes).items():
            self.progress.fail({hostname}, refusal)
        allowed = {name: changes[name] for name in changes if name not in self.progress.failed}
        pending: deque[dict[Hostname, RuleChange]] = deque([allowed] if allowed else [])
        refused, is_any_accepted = 0, False
        while pending and refused < _REFUSED_WRITES:
            part = pending.popleft()
            try:
                await self._replace(tunnel, part)
                is_any_accepted = True
            except Unacceptable as refusal:
                refused += 1
                if refused == _REFUSED_WRITES and not is_any_accepted:
                    part = _joined(part, *pending)
                    pending.clear()
                elif len(part) > 1:
                    # The other half comes before a quarter: where few are guilty, most go live first.
                    pending.extend(_halves(part))
                    continue
                refusals.remember(part, refusal)
                self.progress.fail(part, refusal)
            except Failure as failure:
                self.progress.fail(_joined(part, *pending), failure)
                return
        message = f"tunnel {tunnel} refused {refused} documents: the next sync goes on to look for the rules at fault"
        self.progress.fail(_joined(*pending), TemporaryFailure(message))

    async def _replace(self, tunnel: str, changes: Mapping[Hostname, RuleChange]) -> None:
        revise = partial(_revised, tunnel, changes, self.progress.remaining.claimed)
        await self.executor.documents.replace(tunnel, revise, self.not_after)

    async def release(self, releases: Mapping[Zone, tuple[Release, ...]]) -> None:
        """Mark paths that were removed as leaving, or give up those that cannot be marked or need not wait."""
        now = self.executor.zones.now()
        batches: dict[Zone, RecordBatch] = {}
        at_once: dict[Zone, tuple[Release, ...]] = {}
        for zone, released in releases.items():
            begun = {release: release.begun(now) if self.executor.release_delay else None for release in released}
            batches[zone] = RecordBatch(patches=tuple(record for record in begun.values() if record))
            at_once[zone] = tuple(release for release, record in begun.items() if not record)
        await self.write_records({zone: batch for zone, batch in batches.items() if batch})
        await self.discard({zone: left for zone, left in at_once.items() if left}, answers=2)

    async def discard(self, releases: Mapping[Zone, tuple[Release, ...]], answers: int) -> None:
        """Give paths up, if so many more answers of every tunnel agree that no rule has them."""
        released = [release for found in releases.values() for release in found]
        try:
            for _ in range(answers if released else 0):
                paths = await self.executor.documents.paths()
                present = {release.record.name for release in released if _is_present(release, paths)}
                self.progress.fail(present, TemporaryFailure("a rule is there again, and has to be removed first"))
        except Failure as failure:
            self.progress.fail({release.record.name for release in released}, failure)
        batches = {zone: _given_up(found, self.progress.failed) for zone, found in releases.items()}
        await self.write_records({zone: batch for zone, batch in batches.items() if batch})


def _is_present(release: Release, paths: Mapping[str, Mapping[str, frozenset[str]]]) -> bool:
    """Whether a rule of a path that is given up exists, or one that needs a record which would be deleted."""
    hostname = release.record.name
    is_needed = release.afterwards is None and hostname in paths.get(release.record.tunnel, {})
    return is_needed or any(release.gives_up(path) for found in paths.values() for path in found.get(hostname, ()))


def _given_up(releases: Iterable[Release], failed: Collection[str]) -> RecordBatch:
    ready = [release for release in releases if release.record.name not in failed]
    return RecordBatch(
        deletes=tuple(release.record for release in ready if release.afterwards is None),
        patches=tuple(release.afterwards for release in ready if release.afterwards is not None),
    )


@dataclass(slots=True)
class _Progress:
    """What remains of a plan while it is carried out, and what fell out of it."""

    remaining: Plan
    waiting: set[Hostname] = field(default_factory=set[Hostname])
    failed: set[str] = field(default_factory=set[str])
    failure: TemporaryFailure | None = None

    def fail(self, hostnames: Collection[str], failure: Failure) -> None:
        """Take hostnames out: they wait where the failure is temporary, else they are rejected."""
        self.failed.update(hostnames)
        if isinstance(failure, TemporaryFailure):
            concerned = {decision.hostname for decision in self.remaining.decisions if decision.hostname in hostnames}
            self.waiting.update(concerned)
            self.failure = self.failure or (failure if concerned else None)
            self.remaining = self.remaining.without(hostnames)
        else:
            self.reject(hostnames, Reason.REFUSED, str(failure))

    def reject(self, hostnames: Collection[str], reason: Reason, sentence: str) -> None:
        """Take rejected hostnames out."""
        self.failed.update(hostnames)
        rejected = [decision for decision in self.remaining.decisions if decision.hostname in hostnames]
        rejections = (each for decision in rejected for each in decision.rejections(reason, sentence))
        self.remaining = self.remaining.without(hostnames, rejections)

    def outcome(self) -> Outcome:
        """Return what became of the plan."""
        return Outcome(self.remaining, tuple(sorted(self.waiting)), self.failure)


def _obstacle(decision: Decision, states: Mapping[str, TunnelState]) -> Failure | None:
    """Return why a decision cannot be carried out: a tunnel that it is about cannot be relied on, or does not exist.

    A hostname may leave a tunnel that does not exist: there is nothing left to remove from it.
    """
    concerned = decision.changed_tunnels | {decision.tunnel}
    points_there = decision.claim is not None or decision.repoint is not None
    needed = concerned if points_there else decision.changed_tunnels
    for tunnel in sorted(concerned):
        state = states[tunnel]
        if state.failure or (tunnel in needed and state.obstacle):
            return state.obstacle
    return None


def _halves(changes: Mapping[Hostname, RuleChange]) -> tuple[dict[Hostname, RuleChange], dict[Hostname, RuleChange]]:
    middle = len(changes) // 2
    return dict(islice(changes.items(), middle)), dict(islice(changes.items(), middle, None))


def _joined(*parts: Mapping[Hostname, RuleChange]) -> dict[Hostname, RuleChange]:
    return {hostname: change for part in parts for hostname, change in part.items()}


def _revised(
    tunnel: str,
    changes: Mapping[Hostname, RuleChange],
    claimed: Mapping[str, ClaimedPaths],
    base: TunnelConfiguration,
) -> TunnelConfiguration:
    """Return a document with the changes in it.

    Raises Unacceptable where cloudflared would refuse it for the changes, PermanentFailure where it would refuse it
    without them as well.
    """
    standing: defaultdict[str, list[IngressRule]] = defaultdict(list)
    for rule in base.rules:
        hostname = rule.canonical_hostname
        if hostname in changes and rule.path in claimed.get(hostname, NO_PATHS):
            standing[hostname].append(rule)
    replaced = {hostname: change.applied_to(standing[hostname]) for hostname, change in changes.items()}
    revised = lay_out(base, replaced, claimed)
    try:
        check_configuration(revised)
    except InvalidConfiguration as error:
        raise _failure_of(tunnel, error, lay_out(base, {}, claimed)) from error
    return revised


def _failure_of(tunnel: str, error: InvalidConfiguration, unchanged: TunnelConfiguration) -> PermanentFailure:
    try:
        check_configuration(unchanged)
    except InvalidConfiguration:
        message = (
            f"the configuration of tunnel {tunnel} cannot be written until someone corrects what cloudflared refuses"
            f" in it: {error}"
        )
        return PermanentFailure(message)
    return Unacceptable(f"tunnel {tunnel} would refuse its configuration: {error}")
