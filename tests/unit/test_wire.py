"""external-dns' JSON, decoded and encoded; the fixtures are bodies of genuine external-dns."""

import json
from pathlib import Path

import pytest

from doubles.http_client import json_of
from tunnel_webhook.adapters.http.wire import (
    MalformedBody,
    decode_changes,
    decode_endpoints,
    encode_endpoints,
    encode_filter,
    encode_records,
)
from tunnel_webhook.domain.external_dns.domain_filter import DomainFilter
from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint
from tunnel_webhook.domain.external_dns.origin_service import OriginService
from tunnel_webhook.domain.hostname import Hostname

FIXTURES = Path(__file__).parents[1] / "fixtures" / "external_dns"
BODIES = sorted(FIXTURES.glob("adjust_*.json"))
CHANGES = sorted(FIXTURES.glob("changes_*.json"))
WEB = Endpoint(
    "web.example.com",
    "CNAME",
    ("http://web.default.svc.cluster.local:8080",),
    labels={"resource": "service/default/web"},
    properties=(("webhook/no-tls-verify", "true"),),
)


def sent(name: str) -> bytes:
    return (FIXTURES / f"{name}.json").read_bytes()


@pytest.mark.parametrize("body", BODIES, ids=lambda path: path.stem)
def test_endpoints_to_adjust_survive_decoding_and_encoding(body: Path) -> None:
    assert json.loads(encode_endpoints(decode_endpoints(body.read_bytes()))) == (json.loads(body.read_bytes()) or [])


@pytest.mark.parametrize("body", CHANGES, ids=lambda path: path.stem)
def test_changes_are_decoded_without_loss(body: Path) -> None:
    lists = {name.lower(): endpoints or [] for name, endpoints in json.loads(body.read_bytes()).items()}

    changes = decode_changes(body.read_bytes())

    assert json_of(changes.create) == lists.get("create", [])
    assert json_of(changes.update_old) == lists.get("updateold", [])
    assert json_of(changes.update_new) == lists.get("updatenew", [])
    assert json_of(changes.delete) == lists.get("delete", [])


def test_an_endpoint_is_decoded_with_every_field() -> None:
    assert decode_endpoints(sent("adjust_one")) == (WEB,)


def test_a_ttl_and_a_set_identifier_are_decoded() -> None:
    assert [endpoint.ttl for endpoint in decode_changes(sent("changes_txt_update")).update_new] == [300, 0]
    assert decode_endpoints(b'[{"dnsName":"a.example.com","setIdentifier":"fake"}]')[0].set_identifier == "fake"


def test_the_names_of_the_lists_are_case_insensitive() -> None:
    assert decode_changes(sent("changes_v014_noop")) == Changes(create=(WEB,))
    assert decode_changes(sent("changes_noop_create")) == Changes(create=(WEB,))
    assert decode_changes(sent("changes_v014_txt")) == Changes(delete=(WEB,))
    assert decode_changes(b'{"UPDATENEW":[{"dnsName":"a.example.com"}]}').update_new == (Endpoint("a.example.com", ""),)


@pytest.mark.parametrize(
    "body", [b"{}", b"null", b'{"create":null}', b'{"Create":[],"UpdateOld":null}', b'{"other":[1]}']
)
def test_a_body_without_changes_is_an_empty_change_set(body: bytes) -> None:
    assert decode_changes(body) == Changes()


def test_properties_without_names_are_kept() -> None:
    assert [endpoint.properties for endpoint in decode_endpoints(sent("adjust_shared_slice"))] == [
        (("", ""),),
        (("", ""), ("webhook/x", "1")),
    ]


@pytest.mark.parametrize(
    "field", ["dnsName", "targets", "recordType", "setIdentifier", "recordTTL", "labels", "providerSpecific"]
)
def test_a_null_field_is_a_missing_field(field: str) -> None:
    assert decode_endpoints(json.dumps([{field: None}]).encode()) == (Endpoint("", ""),)


def test_null_elements_are_left_out() -> None:
    properties = b'[null,{"name":"n","value":null}]'
    endpoint = b'{"dnsName":"a","targets":[null,"x"],"labels":{"a":null,"b":"c"},"providerSpecific":%b}' % properties
    body = b"[null,%b,null]" % endpoint

    expected = Endpoint("a", "", ("x",), labels={"b": "c"}, properties=(("n", ""),))
    assert decode_endpoints(body) == (expected,)
    assert decode_changes(b'{"delete":%b}' % body).delete == (expected,)


