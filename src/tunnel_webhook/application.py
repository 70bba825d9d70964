"""The service: gather what is there, decide purely, act in an order that may stop anywhere.

Nothing is remembered between calls but the change that is being applied and how the last contact with the driven ports went.
OpenTelemetry's API is silent until `telemetry` gives it an SDK, so spans and metrics are written here without knowing one.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from opentelemetry import metrics, trace

from tunnel_webhook.domain.claim import RecordBatch, Zone
from tunnel_webhook.domain.endpoint import Changes, Endpoint
from tunnel_webhook.domain.errors import InvalidConfiguration, InvalidHostname
from tunnel_webhook.domain.existing import DRIFTS, Existing
from tunnel_webhook.domain.guard import Guard
from tunnel_webhook.domain.hostname import DomainFilter, Hostname, zone_of
from tunnel_webhook.domain.ingress import IngressRule, TunnelConfiguration
from tunnel_webhook.domain.layout import lay_out
from tunnel_webhook.domain.plan import Action, Decision, Plan, Rejection
from tunnel_webhook.domain.planner import plan
from tunnel_webhook.domain.policy import Policy
from tunnel_webhook.domain.records import report
from tunnel_webhook.domain.translation import adjust
from tunnel_webhook.domain.validity import check
from tunnel_webhook.ports import (
    ChangesNotApplied,
    Failure,
    PermanentFailure,
    TemporaryFailure,
    TunnelRepository,
    ZoneRepository,
)

_T = TypeVar("_T")
_SAVE_TRIES = 3

log = logging.getLogger(__name__)
_tracer = trace.get_tracer("tunnel_webhook")
_meter = metrics.get_meter("tunnel_webhook")
_rejected = _meter.create_counter("tunnel_webhook_rejections", description="Endpoints that were not applied, by reason")
_withheld = _meter.create_counter("tunnel_webhook_withheld_deletions", description="Deletions that the guard withheld")
_foreign = _meter.create_counter("tunnel_webhook_foreign_writes", description="Writes by others found between load and save")
_dropped = _meter.create_counter("tunnel_webhook_dropped_endpoints", description="Endpoints of types that no tunnel carries")
_changed = _meter.create_counter("tunnel_webhook_changed_hostnames", description="Hostnames changed, by action")
_managed = _meter.create_gauge("tunnel_webhook_managed_hostnames", description="Hostnames visible here, by tunnel")
_drifted = _meter.create_gauge("tunnel_webhook_drifted_hostnames", description="Managed hostnames found amiss, by drift")
_version = _meter.create_gauge("tunnel_webhook_configuration_version", description="Version of each tunnel's document")
_success = _meter.create_gauge("tunnel_webhook_last_success_timestamp_seconds", description="When the driven ports last answered")


@dataclass(frozen=True, slots=True)
class Contact:
    """How the last contact with the driven ports went: when, in seconds since the epoch, and why it failed if it did."""

    at: float
    failure: str = ""


@dataclass(slots=True)
class _Progress:
    """What is left of a plan while it is carried out, and the failures to tell of once all else is done."""

    plan: Plan
    temporary: list[TemporaryFailure] = field(default_factory=list[TemporaryFailure])

    def fail(self, names: Collection[str], failure: Failure) -> None:
        """Take hostnames out of the plan: until the next sync where the failure is temporary, else rejected."""
        if isinstance(failure, TemporaryFailure):
            self.temporary.append(failure)
            self.plan = self.plan.without(names)
        else:
            self.plan = self.plan.without(names, [Rejection(name, "refused", str(failure)) for name in names])


class TunnelService:
    """WebhookAPI over the two driven ports."""

    def __init__(
        self,
        tunnels: TunnelRepository,
        zones: ZoneRepository,
        policy: Policy,
        guard: Guard,
        *,
        deadline: float,
        clock: Callable[[], float],
        dry_run: bool = False,
        fail_on_rejection: bool = True,
    ) -> None:
        """Take the ports and what the operator decided; `deadline` is in seconds from the call, `clock` tells the epoch's."""
        self._tunnels = tunnels
        self._zones = zones
        self._policy = policy
        self._guard = guard
        self._deadline = deadline
        self._clock = clock
        self._dry_run = dry_run
        self._fail_on_rejection = fail_on_rejection
        self._lock = asyncio.Lock()
        self._running: set[asyncio.Future[Any]] = set()
        self.contact: Contact | None = None

    def domain_filter(self) -> DomainFilter:
        """Return which names external-dns may hand over."""
        return self._policy.domain_filter

    async def records(self) -> tuple[Endpoint, ...]:
        """Return what is published, once no change is being applied any more."""
        return await self._in_time(self._records())

    async def adjust_endpoints(self, endpoints: tuple[Endpoint, ...], /) -> tuple[Endpoint, ...]:
        """Return endpoints in canonical form."""
        adjustment = adjust(endpoints, self._policy)
        for endpoint, reason in adjustment.invalid:
            log.warning("cannot publish %s (%s): %s: %s", endpoint.dns_name, endpoint.resource, reason.code, reason)
        for kind, number in Counter(endpoint.record_type for endpoint in adjustment.dropped).items():
            _dropped.add(number, {"type": kind})
        return adjustment.endpoints

    async def apply_changes(self, changes: Changes, /) -> None:
        """Plan and apply changes; the work outlives the caller and the deadline."""
        await self._in_time(self._apply(changes))

    async def preview(self, changes: Changes, /) -> Plan:
        """Return what `apply_changes` would do now; nothing is written."""
        return self._decide(await self._gather(changes), changes)

    async def finish(self) -> None:
        """Wait until nothing is being applied any more."""
        while self._running:
            await asyncio.wait(self._running)

    async def _in_time(self, work: Awaitable[_T]) -> _T:
        """Return the result of work that goes on when its caller leaves; TemporaryFailure when the deadline passes first."""
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._forget)
        try:
            return await asyncio.wait_for(asyncio.shield(task), self._deadline)
        except TimeoutError as error:
            message = f"no result within {self._deadline:g} s (REQUEST_DEADLINE); the work goes on, the next sync finds its result"
            raise TemporaryFailure(message) from error

    def _forget(self, task: asyncio.Future[_T]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()):
            # A caller that left never looks at the error, so that it is told here at least.
            log.debug("a request ended with %s: %s", type(error).__name__, error)

    async def _records(self) -> tuple[Endpoint, ...]:
        async with self._lock:
            with self._contact():
                existing = await self._gather(Changes())
        reported = report(existing, self._policy)
        for hostname, drift in reported.drift:
            log.warning("%s has drifted: %s; external-dns asks for it anew if it still wants it", hostname, drift)
        drifts = Counter(drift for _, drift in reported.drift)
        for drift in DRIFTS:
            _drifted.set(drifts[drift], {"drift": drift})
        homes = Counter(claim.tunnel for claim in existing.claims.values() if self._policy.sees(claim.marker.owner))
        for tunnel in self._policy.tunnels:
            _managed.set(homes[tunnel.id], {"tunnel": tunnel.label})
        return reported.endpoints

    async def _apply(self, changes: Changes) -> None:
        async with self._lock:
            with _tracer.start_as_current_span("apply_changes"), self._contact():
                existing = await self._gather(changes)
                decided = self._decide(existing, changes)
                progress = _Progress(decided)
                if not self._dry_run:
                    await self._act(progress)
                self._conclude(decided, progress)

    async def _gather(self, changes: Changes) -> Existing:
        """Read everything that a decision about these changes depends on."""
        zones = await self._zones.zones()
        by_name = {zone.name: zone for zone in zones}
        touched = (zone_of(hostname, by_name) for hostname in _hostnames(changes))
        in_full = frozenset(zone for zone in touched if zone)
        records, configurations = await asyncio.gather(self._zones.load(in_full=in_full), self._load_all())
        return Existing.of(zones, records, configurations)

    async def _load_all(self) -> dict[str, TunnelConfiguration]:
        ids = [tunnel.id for tunnel in self._policy.tunnels]
        documents = await asyncio.gather(*(self._tunnels.load(tunnel) for tunnel in ids))
        for tunnel, document in zip(self._policy.tunnels, documents, strict=True):
            _version.set(document.version, {"tunnel": tunnel.label})
        return dict(zip(ids, documents, strict=True))

    def _decide(self, existing: Existing, changes: Changes) -> Plan:
        managed = sum(self._policy.sees(claim.marker.owner) for claim in existing.claims.values())
        return self._guard.judge(plan(existing, changes, self._policy), managed)

    async def _act(self, progress: _Progress) -> None:
        """Claim first, release last: a stop after any step leaves a claim, and so the truth about who must repair it."""
        await self._write_records(progress, progress.plan.claims())
        await self._write_rules(progress, progress.plan.rules())
        await self._write_records(progress, progress.plan.repoints())
        await self._write_rules(progress, progress.plan.rules_left_behind())
        await self._write_records(progress, progress.plan.releases())

    async def _write_records(self, progress: _Progress, batches: Mapping[Zone, RecordBatch]) -> None:
        await asyncio.gather(*(self._write_zone(progress, zone, batch) for zone, batch in batches.items()))

    async def _write_zone(self, progress: _Progress, zone: Zone, batch: RecordBatch) -> None:
        try:
            refusals = await self._zones.save(zone, batch)
        except Failure as failure:
            progress.fail({record.name for record in (*batch.deletes, *batch.patches, *batch.posts)}, failure)
        else:
            rejections = [Rejection(refusal.name, refusal.code, refusal.sentence) for refusal in refusals]
            progress.plan = progress.plan.without({refusal.name for refusal in refusals}, rejections)

    async def _write_rules(self, progress: _Progress, tunnels: Mapping[str, tuple[Decision, ...]]) -> None:
        await asyncio.gather(*(self._write_tunnel(progress, tunnel, decisions) for tunnel, decisions in tunnels.items()))

    async def _write_tunnel(self, progress: _Progress, tunnel: str, decisions: tuple[Decision, ...]) -> None:
        try:
            await self._replace(tunnel, decisions, progress.plan.claimed)
        except Failure as failure:
            progress.fail({decision.hostname for decision in decisions}, failure)

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
            _foreign.add(1, {"tunnel": self._policy.tunnel_label(tunnel)})
            log.warning(
                "somebody else wrote the configuration of tunnel %s at the same time: loaded version %d, stored %d; looking again",
                self._policy.tunnel_label(tunnel),
                base.version,
                stored.version,
            )
        message = f"somebody else keeps writing the configuration of tunnel {tunnel}: gave up after {_SAVE_TRIES} tries"
        raise TemporaryFailure(message)

    @contextmanager
    def _contact(self) -> Generator[None]:
        """Remember how the contact with the driven ports went, for readiness and for the last success."""
        try:
            yield
        except Failure as failure:
            self.contact = Contact(self._clock(), str(failure))
            raise
        except ChangesNotApplied:
            self._succeeded()
            raise
        self._succeeded()

    def _succeeded(self) -> None:
        self.contact = Contact(self._clock())
        _success.set(self.contact.at)

    def _conclude(self, decided: Plan, progress: _Progress) -> None:
        """Tell what was done, and raise for what was not."""
        done = progress.plan
        _tell(decided, done, dry_run=self._dry_run)
        if progress.temporary:
            undone = len(decided.decisions) - len(done.decisions)
            message = f"{undone} hostnames wait for the next sync: {progress.temporary[0]}"
            raise TemporaryFailure(message) from progress.temporary[0]
        if (done.rejections or done.withheld) and self._fail_on_rejection:
            raise ChangesNotApplied(done.rejections, done.withheld, self._reason(done))

    def _reason(self, done: Plan) -> str:
        sentences = [f"{rejection.hostname}: {rejection.code}: {rejection.sentence}" for rejection in done.rejections]
        if done.withheld:
            sentences.insert(0, f"{len(done.withheld)} deletions are withheld: {self._guard.sentence}")
        return "; ".join(sentences)


