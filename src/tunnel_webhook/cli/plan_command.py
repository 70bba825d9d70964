"""`plan`: what would change. Nothing is written."""

from __future__ import annotations

from typing import BinaryIO

from tunnel_webhook.adapters.http.last_changes import LastChanges
from tunnel_webhook.adapters.http.wire import decode_changes
from tunnel_webhook.application import Operator
from tunnel_webhook.cli.plan_rendering import plan_json, plan_lines
from tunnel_webhook.cli.terminal import Line, print_json, print_lines, waiting
from tunnel_webhook.domain.cloudflared.json_text import Json
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.planning.existing import Drift
from tunnel_webhook.domain.planning.report import report

_MINUTE = 60


async def run_plan(
    operator: Operator,
    policy: Policy,
    changes: BinaryIO | None = None,
    last: LastChanges | None = None,
    *,
    as_text: bool,
) -> int:
    """Print what would change: by a body that external-dns would POST to /records, or by the last one that it did.

    Without either, print the repair of drift, and what cannot be repaired here. Return 1 if something would be rejected
    or withheld, or a hostname has lost its rule; else 0. Raises MalformedBody.
    """
    requested = decode_changes(changes.read()) if changes else last.changes if last else None
    with waiting("reading the tunnels and the zones"):
        existing, plan = await operator.preview(requested)
    planned = {decision.hostname for decision in plan.decisions}
    drifted = () if requested else tuple(pair for pair in report(existing, policy).drift if pair[0] not in planned)
    if as_text:
        print_lines([*_origin_lines(last), *plan_lines(plan, existing, policy, drifted)])
    else:
        others: list[Json] = [{"hostname": name, "drift": drift.value} for name, drift in drifted]
        print_json({**plan_json(plan, existing.configurations), "drifted": others})
    without_rule = any(drift is Drift.NO_RULE for _, drift in drifted)
    return 1 if plan.rejections or plan.withheld or without_rule else 0


def describe(last: LastChanges) -> str:
    """Return in one sentence what a webhook has received last."""
    if last.seconds is None:
        return "the webhook has received no change set since it started"
    since = f"{last.seconds:.0f} s" if last.seconds < _MINUTE else f"{last.seconds / _MINUTE:.0f} min"
    if last.changes is None:
        return f"the change set of {since} ago has {last.size} bytes, too many to be kept"
    return f"the change set that the webhook received {since} ago"


def _origin_lines(last: LastChanges | None) -> list[Line]:
    return [Line("", describe(last))] if last else []
