"""The planner: the verdict on one request, by claim, records, rules and what is asked.

The ids of the rows are the rows of the planner's table; `Go bug N` names what the Go reference got wrong there.
"""

from dataclasses import replace
from itertools import count, permutations

import pytest

from tunnel_webhook.domain.claim import Release
from tunnel_webhook.domain.claimed_paths import EVERY_PATH, ClaimedPaths, digest_of
from tunnel_webhook.domain.cloudflared.ingress import IngressRule, TunnelConfiguration
from tunnel_webhook.domain.cloudflared.validation import check_configuration
from tunnel_webhook.domain.dns import DnsRecord, Zone, target_of
from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.domain.external_dns.domain_filter import DomainFilter
from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint
from tunnel_webhook.domain.external_dns.hostname_pattern import HostnamePattern
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.external_dns.policy_file import parse_policy_file
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.marker import Marker
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.layout import lay_out
from tunnel_webhook.domain.planning.plan import Action, Decision, Plan, RuleChange
from tunnel_webhook.domain.planning.planner import Verdict, decide, plan
from tunnel_webhook.domain.planning.report import report
from tunnel_webhook.domain.planning.request import Request
from vocabulary.builders import BLUE, GREEN, POLICY, ZONE, claim, configuration, endpoint, marker, record, rule

APP = Hostname("app.example.com")
RULE = rule(APP, "http://app:8080")
OTHER_RULE = rule(APP, "http://other")
CLAIM = claim(APP)
NEW_CLAIM = replace(CLAIM, id="")
GOING = replace(CLAIM, comment=marker("default", since=0).comment)
UNMARKED = record(APP, target_of(BLUE))
API = "^/api(/|$)"
API_RULE = rule(APP, "http://api", API)
ADMIN = IngressRule.parse('{"hostname":"app.example.com","path":"^/admin","service":"http://admin:80","note":1.50}')
ADDED = RuleChange(BLUE, upserts=(RULE,))


ADOPTING = replace(POLICY, adopt_hostnames=(HostnamePattern.parse("*.example.com"),))
"""The policy of an operator who lets everything be taken over."""

TWO = claim(APP, paths=["", API])
ADOPTED = replace(CLAIM, comment=f"{CLAIM.comment},adopted", id=UNMARKED.id)


POLICY_FILE = """
version = 1
[[allow]]
namespaces = ["", "*"]
hostnames = ["*.example.com"]
origins = ["any"]
properties = ["safe"]
"""


def existing(*records: DnsRecord, blue: tuple[IngressRule, ...] = (), green: tuple[IngressRule, ...] = ()) -> Existing:
    documents = {BLUE: configuration(*blue), GREEN: configuration(*green)}
    return Existing.of([ZONE], {ZONE: records}, documents)


def create(*endpoints: Endpoint) -> Changes:
    return Changes(create=endpoints)


def update(*endpoints: Endpoint) -> Changes:
    return Changes(update_old=endpoints, update_new=endpoints)


def delete(*endpoints: Endpoint) -> Changes:
    return Changes(delete=endpoints)


def of_path(path: str = API, owner: str = "") -> Endpoint:
    """Return an endpoint of a path, as `records` reports it and external-dns deletes it."""
    return replace(endpoint(owner=owner), set_identifier=path)


def decision(state: Existing, changes: Changes, policy: Policy = POLICY) -> Decision:
    planned = plan(state, changes, policy)
    assert planned.rejections == ()
    (only,) = planned.decisions
    return only


def reasons(planned: Plan) -> list[tuple[str, str]]:
    return [(rejection.hostname, rejection.reason) for rejection in planned.rejections]


def written(planned: Plan) -> list[DnsRecord]:
    batches = [*planned.claims().values(), *planned.repoints().values()]
    given_up = [*planned.releases().values(), *planned.discards().values()]
    released = [release.record for releases in given_up for release in releases]
    return [each for batch in batches for each in batch.records] + released


def applied(state: Existing, changes: Changes, policy: Policy = POLICY) -> TunnelConfiguration:
    """Return the document of the default tunnel once a plan is carried out."""
    planned = plan(state, changes, policy)
    changed = planned.rules().get(BLUE, {})
    rules = {
        name: change.applied_to(rule for rule in state.rules_in(BLUE, name) if rule.path in planned.claimed[name])
        for name, change in changed.items()
    }
    return lay_out(state.configurations[BLUE], rules, planned.claimed)


# The table.