def _hostnames(changes: Changes) -> Iterator[Hostname]:
    for endpoint in (*changes.create, *changes.update_new, *changes.delete):
        try:
            yield Hostname.parse(endpoint.dns_name)
        except InvalidHostname:
            continue


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


def _tell(decided: Plan, done: Plan, *, dry_run: bool) -> None:
    """Log one line of what changed and one a rejection; the same on the span and in the metrics."""
    span = trace.get_current_span()
    counts = done.counts
    for name, number in counts.items():
        span.set_attribute(f"tunnel_webhook.{name}", number)
    for decision in done.decisions:
        log.debug("%s%s %s", "would " if dry_run else "", decision.action.value, decision.hostname)
    if not dry_run:
        for action in Action:
            _changed.add(counts[action.value], {"action": action.value})
    for rejection in done.rejections:
        _rejected.add(1, {"reason": rejection.code})
        span.add_event("rejected", {"hostname": rejection.hostname, "reason": rejection.code, "sentence": rejection.sentence})
        log.warning("rejected %s (%s): %s: %s", rejection.hostname, rejection.resource, rejection.code, rejection.sentence)
    _withheld.add(len(done.withheld))
    said = ", ".join(f"{name} {number}" for name, number in counts.items() if number) or "nothing to do"
    waiting = len(decided.decisions) - len(done.decisions) - len(done.rejections) + len(decided.rejections)
    log.info("%s: %s%s", "dry run, would apply" if dry_run else "applied", said, f", waiting {waiting}" if waiting > 0 else "")
