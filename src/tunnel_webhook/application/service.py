"""The four verbs of external-dns: gather what exists, decide purely, act in an order that may stop anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from opentelemetry import trace

from tunnel_webhook.application.contact import Contact
from tunnel_webhook.application.execution import Executor, Outcome
from tunnel_webhook.application.gathering import Gathering
from tunnel_webhook.application.instrumentation import observe_adjustment, observe_plan, observe_report
from tunnel_webhook.application.turns import Turns
from tunnel_webhook.domain.external_dns.adjustment import adjust
from tunnel_webhook.domain.external_dns.domain_filter import DomainFilter
from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.planning.guard import Guard, guarded_plan
from tunnel_webhook.domain.planning.plan import Plan
from tunnel_webhook.domain.planning.report import report
from tunnel_webhook.domain.planning.request import hostnames_in
from tunnel_webhook.domain.quotation import shortened
from tunnel_webhook.ports import ChangesNotApplied, TemporaryFailure

# The answer shows only the first of them, and external-dns reads none; the log names more.
_MOST_NAMED = 5
_tracer = trace.get_tracer("tunnel_webhook")


@dataclass(frozen=True, slots=True, kw_only=True)
class TunnelService:
    """WebhookAPI over the two driven ports.

    With `dry_run` changes are planned and logged only; without `fail_on_rejection` a change set with rejected or
    withheld changes ends like one that was applied.
    """

    gathering: Gathering
    executor: Executor
    turns: Turns
    contact: Contact
    policy: Policy
    guard: Guard
    dry_run: bool = False
    fail_on_rejection: bool = True

    def domain_filter(self) -> DomainFilter:
        """Return which names external-dns may hand over."""
        return self.policy.domain_filter

    async def records(self) -> tuple[Endpoint, ...]:
        """Return what is published, once no change is being applied any more."""
        return await self.turns.run(self._records)

    async def adjust_endpoints(self, endpoints: tuple[Endpoint, ...], /) -> tuple[Endpoint, ...]:
        """Return endpoints in canonical form."""
        adjustment = adjust(endpoints, self.policy)
        observe_adjustment(adjustment)
        return adjustment.endpoints

    async def apply_changes(self, changes: Changes, /) -> None:
        """Plan and apply changes; the work outlives the caller and the deadline."""
        await self.turns.run(partial(self._apply, changes))

    async def _records(self) -> tuple[Endpoint, ...]:
        with self.contact.observed():
            existing = await self.gathering.existing()
        reported = report(existing, self.policy)
        observe_report(reported, existing, self.policy)
        return reported.endpoints

    async def _apply(self, changes: Changes) -> None:
        with _tracer.start_as_current_span("apply_changes"), self.contact.observed():
            existing = await self.gathering.existing(hostnames_in(changes))
            plan = guarded_plan(existing, changes, self.policy, self.guard)
            outcome = Outcome(plan) if self.dry_run else await self.executor.execute(plan)
            observe_plan(outcome.applied, waiting=len(outcome.waiting), dry_run=self.dry_run)
            self._check_applied(outcome)

    def _check_applied(self, outcome: Outcome) -> None:
        """Raise for what was not applied: what waits first, since the next sync brings the rest again."""
        if outcome.failure:
            number = len(outcome.waiting)
            message = f"{number} hostname{'s wait' if number > 1 else ' waits'} for the next sync: {outcome.failure}"
            raise TemporaryFailure(message) from outcome.failure
        applied = outcome.applied
        if (applied.rejections or applied.withheld) and self.fail_on_rejection:
            raise ChangesNotApplied(applied.rejections, applied.withheld, self._reason(applied))

    def _reason(self, applied: Plan) -> str:
        sentences = [
            f"{shortened(rejection.hostname)}: {rejection.reason}: {rejection.sentence}"
            for rejection in applied.rejections[:_MOST_NAMED]
        ]
        if left := applied.rejections[_MOST_NAMED:]:
            sentences.append(f"{len(left)} more are rejected")
        if number := len(applied.withheld):
            deletions = "1 deletion is" if number == 1 else f"{number} deletions are"
            sentences.insert(0, f"{deletions} withheld: {self.guard.sentence}")
        return "; ".join(sentences)