@pytest.mark.parametrize(
    ("state", "changes", "expected"),
    [
        pytest.param(
            existing(),
            create(endpoint()),
            Decision(Action.CREATE, APP, ZONE, BLUE, claim=NEW_CLAIM, rules=(ADDED,)),
            id="take - nothing - no rules - create - claim, add",
        ),
        pytest.param(
            existing(),
            update(endpoint()),
            Decision(Action.CREATE, APP, ZONE, BLUE, claim=NEW_CLAIM, rules=(ADDED,)),
            id="take - nothing - no rules - update - claim, add",
        ),
        pytest.param(
            existing(blue=(RULE,)),
            create(endpoint()),
            Decision(Action.ADOPT, APP, ZONE, BLUE, claim=NEW_CLAIM),
            id="take - nothing - identical - create - adopt: mark only",
        ),
        pytest.param(
            existing(UNMARKED, blue=(RULE,)),
            create(endpoint()),
            Decision(Action.ADOPT, APP, ZONE, BLUE, claim=ADOPTED),
            id="take - unmarked CNAME to it - identical - create - adopt: mark only",
        ),
        pytest.param(
            existing(UNMARKED, blue=(rule("*.example.com"), RULE)),
            create(endpoint()),
            Decision(Action.ADOPT, APP, ZONE, BLUE, claim=ADOPTED, rules=(ADDED,)),
            id="take - unmarked CNAME to it - identical, after a wildcard - create - adopt: mark, lay out",
        ),
        pytest.param(
            existing(UNMARKED),
            create(endpoint(adopt="true")),
            Decision(Action.ADOPT, APP, ZONE, BLUE, claim=ADOPTED, rules=(ADDED,)),
            id="take - unmarked CNAME to it - no rules - with adopt - mark, add",
        ),
        pytest.param(
            existing(UNMARKED, blue=(OTHER_RULE,)),
            create(endpoint(adopt="true")),
            Decision(Action.ADOPT, APP, ZONE, BLUE, claim=ADOPTED, rules=(ADDED,)),
            id="take - unmarked CNAME to it - different - with adopt - mark, replace",
        ),
        pytest.param(
            existing(blue=(API_RULE,), green=(RULE,)),
            create(endpoint(adopt="true")),
            Decision(
                Action.ADOPT,
                APP,
                ZONE,
                BLUE,
                claim=NEW_CLAIM,
                rules=(ADDED,),
                cleanup=(RuleChange(GREEN, removals=("",)),),
            ),
            id="take - nothing - in another tunnel, beside another path - with adopt - claim, replace that one",
        ),
        pytest.param(
            existing(UNMARKED, blue=(API_RULE, OTHER_RULE)),
            create(endpoint(adopt="true")),
            Decision(Action.ADOPT, APP, ZONE, BLUE, claim=ADOPTED, rules=(ADDED,)),
            id="take - unmarked CNAME to it - different, beside another path - with adopt - mark, replace that one",
        ),
        pytest.param(
            existing(blue=(API_RULE,)),
            create(endpoint()),
            Decision(Action.CREATE, APP, ZONE, BLUE, claim=NEW_CLAIM, rules=(ADDED,)),
            id="take - nothing - only another path - create - claim, add",
        ),
        pytest.param(
            existing(GOING),
            create(endpoint()),
            Decision(Action.CREATE, APP, ZONE, BLUE, claim=NEW_CLAIM, replaced=GOING, rules=(ADDED,)),
            id="renew - its rule is gone - create - swap the record, add",
        ),
        pytest.param(
            existing(replace(TWO, comment=marker(paths=["", API], since=0).comment), blue=(OTHER_RULE, API_RULE)),
            update(endpoint()),
            Decision(
                Action.CREATE,
                APP,
                ZONE,
                BLUE,
                claim=replace(NEW_CLAIM, comment=f"{CLAIM.comment},leaving=00000000456ikXC"),
                replaced=replace(TWO, comment=marker(paths=["", API], since=0).comment),
                rules=(RuleChange(BLUE, upserts=(RULE,), removals=(API,)),),
            ),
            id="renew - rules of it came back - update - swap the record, replace them",
        ),
        pytest.param(
            existing(GOING, blue=(RULE,), green=(RULE,)),
            create(endpoint(tunnel="green")),
            Decision(
                Action.CREATE,
                APP,
                ZONE,
                GREEN,
                claim=replace(claim(APP, GREEN), id=""),
                replaced=GOING,
                rules=(RuleChange(GREEN, upserts=(RULE,)),),
                cleanup=(RuleChange(BLUE, removals=("",)),),
            ),
            id="renew - another tunnel - create - swap the record, add, clean up",
        ),
        pytest.param(
            existing(CLAIM, blue=(RULE,)),
            delete(endpoint()),
            Decision(Action.DELETE, APP, ZONE, BLUE, rules=(RuleChange(BLUE, removals=("",)),), release=Release(CLAIM)),
            id="delete - the last path - remove, release",
        ),
        pytest.param(
            existing(CLAIM, blue=(RULE,), green=(RULE,)),
            delete(endpoint()),
            Decision(
                Action.DELETE,
                APP,
                ZONE,
                BLUE,
                rules=(RuleChange(BLUE, removals=("",)), RuleChange(GREEN, removals=("",))),
                release=Release(CLAIM),
            ),
            id="delete - the last path - remove from every tunnel, release",
        ),
        pytest.param(
            existing(TWO, blue=(API_RULE, RULE)),
            delete(of_path()),
            Decision(
                Action.UPDATE,
                APP,
                ZONE,
                BLUE,
                rules=(RuleChange(BLUE, removals=(API,)),),
                release=Release(TWO, replace(TWO, comment=CLAIM.comment)),
            ),
            id="delete - one path of several - remove, release that path",
        ),
        pytest.param(
            existing(CLAIM),
            delete(endpoint()),
            Decision(Action.DELETE, APP, ZONE, BLUE, release=Release(CLAIM)),
            id="delete - without a rule - release",
        ),
        pytest.param(
            existing(CLAIM, blue=(OTHER_RULE,)),
            create(endpoint()),
            Decision(Action.UPDATE, APP, ZONE, BLUE, rules=(ADDED,)),
            id="keep - create - upsert",
        ),
        pytest.param(
            existing(CLAIM, blue=(OTHER_RULE,)),
            update(endpoint()),
            Decision(Action.UPDATE, APP, ZONE, BLUE, rules=(ADDED,)),
            id="keep - update - upsert",
        ),
        pytest.param(
            existing(CLAIM),
            create(endpoint()),
            Decision(Action.UPDATE, APP, ZONE, BLUE, rules=(ADDED,)),
            id="keep - without a rule - create - add",
        ),
        pytest.param(
            existing(replace(CLAIM, proxied=False), blue=(RULE,)),
            update(endpoint()),
            Decision(Action.UPDATE, APP, ZONE, BLUE, claim=CLAIM, rules=(ADDED,)),
            id="keep - not proxied - update - repair the record (Go bug 24)",
        ),
        pytest.param(
            existing(CLAIM, blue=(RULE,)),
            update(endpoint(resource="ingress/a/b")),
            Decision(
                Action.UPDATE,
                APP,
                ZONE,
                BLUE,
                claim=replace(CLAIM, comment=marker("default", "ingress/a/b").comment),
            ),
            id="keep - another resource - update - rewrite the marker",
        ),
        pytest.param(
            existing(CLAIM, blue=(RULE,)),
            update(endpoint(tunnel="green")),
            Decision(
                Action.MOVE,
                APP,
                ZONE,
                GREEN,
                rules=(RuleChange(GREEN, upserts=(RULE,)),),
                repoint=replace(CLAIM, content=target_of(GREEN)),
                cleanup=(RuleChange(BLUE, removals=("",)),),
            ),
            id="keep - all paths, another tunnel - move: add, repoint, clean up",
        ),
        pytest.param(
            existing(CLAIM, blue=(OTHER_RULE,)),
            Changes(create=(endpoint(),), delete=(endpoint(target="http://old", record_type="A"),)),
            Decision(Action.UPDATE, APP, ZONE, BLUE, rules=(ADDED,)),
            id="keep - a change of type: deleted and created - upsert (Go bug 17)",
        ),
    ],
)
def test_a_request_is_decided_by_the_table(state: Existing, changes: Changes, expected: Decision) -> None:
    assert decision(state, changes, ADOPTING) == expected


