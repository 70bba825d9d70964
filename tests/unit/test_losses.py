"""Losses: what a decision takes away from a rule is known by hostname, path and key."""

import pytest

from tunnel_webhook.domain.cloudflared.ingress import IngressRule
from tunnel_webhook.domain.cloudflared.json_text import Json
from tunnel_webhook.domain.external_dns.endpoint import Changes
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.losses import Loss, losses_of
from tunnel_webhook.domain.planning.planner import plan
from vocabulary.builders import BLUE, GREEN, POLICY, ZONE, claim, configuration, endpoint

APP = Hostname("app.example.com")
BLOCK: dict[str, Json] = {"required": True, "teamName": "acme", "audTag": ["a"]}
ACCESS = ("access.required", "access.teamName", "access.audTag")


def losses(asked: dict[str, str], origin: dict[str, Json]) -> list[Loss]:
    document = configuration(IngressRule.make(APP, "", "http://app:8080", origin))
    state = Existing.of([ZONE], {ZONE: (claim(APP),)}, {BLUE: document, GREEN: configuration()})
    decided = plan(state, Changes(update_new=(endpoint(**asked),)), POLICY)
    return [loss for decision in decided.decisions for loss in losses_of(decision, state)]


@pytest.mark.parametrize(
    ("origin", "asked", "expected"),
    [
        pytest.param(
            {"noTLSVerify": True, "connectTimeout": 5},
            {},
            [("connectTimeout", "noTLSVerify")],
            id="what a person added",
        ),
        pytest.param({"connectTimeout": 5}, {"connect_timeout": "6"}, [], id="a value that changes"),
        pytest.param({"connectTimeout": 30}, {"http2_origin": "true"}, [], id="a default that was spelt out"),
        pytest.param({"access": BLOCK}, {"access": "none"}, [ACCESS], id="Access"),
    ],
)
def test_the_keys_that_a_rule_loses_are_known(
    origin: dict[str, Json], asked: dict[str, str], expected: list[tuple[str, ...]]
) -> None:
    found = losses(asked, origin)
    assert [loss.keys for loss in found] == expected
    assert [loss.opens_to_anyone for loss in found] == ["access" in origin] * len(expected)
