"""Endpoints: the owner and the resource that their labels hold, and their hash."""

from dataclasses import replace

import pytest

from tunnel_webhook.domain.external_dns.endpoint import Endpoint
from vocabulary.builders import endpoint


@pytest.mark.parametrize(
    ("labelled", "owner", "resource"),
    [
        pytest.param(Endpoint("a.example.com"), "", "", id="no label"),
        pytest.param(endpoint(owner="me"), "me", "", id="an owner"),
        pytest.param(endpoint(resource="ingress/a/b"), "", "ingress/a/b", id="a resource"),
    ],
)
def test_the_labels_hold_the_owner_and_the_resource(labelled: Endpoint, owner: str, resource: str) -> None:
    assert labelled.owner == owner
    assert labelled.resource == resource


def test_endpoints_are_equal_in_every_field_and_hashed_by_name() -> None:
    assert len({endpoint(), endpoint(), endpoint(target="b"), replace(endpoint(), ttl=1)}) == 3
    assert hash(endpoint()) == hash(endpoint(target="b"))