@pytest.mark.parametrize(
    ("state", "changes", "reason"),
    [
        pytest.param(
            existing(blue=(OTHER_RULE,)), create(endpoint()), "rule-conflict", id="take - nothing - different - create"
        ),
        pytest.param(
            existing(UNMARKED, blue=(OTHER_RULE,)),
            update(endpoint()),
            "rule-conflict",
            id="take - unmarked CNAME - different - update",
        ),
        pytest.param(
            existing(green=(RULE,)),
            create(endpoint()),
            "rule-conflict",
            id="take - nothing - in another tunnel - create",
        ),
        pytest.param(
            existing(blue=(RULE, RULE)), create(endpoint()), "rule-conflict", id="take - nothing - twice - create"
        ),
        pytest.param(
            existing(record(APP, "1.2.3.4", "A")),
            create(endpoint()),
            "record-conflict",
            id="take - A - create (Go bug 3)",
        ),
        pytest.param(
            existing(record(APP, "fd00::1", "AAAA")),
            update(endpoint()),
            "record-conflict",
            id="take - AAAA - update (Go bug 3)",
        ),
        pytest.param(
            existing(record(APP, "ns.example.net", "NS")),
            create(endpoint()),
            "record-conflict",
            id="take - NS - create (Go bug 3)",
        ),
        pytest.param(
            existing(record(APP, "lb.example.net", comment="do not touch")),
            create(endpoint()),
            "record-conflict",
            id="take - CNAME elsewhere - create (Go bug 29)",
        ),
        pytest.param(
            existing(record(APP, target_of(GREEN))),
            create(endpoint()),
            "record-conflict",
            id="take - CNAME to another tunnel - create",
        ),
        pytest.param(
            existing(record(APP, "1.2.3.4", "A"), blue=(RULE,)),
            create(endpoint()),
            "record-conflict",
            id="take - A - identical - create",
        ),
        pytest.param(
            existing(record(APP, "1.2.3.4", "A")),
            create(endpoint(adopt="true")),
            "record-conflict",
            id="take - A - with adopt",
        ),
        pytest.param(
            existing(UNMARKED, record(APP, "1.2.3.4", "A")),
            create(endpoint()),
            "record-conflict",
            id="take - unmarked CNAME and A - create",
        ),
        pytest.param(
            existing(record(APP, "lb.example.net", comment=CLAIM.comment)),
            create(endpoint()),
            "record-conflict",
            id="take - marked CNAME elsewhere - create",
        ),
        pytest.param(
            existing(claim(APP, owner="other"), blue=(RULE,)),
            create(endpoint(owner="me")),
            "owned-by-other",
            id="another owner - create",
        ),
        pytest.param(
            existing(claim(APP, owner="other")),
            update(endpoint(owner="me")),
            "owned-by-other",
            id="another owner - update",
        ),
        pytest.param(
            existing(claim(APP, owner="other")),
            delete(endpoint(owner="me")),
            "owned-by-other",
            id="another owner - delete",
        ),
        pytest.param(
            existing(claim(APP, owner="other")),
            create(endpoint(owner="me", adopt="true")),
            "owned-by-other",
            id="another owner - with adopt",
        ),
    ],
)
def test_a_request_is_rejected_by_the_table(state: Existing, changes: Changes, reason: str) -> None:
    planned = plan(state, changes, POLICY)
    assert planned.decisions == ()
    assert reasons(planned) == [(APP, reason)]


@pytest.mark.parametrize(
    "state",
    [
        pytest.param(existing(), id="it is already gone (Go bug 15)"),
        pytest.param(existing(UNMARKED, blue=(RULE,)), id="a person made it"),
        pytest.param(existing(record(APP, "1.2.3.4", "A")), id="it has another record"),
    ],
)
def test_a_hostname_that_is_not_claimed_is_not_deleted(state: Existing) -> None:
    assert plan(state, delete(endpoint()), POLICY) == Plan()


# The same again, and repairs.


@pytest.mark.parametrize(
    "changes",
    [create(endpoint()), update(endpoint()), delete(of_path()), Changes()],
    ids=["create (Go bug 28)", "update (Go bug 28)", "delete of another path", "nothing"],
)
def test_asking_for_what_exists_changes_nothing(changes: Changes) -> None:
    state = existing(CLAIM, blue=(RULE,))
    assert plan(state, changes, POLICY) == Plan(managed=frozenset({(APP, ClaimedPaths.of([""]))}))
    assert applied(state, changes) == state.configurations[BLUE]


def test_what_is_stored_decides_and_never_update_old() -> None:
    changes = Changes(update_old=(endpoint(target="http://believed"),), update_new=(endpoint(),))
    assert plan(existing(CLAIM, blue=(RULE,)), changes, POLICY).decisions == ()
    assert decision(existing(CLAIM, blue=(OTHER_RULE,)), changes).rules == (ADDED,)


