"""The service: gather what is there, decide purely, act in an order that may stop anywhere.

Nothing is remembered between calls but the change that is being applied and how the last contact with the driven ports went.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from opentelemetry import trace

from tunnel_webhook.application.execution import Execution
from tunnel_webhook.application.telling import tell_adjustment, tell_plan, tell_records, tell_success, tell_versions
from tunnel_webhook.domain.adjustment import adjust
from tunnel_webhook.domain.endpoint import Changes, Endpoint
from tunnel_webhook.domain.errors import InvalidHostname
from tunnel_webhook.domain.existing import Existing
from tunnel_webhook.domain.explanation import Explanation, explain
from tunnel_webhook.domain.guard import Guard
from tunnel_webhook.domain.hostname import DomainFilter, Hostname, zone_of
from tunnel_webhook.domain.ingress import TunnelConfiguration
from tunnel_webhook.domain.plan import Plan
from tunnel_webhook.domain.planner import plan
from tunnel_webhook.domain.policy import Policy
from tunnel_webhook.domain.records import report
from tunnel_webhook.domain.translation import DRIFT
from tunnel_webhook.ports import ChangesNotApplied, Failure, TemporaryFailure, TunnelRepository, ZoneRepository

_T = TypeVar("_T")

log = logging.getLogger(__name__)
_tracer = trace.get_tracer("tunnel_webhook")


@dataclass(frozen=True, slots=True)
class Contact:
    """How the last contact with the driven ports went: when, in seconds since the epoch, and why it failed if it did."""

    at: float
    failure: str = ""


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
        return await self._in_time(self._records)

    async def adjust_endpoints(self, endpoints: tuple[Endpoint, ...], /) -> tuple[Endpoint, ...]:
        """Return endpoints in canonical form."""
        adjustment = adjust(endpoints, self._policy)
        tell_adjustment(adjustment)
        return adjustment.endpoints

    async def apply_changes(self, changes: Changes, /) -> None:
        """Plan and apply changes; the work outlives the caller and the deadline."""
        await self._in_time(partial(self._apply, changes))

    async def preview(self, changes: Changes | None = None, /) -> tuple[Existing, Plan]:
        """Return what is there and what `apply_changes` would do now; nothing is written.

        Without changes, all that is published is asked for anew, so that the plan shows what has drifted and can be repaired.
        """
        if changes is None:
            published = report(await self._gather(Changes()), self._policy).endpoints
            changes = Changes(create=tuple(each for each in published if (DRIFT, "no-rule") not in each.properties))
        existing = await self._gather(changes)
        return existing, self._decide(existing, changes)

    async def explain(self, hostname: Hostname, path: str) -> Explanation:
        """Return why a request for a hostname and URL path goes where it goes."""
        return explain(hostname, path, await self._gather(Changes(create=(Endpoint(hostname),))), self._policy)

    async def finish(self) -> None:
        """Wait until nothing is being applied any more."""
        while self._running:
            await asyncio.wait(self._running)

    async def _in_time(self, work: Callable[[], Awaitable[_T]]) -> _T:
        """Return the result of work, one at a time; TemporaryFailure when the deadline passes first.

        What has begun goes on when its caller leaves or the deadline passes; what still waits for its turn then never begins.
        """
        task: asyncio.Future[_T] | None = None
        try:
            async with asyncio.timeout(self._deadline):
                await self._lock.acquire()
                task = asyncio.ensure_future(work())
                self._running.add(task)
                task.add_done_callback(self._finished)
                return await asyncio.shield(task)
        except TimeoutError as error:
            begun = (
                "the work goes on, and the next sync finds its result" if task else "an earlier one goes on, and this never began"
            )
            message = f"no result within {self._deadline:g} s (REQUEST_DEADLINE): {begun}"
            raise TemporaryFailure(message) from error

    def _finished(self, task: asyncio.Future[Any]) -> None:
        self._lock.release()
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()):
            # A caller that left never looks at the error, so that it is told here at least.
            log.debug("a request ended with %s: %s", type(error).__name__, error)

    async def _records(self) -> tuple[Endpoint, ...]:
        with self._contact():
            existing = await self._gather(Changes())
        reported = report(existing, self._policy)
        tell_records(reported, existing, self._policy)
        return reported.endpoints

    async def _apply(self, changes: Changes) -> None:
        with _tracer.start_as_current_span("apply_changes"), self._contact():
            existing = await self._gather(changes)
            decided = self._decide(existing, changes)
            execution = Execution(decided, self._tunnels, self._zones, self._policy)
            if not self._dry_run:
                await execution.run()
            self._conclude(decided, execution)

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
        configurations = dict(zip(ids, documents, strict=True))
        tell_versions(configurations, self._policy)
        return configurations

    def _decide(self, existing: Existing, changes: Changes) -> Plan:
        managed = sum(self._policy.sees(claim.marker.owner) for claim in existing.claims.values())
        return self._guard.judge(plan(existing, changes, self._policy), managed)

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
        tell_success(self.contact.at)

    def _conclude(self, decided: Plan, execution: Execution) -> None:
        """Tell what was done, and raise for what was not."""
        done = execution.plan
        tell_plan(decided, done, dry_run=self._dry_run)
        if execution.temporary:
            undone = len(decided.decisions) - len(done.decisions)
            message = f"{undone} hostnames wait for the next sync: {execution.temporary[0]}"
            raise TemporaryFailure(message) from execution.temporary[0]
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