def test_unknown_fields_are_ignored() -> None:
    assert decode_endpoints(
        b'[{"dnsName":"a","alias":{"deep":[1]},"providerSpecific":[{"name":"n","value":"v","new":1}]}]'
    ) == (Endpoint("a", "", properties=(("n", "v"),)),)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        pytest.param(b"", "truncated", id="empty"),
        pytest.param(b'[{"dnsName":"a', "truncated", id="cut short"),
        pytest.param(b"[] trailing", "trailing", id="trailing text"),
        pytest.param(b"\xff", "malformed", id="not UTF-8"),
        pytest.param(b'[{"dnsName":"\xff"}]', "utf-8", id="not UTF-8 in a string"),
        pytest.param(b"[" * 100_000, "recursion", id="nested too deep"),
        pytest.param(
            b'[{"u":' + b"[" * 100_000 + b"]" * 100_000 + b"}]", "recursion", id="an unknown field nested too deep"
        ),
        pytest.param(b"{}", "`array", id="an object"),
        pytest.param(b'[{"dnsName":"a"},{"dnsName":1}]', "$[1].dnsName", id="dnsName is a number"),
        pytest.param(b'[{"recordTTL":"300"}]', "$[0].recordTTL", id="recordTTL is a string"),
        pytest.param(b'[{"recordTTL":1.5}]', "$[0].recordTTL", id="recordTTL is a float"),
        pytest.param(b'[{"targets":"x"}]', "$[0].targets", id="targets is a string"),
        pytest.param(b'[{"labels":{"a":1}}]', "$[0].labels", id="a label is a number"),
        pytest.param(b'[{"providerSpecific":{"a":"b"}}]', "$[0].providerSpecific", id="providerSpecific is an object"),
        pytest.param(b'["a"]', "$[0]", id="an endpoint is a string"),
    ],
)
def test_malformed_endpoints_are_refused_with_the_place(body: bytes, place: str) -> None:
    with pytest.raises(MalformedBody) as refused:
        decode_endpoints(body)
    assert place in str(refused.value)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        pytest.param(b"[]", "`object", id="an array"),
        pytest.param(b'{"create":3}', "create: ", id="a list is a number"),
        pytest.param(b'{"UpdateOld":[{"dnsName":[]}]}', "updateOld: ", id="an old spelling"),
        pytest.param(b'{"delete":[{},{"recordTTL":true}]}', "$[1].recordTTL", id="an element"),
    ],
)
def test_malformed_changes_are_refused_with_the_place(body: bytes, place: str) -> None:
    with pytest.raises(MalformedBody) as refused:
        decode_changes(body)
    assert place in str(refused.value)


def test_empty_fields_are_not_encoded() -> None:
    bare = Endpoint("a.example.com", targets=("x",), properties=(("n", ""), ("", "")))

    assert encode_endpoints([bare]) == (
        b'[{"dnsName":"a.example.com","targets":["x"],"recordType":"CNAME","providerSpecific":[{"name":"n"},{}]}]\n'
    )
    assert encode_endpoints([Endpoint("", "")]) == b"[{}]\n"
    assert encode_endpoints([]) == b"[]\n"


def test_endpoints_that_exist_are_encoded_like_those_that_are_adjusted() -> None:
    adjusted, other = Endpoint("adjusted.example.com"), Endpoint("other.example.com", labels={"owner": "x"})
    encode_endpoints([adjusted])

    assert encode_records([adjusted, other]) == encode_endpoints([adjusted, other])
    assert encode_records([]) == b"[]\n"


def test_canonical_names_and_services_are_encoded_as_strings() -> None:
    canonical = Endpoint(
        Hostname.parse("A.example.com"), targets=(OriginService.parse("HTTP://X:80"),), ttl=60, set_identifier="^/a$"
    )

    assert json.loads(encode_endpoints([canonical])) == [
        {
            "dnsName": "a.example.com",
            "targets": ["http://x:80"],
            "recordType": "CNAME",
            "recordTTL": 60,
            "setIdentifier": "^/a$",
        }
    ]


def test_endpoints_that_differ_only_in_labels_are_encoded_differently() -> None:
    one, other = Endpoint("a", labels={"owner": "x"}), Endpoint("a", labels={"owner": "y"})

    assert [endpoint["labels"]["owner"] for endpoint in json.loads(encode_endpoints([one, other, one]))] == [
        "x",
        "y",
        "x",
    ]


def test_a_repeated_endpoint_is_decoded_once_until_two_bodies_in_a_row_are_without_it() -> None:
    body = json.dumps([{"dnsName": f"h{number}.example.com"} for number in range(5000)]).encode()
    first, again = decode_endpoints(body), decode_endpoints(body)
    assert all(one is other for one, other in zip(first, again, strict=True))

    decode_endpoints(b"[]")
    assert decode_endpoints(body)[0] is first[0]

    for _ in range(2):
        decode_endpoints(b"[]")
    later = decode_endpoints(body)
    assert later == first
    assert later[0] is not first[0]


@pytest.mark.parametrize(
    ("domain_filter", "expected"),
    [
        pytest.param(DomainFilter(), {}, id="no filter"),
        pytest.param(DomainFilter.parse(["b.com", "a.com"]), {"include": ["a.com", "b.com"]}, id="include"),
        pytest.param(
            DomainFilter.parse(["a.com"], [".x.a.com"]),
            {"include": ["a.com"], "exclude": [".x.a.com"]},
            id="include and exclude",
        ),
        pytest.param(
            DomainFilter.parse(regex_include="^a", regex_exclude="b$"),
            {"regexInclude": "^a", "regexExclude": "b$"},
            id="expressions",
        ),
    ],
)
def test_a_domain_filter_is_encoded_as_external_dns_reads_it(
    domain_filter: DomainFilter, expected: dict[str, object]
) -> None:
    assert json.loads(encode_filter(domain_filter)) == expected