def test_a_drifted_hostname_is_laid_out_even_if_its_rules_say_what_is_asked() -> None:
    state = existing(CLAIM, blue=(rule("*.example.com"), RULE))
    assert decision(state, update(endpoint())) == Decision(Action.UPDATE, APP, ZONE, BLUE, rules=(ADDED,))


def test_rules_in_a_tunnel_that_the_hostname_has_left_are_removed() -> None:
    found = decision(existing(CLAIM, blue=(RULE,), green=(RULE,)), update(endpoint()))
    assert found.action is Action.UPDATE
    assert found.cleanup == (RuleChange(GREEN, removals=("",)),)
    assert found.repoint is None


def test_a_cname_that_points_away_from_its_rules_is_pointed_back() -> None:
    found = decision(existing(CLAIM, green=(RULE,)), update(endpoint(tunnel="green")))
    assert found.action is Action.MOVE
    assert found.tunnel == GREEN
    assert found.cleanup == ()
    assert found.repoint == replace(CLAIM, content=target_of(GREEN))


def test_the_spelling_of_a_stored_record_is_kept() -> None:
    stored = replace(CLAIM, content=target_of(BLUE).upper() + ".", proxied=False)
    assert decision(existing(stored, blue=(RULE,)), update(endpoint())).claim == replace(stored, proxied=True)


# Moves.


def test_a_hostname_moves_only_as_a_whole() -> None:
    state = existing(TWO, blue=(API_RULE, RULE))
    planned = plan(state, update(endpoint(tunnel="green")), POLICY)
    assert planned.decisions == ()
    assert reasons(planned) == [(APP, "tunnel-conflict")]

    moved = decision(
        state, update(endpoint(tunnel="green"), endpoint(target="http://api", path="/api", tunnel="green"))
    )
    assert moved.action is Action.MOVE
    assert moved.rules == (RuleChange(GREEN, upserts=(RULE, API_RULE)),)
    assert moved.cleanup == (RuleChange(BLUE, removals=("", API)),)


def test_a_hostname_moves_while_another_of_its_paths_is_deleted() -> None:
    changes = Changes(update_new=(endpoint(tunnel="green"),), delete=(of_path(),))
    moved = decision(existing(TWO, blue=(API_RULE, RULE)), changes)
    assert moved.action is Action.MOVE
    assert moved.rules == (RuleChange(GREEN, upserts=(RULE,)),)
    assert moved.cleanup == (RuleChange(BLUE, removals=("", API)),)


def test_of_paths_in_two_tunnels_the_tunnel_of_the_first_path_wins() -> None:
    asked = create(endpoint(), endpoint(path="/api", tunnel="green", resource="ingress/a/b"))
    planned = plan(existing(), asked, POLICY)
    (taken,) = planned.decisions
    assert taken.tunnel == BLUE
    assert taken.rules == (ADDED,)
    (rejection,) = planned.rejections
    assert rejection.reason is Reason.TUNNEL_CONFLICT
    assert rejection.resource == "ingress/a/b"


def test_a_tunnel_conflict_keeps_the_hostname_from_taking_rules_over() -> None:
    asked = create(endpoint(adopt="true"), endpoint(path="/api", tunnel="green"))
    planned = plan(existing(blue=(OTHER_RULE,)), asked, POLICY)
    assert planned.decisions == ()
    assert reasons(planned) == [(APP, "rule-conflict"), (APP, "tunnel-conflict")]


# Paths.


def test_several_paths_of_one_hostname_are_rules_under_one_claim() -> None:
    taken = decision(existing(), create(endpoint(target="http://api", path="/api"), endpoint()))
    assert taken.claim == replace(TWO, id="")
    assert taken.rules == (RuleChange(BLUE, upserts=(RULE, API_RULE)),)


def test_a_new_path_changes_no_other_path() -> None:
    found = decision(existing(CLAIM, blue=(RULE,)), create(endpoint(target="http://api", path="/api")))
    assert found.rules == (RuleChange(BLUE, upserts=(API_RULE,)),)
    assert found.claim == replace(TWO, id="")
    assert found.replaced == CLAIM, "another process may still write what it read under the old id"
    assert found.release is None


def test_paths_that_are_not_deleted_stay() -> None:
    state = existing(claim(APP, paths=["", API, "^/kept"]), blue=(rule(APP, "http://kept", "^/kept"), API_RULE, RULE))
    changes = Changes(delete=(of_path(),), update_new=(endpoint(target="http://new"),))
    change = RuleChange(BLUE, upserts=(rule(APP, "http://new"),), removals=(API,))
    assert decision(state, changes).rules == (change,)


def test_a_claim_is_released_only_with_its_last_path() -> None:
    state = existing(TWO, blue=(API_RULE, RULE))
    assert decision(state, delete(of_path())).release == Release(TWO, replace(TWO, comment=CLAIM.comment))
    assert decision(state, delete(of_path(), of_path(""))).release == Release(TWO)


@pytest.mark.parametrize(
    "changes", [update(endpoint(target="http://new")), delete(endpoint())], ids=["update", "delete"]
)
def test_a_change_of_the_pathless_rule_leaves_the_paths_alone(changes: Changes) -> None:
    document = applied(existing(TWO, blue=(API_RULE, RULE)), changes)
    assert document.match(APP, "/api/x") == API_RULE, "Go bug 19"


def test_a_hostname_with_only_paths_can_get_a_pathless_rule() -> None:
    document = applied(existing(claim(APP, paths=[API]), blue=(API_RULE,)), create(endpoint()))
    assert document.match(APP, "/") == RULE, "Go bug 19"


@pytest.mark.parametrize(
    ("stored", "asked", "resource"),
    [
        pytest.param("ingress/a/all", endpoint(path="/api", resource="ingress/a/api"), "ingress/a/all", id="its own"),
        pytest.param("", endpoint(path="/api", resource="ingress/a/api"), "ingress/a/api", id="that of the first path"),
        pytest.param(
            "ingress/a/old", endpoint(resource="ingress/a/all"), "ingress/a/all", id="that of the pathless route"
        ),
    ],
)
def test_the_marker_names_one_resource_for_all_paths(stored: str, asked: Endpoint, resource: str) -> None:
    state = existing(replace(claim(APP, resource=stored), proxied=False), blue=(RULE,))
    marked = decision(state, update(asked)).claim
    assert marked is not None
    written = Marker.parse(marked.comment)
    assert written is not None
    assert written.resource == resource


