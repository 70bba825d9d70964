"""Published rules that the policy does not allow any more: named where that is sure, and never touched."""

from dataclasses import replace

import pytest

from tunnel_webhook.domain.external_dns.namespace import namespace_digest
from tunnel_webhook.domain.external_dns.policy_file import parse_policy_file
from tunnel_webhook.domain.marker import Marker
from tunnel_webhook.domain.planning.disallowed import disallowed_in
from tunnel_webhook.domain.planning.existing import Existing
from vocabulary.builders import BLUE, GREEN, POLICY, ZONE, claim, configuration, rule

TEAM_A = 'version = 1\n[[allow]]\nnamespaces = ["team-a"]\nhostnames = ["*.example.com"]\n'
OF_A, OF_B = "http://web.team-a.svc.cluster.local:80", "http://web.team-b.svc.cluster.local:80"


def existing(service: str, resource: str = "", namespace: str = "", path: str = "", owner: str = "default") -> Existing:
    stored = claim("app.example.com", resource=resource, owner=owner, paths=[path])
    marker = Marker.parse(stored.comment)
    assert marker
    stored = replace(stored, comment=replace(marker, namespace=namespace_digest(namespace)).comment)
    documents = {BLUE: configuration(rule("app.example.com", service, path)), GREEN: configuration()}
    return Existing.of([ZONE], {ZONE: [stored]}, documents)


def disallowed(text: str, state: Existing) -> list[str]:
    policy = replace(POLICY, permissions=parse_policy_file(text) if text else None)
    return [found.sentence for found in disallowed_in(state, policy)]


@pytest.mark.parametrize(
    ("text", "state", "number"),
    [
        pytest.param(TEAM_A, existing(OF_A, "ingress/team-a/web"), 0, id="allowed to the resource"),
        pytest.param(TEAM_A, existing(OF_A, namespace="team-a"), 0, id="allowed to the namespace of the digest"),
        pytest.param(TEAM_A, existing(OF_A), 0, id="allowed to the namespace of the origin"),
        pytest.param(TEAM_A, existing(OF_B, "ingress/team-b/web"), 1, id="another namespace"),
        pytest.param(TEAM_A, existing(OF_A, "ingress/team-b/web"), 1, id="another namespace, for this origin"),
        pytest.param(TEAM_A, existing(OF_A, namespace="team-b"), 1, id="the digest of another namespace"),
        pytest.param(TEAM_A, existing(OF_B, namespace="team-a"), 1, id="another origin"),
        pytest.param(TEAM_A, existing(OF_A, namespace="team-a", path="^/(a|b)"), 1, id="an expression as path"),
        pytest.param(TEAM_A.replace("team-a", "team-*"), existing(OF_B, namespace="team-b"), 0, id="a pattern"),
        pytest.param(TEAM_A.replace("team-a", "*"), existing("http_status:404", namespace="x"), 0, id="any namespace"),
        pytest.param(TEAM_A.replace("team-a", "x-*"), existing("http://x", namespace="y"), 1, id="no namespace at all"),
        pytest.param("", existing("http://x"), 0, id="without a file"),
        pytest.param("", existing("http://127.0.0.1"), 1, id="without a file, a built-in denial"),
    ],
)
def test_a_rule_is_named_where_no_namespace_that_it_could_be_of_may_publish_it(
    text: str, state: Existing, number: int
) -> None:
    assert len(disallowed(text, state)) == number


def test_a_rule_of_another_owner_is_not_judged() -> None:
    policy = replace(POLICY, owner_id="us")
    assert disallowed_in(existing("http://127.0.0.1", owner="them"), policy) == ()
    assert len(disallowed_in(existing("http://127.0.0.1", owner="us"), policy)) == 1
