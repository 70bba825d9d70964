"""Endpoints: the owner and the resource that their labels hold, their hash and their weight."""

import tracemalloc
from collections.abc import Callable
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


def test_endpoints_are_equal_in_every_field() -> None:
    assert len({endpoint(), endpoint(), endpoint(target="b"), replace(endpoint(), ttl=1)}) == 3


@pytest.mark.parametrize(
    "numbered",
    [
        pytest.param(lambda number: endpoint(record_type=f"T{number}"), id="record type"),
        pytest.param(lambda number: endpoint(target=f"t{number}"), id="target"),
        pytest.param(lambda number: endpoint(resource=f"r{number}"), id="label"),
        pytest.param(lambda number: endpoint(path=f"/{number}"), id="property"),
        pytest.param(lambda number: replace(endpoint(), set_identifier=f"i{number}"), id="set identifier"),
        pytest.param(lambda number: replace(endpoint(), ttl=number), id="time to live"),
    ],
)
def test_endpoints_that_differ_in_any_one_field_have_different_hashes(numbered: Callable[[int], Endpoint]) -> None:
    assert len({hash(numbered(number)) for number in range(1000)}) == 1000


def test_the_weight_of_an_endpoint_is_about_what_it_takes_in_memory() -> None:
    def make(number: int) -> Endpoint:
        return Endpoint(
            dns_name=f"h{number}.example.com",
            targets=(f"http://s{number}:80", f"10.0.0.{number}"),
            labels={f"resource{number}": f"ingress/ns/{number}", f"owner{number}": f"o{number}"},
            properties=((f"webhook/a{number}", f"a{number}"), (f"webhook/b{number}", f"b{number}")),
        )

    tracemalloc.start()
    try:
        endpoints = [make(number) for number in range(1000)]
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert 0.7 * held < sum(each.weight for each in endpoints) < 1.5 * held
