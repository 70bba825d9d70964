"""The operator's questions: what would change, and why a request goes where it goes."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from doubles.steps import SteppedTunnels, SteppedZones, fail
from tunnel_webhook.adapters.memory import NoLock
from tunnel_webhook.application import Documents, Gathering, Operator, SyncLog
from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.dns import DnsRecord
from tunnel_webhook.domain.external_dns.endpoint import Changes
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.explanation import Match
from tunnel_webhook.domain.planning.guard import Guard
from tunnel_webhook.domain.planning.plan import Action
from tunnel_webhook.ports import PermanentFailure
from vocabulary.builders import BLUE, GREEN, POLICY, ZONE, claim, configuration, endpoint, memory, rule

pytestmark = pytest.mark.anyio

WRITTEN = AssertionError("a question must not write")


def operator(
    held: Mapping[str, TunnelConfiguration] | None = None, *records: DnsRecord, guard: Guard | None = None
) -> Operator:
    """Return the operator's questions on this state; an answer that writes anything fails."""
    tunnels, zones = memory(held, {ZONE: records})
    step = fail(WRITTEN, at="before save")
    documents = Documents(SteppedTunnels(tunnels, step), NoLock(), POLICY, lambda: 0.0, SyncLog(POLICY))
    return Operator(Gathering(documents, SteppedZones(zones, step), POLICY), POLICY, guard or Guard())


async def test_a_preview_is_the_plan_of_the_changes() -> None:
    _, plan = await operator().preview(Changes(create=(endpoint(),)))
    (decision,) = plan.decisions
    assert decision.action is Action.CREATE
    assert decision.hostname == "app.example.com"


async def test_a_preview_holds_what_the_guard_withholds() -> None:
    documents = {BLUE: configuration(rule("app.example.com")), GREEN: configuration()}
    asked = operator(documents, claim("app.example.com"), guard=Guard(0, 0.0))
    _, plan = await asked.preview(Changes(delete=(endpoint(),)))
    assert plan.withheld == ("app.example.com",)


async def test_a_preview_without_changes_shows_what_can_be_repaired() -> None:
    documents = {BLUE: configuration(rule("grey.example.com"), rule("well.example.com")), GREEN: configuration()}
    grey = replace(claim("grey.example.com"), proxied=False)
    asked = operator(documents, grey, claim("well.example.com"), claim("empty.example.com"))

    existing, plan = await asked.preview()

    (decision,) = plan.decisions
    assert decision.action is Action.UPDATE
    assert decision.hostname == "grey.example.com"
    assert len(existing.claims) == 3


async def test_an_explanation_names_the_rule_that_wins() -> None:
    documents = {BLUE: configuration(rule("app.example.com")), GREEN: configuration()}
    explanation = await operator(documents, claim("app.example.com")).explain(Hostname("app.example.com"), "/")
    matches = [each.match for each in explanation.candidates if each.tunnel == BLUE]
    assert matches == [Match.WINS, Match.UNREACHED]
    assert explanation.is_answered


async def test_a_question_fails_if_a_tunnel_cannot_be_relied_on() -> None:
    tunnels, zones = memory({BLUE: configuration(rule("app.example.com"))}, {ZONE: (claim("app.example.com"),)})
    tunnels.documents[GREEN] = ("[]", 1)
    known = Documents(tunnels, NoLock(), POLICY, lambda: 0.0, SyncLog(POLICY))
    asked = Operator(Gathering(known, zones, POLICY), POLICY, Guard())
    with pytest.raises(PermanentFailure, match=f"tunnel {GREEN}"):
        await asked.explain(Hostname("app.example.com"), "/")
