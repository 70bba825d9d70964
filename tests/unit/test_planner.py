"""The planner: what becomes of a hostname, by who claims it, what stands at its name, its rules, and what is asked."""

from dataclasses import replace
from itertools import permutations

import pytest

from tunnel_webhook.domain.claim import Marker
from tunnel_webhook.domain.cloudflared.ingress import IngressRule
from tunnel_webhook.domain.dns import DnsRecord, Zone, target_of
from tunnel_webhook.domain.external_dns.domain_filter import DomainFilter
from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.plan import Action, Decision, Plan
from tunnel_webhook.domain.planning.planner import plan
from vocabulary.builders import BLUE, GREEN, POLICY, ZONE, claim, configuration, endpoint, record, rule

APP = Hostname("app.example.com")
RULE = rule(APP, "http://app:8080")
OTHER_RULE = rule(APP, "http://other")
CLAIM = claim(APP)
NOT_STORED = replace(CLAIM, id="")
UNMARKED = record(APP, target_of(BLUE))
API = "^/api(/|$)"


def there(*records: DnsRecord, blue: tuple[IngressRule, ...] = (), green: tuple[IngressRule, ...] = ()) -> Existing:
    return Existing.of([ZONE], {ZONE: records}, {BLUE: configuration(*blue), GREEN: configuration(*green)})


def create(*endpoints: Endpoint) -> Changes:
    return Changes(create=endpoints)


def update(*endpoints: Endpoint) -> Changes:
    return Changes(update_old=endpoints, update_new=endpoints)


def delete(*endpoints: Endpoint) -> Changes:
    return Changes(delete=endpoints)


def of_path(path: str = API, owner: str = "") -> Endpoint:
    """Return an endpoint as `records` reports one of a path, to be deleted."""
    return replace(endpoint(owner=owner), set_identifier=path)


def decided(existing: Existing, changes: Changes, policy: Policy = POLICY) -> Decision:
    found = plan(existing, changes, policy)
    assert found.rejections == ()
    (decision,) = found.decisions
    return decision


def codes(found: Plan) -> list[tuple[str, str]]:
    return [(each.hostname, each.code) for each in found.rejections]


# The table.