def test_a_path_that_is_deleted_and_created_becomes_another() -> None:
    changes = Changes(delete=(of_path("^/old"),), create=(endpoint(target="http://api", path="/api"),))
    found = decision(existing(claim(APP, paths=["^/old"]), blue=(rule(APP, "http://old", "^/old"),)), changes)
    assert found.action is Action.UPDATE
    assert found.rules == (RuleChange(BLUE, upserts=(API_RULE,), removals=("^/old",)),)


# The whole change set.


def test_the_order_of_the_input_does_not_matter() -> None:
    asked = [
        endpoint(target="http://b"),
        endpoint(target="http://a"),
        endpoint("z.example.com"),
        endpoint("a..b"),
        endpoint(path="/api", tunnel="green"),
    ]
    plans = {plan(existing(), create(*order), POLICY) for order in permutations(asked)}
    (planned,) = plans
    services = {each.hostname: each.rules[0].upserts[0].service for each in planned.decisions}
    assert services == {APP: "http://a", "z.example.com": "http://app:8080"}


@pytest.mark.parametrize("record_type", ["TXT", "MX", "SRV"])
def test_records_that_cannot_be_tunnelled_are_accepted_and_ignored(record_type: str) -> None:
    heritage = endpoint("a-app.example.com", target='"heritage=external-dns"', record_type=record_type)
    changes = Changes((heritage,), (heritage,), (heritage,), (heritage,))
    assert plan(existing(CLAIM, blue=(RULE,)), changes, POLICY).decisions == (), "Go bug 7"


def test_only_the_hostnames_that_are_asked_for_are_written() -> None:
    to_the_tunnel = (record("a.example.com", target_of(BLUE)), claim("b.example.com"))
    state = existing(*to_the_tunnel, blue=(rule("*.example.com"), rule("hand.example.com")))
    assert plan(state, Changes(), POLICY).decisions == (), "Go bugs 1 and 4"
    planned = plan(state, Changes(create=(endpoint(),), update_new=(endpoint("b.example.com"),)), POLICY)
    assert {each.name for each in written(planned)} <= {APP, "b.example.com"}
    assert planned.releases() == {}, "Go bug 2"


@pytest.mark.parametrize("record_type", ["MX", "TXT", "CAA"])
def test_a_record_that_can_share_the_name_is_left_alone(record_type: str) -> None:
    state = existing(record("example.com", "mail.example.net", record_type))
    (made,) = written(plan(state, create(endpoint("example.com")), POLICY))
    assert made.type == "CNAME", "Go bug 3"
    assert made.id == ""


def test_the_first_use_of_an_empty_tunnel_makes_a_valid_document() -> None:
    state = Existing.of([ZONE], {ZONE: ()}, {BLUE: TunnelConfiguration.parse("null")})
    document = applied(state, create(endpoint()), Policy(POLICY.tunnels[:1]))
    check_configuration(document)
    assert [each.service for each in document.rules] == ["http://app:8080", "http_status:404"], "Go bug 21"


def test_no_unknown_key_of_any_rule_is_lost() -> None:
    text = (
        '{"originRequest":{"new":1.0},"ingress":[{"hostname":"hand.example.com","service":"http://a",'
        '"originRequest":{"matchSNItoHost":true,"newer" : 1E2}},'
        '{"hostname":"app.example.com","service":"http://old","newest":[1.50]},{"service":"http_status:404"}]}'
    )
    documents = {BLUE: TunnelConfiguration.parse(text), GREEN: configuration()}
    document = applied(Existing.of([ZONE], {ZONE: [CLAIM]}, documents), update(endpoint()))
    assert document.text == text.replace('"http://old"', '"http://app:8080"'), "Go bug 25"


# Rejections.


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        pytest.param(endpoint("app.example.org"), "no-zone", id="no zone"),
        pytest.param(endpoint("notexample.com"), "no-zone", id="a zone ends a name only at a dot (Go bug 22)"),
        pytest.param(endpoint("app.dev.example.com"), "outside-domain-filter", id="outside the domain filter"),
        pytest.param(endpoint(tunnel="red"), "unknown-tunnel", id="an unknown tunnel"),
        pytest.param(endpoint(service="ftp://a"), "invalid-service", id="an invalid service"),
        pytest.param(endpoint(path="api"), "invalid-path", id="an invalid path"),
        pytest.param(endpoint(no_tls_verfy="x"), "invalid-property", id="a misspelt property"),
        pytest.param(replace(endpoint(), properties=(("", ""),)), "corrupted-properties", id="a nameless property"),
        pytest.param(endpoint("a..b"), "invalid-hostname", id="an invalid hostname"),
        pytest.param(endpoint(owner="o" * 71), "invalid-owner", id="an owner that does not fit"),
    ],
)
def test_a_bad_endpoint_is_named_and_harms_no_other(asked: Endpoint, reason: str) -> None:
    policy = replace(POLICY, domain_filter=DomainFilter(exclude=("dev.example.com",)))
    good = endpoint("good.example.com")
    bad = replace(asked, labels={"resource": "ingress/a/b", **asked.labels})
    planned = plan(existing(), create(bad, good), policy)
    assert [each.hostname for each in planned.decisions] == ["good.example.com"]
    (rejection,) = planned.rejections
    assert rejection.hostname == asked.dns_name
    assert rejection.reason == reason
    assert rejection.resource == "ingress/a/b"


