"""Plans as values: which records and documents each step writes, and how a plan is reduced."""

from dataclasses import replace

from tunnel_webhook.domain.claim import Release
from tunnel_webhook.domain.claimed_paths import ClaimedPaths
from tunnel_webhook.domain.cloudflared.ingress import IngressRule
from tunnel_webhook.domain.dns import RecordBatch, Zone
from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.plan import Action, Decision, Plan, Rejection, RuleChange
from vocabulary.builders import BLUE, GREEN, ZONE, claim, rule

OTHER = Zone("example.org", "zone-example.org")
A, B, C = (Hostname(f"{name}.example.com") for name in "abc")
D, E, F, G = (Hostname(f"{name}.example.org") for name in "defg")
NEW, STORED = replace(claim(A), id=""), claim(B)

ADD_A, REMOVE_X = RuleChange(BLUE, upserts=(rule(A),)), RuleChange(BLUE, removals=("/x",))
ADD_C, CLEAN_UP_C = RuleChange(GREEN, upserts=(rule(C),)), RuleChange(BLUE, removals=("",))
REMOVE_D = (RuleChange(BLUE, removals=("",)), RuleChange(GREEN, removals=("",)))

CREATE = Decision(Action.CREATE, A, ZONE, BLUE, claim=NEW, rules=(ADD_A,))
UPDATE = Decision(Action.UPDATE, B, ZONE, BLUE, claim=STORED, rules=(REMOVE_X,))
MOVE = Decision(Action.MOVE, C, ZONE, GREEN, rules=(ADD_C,), repoint=claim(C, GREEN), cleanup=(CLEAN_UP_C,))
ROOT = ClaimedPaths.of([""])
DELETE = Decision(Action.DELETE, D, OTHER, BLUE, rules=REMOVE_D, release=Release(claim(D)))
MARK = Decision(Action.ADOPT, E, OTHER, GREEN, claim=claim(E, GREEN))
RENEW = Decision(Action.CREATE, F, OTHER, BLUE, claim=replace(claim(F), id=""), replaced=claim(F))
FORGET = Decision(Action.FORGET, G, OTHER, BLUE, discard=Release(claim(G)))
PLAN = Plan(
    (CREATE, UPDATE, MOVE, DELETE, MARK, RENEW, FORGET), managed=frozenset((name, ROOT) for name in (B, C, D, F, G))
)

EARLIER = Rejection("z", Reason.NO_ZONE, "a sentence")


def test_claims_are_created_swapped_and_marked_by_zone() -> None:
    assert PLAN.claims() == {
        ZONE: RecordBatch(patches=(STORED,), posts=(NEW,)),
        OTHER: RecordBatch(deletes=(claim(F),), patches=(claim(E, GREEN),), posts=(replace(claim(F), id=""),)),
    }


def test_documents_change_before_any_record_moves() -> None:
    assert PLAN.rules() == {
        BLUE: {A: ADD_A, B: REMOVE_X, D: REMOVE_D[0]},
        GREEN: {C: ADD_C, D: REMOVE_D[1]},
    }


def test_records_that_move_are_patched_by_zone() -> None:
    assert PLAN.repoints() == {ZONE: RecordBatch(patches=(claim(C, GREEN),))}


def test_rules_that_a_move_leaves_are_removed_once_the_record_has_moved() -> None:
    assert PLAN.cleanups() == {BLUE: {C: CLEAN_UP_C}}


def test_records_are_released_by_zone() -> None:
    assert PLAN.releases() == {OTHER: (Release(claim(D)),)}


def test_releasing_records_are_deleted_by_zone() -> None:
    assert PLAN.discards() == {OTHER: (Release(claim(G)),)}


def test_a_decision_that_only_marks_changes_no_document() -> None:
    assert Plan((MARK,)).rules() == {}


def test_a_decision_without_a_step_is_empty() -> None:
    assert Decision(Action.UPDATE, A, ZONE, BLUE).is_empty
    assert not any(decision.is_empty for decision in PLAN.decisions)


def test_a_plan_is_counted_by_action() -> None:
    reduced = Plan(PLAN.decisions, (EARLIER,), withheld=(A, B))
    assert reduced.counts == {
        "create": 2,
        "adopt": 1,
        "update": 1,
        "move": 1,
        "delete": 1,
        "forget": 1,
        "rejected": 1,
        "withheld": 2,
    }


def test_a_hostname_counts_as_claimed_from_its_claim_on() -> None:
    assert PLAN.claimed == dict.fromkeys((A, B, C, D, E, F, G), ROOT)


def test_a_rejected_hostname_is_taken_out_and_the_rest_stays() -> None:
    refused = Rejection(A, Reason.REFUSED, "a sentence")
    reduced = Plan((CREATE, UPDATE), (EARLIER, refused)).without({A}, [refused])
    assert reduced.decisions == (UPDATE,)
    assert reduced.rejections == (refused, EARLIER)


def test_withheld_decisions_are_named() -> None:
    reduced = PLAN.withhold({D}, "too many")
    assert reduced.decisions == (CREATE, UPDATE, MOVE, MARK, RENEW, FORGET)
    assert reduced.withheld == (D,)


def test_a_change_leaves_one_rule_per_path_and_keeps_unknown_keys() -> None:
    before = (
        IngressRule.parse('{"hostname":"a.example.com","path":"/x","service":"http://first","new":1.0}'),
        rule(A, "http://second", "/x"),
        rule(A, "http://gone", "/y"),
        rule(A, "http://kept"),
    )
    change = RuleChange(BLUE, upserts=(rule(A, "http://new", "/x"), rule(A, "http://z", "/z")), removals=("/y",))
    assert {each.path: each.text for each in change.applied_to(before)} == {
        "/x": '{"hostname":"a.example.com","path":"/x","service":"http://new","new":1.0}',
        "": rule(A, "http://kept").text,
        "/z": rule(A, "http://z", "/z").text,
    }


def test_a_removal_takes_every_rule_of_its_path() -> None:
    assert CLEAN_UP_C.applied_to([rule(C), rule(C, "http://twice"), rule(C, path="/x")]) == (rule(C, path="/x"),)
