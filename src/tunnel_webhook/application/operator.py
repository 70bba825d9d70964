"""What a person asks: what would change, and why a request goes where it goes. Nothing is written."""

from __future__ import annotations

from dataclasses import dataclass

from tunnel_webhook.application.gathering import Gathering
from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.domain.external_dns.endpoint import Changes
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.external_dns.properties import DRIFT
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.disallowed import Disallowed, disallowed_in
from tunnel_webhook.domain.planning.existing import Drift, Existing
from tunnel_webhook.domain.planning.explanation import Explanation, explain
from tunnel_webhook.domain.planning.guard import Guard, guarded_plan
from tunnel_webhook.domain.planning.plan import Plan, Rejection
from tunnel_webhook.domain.planning.report import Report, report
from tunnel_webhook.domain.planning.request import hostnames_in


@dataclass(frozen=True, slots=True)
class Operator:
    """Answers the operator's questions about what exists."""

    gathering: Gathering
    policy: Policy
    guard: Guard

    async def preview(self, changes: Changes | None = None) -> tuple[Existing, Plan]:
        """Return what exists, and what `apply_changes` would do now.

        Without changes, everything published is asked for again, so the plan shows the drift that can be repaired.
        """
        if changes is None:
            return await self._preview_of_drift()
        existing = await self.gathering.existing(hostnames_in(changes))
        return existing, guarded_plan(existing, changes, self.policy, self.guard)

    async def explain(self, hostname: Hostname, path: str, asked: Changes | None = None) -> Explanation:
        """Return why a request for a hostname and URL path goes where it goes.

        `asked` is the last change set of external-dns, where it is known.
        """
        return explain(hostname, path, await self.gathering.existing([hostname]), self.policy, asked)

    async def published(self) -> Report:
        """Return what is published, and how it has drifted."""
        return report(await self.gathering.existing(), self.policy)

    async def disallowed(self) -> tuple[Disallowed, ...]:
        """Return the published rules that the policy does not allow any more; they stay until they are changed."""
        return disallowed_in(await self.gathering.existing(), self.policy)

    async def _preview_of_drift(self) -> tuple[Existing, Plan]:
        endpoints = report(await self.gathering.existing(), self.policy).endpoints
        # A claim without a rule does not say which origin it had, so it cannot be asked for again.
        without_rule = (DRIFT, Drift.NO_RULE.value)
        changes = Changes(create=tuple(endpoint for endpoint in endpoints if without_rule not in endpoint.properties))
        existing = await self.gathering.existing(hostnames_in(changes))
        # What is published says too little about who asked for it to be judged as an endpoint.
        origins = tuple(target for endpoint in changes.create for target in endpoint.targets)
        plan = guarded_plan(existing, changes, self.policy.without_permissions(origins), self.guard)
        rejections = [
            Rejection(found.hostname, Reason.NOT_ALLOWED, f"the rule stays as it is: {found.sentence}")
            for found in disallowed_in(existing, self.policy)
        ]
        return existing, plan.without({rejection.hostname for rejection in rejections}, rejections)
