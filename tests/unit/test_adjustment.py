"""Adjusting: desired endpoints become canonical, sorted and unique; those that cannot be published are marked.

`Go bug N` names what the Go reference got wrong there.
"""

from dataclasses import replace
from itertools import permutations

import pytest

from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.domain.external_dns.adjustment import Adjustment, Unpublishable, adjust
from tunnel_webhook.domain.external_dns.endpoint import Endpoint
from tunnel_webhook.domain.external_dns.policy import Policy, Tunnel
from tunnel_webhook.domain.external_dns.properties import INVALID
from vocabulary.builders import BLUE, POLICY, endpoint

SERVICE = "service/prod/app"
CORRUPTED = replace(endpoint(record_type="A"), properties=(("", ""),))


def with_targets(*targets: str) -> Endpoint:
    return replace(endpoint(), targets=targets)


def with_property(name: str, text: str) -> Endpoint:
    return replace(endpoint(), properties=((name, text),))


@pytest.mark.parametrize(
    ("desired", "canonical"),
    [
        pytest.param(endpoint("App.Example.com."), endpoint(), id="the hostname"),
        pytest.param(endpoint(target="HTTP://App:8080/"), endpoint(), id="the service"),
        pytest.param(replace(endpoint(), ttl=300), endpoint(), id="the TTL is dropped (Go bug 14)"),
        pytest.param(
            with_property("external-dns.alpha.kubernetes.io/cloudflare-proxied", "true"),
            endpoint(),
            id="a property of Cloudflare's own provider is dropped (Go bug 14)",
        ),
        pytest.param(
            with_property("aws/weight", "1"),
            endpoint(),
            id="a property of another provider is dropped (Go bug 14)",
        ),
        pytest.param(
            with_property("webhook/drift", "tunnel"), endpoint(), id="a reported drift is dropped (Go bug 14)"
        ),
        pytest.param(
            with_targets("b", "a"), endpoint(target="http://a"), id="the first of several targets (Go bug 13)"
        ),
        pytest.param(
            with_targets("a", "b"), endpoint(target="http://a"), id="whatever the order of the targets (Go bug 13)"
        ),
        pytest.param(
            endpoint(target="10.0.0.1", record_type="A", resource=SERVICE),
            endpoint(target="http://app.prod.svc.cluster.local:80", resource=SERVICE),
            id="an address of a Service is published as the Service (Go bug 11)",
        ),
    ],
)
def test_an_endpoint_becomes_canonical(desired: Endpoint, canonical: Endpoint) -> None:
    assert adjust([desired], POLICY) == Adjustment((canonical,))
    assert adjust([canonical], POLICY) == Adjustment((canonical,))


def test_an_endpoint_that_cannot_be_published_passes_through_with_its_reason_and_sentence() -> None:
    marked = replace(endpoint(tunnel="red"), properties=((INVALID, "unknown-tunnel"), ("webhook/tunnel", "red")))
    sentence = "tunnel 'red' is not configured: CLOUDFLARE_TUNNEL_ID names blue, green"
    expected = Adjustment((marked,), (Unpublishable(marked, Reason.UNKNOWN_TUNNEL, sentence),))
    assert adjust([endpoint(tunnel="red")], POLICY) == expected
    assert adjust([marked], POLICY) == expected


def test_an_endpoint_without_targets_is_unpublishable_and_harms_no_other() -> None:
    adjustment = adjust([endpoint("a.example.com", target=""), endpoint("b.example.com")], POLICY)
    (unpublishable,) = adjustment.unpublishable
    assert unpublishable.endpoint.dns_name == "a.example.com", "Go bug 13"
    assert unpublishable.reason is Reason.INVALID_SERVICE
    assert adjustment.endpoints[1] == endpoint("b.example.com")


@pytest.mark.parametrize("record_type", ["TXT", "MX", "SRV", "NS", "PTR", "CAA"])
def test_a_record_type_that_cannot_be_tunnelled_is_dropped(record_type: str) -> None:
    dropped = endpoint(record_type=record_type)
    assert adjust([dropped], POLICY) == Adjustment((), dropped=(dropped,))


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("app.example.com", id="at the hostname (Go bug 7)"),
        pytest.param("cname-app.example.com", id="with the prefix of a CNAME (Go bug 7)"),
        pytest.param("a-app.example.com", id="with the prefix of an A record (Go bug 7)"),
    ],
)
def test_a_record_of_a_txt_registry_is_dropped(name: str) -> None:
    heritage = endpoint(name, '"heritage=external-dns,external-dns/owner=default"', record_type="TXT")
    assert adjust([heritage, endpoint()], POLICY) == Adjustment((endpoint(),), dropped=(heritage,))


def test_a_and_aaaa_and_cname_of_one_name_become_one_cname_in_any_order() -> None:
    endpoints = [
        endpoint(target="1.2.3.4", record_type="A"),
        endpoint(target="fd00::1", record_type="AAAA"),
        endpoint(target="lb.example.net", record_type="CNAME"),
    ]
    for order in permutations(endpoints):
        assert adjust(order, POLICY).endpoints == (endpoint(target="http://lb.example.net"),)


def test_of_two_endpoints_of_one_name_the_first_in_order_is_kept_whatever_the_order_of_the_input() -> None:
    first, second = endpoint(target="http://a"), endpoint(target="http://b")
    assert adjust([first, second], POLICY) == Adjustment((first,))
    assert adjust([second, first], POLICY) == Adjustment((first,))


def test_each_path_and_each_resource_of_a_name_has_its_own_endpoint() -> None:
    endpoints = [endpoint(), endpoint(path="/a"), endpoint(path="/b"), endpoint(resource="service/a/b")]
    assert len(adjust(endpoints, POLICY).endpoints) == 4


@pytest.mark.parametrize(
    "endpoints", [[endpoint(), CORRUPTED], [CORRUPTED, endpoint()]], ids=["corrupted last", "corrupted first"]
)
def test_a_corrupted_endpoint_replaces_the_others_of_its_resource(endpoints: list[Endpoint]) -> None:
    (kept,) = adjust(endpoints, POLICY).endpoints
    assert dict(kept.properties)[INVALID] == "corrupted-properties"


def test_endpoints_are_sorted() -> None:
    adjustment = adjust([endpoint("b.example.com"), endpoint("a.example.com")], POLICY)
    assert [adjusted.dns_name for adjusted in adjustment.endpoints] == ["a.example.com", "b.example.com"]


def test_a_result_is_remembered_for_its_own_policy_only() -> None:
    desired = endpoint(tunnel="green")
    assert adjust([desired], POLICY).unpublishable == ()
    assert len(adjust([desired], Policy((Tunnel(BLUE, "blue"),))).unpublishable) == 1
    assert adjust([desired], POLICY).unpublishable == ()
