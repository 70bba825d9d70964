"""The four verbs of external-dns: gather what exists, decide purely, act in an order that may stop anywhere."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from opentelemetry import trace

from tunnel_webhook.application.contact import Contact
from tunnel_webhook.application.deletions import Deletions
from tunnel_webhook.application.execution import Executor, Outcome
from tunnel_webhook.application.gathering import Gathered, Gathering
from tunnel_webhook.application.instrumentation import (
    observe_adjustment,
    observe_disallowed,
    observe_plan,
    observe_report,
)
from tunnel_webhook.application.policies import Policies
from tunnel_webhook.application.sync_log import SyncLog
from tunnel_webhook.application.turns import Turns
from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.domain.external_dns.adjustment import adjust
from tunnel_webhook.domain.external_dns.domain_filter import DomainFilter
from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.disallowed import disallowed_in
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.guard import WINDOW, Guard, deletions_in, guarded_plan, released_since
from tunnel_webhook.domain.planning.plan import Rejection
from tunnel_webhook.domain.planning.releasing import plan_releases
from tunnel_webhook.domain.planning.report import report
from tunnel_webhook.domain.planning.request import hostnames_in
from tunnel_webhook.domain.quotation import shortened
from tunnel_webhook.ports import ChangesNotApplied, Failure, TemporaryFailure

# The answer shows only the first of them, and external-dns reads none; the log names more.
_MOST_NAMED = 5
_FAILURES = frozenset({Reason.REFUSED, Reason.QUOTA_EXCEEDED, Reason.DOCUMENT_TOO_LARGE})
"""The reasons that are an operator's to act on; all others are for the owner of the resource."""

_SECONDS_BETWEEN_CONTACTS = 30.0
log = logging.getLogger(__name__)
_tracer = trace.get_tracer("tunnel_webhook")


