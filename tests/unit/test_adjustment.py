"""Adjusting: what external-dns wants, brought into one form, sorted, each once; and what cannot be published, marked."""

from dataclasses import replace
from itertools import permutations

import pytest

from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.domain.external_dns.adjustment import Adjustment, Unpublishable, adjust
from tunnel_webhook.domain.external_dns.endpoint import Endpoint
from tunnel_webhook.domain.external_dns.policy import Policy, Tunnel
from tunnel_webhook.domain.external_dns.properties import INVALID
from vocabulary.builders import BLUE, POLICY, endpoint


def adjusted(asked: Endpoint) -> Endpoint:
    """Return what one endpoint becomes, and hold it to be its own."""
    (found,) = adjust([asked], POLICY).endpoints
    assert adjust([found], POLICY).endpoints == (found,)
    return found


CORRUPTED = replace(endpoint(record_type="A"), properties=(("", ""),))


def test_an_endpoint_takes_its_one_form() -> None:
    asked = replace(endpoint("App.Example.com.", "HTTP://App:8080/"), ttl=300)
    assert adjust([asked], POLICY) == Adjustment((endpoint(),))


def test_what_cannot_be_published_passes_through_with_code_and_sentence() -> None:
    found = adjust([endpoint(tunnel="red")], POLICY)
    marked = replace(endpoint(tunnel="red"), properties=((INVALID, "unknown-tunnel"), ("webhook/tunnel", "red")))
    sentence = "tunnel 'red' is not configured: CLOUDFLARE_TUNNEL_ID names blue, green"
    assert found == Adjustment((marked,), (Unpublishable(marked, Reason.UNKNOWN_TUNNEL, sentence),))
    assert adjust(found.endpoints, POLICY) == found


@pytest.mark.parametrize("kind", ["TXT", "MX", "SRV", "NS", "PTR", "CAA"])
def test_types_that_no_tunnel_can_carry_are_dropped_and_counted(kind: str) -> None:
    dropped = endpoint(record_type=kind)
    assert adjust([dropped], POLICY) == Adjustment((), dropped=(dropped,))


def test_a_and_aaaa_and_cname_of_one_name_become_one_cname_in_any_order() -> None:
    asked = [
        endpoint(target="1.2.3.4", record_type="A"),
        endpoint(target="fd00::1", record_type="AAAA"),
        endpoint(target="lb.example.net", record_type="CNAME"),
    ]
    for order in permutations(asked):
        assert adjust(order, POLICY).endpoints == (endpoint(target="http://lb.example.net"),)


def test_of_two_that_ask_for_the_same_the_first_in_order_is_kept_in_any_order() -> None:
    asked = [endpoint(target="http://a"), endpoint(target="http://b")]
    assert adjust(asked, POLICY) == adjust(asked[::-1], POLICY) == Adjustment((endpoint(target="http://a"),))


def test_paths_and_resources_of_one_name_are_endpoints_of_their_own() -> None:
    asked = [endpoint(), endpoint(path="/a"), endpoint(path="/b"), endpoint(resource="service/a/b")]
    assert len(adjust(asked, POLICY).endpoints) == 4


def test_a_corrupted_half_speaks_for_its_whole_resource() -> None:
    for asked in ([endpoint(), CORRUPTED], [CORRUPTED, endpoint()]):
        (found,) = adjust(asked, POLICY).endpoints
        assert dict(found.properties)[INVALID] == "corrupted-properties"


def test_endpoints_come_out_sorted() -> None:
    names = [each.dns_name for each in adjust([endpoint("b.example.com"), endpoint("a.example.com")], POLICY).endpoints]
    assert names == ["a.example.com", "b.example.com"]


def test_what_was_worked_out_under_one_policy_is_not_told_under_another() -> None:
    asked = endpoint(tunnel="green")
    assert adjust([asked], POLICY).unpublishable == ()
    assert len(adjust([asked], Policy((Tunnel(BLUE, "blue"),))).unpublishable) == 1
    assert adjust([asked], POLICY).unpublishable == ()