@pytest.mark.parametrize(
    ("existing", "changes", "expected"),
    [
        pytest.param(
            there(CLAIM, blue=(OTHER_RULE,)),
            create(endpoint()),
            Decision(Action.UPDATE, APP, ZONE, BLUE, upserts=(RULE,)),
            id="ours - create - upsert the rule",
        ),
        pytest.param(
            there(CLAIM, blue=(OTHER_RULE,)),
            update(endpoint()),
            Decision(Action.UPDATE, APP, ZONE, BLUE, upserts=(RULE,)),
            id="ours - update - upsert the rule",
        ),
        pytest.param(
            there(CLAIM),
            create(endpoint()),
            Decision(Action.UPDATE, APP, ZONE, BLUE, upserts=(RULE,)),
            id="ours without a rule - create - add it",
        ),
        pytest.param(
            there(replace(CLAIM, proxied=False), blue=(RULE,)),
            update(endpoint()),
            Decision(Action.UPDATE, APP, ZONE, BLUE, upserts=(RULE,), claim=CLAIM),
            id="ours - update - repair the CNAME",
        ),
        pytest.param(
            there(CLAIM, blue=(RULE,)),
            update(endpoint(resource="ingress/a/b")),
            Decision(
                Action.UPDATE, APP, ZONE, BLUE, claim=replace(CLAIM, comment=Marker("default", "ingress/a/b").comment)
            ),
            id="ours - update - refresh the marker",
        ),
        pytest.param(
            there(CLAIM, blue=(RULE,)),
            delete(endpoint()),
            Decision(Action.DELETE, APP, ZONE, BLUE, left_behind=(BLUE,), release=CLAIM),
            id="ours - delete - with the last rule, release",
        ),
        pytest.param(
            there(CLAIM, blue=(rule(APP, "http://api", API), RULE)),
            delete(of_path()),
            Decision(Action.UPDATE, APP, ZONE, BLUE, removals=(API,)),
            id="ours - delete - one rule of several",
        ),
        pytest.param(
            there(CLAIM),
            delete(endpoint()),
            Decision(Action.DELETE, APP, ZONE, BLUE, release=CLAIM),
            id="ours without a rule - delete - release",
        ),
        pytest.param(
            there(),
            create(endpoint()),
            Decision(Action.CREATE, APP, ZONE, BLUE, upserts=(RULE,), claim=NOT_STORED),
            id="none - nothing - no rule - create - claim, add",
        ),
        pytest.param(
            there(),
            update(endpoint()),
            Decision(Action.CREATE, APP, ZONE, BLUE, upserts=(RULE,), claim=NOT_STORED),
            id="none - nothing - no rule - update - claim, add",
        ),
        pytest.param(
            there(blue=(RULE,)),
            create(endpoint()),
            Decision(Action.ADOPT, APP, ZONE, BLUE, claim=NOT_STORED),
            id="none - nothing - identical - create - adopt: mark only",
        ),
        pytest.param(
            there(UNMARKED, blue=(RULE,)),
            create(endpoint()),
            Decision(Action.ADOPT, APP, ZONE, BLUE, claim=replace(CLAIM, id=UNMARKED.id)),
            id="none - unmarked CNAME to it - identical - create - adopt: mark only",
        ),
        pytest.param(
            there(UNMARKED, blue=(rule("*.example.com"), RULE)),
            create(endpoint()),
            Decision(Action.ADOPT, APP, ZONE, BLUE, upserts=(RULE,), claim=replace(CLAIM, id=UNMARKED.id)),
            id="none - unmarked CNAME to it - identical, behind a wildcard - create - adopt: mark, lay out",
        ),
        pytest.param(
            there(UNMARKED),
            create(endpoint()),
            Decision(Action.ADOPT, APP, ZONE, BLUE, upserts=(RULE,), claim=replace(CLAIM, id=UNMARKED.id)),
            id="none - unmarked CNAME to it - no rule - create - mark, add",
        ),
        pytest.param(
            there(UNMARKED, blue=(OTHER_RULE,)),
            create(endpoint(adopt="true")),
            Decision(Action.ADOPT, APP, ZONE, BLUE, upserts=(RULE,), claim=replace(CLAIM, id=UNMARKED.id)),
            id="none - unmarked CNAME to it - different - create with adopt - take over",
        ),
        pytest.param(
            there(blue=(rule(APP, "http://api", API),), green=(RULE,)),
            create(endpoint(adopt="true")),
            Decision(
                Action.ADOPT, APP, ZONE, BLUE, upserts=(RULE,), removals=(API,), claim=NOT_STORED, left_behind=(GREEN,)
            ),
            id="none - nothing - elsewhere as well - create with adopt - take over all",
        ),
    ],
)
def test_a_hostname_is_decided_by_the_table(existing: Existing, changes: Changes, expected: Decision) -> None:
    assert decided(existing, changes) == expected


