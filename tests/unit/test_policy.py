"""Policies: the tunnels and the owner that the operator configured."""

import pytest

from tunnel_webhook.domain.errors import InvalidEndpoint
from tunnel_webhook.domain.external_dns.policy import Policy, Tunnel
from vocabulary.builders import BLUE, GREEN, POLICY, endpoint


def test_the_first_tunnel_is_the_default() -> None:
    assert POLICY.default_tunnel == Tunnel(BLUE, "blue")


@pytest.mark.parametrize("text", ["green", GREEN, GREEN.upper()])
def test_a_tunnel_is_found_by_its_name_or_id(text: str) -> None:
    assert POLICY.tunnel(text).id == GREEN


def test_an_unknown_tunnel_is_refused_with_the_configured_ones() -> None:
    with pytest.raises(
        InvalidEndpoint, match="tunnel 'Green' is not configured: CLOUDFLARE_TUNNEL_ID names blue, green"
    ):
        POLICY.tunnel("Green")


@pytest.mark.parametrize(
    ("tunnel_id", "label"),
    [
        pytest.param("id-1", "one", id="its name"),
        pytest.param("id-2", "id-2", id="its id if it has no name"),
        pytest.param("id-3", "id-3", id="its id if it is not configured"),
    ],
)
def test_a_tunnel_has_a_label(tunnel_id: str, label: str) -> None:
    assert Policy((Tunnel("id-1", "one"), Tunnel("id-2"))).tunnel_label(tunnel_id) == label


@pytest.mark.parametrize(
    "tunnels",
    [
        pytest.param((), id="no tunnel"),
        pytest.param((Tunnel(BLUE), Tunnel(BLUE)), id="one tunnel twice"),
        pytest.param((Tunnel(BLUE, "blue"), Tunnel(GREEN), Tunnel(BLUE, "azure")), id="one tunnel under two names"),
    ],
)
def test_a_policy_without_a_tunnel_or_with_one_twice_cannot_exist(tunnels: tuple[Tunnel, ...]) -> None:
    with pytest.raises(ValueError, match="a policy needs at least one tunnel, and each only once: "):
        Policy(tunnels)


@pytest.mark.parametrize(
    ("label", "owner_id", "owner"),
    [
        pytest.param("registry", "instance", "registry", id="the label of a registry"),
        pytest.param("", "instance", "instance", id="OWNER_ID"),
        pytest.param("", "", "default", id="default"),
    ],
)
def test_the_owner_of_an_endpoint_is_the_first_that_is_set(label: str, owner_id: str, owner: str) -> None:
    assert Policy((Tunnel(BLUE),), owner_id=owner_id).owner_of(endpoint(owner=label)) == owner


@pytest.mark.parametrize(
    ("owner_id", "sees"),
    [
        pytest.param("", True, id="no OWNER_ID"),
        pytest.param("a", True, id="its own OWNER_ID"),
        pytest.param("b", False, id="another OWNER_ID"),
    ],
)
def test_an_instance_with_an_owner_id_sees_only_the_hostnames_of_that_owner(owner_id: str, *, sees: bool) -> None:
    assert Policy((Tunnel(BLUE),), owner_id=owner_id).sees("a") is sees
