"""The existing state: claims, rules and neighbouring records by hostname, and the drift of a hostname."""

from dataclasses import replace

import pytest

from tunnel_webhook.domain.cloudflared.ingress import IngressRule
from tunnel_webhook.domain.dns import DnsRecord, Zone
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.existing import Drift, Existing
from vocabulary.builders import BLUE, GREEN, ZONE, claim, configuration, record, rule

APP = Hostname("app.example.com")
RULE = rule(APP, "http://app:8080")


def existing(blue: list[IngressRule], green: list[IngressRule] | None = None, *records: DnsRecord) -> Existing:
    documents = {BLUE: configuration(*blue), GREEN: configuration(*(green or []))}
    return Existing.of([ZONE], {ZONE: records or (claim(APP),)}, documents)


DRIFTED: dict[str, Existing] = {
    "no-rule": existing([rule("b.example.com")]),
    "tunnel": existing([], [RULE]),
    "left-behind": existing([RULE], [RULE]),
    "not-proxied": existing([RULE], [], replace(claim(APP), proxied=False)),
    "duplicate-rule": existing([RULE, RULE]),
    "hostname": existing([rule("App.example.com", "http://app:8080")]),
    "service": existing([rule(APP, "ftp://app")]),
    "shadowed": existing([rule("*.example.com"), RULE]),
    "hiding": existing([RULE, rule(APP, "http://admin", "^/admin")]),
}


def test_the_table_holds_every_drift() -> None:
    assert list(DRIFTED) == list(Drift)


@pytest.mark.parametrize(("drift", "state"), DRIFTED.items(), ids=DRIFTED)
def test_a_managed_hostname_has_a_drift(drift: str, state: Existing) -> None:
    assert state.drift(state.claims[APP]) == drift


@pytest.mark.parametrize(
    "state",
    [
        pytest.param(existing([RULE]), id="one rule"),
        pytest.param(
            existing([rule(APP, "http://app:8080", "^/x"), RULE], [], claim(APP, paths=["", "^/x"])),
            id="a rule with a path and one without",
        ),
        pytest.param(existing([rule(APP, "ftp://admin", "^/x"), RULE]), id="after a person's rule of the hostname"),
        pytest.param(existing([RULE], [rule(APP, path="^/x")]), id="a person's rule of the hostname in another tunnel"),
        pytest.param(existing([RULE, rule("*.example.com")]), id="before a wildcard"),
        pytest.param(existing([rule("*.b.example.com"), RULE]), id="after a wildcard that does not cover it"),
        pytest.param(existing([rule(APP, "bastion")]), id="a service that needs a setting"),
        pytest.param(existing([RULE], [rule("*.example.com")]), id="a wildcard in another tunnel"),
    ],
)
def test_a_hostname_as_it_should_be_has_no_drift(state: Existing) -> None:
    assert state.drift(state.claims[APP]) is None


@pytest.mark.parametrize(
    ("service", "drift"),
    [
        pytest.param("HTTP://App:8080", Drift.SERVICE, id="upper case"),
        pytest.param("http://app:8080/", Drift.SERVICE, id="a trailing slash"),
        pytest.param("hello-world", Drift.SERVICE, id="the alternative name of the test server"),
        pytest.param("hello_world", None, id="canonical"),
    ],
)
def test_a_service_in_another_spelling_is_a_drift(service: str, drift: Drift | None) -> None:
    state = existing([rule(APP, service)])
    assert state.drift(state.claims[APP]) == drift


def test_of_several_drifts_the_most_serious_is_named() -> None:
    state = existing(
        [rule("*.example.com")], [rule("App.example.com", "ftp://x")] * 2, replace(claim(APP), proxied=False)
    )
    assert state.drift(state.claims[APP]) == "tunnel"


@pytest.mark.parametrize(
    ("blue", "green", "home"),
    [
        pytest.param([RULE], [], BLUE, id="its record points at the tunnel of its rules"),
        pytest.param([RULE], [RULE], BLUE, id="rules in both tunnels: its record decides"),
        pytest.param([], [RULE], GREEN, id="rules only in the other tunnel: they decide"),
        pytest.param([], [], BLUE, id="no rules: its record decides"),
    ],
)
def test_the_home_of_a_claimed_hostname_is_one_tunnel(
    blue: list[IngressRule], green: list[IngressRule], home: str
) -> None:
    state = existing(blue, green)
    assert state.home(state.claims[APP]) == home


@pytest.mark.parametrize("record_type", ["A", "AAAA", "NS", "CNAME"])
def test_a_record_that_cannot_share_a_name_with_a_cname_is_a_neighbour(record_type: str) -> None:
    neighbour = record(APP, "elsewhere", record_type)
    state = existing([], [], neighbour)
    assert state.neighbours == {APP: (neighbour,)}
    assert state.claims == {}


@pytest.mark.parametrize("record_type", ["TXT", "MX", "SRV", "CAA"])
def test_a_record_that_can_share_a_name_with_a_cname_is_not_a_neighbour(record_type: str) -> None:
    assert existing([], [], record(APP, "elsewhere", record_type)).neighbours == {}


def test_a_claim_is_not_a_neighbour_and_a_second_record_at_its_name_is() -> None:
    other = record(APP, "1.2.3.4", "A")
    assert existing([], [], claim(APP), other).neighbours == {APP: (other,)}


def test_neighbours_are_sorted() -> None:
    first, second = record(APP, "1.2.3.4", "A"), record(APP, "1.2.3.5", "A")
    assert existing([], [], second, first).neighbours[APP] == (first, second)


@pytest.mark.parametrize("name", ["foo bar.example.com", "xn--a.example.com", "a..example.com"])
def test_a_record_at_a_name_that_is_not_a_hostname_is_a_bystander(name: str) -> None:
    marked, text = claim(name), record(name, "a text", "TXT")
    state = existing([RULE], [], claim(APP), marked, text)
    assert list(state.claims) == [APP]
    assert state.neighbours == {name: (marked,)}
    assert state.drift(state.claims[APP]) is None


def test_the_rules_of_a_hostname_keep_their_order_whatever_their_spelling() -> None:
    rules = [rule("App.example.com", path="^/b"), rule("b.example.com"), rule(APP, path="^/a")]
    state = existing(rules)
    assert state.rules_in(BLUE, APP) == (rules[0], rules[2])
    assert state.rules_in(GREEN, APP) == ()
    assert state.managed_in(BLUE, APP) == ()
    assert state.bystanders_in(BLUE, APP) == (rules[0], rules[2])


def test_a_rule_of_every_host_belongs_to_no_hostname() -> None:
    assert existing([rule(path="^/x"), rule("*", path="^/y")]).rules == {BLUE: {}, GREEN: {}}


def test_zones_are_indexed_by_name() -> None:
    other = Zone("example.org", "z2")
    assert Existing.of([ZONE, other], {}, {}).zones == {"example.com": ZONE, "example.org": other}


def test_records_of_a_zone_at_or_below_its_child_zone_are_ignored() -> None:
    child = Zone("b.example.com", "zone-b")
    hidden = (record("b.example.com", "ns.cloudflare.com", "NS"), claim("app.b.example.com", owner="them"))
    ours = claim("app.b.example.com", owner="us")
    state = Existing.of([ZONE, child], {child: (ours,), ZONE: hidden}, {BLUE: configuration()})
    assert state.neighbours == {}
    (only,) = state.claims.values()
    assert only.zone == child
    assert only.marker.owner == "us"
