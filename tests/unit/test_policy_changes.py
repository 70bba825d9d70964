"""A policy file that changes while an apply is running, and tenants that stand in each other's way."""

import asyncio
from dataclasses import dataclass, replace

import pytest

from doubles.steps import SteppedTunnels
from tunnel_webhook.application import Policies
from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.domain.external_dns.adjustment import adjust
from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint
from tunnel_webhook.domain.external_dns.policy_file import parse_policy_file
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.plan import Action
from tunnel_webhook.domain.planning.planner import plan
from tunnel_webhook.ports import ChangesNotApplied
from vocabulary.builders import BLUE, GREEN, POLICY, ZONE, claim, configuration, endpoint, memory, rule, service

TEXT = """
version = 1
[[allow]]
namespaces = ["team-a", "team-b"]
hostnames = ["*.example.com"]
origins = ["any"]
"""
WITH_FILE = replace(POLICY, permissions=parse_policy_file(TEXT))
A, B = "ingress/team-a/web", "ingress/team-b/web"
APP = "app.example.com"


@dataclass
class Edited:
    """A policy file that tests edit."""

    text: str = TEXT

    def read(self) -> str:
        return self.text


async def at_once(_: float) -> None:
    """Do not sleep."""


def adjusted(*wanted: Endpoint) -> tuple[Endpoint, ...]:
    return adjust(wanted, WITH_FILE).endpoints


@pytest.mark.parametrize(
    ("moment", "edit", "written"),
    [
        pytest.param("before load", "team-a", False, id="tightened before it is written: planned again"),
        pytest.param("after save", "team-a", True, id="tightened after it was written: it stays"),
        pytest.param("before load", "team-b", True, id="tightened for another: planned again, with the same result"),
    ],
)
def test_a_policy_file_that_changes_during_an_apply_counts_before_anything_is_written(
    moment: str,
    edit: str,
    written: bool,  # noqa: FBT001 -- a table
) -> None:
    file, (tunnels, zones) = Edited(), memory()

    async def step(name: str) -> None:
        if name == moment:
            file.text = TEXT.replace(f'"{edit}"', '"team-z"')

    policies = Policies(WITH_FILE, file, TEXT, at_once)
    serving = service(SteppedTunnels(tunnels, step), zones, WITH_FILE, policies=policies)
    wanted = adjusted(endpoint(resource=A))

    async def apply() -> None:
        await serving.apply_changes(Changes(create=wanted))

    if written:
        asyncio.run(apply())
    else:
        with pytest.raises(ChangesNotApplied) as error:
            asyncio.run(apply())
        assert [rejection.reason for rejection in error.value.rejections] == [Reason.NOT_ALLOWED]
    document = asyncio.run(tunnels.load(BLUE))
    assert any(each.hostname == APP for each in document.rules) is written


def held(*paths: str) -> Existing:
    """Return a hostname that namespace team-a holds, with these paths."""
    stored = claim(APP, resource=A, paths=paths)
    return Existing.of(
        [ZONE],
        {ZONE: [stored]},
        {BLUE: configuration(*(rule(APP, "http://a:80", path) for path in paths)), GREEN: configuration()},
    )


def gone(path: str) -> Endpoint:
    return replace(endpoint(resource=A), set_identifier=path)


def test_another_namespace_does_not_keep_the_holder_from_giving_up_a_path() -> None:
    rivals = adjusted(endpoint(target="ftp://bad", resource=B), endpoint(path="/x", resource=B))
    planned = plan(held("", "^/old"), Changes(create=rivals, delete=(gone("^/old"),)), WITH_FILE)
    (decision,) = planned.decisions
    assert decision.action is Action.UPDATE
    assert [change.removals for change in decision.rules] == [("^/old",)]
    assert {rejection.reason for rejection in planned.rejections} == {
        Reason.INVALID_SERVICE,
        Reason.HELD_BY_ANOTHER_NAMESPACE,
    }


def test_another_namespace_does_not_get_a_path_that_the_holder_gives_up_while_it_keeps_others() -> None:
    (rival,) = adjusted(endpoint(path="/old", resource=B))
    planned = plan(held("", "^/old(/|$)"), Changes(create=(rival,), delete=(gone("^/old(/|$)"),)), WITH_FILE)
    (decision,) = planned.decisions
    assert [change.removals for change in decision.rules] == [("^/old(/|$)",)]
    assert [rejection.reason for rejection in planned.rejections] == [Reason.HELD_BY_ANOTHER_NAMESPACE]


def test_a_rejection_of_the_holder_itself_keeps_its_last_good_rules() -> None:
    bad = adjusted(endpoint(target="ftp://bad", resource=A))
    planned = plan(held("", "^/old"), Changes(create=bad, delete=(gone("^/old"),)), WITH_FILE)
    assert planned.decisions == ()


def test_a_hostname_changes_hands_when_its_holder_gives_up_every_path() -> None:
    (taken,) = adjusted(endpoint(target="http://b:80", resource=B))
    planned = plan(held(""), Changes(create=(taken,), delete=(gone(""),)), WITH_FILE)
    (decision,) = planned.decisions
    assert planned.rejections == ()
    assert [each.service for change in decision.rules for each in change.upserts] == ["http://b:80"]


def test_a_holder_that_asks_again_in_the_same_change_set_keeps_the_hostname() -> None:
    asked = adjusted(endpoint(target="http://a:81", resource=A), endpoint(target="http://a", resource=B))
    planned = plan(held(""), Changes(create=asked, delete=(gone(""),)), WITH_FILE)
    (decision,) = planned.decisions
    assert [each.service for change in decision.rules for each in change.upserts] == ["http://a:81"]
    assert [rejection.resource for rejection in planned.rejections] == [B]
