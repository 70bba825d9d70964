"""What is there: indexed by hostname, and what is amiss with it."""

from dataclasses import replace

import pytest

from tunnel_webhook.domain.cloudflared.ingress import IngressRule
from tunnel_webhook.domain.dns import DnsRecord, Zone
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.existing import Drift, Existing
from vocabulary.builders import BLUE, GREEN, ZONE, claim, configuration, record, rule

APP = Hostname("app.example.com")
SOUND = rule(APP, "http://app:8080")


def existing(blue: list[IngressRule], green: list[IngressRule] | None = None, *records: DnsRecord) -> Existing:
    documents = {BLUE: configuration(*blue), GREEN: configuration(*(green or []))}
    return Existing.of([ZONE], {ZONE: records or (claim(APP),)}, documents)


DRIFTED: dict[str, Existing] = {
    "no-rule": existing([rule("b.example.com")]),
    "tunnel": existing([], [SOUND]),
    "left-behind": existing([SOUND], [SOUND]),
    "not-proxied": existing([SOUND], [], replace(claim(APP), proxied=False)),
    "duplicate-rule": existing([SOUND, SOUND]),
    "hostname": existing([rule("App.example.com", "http://app:8080")]),
    "service": existing([rule(APP, "ftp://app")]),
    "shadowed": existing([rule("*.example.com"), SOUND]),
}


def test_the_table_holds_every_drift() -> None:
    assert list(DRIFTED) == list(Drift)


@pytest.mark.parametrize(("drift", "state"), DRIFTED.items(), ids=DRIFTED)
def test_what_is_amiss_with_a_managed_hostname_is_named(drift: str, state: Existing) -> None:
    assert state.drift(state.claims[APP]) == drift


@pytest.mark.parametrize(
    "state",
    [
        pytest.param(existing([SOUND]), id="one rule"),
        pytest.param(existing([rule(APP, "http://app:8080", "^/x"), SOUND]), id="a rule with a path and one without"),
        pytest.param(existing([SOUND, rule("*.example.com")]), id="a wildcard behind it"),
        pytest.param(existing([rule("*.b.example.com"), SOUND]), id="a wildcard for others before it"),
        pytest.param(existing([rule(APP, "bastion")]), id="a service that only a setting allows"),
        pytest.param(existing([SOUND], [rule("*.example.com")]), id="a wildcard in another tunnel"),
    ],
)
def test_nothing_is_amiss_with_a_sound_hostname(state: Existing) -> None:
    assert state.drift(state.claims[APP]) is None


@pytest.mark.parametrize(
    ("service", "drifts"),
    [("HTTP://App:8080", True), ("http://app:8080/", True), ("hello-world", True), ("hello_world", False)],
)
def test_a_service_in_another_spelling_is_amiss(service: str, *, drifts: bool) -> None:
    state = existing([rule(APP, service)])
    assert state.drift(state.claims[APP]) == ("service" if drifts else None)


def test_the_gravest_of_several_is_named() -> None:
    state = existing(
        [rule("*.example.com")], [rule("App.example.com", "ftp://x")] * 2, replace(claim(APP), proxied=False)
    )
    assert state.drift(state.claims[APP]) == "tunnel"


@pytest.mark.parametrize(
    ("blue", "green", "home"),
    [
        pytest.param([SOUND], [], BLUE, id="where it points and has rules"),
        pytest.param([SOUND], [SOUND], BLUE, id="where it points before elsewhere"),
        pytest.param([], [SOUND], GREEN, id="elsewhere if its rules are only there"),
        pytest.param([], [], BLUE, id="where it points if it has no rules"),
    ],
)
def test_a_claimed_hostname_lives_where_its_rules_are(
    blue: list[IngressRule], green: list[IngressRule], home: str
) -> None:
    state = existing(blue, green)
    assert state.home(state.claims[APP]) == home


@pytest.mark.parametrize("kind", ["A", "AAAA", "NS", "CNAME"])
def test_what_cannot_stand_beside_a_cname_is_a_neighbour(kind: str) -> None:
    stored = record(APP, "elsewhere", kind)
    state = existing([], [], stored)
    assert (state.neighbours, state.claims) == ({APP: (stored,)}, {})


@pytest.mark.parametrize("kind", ["TXT", "MX", "SRV", "CAA"])
def test_what_can_stand_beside_a_cname_is_none(kind: str) -> None:
    assert existing([], [], record(APP, "elsewhere", kind)).neighbours == {}


def test_a_claim_is_no_neighbour_and_a_second_record_beside_it_is() -> None:
    other = record(APP, "1.2.3.4", "A")
    assert existing([], [], claim(APP), other).neighbours == {APP: (other,)}


def test_neighbours_are_told_in_order() -> None:
    one, two = record(APP, "1.2.3.4", "A"), record(APP, "1.2.3.5", "A")
    assert existing([], [], two, one).neighbours[APP] == (one, two)


def test_rules_are_found_by_hostname_in_their_order_and_in_any_spelling() -> None:
    rules = [rule("App.example.com", path="^/b"), rule("b.example.com"), rule(APP, path="^/a")]
    state = existing(rules)
    assert state.rules_in(BLUE, APP) == (rules[0], rules[2])
    assert state.rules_in(GREEN, APP) == ()
    assert state.tunnels_with(APP) == (BLUE,)


def test_rules_of_every_host_belong_to_no_hostname() -> None:
    assert existing([rule(path="^/x"), rule("*", path="^/y")]).rules == {BLUE: {}, GREEN: {}}


def test_zones_are_found_by_name() -> None:
    other = Zone("example.org", "z2")
    assert Existing.of([ZONE, other], {}, {}).zones == {"example.com": ZONE, "example.org": other}


def test_what_a_zone_holds_for_a_name_in_its_child_zone_means_nothing() -> None:
    child = Zone("b.example.com", "zone-b")
    hidden = (record("b.example.com", "ns.cloudflare.com", "NS"), claim("app.b.example.com", owner="them"))
    ours = claim("app.b.example.com", owner="us")
    found = Existing.of([ZONE, child], {child: (ours,), ZONE: hidden}, {BLUE: configuration()})
    assert found.neighbours == {}
    assert [(each.zone, each.marker.owner) for each in found.claims.values()] == [(child, "us")]