def test_a_conflict_of_one_hostname_stops_no_other() -> None:
    state = existing(blue=(rule(APP, "http://hand", "^/x"),))
    planned = plan(state, create(endpoint(path="^/x", path_match="regex"), endpoint("b.example.com")), POLICY)
    assert [each.hostname for each in planned.decisions] == ["b.example.com"], "Go bug 16"
    (rejection,) = planned.rejections
    conflict = f"tunnel {BLUE} already has a rule for {APP} (path ^/x) that this service did not make, to http://hand"
    assert conflict in rejection.sentence


def test_a_rejection_for_a_missing_zone_names_the_zones_that_are_seen() -> None:
    (rejection,) = plan(existing(), create(endpoint("app.example.org")), POLICY).rejections
    assert rejection.sentence == "no zone that the credentials see holds app.example.org; they see: example.com"
    (rejection,) = plan(Existing.of([], {}, {BLUE: configuration()}), create(endpoint()), POLICY).rejections
    assert rejection.sentence.endswith("they see: none")


def test_a_deletion_outside_the_domain_filter_is_rejected() -> None:
    policy = replace(POLICY, domain_filter=DomainFilter(include=("example.org",)))
    planned = plan(existing(CLAIM, blue=(RULE,)), delete(endpoint()), policy)
    assert planned.decisions == ()
    assert reasons(planned) == [(APP, "outside-domain-filter")]


def test_a_rejection_names_every_resource_that_asks() -> None:
    asked = (endpoint(resource="ingress/a/x"), endpoint(path="/api", resource="ingress/a/y"))
    planned = plan(existing(record(APP, "1.2.3.4", "A")), create(*asked), POLICY)
    assert [each.resource for each in planned.rejections] == ["ingress/a/x", "ingress/a/y"]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(update(endpoint(no_tls_verfy="true")), id="an update"),
        pytest.param(Changes(delete=(endpoint(),), create=(endpoint(no_tls_verfy="true"),)), id="a change of type"),
    ],
)
def test_a_hostname_with_a_rejection_keeps_its_last_good_rule(changes: Changes) -> None:
    planned = plan(existing(CLAIM, blue=(RULE,)), changes, POLICY)
    assert planned.decisions == ()
    assert reasons(planned) == [(APP, "invalid-property")]


def test_a_hostname_with_a_rejection_loses_no_path_while_others_are_written() -> None:
    state = existing(TWO, blue=(API_RULE, RULE))
    changes = Changes(
        delete=(of_path(),), update_new=(endpoint(target="http://new"), endpoint(path="/x", no_tls_verfy="x"))
    )
    planned = plan(state, changes, POLICY)
    assert [each.rules for each in planned.decisions] == [(RuleChange(BLUE, upserts=(rule(APP, "http://new"),)),)]
    assert reasons(planned) == [(APP, "invalid-property")]


def test_an_update_with_a_rejection_takes_no_rule_over() -> None:
    asked = create(endpoint(adopt="true"), endpoint(path="/x", no_tls_verfy="x"))
    planned = plan(existing(blue=(OTHER_RULE,)), asked, POLICY)
    assert planned.decisions == ()
    assert reasons(planned) == [(APP, "invalid-property"), (APP, "rule-conflict")]


@pytest.mark.parametrize(
    "state",
    [
        pytest.param(existing(CLAIM, blue=(RULE,)), id="of a hostname that is ours"),
        pytest.param(existing(), id="of one that is not claimed"),
        pytest.param(existing(GOING), id="of one that is being released"),
    ],
)
def test_a_request_for_nothing_changes_nothing(state: Existing) -> None:
    assert decide(Request(APP, "default"), state, POLICY) == Verdict()


def test_a_hostname_that_is_being_released_is_not_renewed_over_a_rule_of_a_person() -> None:
    state = existing(GOING, blue=(ADMIN,))
    planned = plan(state, create(endpoint(path="^/admin", path_match="regex")), POLICY)
    assert planned.decisions == ()
    assert reasons(planned) == [(APP, "rule-conflict")]


def test_a_request_that_only_deletes_another_path_changes_nothing() -> None:
    request = Request(APP, "default", deletes=frozenset({"^/other"}))
    assert decide(request, existing(CLAIM, blue=(RULE,)), POLICY) == Verdict()


# Zones, wildcards and spellings.


@pytest.mark.parametrize("zones", list(permutations([ZONE, Zone("dev.example.com", "zone-dev")])), ids=["up", "down"])
def test_a_hostname_is_claimed_in_the_longest_zone_that_holds_it(zones: tuple[Zone, Zone]) -> None:
    state = Existing.of(zones, {}, {BLUE: configuration()})
    planned = plan(state, create(endpoint(), endpoint("app.dev.example.com")), POLICY)
    found = {each.hostname: each.zone.name for each in planned.decisions}
    assert found == {APP: "example.com", "app.dev.example.com": "dev.example.com"}, "Go bug 32"


def test_a_hostname_is_adopted_in_its_own_zone_whatever_the_zone_above_holds() -> None:
    child = Zone("dev.example.com", "zone-dev")
    name = "app.dev.example.com"
    records = {ZONE: [record(name, target_of(BLUE), uid="1")], child: [record(name, target_of(BLUE), uid="2")]}
    asked = create(endpoint(name, adopt="true"))
    adopted = decision(Existing.of([ZONE, child], records, {BLUE: configuration()}), asked, ADOPTING)
    assert adopted.action is Action.ADOPT
    assert adopted.zone == child
    assert adopted.claim is not None
    assert adopted.claim.id == "2"


def test_a_wildcard_and_an_apex_are_hostnames_like_any_other() -> None:
    planned = plan(existing(), create(endpoint("*.example.com"), endpoint("example.com")), POLICY)
    assert [each.name for each in written(planned)] == ["*.example.com", "example.com"]


@pytest.mark.parametrize("name", ["App.Example.COM", "app.example.com.", "APP.EXAMPLE.COM."])
def test_spellings_of_one_hostname_are_one_hostname(name: str) -> None:
    assert plan(existing(CLAIM, blue=(RULE,)), update(endpoint(name)), POLICY).decisions == (), "Go bug 23"