@pytest.mark.parametrize(
    ("existing", "changes", "code"),
    [
        pytest.param(
            there(blue=(OTHER_RULE,)), create(endpoint()), "rule-conflict", id="none - nothing - different - create"
        ),
        pytest.param(
            there(UNMARKED, blue=(OTHER_RULE,)),
            update(endpoint()),
            "rule-conflict",
            id="none - unmarked CNAME - different - update",
        ),
        pytest.param(
            there(green=(RULE,)), create(endpoint()), "rule-conflict", id="none - nothing - in another tunnel - create"
        ),
        pytest.param(
            there(blue=(RULE, RULE)), create(endpoint()), "rule-conflict", id="none - nothing - twice - create"
        ),
        pytest.param(
            there(blue=(rule(APP, "http://x", API), RULE)),
            create(endpoint()),
            "rule-conflict",
            id="none - nothing - a path more - create",
        ),
        pytest.param(
            there(blue=(rule(APP, "http://x", API),)),
            create(endpoint()),
            "rule-conflict",
            id="none - nothing - only a path - create",
        ),
        pytest.param(there(record(APP, "1.2.3.4", "A")), create(endpoint()), "record-conflict", id="none - A - create"),
        pytest.param(
            there(record(APP, "fd00::1", "AAAA")), update(endpoint()), "record-conflict", id="none - AAAA - update"
        ),
        pytest.param(
            there(record(APP, "ns.example.net", "NS")), create(endpoint()), "record-conflict", id="none - NS - create"
        ),
        pytest.param(
            there(record(APP, "lb.example.net")),
            create(endpoint()),
            "record-conflict",
            id="none - CNAME elsewhere - create",
        ),
        pytest.param(
            there(record(APP, target_of(GREEN))),
            create(endpoint()),
            "record-conflict",
            id="none - CNAME to another tunnel - create",
        ),
        pytest.param(
            there(record(APP, "1.2.3.4", "A"), blue=(RULE,)),
            create(endpoint()),
            "record-conflict",
            id="none - A - identical - create",
        ),
        pytest.param(
            there(record(APP, "1.2.3.4", "A")),
            create(endpoint(adopt="true")),
            "record-conflict",
            id="none - A - create with adopt",
        ),
        pytest.param(
            there(UNMARKED, record(APP, "1.2.3.4", "A")),
            create(endpoint()),
            "record-conflict",
            id="none - both - create",
        ),
        pytest.param(
            there(record(APP, "lb.example.net", comment=CLAIM.comment)),
            create(endpoint()),
            "record-conflict",
            id="none - marked but elsewhere - create",
        ),
        pytest.param(
            there(claim(APP, owner="other"), blue=(RULE,)),
            create(endpoint(owner="me")),
            "owned-by-other",
            id="another owner's - create",
        ),
        pytest.param(
            there(claim(APP, owner="other")),
            update(endpoint(owner="me")),
            "owned-by-other",
            id="another owner's - update",
        ),
        pytest.param(
            there(claim(APP, owner="other")),
            delete(endpoint(owner="me")),
            "owned-by-other",
            id="another owner's - delete",
        ),
        pytest.param(
            there(claim(APP, owner="other")),
            create(endpoint(owner="me", adopt="true")),
            "owned-by-other",
            id="another owner's - create with adopt",
        ),
    ],
)
def test_a_hostname_is_rejected_by_the_table(existing: Existing, changes: Changes, code: str) -> None:
    found = plan(existing, changes, POLICY)
    assert found.is_empty
    assert codes(found) == [(APP, code)]


@pytest.mark.parametrize("existing", [there(), there(UNMARKED, blue=(RULE,)), there(record(APP, "1.2.3.4", "A"))])
def test_what_is_not_ours_is_not_deleted(existing: Existing) -> None:
    assert plan(existing, delete(endpoint()), POLICY) == Plan()


# The same again, and what is mended.


@pytest.mark.parametrize("changes", [create(endpoint()), update(endpoint()), delete(of_path()), Changes()])
def test_what_is_already_so_needs_nothing(changes: Changes) -> None:
    assert plan(there(CLAIM, blue=(RULE,)), changes, POLICY) == Plan(managed=frozenset({APP}))


def test_what_is_stored_decides_and_never_what_external_dns_believed() -> None:
    believed = Changes(update_old=(endpoint(target="http://believed"),), update_new=(endpoint(),))
    assert plan(there(CLAIM, blue=(RULE,)), believed, POLICY).is_empty
    assert decided(there(CLAIM, blue=(OTHER_RULE,)), believed).upserts == (RULE,)


def test_what_drifted_is_laid_out_anew_though_it_says_what_is_asked() -> None:
    existing = there(CLAIM, blue=(rule("*.example.com"), RULE))
    assert decided(existing, update(endpoint())) == Decision(Action.UPDATE, APP, ZONE, BLUE, upserts=(RULE,))


def test_rules_left_behind_in_another_tunnel_go() -> None:
    found = decided(there(CLAIM, blue=(RULE,), green=(RULE,)), update(endpoint()))
    assert (found.action, found.left_behind, found.repoint) == (Action.UPDATE, (GREEN,), None)


def test_a_cname_that_points_away_from_its_rules_is_pointed_back() -> None:
    found = decided(there(CLAIM, green=(RULE,)), update(endpoint(tunnel="green")))
    assert (found.action, found.tunnel, found.left_behind) == (Action.MOVE, GREEN, ())
    assert found.repoint == replace(CLAIM, content=target_of(GREEN))


def test_the_spelling_of_a_stored_record_is_left_alone() -> None:
    stored = replace(CLAIM, content=target_of(BLUE).upper() + ".", proxied=False)
    found = decided(there(stored, blue=(RULE,)), update(endpoint()))
    assert found.claim == replace(stored, proxied=True)


