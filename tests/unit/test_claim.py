"""Claims: the records that are claims, and what a claim gives up.

`Go bug N` names what the Go reference got wrong there.
"""

from dataclasses import replace

import pytest

from tunnel_webhook.domain.claim import Release, claim_for, claims_among
from tunnel_webhook.domain.claimed_paths import EVERY_PATH
from tunnel_webhook.domain.dns import DnsRecord, Zone, target_of
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.marker import MAX_COMMENT, Marker
from vocabulary.builders import BLUE, GREEN, ZONE, claim, marker, record

APP = "app.example.com"
API = "^/api(/|$)"
BOTH = claim(APP, resource="service/prod/app", paths=["", API])
ROOT_ONLY = claim(APP, resource="service/prod/app")
NOW = 1_700_000_000.9


def test_a_released_hostname_differs_only_in_its_marker() -> None:
    release = Release(BOTH)
    begun = release.begun(NOW)
    assert release.is_whole
    assert begun == replace(
        BOTH, comment=marker("default", "service/prod/app", paths=["", API], since=1_700_000_000).comment
    )
    assert begun is not None
    assert Release(begun).begun(NOW + 500) == replace(
        BOTH, comment=marker("default", "service/prod/app", paths=["", API], since=1_700_000_500).comment
    )


def test_a_released_path_is_leaving_while_the_others_stay() -> None:
    release = Release(BOTH, ROOT_ONLY)
    begun = release.begun(NOW)
    assert not release.is_whole
    assert begun is not None
    assert (
        begun.comment
        == "heritage=tunnel-webhook,owner=default,paths=.,leaving=17000000006ikXC,resource=service/prod/app"
    )
    assert [release.gives_up(path) for path in ("", API, "^/other")] == [False, True, False]


def test_a_record_that_is_unmarked_in_the_end_gives_up_every_path() -> None:
    release = Release(BOTH, replace(BOTH, comment="by hand"))
    assert release.is_whole
    assert [release.gives_up(path) for path in ("", API, "^/other")] == [True, True, False]


def test_a_claim_of_every_path_gives_up_every_path() -> None:
    old = replace(BOTH, comment="heritage=tunnel-webhook,owner=default")
    begun = Release(old).begun(NOW)
    assert begun is not None
    assert Marker.parse(begun.comment) == Marker(
        "default", paths=Marker("x").leaving, leaving=EVERY_PATH, since=int(NOW)
    )


@pytest.mark.parametrize(
    "stored",
    [
        pytest.param(
            claim(APP, owner="o" * (MAX_COMMENT - len("heritage=tunnel-webhook,owner=,paths=."))),
            id="an owner that leaves no room",
        ),
        pytest.param(record(APP, target_of(BLUE)), id="not marked"),
    ],
)
def test_a_record_that_cannot_hold_the_time_is_not_marked(stored: DnsRecord) -> None:
    assert Release(stored).begun(NOW) is None


def test_a_claim_is_releasing_if_its_marker_has_the_time() -> None:
    releasing = replace(claim(APP), comment=marker(since=0).comment)
    claims = claims_among({ZONE: [releasing, claim("b.example.com")]}, [BLUE])
    assert {name: each.is_releasing for name, each in claims.items()} == {APP: True, "b.example.com": False}


def test_a_hostname_is_claimed_by_a_proxied_cname_to_the_tunnel() -> None:
    assert claim_for(Hostname(APP), BLUE, marker("a", "r")) == DnsRecord(
        APP, "CNAME", target_of(BLUE), proxied=True, comment="heritage=tunnel-webhook,owner=a,paths=.,resource=r"
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
        pytest.param(record(APP, "lb.example.net", comment=marker("a").comment), id="marked and pointed elsewhere"),
        pytest.param(record(APP, "1.2.3.4", "A", comment=marker("a").comment), id="marked and not a CNAME"),
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
    assert only.marker == marker("a", "r")
    assert only.tunnel == GREEN
