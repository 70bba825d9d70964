"""Claims: the marker in a record's comment, and the records that are claims.

`Go bug N` names what the Go reference got wrong there.
"""

from dataclasses import replace

import pytest

from tunnel_webhook.domain.claim import MAX_COMMENT, Marker, claim_for, claims_among, released_at
from tunnel_webhook.domain.dns import DnsRecord, Zone, target_of
from tunnel_webhook.domain.errors import InvalidEndpoint, Reason
from tunnel_webhook.domain.hostname import Hostname
from vocabulary.builders import BLUE, GREEN, ZONE, claim, record

APP = "app.example.com"
SHORT = "heritage=tunnel-webhook,owner="
LONGEST_OWNER = "o" * (MAX_COMMENT - len(SHORT))


@pytest.mark.parametrize(
    ("marker", "comment"),
    [
        pytest.param(Marker("default"), f"{SHORT}default", id="an owner"),
        pytest.param(Marker("a", "service/ns/app"), f"{SHORT}a,resource=service/ns/app", id="a resource"),
        pytest.param(Marker("a,b=c%d"), f"{SHORT}a%2Cb%3Dc%25d", id="separators"),
        pytest.param(Marker("a b\tc\n"), f"{SHORT}a%20b%09c%0A", id="space and control characters"),
        pytest.param(Marker("ü☃"), f"{SHORT}%C3%BC%E2%98%83", id="beyond ASCII"),
        pytest.param(Marker('a"b;c:d/e'), f'{SHORT}a"b;c:d/e', id="punctuation that needs no escape"),
        pytest.param(Marker(LONGEST_OWNER), SHORT + LONGEST_OWNER, id="the longest owner"),
        pytest.param(Marker("a", "r", 1_700_000_000), f"{SHORT}a,releasing=1700000000,resource=r", id="a release"),
        pytest.param(Marker("a", releasing=0), f"{SHORT}a,releasing=0", id="a release at the epoch"),
    ],
)
def test_a_marker_is_written_escaped_and_parsed_again(marker: Marker, comment: str) -> None:
    assert marker.comment == comment
    assert Marker.parse(comment) == marker