# Moving.


def test_a_hostname_moves_as_rule_then_record_then_what_it_leaves_behind() -> None:
    assert decided(there(CLAIM, blue=(RULE,)), update(endpoint(tunnel="green"))) == Decision(
        Action.MOVE,
        APP,
        ZONE,
        GREEN,
        upserts=(RULE,),
        repoint=replace(CLAIM, content=target_of(GREEN)),
        left_behind=(BLUE,),
    )


def test_a_hostname_moves_only_as_a_whole() -> None:
    existing = there(CLAIM, blue=(rule(APP, "http://api", API), RULE))
    found = plan(existing, update(endpoint(tunnel="green")), POLICY)
    assert found.is_empty
    assert codes(found) == [(APP, "tunnel-conflict")]
    both = decided(
        existing, update(endpoint(tunnel="green"), endpoint(target="http://api", path="/api", tunnel="green"))
    )
    assert (both.action, both.left_behind, len(both.upserts)) == (Action.MOVE, (BLUE,), 2)


def test_a_hostname_moves_while_another_of_its_paths_is_deleted() -> None:
    changes = Changes(update_new=(endpoint(tunnel="green"),), delete=(of_path(),))
    found = decided(there(CLAIM, blue=(rule(APP, "http://api", API), RULE)), changes)
    assert (found.action, found.upserts, found.left_behind) == (Action.MOVE, (RULE,), (BLUE,))


def test_of_two_paths_in_two_tunnels_the_tunnel_of_the_first_path_wins() -> None:
    found = plan(there(), create(endpoint(), endpoint(path="/api", tunnel="green", resource="ingress/a/b")), POLICY)
    assert [each.tunnel for each in found.decisions] == [BLUE]
    assert found.decisions[0].upserts == (RULE,)
    (rejection,) = found.rejections
    assert (rejection.code, rejection.resource) == ("tunnel-conflict", "ingress/a/b")


# Paths.


def test_several_paths_of_one_hostname_are_rules_under_one_claim() -> None:
    found = decided(there(), create(endpoint(target="http://api", path="/api"), endpoint()))
    assert found.upserts == (RULE, rule(APP, "http://api", API))
    assert found.claim == NOT_STORED


def test_a_path_is_added_without_a_word_about_the_others() -> None:
    found = decided(there(CLAIM, blue=(RULE,)), create(endpoint(target="http://api", path="/api")))
    assert (found.upserts, found.removals, found.claim) == ((rule(APP, "http://api", API),), (), None)


def test_the_rules_of_paths_that_nobody_deletes_stay_where_they_are() -> None:
    kept = rule(APP, "http://kept", "^/kept")
    found = decided(
        there(CLAIM, blue=(kept, rule(APP, "http://api", API), RULE)),
        Changes(delete=(of_path(),), update_new=(endpoint(target="http://new"),)),
    )
    assert (found.upserts, found.removals) == ((rule(APP, "http://new"),), (API,))


def test_a_claim_is_released_only_with_its_last_path() -> None:
    existing = there(CLAIM, blue=(rule(APP, "http://api", API), RULE))
    assert decided(existing, delete(of_path())).release is None
    assert decided(existing, delete(of_path(), of_path(""))).release == CLAIM


@pytest.mark.parametrize(
    ("stored", "asked", "resource"),
    [
        pytest.param(
            "ingress/a/all", endpoint(path="/api", resource="ingress/a/api"), "ingress/a/all", id="the one that it had"
        ),
        pytest.param("", endpoint(path="/api", resource="ingress/a/api"), "ingress/a/api", id="of the first path"),
        pytest.param(
            "ingress/a/old", endpoint(resource="ingress/a/all"), "ingress/a/all", id="of the route for every path"
        ),
    ],
)
def test_the_marker_names_one_resource_for_all_paths(stored: str, asked: Endpoint, resource: str) -> None:
    existing = there(replace(claim(APP, resource=stored), proxied=False), blue=(RULE,))
    found = decided(existing, update(asked))
    assert found.claim is not None
    assert found.claim.marker == Marker("default", resource)


# Folding.


