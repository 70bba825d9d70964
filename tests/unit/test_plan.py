"""Plans as values: which records and documents are written in which act, and what is cut out."""

from tunnel_webhook.domain.cloudflared.ingress import IngressRule
from tunnel_webhook.domain.dns import RecordBatch, Zone
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.plan import Action, Decision, Plan, Rejection
from vocabulary.builders import BLUE, GREEN, ZONE, claim, rule

OTHER = Zone("example.org", "zone-example.org")
A, B, C = (Hostname(f"{name}.example.com") for name in "abc")
UNSTORED, STORED = claim(A), claim(B)
NEW = UNSTORED.__class__(UNSTORED.name, UNSTORED.type, UNSTORED.content)

CREATE = Decision(Action.CREATE, A, ZONE, BLUE, upserts=(rule(A),), claim=NEW)
UPDATE = Decision(Action.UPDATE, B, ZONE, BLUE, removals=("/x",), claim=STORED)
MOVE = Decision(Action.MOVE, C, ZONE, GREEN, upserts=(rule(C),), repoint=claim(C, GREEN), left_behind=(BLUE,))
DELETE = Decision(
    Action.DELETE, Hostname("d.example.org"), OTHER, BLUE, left_behind=(BLUE, GREEN), release=claim("d.example.org")
)
MARK = Decision(Action.ADOPT, Hostname("e.example.org"), OTHER, GREEN, claim=claim("e.example.org", GREEN))
PLAN = Plan((CREATE, UPDATE, MOVE, DELETE, MARK), managed=frozenset({B, C, DELETE.hostname}))


def test_claims_are_created_and_marked_by_zone() -> None:
    assert PLAN.claims() == {
        ZONE: RecordBatch(patches=(STORED,), posts=(NEW,)),
        OTHER: RecordBatch(patches=(claim("e.example.org", GREEN),)),
    }


def test_records_that_move_are_patched_by_zone() -> None:
    assert PLAN.repoints() == {ZONE: RecordBatch(patches=(claim(C, GREEN),))}


def test_records_that_go_are_deleted_by_zone() -> None:
    assert PLAN.releases() == {OTHER: RecordBatch(deletes=(claim("d.example.org"),))}


def test_documents_change_before_any_record_moves_but_for_what_is_left_behind() -> None:
    assert PLAN.rules() == {BLUE: (CREATE, UPDATE, DELETE), GREEN: (MOVE, DELETE)}


def test_the_rules_that_a_move_leaves_behind_go_later() -> None:
    assert PLAN.rules_left_behind() == {BLUE: (MOVE,)}


def test_what_is_only_marked_changes_no_document() -> None:
    assert Plan((MARK,)).rules() == {}


def test_a_plan_is_counted_by_action() -> None:
    cut = Plan(PLAN.decisions, (Rejection("x", "no-zone", "a sentence"),), withheld=(A, B))
    counts = {"create": 1, "adopt": 1, "update": 1, "move": 1, "delete": 1, "rejected": 1, "withheld": 2}
    assert cut.counts == counts


def test_a_plan_without_decisions_is_empty_even_with_rejections() -> None:
    assert Plan(rejections=(Rejection("x", "no-zone", "a sentence"),)).is_empty
    assert not PLAN.is_empty


def test_a_hostname_counts_as_claimed_from_its_claim_on() -> None:
    assert PLAN.claimed == {A, B, C, "d.example.org", "e.example.org"}


def test_a_hostname_is_taken_out_and_the_rest_goes_on() -> None:
    earlier, reason = Rejection("z", "no-zone", "a sentence"), Rejection(A, "refused", "a sentence")
    cut = Plan((CREATE, UPDATE), (earlier, reason)).without({A}, [reason])
    assert (cut.decisions, cut.rejections) == ((UPDATE,), (reason, earlier))


def test_deletions_are_withheld_by_name() -> None:
    cut = PLAN.without_deletions()
    assert (cut.decisions, cut.withheld) == ((CREATE, UPDATE, MOVE, MARK), ("d.example.org",))


def test_the_rules_of_a_hostname_become_one_a_path_and_keep_unknown_keys() -> None:
    base = (
        IngressRule.parse('{"hostname":"a.example.com","path":"/x","service":"http://first","new":1.0}'),
        rule(A, "http://second", "/x"),
        rule(A, "http://gone", "/y"),
        rule(A, "http://kept"),
    )
    wanted = Decision(
        Action.UPDATE, A, ZONE, BLUE, upserts=(rule(A, "http://new", "/x"), rule(A, "http://z", "/z")), removals=("/y",)
    )
    assert {each.path: each.text for each in wanted.rules_in(BLUE, base)} == {
        "/x": '{"hostname":"a.example.com","path":"/x","service":"http://new","new":1.0}',
        "": rule(A, "http://kept").text,
        "/z": rule(A, "http://z", "/z").text,
    }


def test_no_rule_stays_in_a_tunnel_that_is_left_behind() -> None:
    assert MOVE.rules_in(BLUE, [rule(C)]) == ()
