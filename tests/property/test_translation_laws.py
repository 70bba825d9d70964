"""L8 and L10: one canonical form of an endpoint, and documents that lose nothing."""

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from oracles import naive
from tunnel_webhook.domain.cloudflared.ingress import IngressRule, TunnelConfiguration
from tunnel_webhook.domain.external_dns.adjustment import adjust
from tunnel_webhook.domain.external_dns.endpoint import Endpoint
from tunnel_webhook.domain.external_dns.namespace import namespace_of
from tunnel_webhook.domain.hostname import Hostname
from vocabulary.builders import POLICY
from vocabulary.strategies import bystander_texts, endpoints, hand_made_documents


def without_our_labels(endpoint: Endpoint) -> Endpoint:
    labels = {name: text for name, text in endpoint.labels.items() if name in {"owner", "resource"}}
    return replace(endpoint, labels=labels)


@given(st.lists(endpoints(), max_size=4))
def test_l8_adjusting_twice_changes_nothing_and_drops_nothing_that_can_be_tunnelled(
    endpoints: list[Endpoint],
) -> None:
    adjustment = adjust(endpoints, POLICY)
    once = adjustment.endpoints
    assert adjust(once, POLICY).endpoints == tuple(map(without_our_labels, once)), "but no label is believed (C2)"
    tunnelled = [endpoint for endpoint in endpoints if endpoint.record_type in {"A", "AAAA", "CNAME"}]
    assert bool(once) == bool(tunnelled)
    outdone = [fault.endpoint for fault in adjustment.unpublishable if fault.endpoint not in once]
    assert {each.resource for each in (*once, *outdone)} == {endpoint.resource for endpoint in tunnelled}
    rows = {(each.dns_name, each.set_identifier, namespace_of(each.resource)) for each in once}
    assert {(each.dns_name, each.set_identifier, namespace_of(each.resource)) for each in outdone} <= rows
    assert {endpoint.record_type for endpoint in once} <= {"CNAME"}
    assert {endpoint.ttl for endpoint in once} <= {0}


def every_key(text: str) -> Any:
    """Return a JSON value with its members in order, its numbers as text, and every repeated key."""
    return json.loads(text, object_pairs_hook=list, parse_float=str, parse_int=str)


@given(hand_made_documents(), bystander_texts(), st.sampled_from([{}, {"noTLSVerify": True}]))
def test_l10_decoding_then_encoding_loses_no_key(document: str, text: str, origin: dict[str, Any]) -> None:
    written = TunnelConfiguration.parse(document).text
    assert naive.rule_texts(written) == naive.rule_texts(document)
    assert [pair for pair in every_key(written) if pair[0] != "ingress"] == [
        pair for pair in every_key(document) or [] if pair[0] != "ingress"
    ]
    revised = json.loads(
        IngressRule.parse(text).revised(IngressRule.make("a.example.com", "", "http://new:80", origin)).text
    )
    known = {"hostname": "a.example.com", "service": "http://new:80"}
    expected = origin | {
        key: value for key, value in json.loads(text).get("originRequest", {}).items() if key == "unknownKnob"
    }
    unknown = {key: value for key, value in json.loads(text).items() if key in {"note", "x-tags", 'made "by"'}}
    assert revised == {**known, **({"originRequest": expected} if expected else {}), **unknown}


@given(st.text(max_size=40))
def test_a_parsed_hostname_parses_to_itself(text: str) -> None:
    adjusted = adjust([Endpoint(text, targets=("http://a",))], POLICY)
    for endpoint in adjusted.endpoints if not adjusted.unpublishable else ():
        assert Hostname.parse(endpoint.dns_name) == endpoint.dns_name
        assert endpoint.dns_name.isascii()