def test_both_halves_of_a_hostname_fold_into_one_final_state() -> None:
    changes = Changes(delete=(endpoint(target="http://old", record_type="A"),), create=(endpoint(),))
    assert decided(there(CLAIM, blue=(OTHER_RULE,)), changes) == Decision(
        Action.UPDATE, APP, ZONE, BLUE, upserts=(RULE,)
    )


def test_a_path_that_is_deleted_and_created_becomes_another() -> None:
    changes = Changes(delete=(of_path("^/old"),), create=(endpoint(target="http://api", path="/api"),))
    found = decided(there(CLAIM, blue=(rule(APP, "http://old", "^/old"),)), changes)
    assert (found.action, found.upserts, found.removals) == (Action.UPDATE, (rule(APP, "http://api", API),), ("^/old",))


def test_the_order_of_the_input_means_nothing() -> None:
    asked = [
        endpoint(target="http://b"),
        endpoint(target="http://a"),
        endpoint("z.example.com"),
        endpoint("a..b"),
        endpoint(path="/api", tunnel="green"),
    ]
    plans = {plan(there(), create(*order), POLICY) for order in permutations(asked)}
    (found,) = plans
    assert [(each.hostname, each.upserts[0].service) for each in found.decisions] == [
        (APP, "http://a"),
        ("z.example.com", "http://app:8080"),
    ]


@pytest.mark.parametrize("kind", ["TXT", "MX", "SRV"])
def test_what_cannot_be_tunnelled_is_accepted_and_ignored(kind: str) -> None:
    heritage = endpoint("a-app.example.com", target='"heritage=external-dns"', record_type=kind)
    assert plan(
        there(CLAIM, blue=(RULE,)), Changes((heritage,), (heritage,), (heritage,), (heritage,)), POLICY
    ).is_empty


# Rejections.


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        pytest.param(endpoint("app.example.org"), "no-zone", id="no zone"),
        pytest.param(endpoint("notexample.com"), "no-zone", id="no zone at a dot"),
        pytest.param(endpoint("app.dev.example.com"), "outside-domain-filter", id="outside the domain filter"),
        pytest.param(endpoint(tunnel="red"), "unknown-tunnel", id="an unknown tunnel"),
        pytest.param(endpoint(service="ftp://a"), "invalid-service", id="a service that is none"),
        pytest.param(endpoint(path="api"), "invalid-path", id="a path that is none"),
        pytest.param(endpoint(nope="x"), "invalid-property", id="a misspelt property"),
        pytest.param(replace(endpoint(), properties=(("", ""),)), "corrupted-properties", id="a nameless property"),
        pytest.param(endpoint("a..b"), "invalid-hostname", id="a hostname that is none"),
        pytest.param(endpoint(owner="o" * 71), "invalid-owner", id="an owner that does not fit"),
    ],
)
def test_what_is_bad_is_named_and_harms_nobody_else(asked: Endpoint, code: str) -> None:
    policy = replace(POLICY, domain_filter=DomainFilter(exclude=("dev.example.com",)))
    good = endpoint("good.example.com")
    found = plan(there(), create(replace(asked, labels={"resource": "ingress/a/b", **asked.labels}), good), policy)
    assert [each.hostname for each in found.decisions] == ["good.example.com"]
    (rejection,) = found.rejections
    assert (rejection.hostname, rejection.code, rejection.resource) == (asked.dns_name, code, "ingress/a/b")


def test_a_rejection_of_a_missing_zone_names_those_there_are() -> None:
    (rejection,) = plan(there(), create(endpoint("app.example.org")), POLICY).rejections
    assert rejection.sentence == "no zone that the credentials see holds app.example.org; they see: example.com"
    (rejection,) = plan(Existing.of([], {}, {BLUE: configuration()}), create(endpoint()), POLICY).rejections
    assert rejection.sentence.endswith("they see: none")


def test_a_rule_conflict_names_tunnel_path_and_service() -> None:
    (rejection,) = plan(there(blue=(rule(APP, "http://hand", "^/x"),)), create(endpoint()), POLICY).rejections
    assert (
        f"tunnel {BLUE} already has a rule for {APP} (path ^/x) that this service did not make, to http://hand"
        in rejection.sentence
    )


def test_an_owner_that_is_not_this_instance_s_is_rejected_with_the_setting() -> None:
    (rejection,) = plan(there(), create(endpoint(owner="other")), replace(POLICY, owner_id="me")).rejections
    assert rejection.code == "invalid-owner"
    assert "OWNER_ID 'me'" in rejection.sentence


