"""Policies: what an operator decided about tunnels and owners."""

import pytest

from tunnel_webhook.domain.errors import InvalidEndpoint
from tunnel_webhook.domain.external_dns.policy import Policy, Tunnel
from vocabulary.builders import BLUE, GREEN, POLICY, endpoint


def test_the_first_tunnel_is_the_default() -> None:
    assert POLICY.default_tunnel == Tunnel(BLUE, "blue")


@pytest.mark.parametrize("text", ["green", GREEN, GREEN.upper()])
def test_a_tunnel_is_found_by_its_name_or_id(text: str) -> None:
    assert POLICY.tunnel(text).id == GREEN


def test_a_tunnel_that_is_not_configured_is_refused_with_those_that_are() -> None:
    with pytest.raises(
        InvalidEndpoint, match="tunnel 'Green' is not configured: CLOUDFLARE_TUNNEL_ID names blue, green"
    ):
        POLICY.tunnel("Green")


def test_a_tunnel_is_called_by_its_name_if_it_has_one() -> None:
    policy = Policy((Tunnel("id-1", "one"), Tunnel("id-2")))
    assert [policy.tunnel_label(each) for each in ("id-1", "id-2", "id-3")] == ["one", "id-2", "id-3"]


@pytest.mark.parametrize(
    ("label", "owner_id", "owner"),
    [
        pytest.param("registry", "instance", "registry", id="the label of a registry"),
        pytest.param("", "instance", "instance", id="OWNER_ID"),
        pytest.param("", "", "default", id="default"),
    ],
)
def test_an_endpoint_has_the_first_owner_that_there_is(label: str, owner_id: str, owner: str) -> None:
    assert Policy((Tunnel(BLUE),), owner_id=owner_id).owner_of(endpoint(owner=label)) == owner


@pytest.mark.parametrize(("owner_id", "seen"), [("", True), ("a", True), ("b", False)])
def test_an_instance_with_an_owner_id_sees_only_its_own(owner_id: str, *, seen: bool) -> None:
    assert Policy((Tunnel(BLUE),), owner_id=owner_id).sees("a") is seen