@dataclass(frozen=True, slots=True)
class _Reported:
    """What `records` returns, what it was made from, and when that was read, in monotonic seconds."""

    endpoints: tuple[Endpoint, ...]
    gathered: Gathered
    started: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TunnelService:
    """WebhookAPI over the driven ports.

    With `dry_run` changes are planned and logged only.

    | what was not applied                                   | `fail_on_rejection` | else              |
    |--------------------------------------------------------|---------------------|-------------------|
    | may be applied by the next sync                        | TemporaryFailure    | TemporaryFailure  |
    | deletions that the guard withholds                     | ChangesNotApplied   | ChangesNotApplied |
    | what Cloudflare refuses, or a tunnel has no room for   | ChangesNotApplied   | ChangesNotApplied |
    | an endpoint that is rejected for any other reason      | ChangesNotApplied   | nothing is raised |
    """

    gathering: Gathering
    executor: Executor
    turns: Turns
    contact: Contact
    policies: Policies
    guard: Guard
    deletions: Deletions
    sync_log: SyncLog
    dry_run: bool = False
    fail_on_rejection: bool = False

    def domain_filter(self) -> DomainFilter:
        """Return which names external-dns may hand over."""
        return self.policies.policy.domain_filter

    async def records(self) -> tuple[Endpoint, ...]:
        """Return what is published, once no change is being applied any more."""
        return (await self.turns.run(self._report, then=self._finish_releases)).endpoints

    async def adjust_endpoints(self, endpoints: tuple[Endpoint, ...], /) -> tuple[Endpoint, ...]:
        """Return endpoints in canonical form."""
        adjustment = adjust(endpoints, await self.policies.current(), self.gathering.documents.bases())
        observe_adjustment(adjustment)
        self.sync_log.adjusted(adjustment)
        return adjustment.endpoints

    async def apply_changes(self, changes: Changes, /) -> None:
        """Plan and apply changes; the work outlives the caller and the deadline."""
        await self.turns.run(partial(self._apply, changes))

    async def keep_contact(self, sleep: Callable[[float], Awaitable[object]]) -> None:
        """Ask the driven ports at once, and every 30 s while they do not answer, for readiness; this never ends.

        A pod that is not ready may not be asked by external-dns, and could not become ready by itself.
        """
        said = ""
        while True:
            if not self.contact.readiness().ready:
                try:
                    await self.turns.run(self._ask)
                except Failure as failure:
                    if str(failure) != said:
                        said = str(failure)
                        log.warning("not ready: %s", said)
            await sleep(_SECONDS_BETWEEN_CONTACTS)

    async def _ask(self) -> None:
        with self.contact.observed():
            await self.gathering.gather()

    async def _report(self) -> _Reported:
        with self.contact.observed():
            started = self.executor.clock()
            gathered = await self.gathering.gather()
            policy = await self.policies.current()
            _check_complete(gathered, policy)
        existing = gathered.existing
        reported = report(existing, policy)
        observe_report(reported, existing, policy)
        observe_disallowed(disallowed_in(existing, policy))
        self.sync_log.reported(reported)
        return _Reported(reported.endpoints, gathered, started)

    async def _finish_releases(self, reported: _Reported) -> None:
        """Delete the records of hostnames that were deleted long enough ago, and rules of theirs that came back."""
        now, delay = self.gathering.zones.now(), self.executor.release_delay
        plan = plan_releases(reported.gathered.existing, self.policies.policy, now, delay)
        if self.dry_run or not plan.decisions:
            return
        with _tracer.start_as_current_span("finish_releases"):
            outcome = await self.executor.execute(plan, reported.gathered.states, reported.started)
            self._observe(outcome, reported.gathered.existing)

    async def _apply(self, changes: Changes) -> None:
        with _tracer.start_as_current_span("apply_changes"), self.contact.observed():
            outcome = await self._carry_out(changes)
            if outcome.failure and self.policies.is_stale():
                outcome = await self._carry_out(changes)
            self._check_applied(outcome)

    async def _carry_out(self, changes: Changes) -> Outcome:
        """Plan with the policy as it is now, and carry the plan out as far as that stays as it is."""
        policy = await self.policies.current()
        started = self.executor.clock()
        gathered = await self.gathering.gather(hostnames_in(changes))
        plan = guarded_plan(gathered.existing, changes, policy, self.guard, self._recent(gathered.existing))
        outcome = Outcome(plan)
        if not self.dry_run:
            self.deletions.remember(deletions_in(plan, gathered.existing))
            outcome = await self.executor.execute(plan, gathered.states, started, self.policies.is_stale)
        self._observe(outcome, gathered.existing)
        return outcome

    def _recent(self, existing: Existing) -> frozenset[Hostname]:
        """Return the hostnames whose deletion began within ten minutes; those of an earlier process by their mark."""
        since = self.gathering.zones.now() - WINDOW
        return self.deletions.recent() | released_since(existing, self.policies.policy, since)

    def _observe(self, outcome: Outcome, existing: Existing) -> None:
        observe_plan(outcome.applied, dry_run=self.dry_run)
        self.sync_log.planned(outcome.applied, existing, waiting=len(outcome.waiting), dry_run=self.dry_run)

    def _check_applied(self, outcome: Outcome) -> None:
        """Raise for what was not applied: what waits first, since the next sync brings the rest again."""
        if outcome.failure:
            number = len(outcome.waiting)
            message = f"{number} hostname{'s wait' if number > 1 else ' waits'} for the next sync: {outcome.failure}"
            raise TemporaryFailure(message) from outcome.failure
        applied = outcome.applied
        failed = [each for each in applied.rejections if self.fail_on_rejection or each.reason in _FAILURES]
        if failed or applied.withheld:
            raise ChangesNotApplied(applied.rejections, applied.withheld, _sentence(failed, applied.withholding))


def _sentence(failed: Sequence[Rejection], withholding: str) -> str:
    sentences = [withholding] if withholding else []
    sentences += [f"{shortened(each.hostname)}: {each.reason}: {each.sentence}" for each in failed[:_MOST_NAMED]]
    if left := failed[_MOST_NAMED:]:
        sentences.append(f"{len(left)} more are rejected")
    return "; ".join(sentences)


def _check_complete(gathered: Gathered, policy: Policy) -> None:
    """Raise the failure of a tunnel of which no document was ever believed, although a visible claim points at it.

    Every other tunnel that cannot be relied on is reported as last believed, or has nothing to report: `records` is
    complete for what external-dns manages, or it fails.
    """
    for claim in gathered.existing.claims.values():
        state = gathered.states[claim.tunnel]
        if state.failure and not state.is_known and policy.sees(claim.marker.owner):
            raise state.failure