def test_a_resource_that_does_not_fit_is_left_out() -> None:
    room = MAX_COMMENT - len(f"{SHORT}a,resource=")
    assert Marker("a", "r" * room).comment == f"{SHORT}a,resource={'r' * room}"
    assert Marker("a", "r" * (room + 1)).comment == f"{SHORT}a"
    assert Marker("a", "ü" * (room // 6 + 1)).comment == f"{SHORT}a"


@pytest.mark.parametrize(
    "resource",
    [
        pytest.param("ingress/" + "n" * 63 + "/" + "a" * 253, id="the longest names of Kubernetes (Go bug 29)"),
        pytest.param("ingress/a-namespace-with-a-long-name/" + "an-ingress-" * 6, id="long names (Go bug 29)"),
    ],
)
def test_a_comment_fits_the_free_plan_whatever_the_resource_is_called(resource: str) -> None:
    comment = Marker("default", resource).comment
    assert len(comment) <= 100
    assert Marker.parse(comment) == Marker("default")


@pytest.mark.parametrize(
    ("owner", "sentence"),
    [
        pytest.param("", "the owner is empty: set OWNER_ID", id="empty"),
        pytest.param(
            LONGEST_OWNER + "o",
            "makes a marker of 101 characters, and a record's comment holds 100: choose a shorter owner id",
            id="one character too long",
        ),
        pytest.param("o" * 200, "makes a marker of 230 characters", id="far too long"),
        pytest.param("ü" * 12, "makes a marker of 102 characters", id="too long once it is escaped"),
    ],
)
def test_a_marker_without_a_writable_owner_cannot_exist(owner: str, sentence: str) -> None:
    with pytest.raises(InvalidEndpoint, match=sentence) as error:
        Marker(owner)
    assert error.value.reason is Reason.INVALID_OWNER


@pytest.mark.parametrize(
    "comment",
    [
        pytest.param("", id="no comment"),
        pytest.param("made by hand", id="another comment"),
        pytest.param("heritage=external-dns,owner=a", id="another heritage"),
        pytest.param("heritage=tunnel-webhook", id="no owner"),
        pytest.param("heritage=tunnel-webhook,owner=", id="an empty owner"),
        pytest.param(f"{SHORT}{LONGEST_OWNER}o", id="an owner that is too long to write"),
        pytest.param(" heritage=tunnel-webhook,owner=a", id="text before the heritage"),
        pytest.param("heritage=tunnel-webhooks,owner=a", id="text after the heritage"),
    ],
)
def test_any_other_comment_is_not_a_marker(comment: str) -> None:
    assert Marker.parse(comment) is None


def test_unknown_keys_of_a_marker_are_ignored() -> None:
    assert Marker.parse(f"{SHORT}a,new=1,resource=r,flag") == Marker("a", "r")


@pytest.mark.parametrize("time", ["", "soon", "-1", "1.5", "17000000000", "1_700", "\u0661"])
def test_a_time_of_release_that_is_not_one_is_ignored(time: str) -> None:
    assert Marker.parse(f"{SHORT}a,releasing={time}") == Marker("a")


def test_a_resource_makes_room_for_the_time_of_a_release() -> None:
    room = MAX_COMMENT - len(f"{SHORT}a,releasing=1700000000,resource=")
    assert Marker("a", "r" * room, 1_700_000_000).comment.endswith("r" * room)
    assert Marker("a", "r" * (room + 1), 1_700_000_000).comment == f"{SHORT}a,releasing=1700000000"


def test_a_released_record_differs_only_in_its_marker() -> None:
    stored = claim(APP, resource="service/prod/app")
    marked = released_at(1_700_000_000.9, stored)
    assert marked is not None
    assert marked == replace(stored, comment=Marker("default", "service/prod/app", 1_700_000_000).comment)
    assert released_at(1_700_000_500.0, marked) == replace(
        stored, comment=Marker("default", "service/prod/app", 1_700_000_500).comment
    )


@pytest.mark.parametrize(
    "stored",
    [
        pytest.param(claim(APP, owner=LONGEST_OWNER), id="an owner that leaves no room"),
        pytest.param(record(APP, target_of(BLUE)), id="not marked"),
    ],
)
def test_a_record_that_cannot_hold_the_time_is_not_marked(stored: DnsRecord) -> None:
    assert released_at(1_700_000_000.0, stored) is None


def test_a_claim_is_releasing_if_its_marker_has_the_time() -> None:
    releasing = replace(claim(APP), comment=Marker("default", releasing=0).comment)
    claims = claims_among({ZONE: [releasing, claim("b.example.com")]}, [BLUE])
    assert {name: each.is_releasing for name, each in claims.items()} == {APP: True, "b.example.com": False}


def test_a_hostname_is_claimed_by_a_proxied_cname_to_the_tunnel() -> None:
    assert claim_for(Hostname(APP), BLUE, Marker("a", "r")) == DnsRecord(
        APP, "CNAME", target_of(BLUE), proxied=True, comment=f"{SHORT}a,resource=r"
    )


@pytest.mark.parametrize(
    "stored",
    [
        pytest.param(claim(APP), id="marked and to one of our tunnels"),
        pytest.param(replace(claim(APP), proxied=False), id="not proxied"),
    ],
)
def test_a_marked_cname_to_one_of_our_tunnels_is_a_claim(stored: DnsRecord) -> None:
    (only,) = claims_among({ZONE: [stored]}, [BLUE, GREEN]).values()
    assert only.record == stored


@pytest.mark.parametrize(
    "bystander",
    [
        pytest.param(claim(APP, tunnel="another"), id="to a tunnel that is not ours"),
        pytest.param(record(APP, target_of(BLUE)), id="not marked"),
        pytest.param(record(APP, target_of(BLUE), comment="by hand"), id="with a person's comment"),
        pytest.param(record(APP, "lb.example.net", comment=Marker("a").comment), id="marked and pointed elsewhere"),
        pytest.param(record(APP, "1.2.3.4", "A", comment=Marker("a").comment), id="marked and not a CNAME"),
        pytest.param(claim("foo bar.example.com"), id="at a name with a space"),
        pytest.param(claim("xn--a.example.com"), id="at an A-label that IDNA refuses"),
    ],
)
def test_any_other_record_is_a_bystander(bystander: DnsRecord) -> None:
    assert claims_among({ZONE: [bystander]}, [BLUE, GREEN]) == {}


def test_a_claim_knows_its_zone_marker_and_tunnel() -> None:
    other = Zone("example.org", "z2")
    stored = claim("app.example.org", GREEN, "a", "r")
    (only,) = claims_among({ZONE: [], other: [stored]}, [BLUE, GREEN]).values()
    assert only.hostname == "app.example.org"
    assert only.zone == other
    assert only.marker == Marker("a", "r")
    assert only.tunnel == GREEN
