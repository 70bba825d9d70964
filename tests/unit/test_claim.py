"""Claims: the marker in a record's comment, and which records are claims."""

from dataclasses import replace

import pytest

from tunnel_webhook.domain.claim import MAX_COMMENT, Marker, claim_for, claims_among
from tunnel_webhook.domain.dns import DnsRecord, RecordBatch, Zone, target_of
from tunnel_webhook.domain.errors import InvalidEndpoint
from tunnel_webhook.domain.hostname import Hostname
from vocabulary.builders import BLUE, GREEN, ZONE, claim, record

SHORT = "heritage=tunnel-webhook,owner="


@pytest.mark.parametrize(
    ("marker", "comment"),
    [
        pytest.param(Marker("default"), f"{SHORT}default", id="an owner"),
        pytest.param(Marker("a", "service/ns/app"), f"{SHORT}a,resource=service/ns/app", id="a resource"),
        pytest.param(Marker("a,b=c%d"), f"{SHORT}a%2Cb%3Dc%25d", id="what separates"),
        pytest.param(Marker("a b\tc\n"), f"{SHORT}a%20b%09c%0A", id="space and control characters"),
        pytest.param(Marker("ü☃"), f"{SHORT}%C3%BC%E2%98%83", id="beyond ASCII"),
        pytest.param(Marker('a"b;c:d/e'), f'{SHORT}a"b;c:d/e', id="what need not be escaped"),
    ],
)
def test_a_marker_is_written_escaped_and_read_again(marker: Marker, comment: str) -> None:
    assert marker.comment == comment
    assert Marker.parse(comment) == marker


def test_a_marker_of_a_hundred_characters_fits() -> None:
    owner = "o" * (MAX_COMMENT - len(SHORT))
    assert len(Marker(owner).comment) == 100


def test_a_resource_that_does_not_fit_is_left_out() -> None:
    room = MAX_COMMENT - len(f"{SHORT}a,resource=")
    assert Marker("a", "r" * room).comment == f"{SHORT}a,resource={'r' * room}"
    assert Marker("a", "r" * (room + 1)).comment == f"{SHORT}a"
    assert Marker("a", "ü" * (room // 6 + 1)).comment == f"{SHORT}a"


def test_an_owner_that_does_not_fit_is_refused_and_never_cut() -> None:
    owner = "o" * (MAX_COMMENT - len(SHORT) + 1)
    with pytest.raises(
        InvalidEndpoint, match=r"makes a marker of 101 characters, and a record's comment holds 100: choose a shorter"
    ):
        _ = Marker(owner).comment


@pytest.mark.parametrize(
    "comment",
    [
        pytest.param("", id="no comment"),
        pytest.param("made by hand", id="another comment"),
        pytest.param("heritage=external-dns,owner=a", id="another heritage"),
        pytest.param("heritage=tunnel-webhook", id="no owner"),
        pytest.param("heritage=tunnel-webhook,owner=", id="an empty owner"),
        pytest.param(" heritage=tunnel-webhook,owner=a", id="something before it"),
        pytest.param("heritage=tunnel-webhooks,owner=a", id="something behind the heritage"),
    ],
)
def test_any_other_comment_is_no_marker(comment: str) -> None:
    assert Marker.parse(comment) is None


def test_a_marker_is_read_with_what_later_versions_may_add() -> None:
    assert Marker.parse(f"{SHORT}a,new=1,resource=r,flag") == Marker("a", "r")


@pytest.mark.parametrize(
    ("content", "kind", "tunnel"),
    [
        pytest.param(f"{BLUE}.cfargotunnel.com", "CNAME", BLUE, id="a tunnel"),
        pytest.param(f"{BLUE.upper()}.CFARGOTUNNEL.COM.", "CNAME", BLUE, id="a tunnel in another spelling"),
        pytest.param("lb.example.net", "CNAME", "", id="elsewhere"),
        pytest.param(f"{BLUE}.cfargotunnel.com", "TXT", "", id="no CNAME"),
    ],
)
def test_a_record_tells_the_tunnel_that_it_points_at(content: str, kind: str, tunnel: str) -> None:
    assert record("app.example.com", content, kind).tunnel == tunnel


def test_a_hostname_is_claimed_by_a_proxied_cname_to_the_tunnel() -> None:
    assert claim_for(Hostname("app.example.com"), BLUE, Marker("a", "r")) == DnsRecord(
        "app.example.com", "CNAME", target_of(BLUE), proxied=True, comment=f"{SHORT}a,resource=r"
    )


@pytest.mark.parametrize(
    ("stored", "is_claim"),
    [
        pytest.param(claim("app.example.com"), True, id="marked and to one of our tunnels"),
        pytest.param(
            replace(claim("app.example.com"), proxied=False), True, id="not proxied is drift, and still a claim"
        ),
        pytest.param(claim("app.example.com", tunnel="another"), False, id="to a tunnel that is not ours"),
        pytest.param(record("app.example.com", target_of(BLUE)), False, id="not marked"),
        pytest.param(
            record("app.example.com", target_of(BLUE), comment="by hand"), False, id="with a comment of somebody"
        ),
        pytest.param(
            record("app.example.com", "lb.example.net", comment=Marker("a").comment),
            False,
            id="marked and pointed elsewhere",
        ),
        pytest.param(
            record("app.example.com", "1.2.3.4", "A", comment=Marker("a").comment), False, id="marked and no CNAME"
        ),
    ],
)
def test_a_claim_is_a_marked_cname_to_one_of_our_tunnels(stored: DnsRecord, *, is_claim: bool) -> None:
    found = claims_among({ZONE: [stored]}, [BLUE, GREEN])
    assert [each.record for each in found.values()] == ([stored] if is_claim else [])


def test_a_claim_knows_its_zone_owner_and_tunnel() -> None:
    other = Zone("example.org", "z2")
    stored = claim("app.example.org", GREEN, "a", "r")
    (found,) = claims_among({ZONE: [], other: [stored]}, [BLUE, GREEN]).values()
    assert (found.hostname, found.zone, found.marker, found.tunnel) == (
        "app.example.org",
        other,
        Marker("a", "r"),
        GREEN,
    )


def test_a_batch_holds_its_records_in_the_order_in_which_they_are_written() -> None:
    one, two, three = (record(f"{name}.example.com", "x") for name in "abc")
    batch = RecordBatch(deletes=(one, two), patches=(two, three), posts=(three, one))
    assert len(batch) == 6
    assert batch.records == (one, two, two, three, three, one)


def test_a_marker_never_exceeds_what_the_free_plan_holds() -> None:
    long = Marker(
        "default", "ingress/a-namespace-with-a-long-name/an-ingress-with-an-even-longer-name-than-its-namespace"
    )
    assert len(long.comment) <= 100
    assert Marker.parse(long.comment) == Marker("default")