def test_a_hostname_with_a_rejection_keeps_its_last_good_rule() -> None:
    for changes in (
        update(endpoint(no_tls_verfy="true")),
        Changes(delete=(endpoint(),), create=(endpoint(no_tls_verfy="true"),)),
    ):
        found = plan(there(CLAIM, blue=(RULE,)), changes, POLICY)
        assert found.is_empty
        assert codes(found) == [(APP, "invalid-property")]


def test_a_hostname_with_a_rejection_takes_what_is_good_and_loses_nothing() -> None:
    existing = there(CLAIM, blue=(rule(APP, "http://old", "^/old"), RULE))
    changes = Changes(update_new=(endpoint(target="http://new"), endpoint(path="api")), delete=(of_path("^/old"),))
    found = plan(existing, changes, POLICY)
    assert codes(found) == [(APP, "invalid-path")]
    (decision,) = found.decisions
    assert (decision.upserts, decision.removals) == ((rule(APP, "http://new"),), ())


def test_a_rejection_is_no_licence_to_adopt() -> None:
    found = plan(there(blue=(OTHER_RULE,)), create(endpoint(adopt="true"), endpoint(path="api")), POLICY)
    assert found.is_empty
    assert codes(found) == [(APP, "invalid-path"), (APP, "rule-conflict")]


def test_a_deletion_outside_the_domain_filter_is_rejected() -> None:
    policy = replace(POLICY, domain_filter=DomainFilter(include=("example.org",)))
    found = plan(there(CLAIM, blue=(RULE,)), delete(endpoint()), policy)
    assert found.is_empty
    assert codes(found) == [(APP, "outside-domain-filter")]


def test_a_deletion_of_what_is_no_hostname_is_nothing() -> None:
    assert plan(there(), delete(endpoint("a..b")), POLICY) == Plan()


def test_of_two_owners_that_ask_for_a_new_hostname_the_first_in_order_gets_it() -> None:
    found = plan(there(), create(endpoint(owner="b"), endpoint(target="http://z", owner="a")), POLICY)
    assert [each.upserts for each in found.decisions] == [(rule(APP, "http://z"),)]
    assert codes(found) == [(APP, "owned-by-other")]


def test_a_foreign_deletion_keeps_what_the_owner_asks_for() -> None:
    changes = Changes(update_new=(endpoint(target="http://new", owner="me"),), delete=(of_path("", owner="other"),))
    found = plan(there(claim(APP, owner="me"), blue=(RULE,)), changes, POLICY)
    assert [each.upserts for each in found.decisions] == [(rule(APP, "http://new"),)]
    assert codes(found) == [(APP, "owned-by-other")]


# Zones and wildcards.


def test_a_hostname_is_claimed_in_the_longest_zone_that_holds_it() -> None:
    child = Zone("dev.example.com", "zone-dev")
    existing = Existing.of([ZONE, child], {}, {BLUE: configuration()})
    found = plan(existing, create(endpoint(), endpoint("app.dev.example.com")), POLICY)
    assert {each.hostname: each.zone for each in found.decisions} == {APP: ZONE, "app.dev.example.com": child}


def test_a_name_is_taken_in_its_own_zone_whatever_the_zone_above_holds_for_it() -> None:
    child = Zone("dev.example.com", "zone-dev")
    name = "app.dev.example.com"
    records = {ZONE: [record(name, target_of(BLUE), uid="1")], child: [record(name, target_of(BLUE), uid="2")]}
    found = plan(Existing.of([ZONE, child], records, {BLUE: configuration()}), create(endpoint(name)), POLICY)
    assert [(each.action, each.zone, each.claim and each.claim.id) for each in found.decisions] == [
        (Action.ADOPT, child, "2")
    ]


def test_a_wildcard_and_an_apex_are_hostnames_like_any_other() -> None:
    found = plan(there(), create(endpoint("*.example.com"), endpoint("example.com")), POLICY)
    assert [each.claim.name for each in found.decisions if each.claim] == ["*.example.com", "example.com"]


def test_a_plan_knows_every_claim_whoever_made_it() -> None:
    assert plan(there(claim(APP, owner="other")), Changes(), POLICY).managed == {APP}