def test_a_unicode_hostname_is_claimed_in_its_a_labels() -> None:
    (made,) = written(plan(existing(), create(endpoint("bücher.example.com")), POLICY))
    assert made.name == "xn--bcher-kva.example.com", "Go bug 23"


def test_a_plan_knows_every_claim_whoever_owns_it() -> None:
    assert plan(existing(claim(APP, owner="other")), Changes(), POLICY).managed == {(APP, ClaimedPaths.of([""]))}


# A person's rules under a hostname.


ADMIN_DIGEST = digest_of("^/admin")


def test_a_rule_that_a_person_added_to_a_published_hostname_is_neither_reported_nor_deleted() -> None:
    state = existing(CLAIM, blue=(ADMIN, RULE))
    assert [each.set_identifier for each in report(state, POLICY).endpoints] == [""]
    assert plan(state, delete(of_path("^/admin")), POLICY).decisions == ()
    assert applied(state, update(endpoint(target="http://new"))).rules[0].text == ADMIN.text


def test_a_rule_that_a_person_added_after_ours_is_reached_first_from_the_next_sync_on() -> None:
    state = existing(CLAIM, blue=(RULE, ADMIN))
    assert state.drift(state.claims[APP]) == "hiding"
    document = applied(state, update(endpoint()))
    assert document.rules[:2] == (ADMIN, RULE)
    assert document.match(APP, "/admin") == ADMIN


def test_a_hostname_with_a_rule_of_a_person_is_released_and_its_record_stays() -> None:
    found = decision(existing(CLAIM, blue=(ADMIN, RULE)), delete(endpoint()))
    assert found.rules == (RuleChange(BLUE, removals=("",)),)
    assert found.release == Release(CLAIM, replace(CLAIM, comment=""))


def test_a_hostname_with_a_rule_of_a_person_does_not_move_away_from_it() -> None:
    (rejection,) = plan(existing(CLAIM, blue=(ADMIN, RULE)), update(endpoint(tunnel="green")), POLICY).rejections
    assert rejection.reason is Reason.TUNNEL_CONFLICT
    assert "(^/admin)" in rejection.sentence


def test_a_hostname_moves_towards_a_rule_of_a_person() -> None:
    moved = decision(existing(CLAIM, blue=(RULE,), green=(ADMIN,)), update(endpoint(tunnel="green")))
    assert moved.action is Action.MOVE
    assert moved.cleanup == (RuleChange(BLUE, removals=("",)),)


@pytest.mark.parametrize(
    ("state", "asked", "policy", "reason"),
    [
        pytest.param(
            existing(CLAIM, blue=(ADMIN, RULE)),
            endpoint(target="http://admin:80", path="^/admin", path_match="regex"),
            POLICY,
            "adoption-not-allowed",
            id="identical, without the operator's word",
        ),
        pytest.param(
            existing(CLAIM, blue=(ADMIN, RULE)),
            endpoint(target="http://mine", path="^/admin", path_match="regex"),
            ADOPTING,
            "rule-conflict",
            id="different, without webhook/adopt",
        ),
        pytest.param(
            existing(CLAIM, blue=(ADMIN, RULE)),
            endpoint(target="http://mine", path="^/admin", path_match="regex", adopt="true"),
            POLICY,
            "adoption-not-allowed",
            id="different, with webhook/adopt, without the operator's word",
        ),
        pytest.param(
            existing(UNMARKED, blue=(RULE,)),
            endpoint(),
            POLICY,
            "adoption-not-allowed",
            id="C1: what exists is asked for, to be changed later",
        ),
        pytest.param(
            existing(UNMARKED, blue=(rule("*.example.com"),)),
            endpoint(),
            ADOPTING,
            "rule-conflict",
            id="C1: a record made by hand that a wildcard rule answers",
        ),
        pytest.param(
            existing(record("*.example.com", target_of(BLUE)), blue=(RULE,)),
            endpoint(),
            POLICY,
            "adoption-not-allowed",
            id="a wildcard record leads to the rule",
        ),
        pytest.param(
            existing(claim("*.example.com"), blue=(RULE,)),
            endpoint(),
            POLICY,
            "adoption-not-allowed",
            id="a wildcard that is ours leads to the rule",
        ),
        pytest.param(
            existing(replace(UNMARKED, comment="external-dns/http://app:8080"), blue=(RULE,)),
            endpoint(),
            replace(POLICY, permissions=parse_policy_file(POLICY_FILE)),
            "adoption-not-allowed",
            id="the comment of the Go reference, with a policy",
        ),
        pytest.param(
            existing(replace(UNMARKED, comment="external-dns/cluster-a"), blue=(RULE,)),
            endpoint(),
            POLICY,
            "adoption-not-allowed",
            id="a comment that only begins like one of the Go reference",
        ),
        pytest.param(
            existing(replace(UNMARKED, comment="external-dns/http://app:8080"), blue=(RULE,)),
            endpoint(target="http://new"),
            POLICY,
            "rule-conflict",
            id="the comment of the Go reference, and another origin is asked",
        ),
    ],
)
def test_what_a_person_made_is_not_taken_over(state: Existing, asked: Endpoint, policy: Policy, reason: str) -> None:
    planned = plan(state, create(asked), policy)
    assert planned.decisions == ()
    assert reasons(planned) == [(APP, reason)]


