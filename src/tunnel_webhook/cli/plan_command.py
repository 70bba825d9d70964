"""`plan`: what would change. Nothing is written."""

from __future__ import annotations

from typing import BinaryIO

from tunnel_webhook.adapters.http.wire import decode_changes
from tunnel_webhook.application import Operator
from tunnel_webhook.cli.plan_rendering import plan_json, plan_lines
from tunnel_webhook.cli.terminal import print_json, print_lines, waiting
from tunnel_webhook.domain.external_dns.policy import Policy


async def run_plan(operator: Operator, policy: Policy, changes: BinaryIO | None, *, as_text: bool) -> int:
    """Print what would change; `changes` is a body that external-dns would POST to /records, None the repair of drift.

    Return 1 if something would be rejected or withheld, else 0. Raises MalformedBody.
    """
    requested = decode_changes(changes.read()) if changes else None
    with waiting("reading the tunnels and the zones"):
        existing, plan = await operator.preview(requested)
    if as_text:
        print_lines(plan_lines(plan, existing, policy))
    else:
        print_json(plan_json(plan))
    return 1 if plan.rejections or plan.withheld else 0