@pytest.mark.parametrize(
    ("state", "asked", "policy", "claimed"),
    [
        pytest.param(
            existing(CLAIM, blue=(ADMIN, RULE)),
            endpoint(target="http://mine", path="^/admin", path_match="regex", adopt="true"),
            ADOPTING,
            f".{ADMIN_DIGEST}",
            id="a path of a published hostname",
        ),
        pytest.param(existing(UNMARKED, blue=(RULE,)), endpoint(), ADOPTING, ".", id="identical"),
        pytest.param(existing(blue=(RULE,)), endpoint(), POLICY, ".", id="identical, and no record leads to it"),
        pytest.param(
            existing(replace(UNMARKED, comment="external-dns/http://app:8080"), blue=(RULE,)),
            endpoint(),
            POLICY,
            ".",
            id="identical, with the comment of the Go reference",
        ),
        pytest.param(
            existing(replace(UNMARKED, comment="external-dns/http://old"), blue=(RULE,)),
            endpoint(),
            POLICY,
            ".",
            id="identical, with the comment of the Go reference for the origin that it had first",
        ),
        pytest.param(
            existing(replace(UNMARKED, comment="external-dns-cloudflare-tunnel-webhook/http://app:8080"), blue=(RULE,)),
            endpoint(),
            POLICY,
            ".",
            id="identical, with the comment of the Go reference before January 2025",
        ),
        pytest.param(
            existing(blue=(rule(APP, "http://:3001", "/api/.*"), OTHER_RULE)),
            endpoint(adopt="true"),
            ADOPTING,
            ".",
            id="one of two rules",
        ),
    ],
)
def test_the_rule_of_the_asked_path_is_taken_over_and_every_other_stays(
    state: Existing, asked: Endpoint, policy: Policy, claimed: str
) -> None:
    taken = decision(state, create(asked), policy)
    assert taken.named is not None
    assert taken.named.text == claimed
    named = taken.named
    before = {each.path: each.text for each in state.rules_in(BLUE, APP) if each.path not in named}
    after = [each for each in applied(state, create(asked), policy).rules if each.hostname == APP]
    assert {each.path: each.text for each in after if each.path not in named} == before


def test_a_record_that_a_person_made_keeps_the_comment_as_a_note_and_is_unmarked_in_the_end() -> None:
    by_hand = replace(UNMARKED, comment="ask Ann")
    taken = decision(existing(by_hand, blue=(RULE,)), create(endpoint()), ADOPTING)
    assert taken.claim == replace(CLAIM, id=by_hand.id, comment=f"{CLAIM.comment},adopted ask Ann")
    gone = decision(existing(taken.claim, blue=(RULE,)), delete(endpoint()))
    assert gone.release == Release(taken.claim, replace(taken.claim, comment="ask Ann"))


def test_a_path_that_is_released_in_a_move_leaves_the_new_resource_in_the_marker() -> None:
    state = existing(claim(APP, paths=[API]), blue=(API_RULE,))
    asked = endpoint(tunnel="green", resource="ingress/a/new")
    moved = decision(state, Changes(create=(asked,), delete=(of_path(),)))
    assert moved.release is not None
    assert moved.release.afterwards is not None
    assert moved.release.afterwards.comment == marker("default", "ingress/a/new").comment


@pytest.mark.parametrize("prefix", ["external-dns/", "external-dns-cloudflare-tunnel-webhook/"])
def test_a_record_that_the_go_reference_made_is_deleted_in_the_end(prefix: str) -> None:
    left_behind = replace(UNMARKED, comment=f"{prefix}http://app:8080")
    taken = decision(existing(left_behind, blue=(RULE,)), create(endpoint()))
    assert taken.claim == replace(CLAIM, id=left_behind.id)
    gone = decision(existing(taken.claim, blue=(RULE,)), delete(endpoint()))
    assert gone.release == Release(taken.claim, None)


def test_a_conflict_of_one_path_stops_no_other_path() -> None:
    state = existing(CLAIM, blue=(ADMIN, RULE))
    asked = (endpoint(target="http://mine", path="^/admin", path_match="regex"), endpoint(target="http://new"))
    planned = plan(state, update(*asked), POLICY)
    assert [each.rules for each in planned.decisions] == [(RuleChange(BLUE, upserts=(rule(APP, "http://new"),)),)]
    assert reasons(planned) == [(APP, "rule-conflict")]


def test_an_old_claim_names_every_rule_until_the_hostname_is_written() -> None:
    old = replace(CLAIM, comment="heritage=tunnel-webhook,owner=default")
    state = existing(old, blue=(API_RULE, RULE))
    assert [each.set_identifier for each in report(state, POLICY).endpoints] == ["", API]
    assert decision(state, update(endpoint(target="http://new"))).claim == replace(old, comment=TWO.comment)


MANY = tuple(f"^/{number:02}" for number in range(20))


def test_more_paths_than_a_record_can_name_are_claimed_as_every_path() -> None:
    asked = tuple(endpoint(path=path, path_match="regex") for path in MANY)
    taken = decision(existing(), create(*asked))
    assert taken.named == EVERY_PATH


def test_beside_a_rule_of_a_person_only_as_many_paths_are_claimed_as_the_record_can_name() -> None:
    asked = tuple(endpoint(path=path, path_match="regex", resource=f"ingress/a/{path[2:]}") for path in MANY)
    planned = plan(existing(blue=(ADMIN,)), create(*asked), POLICY)
    (taken,) = planned.decisions
    assert taken.named is not None
    written = [each.path for change in taken.rules for each in change.upserts]
    assert written == list(MANY[: len(written)])
    assert len(taken.named.digests) == len(written) == 11
    assert {each.reason for each in planned.rejections} == {Reason.TOO_MANY_PATHS}
    assert {each.resource for each in planned.rejections} == {f"ingress/a/{path[2:]}" for path in MANY[11:]}


def test_a_path_whose_digest_is_that_of_a_person_s_path_is_refused() -> None:
    one, other = same_digest()
    state = existing(blue=(rule(APP, "http://by-hand", other),))
    (rejection,) = plan(state, create(endpoint(path=one, path_match="regex")), ADOPTING).rejections
    assert rejection.reason is Reason.RULE_CONFLICT
    assert "have the same digest" in rejection.sentence


def same_digest() -> tuple[str, str]:
    """Return two paths that share a digest."""
    seen: dict[str, str] = {}
    for number in count():
        path = f"^/{number}"
        if (other := seen.setdefault(digest_of(path), path)) != path:
            return path, other
    raise AssertionError
