"""What is remembered of refused rules, for how long, and how much."""

import pytest

from tunnel_webhook.application import Refusals
from tunnel_webhook.domain.dns import DnsRecord, RecordBatch
from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.plan import RuleChange
from tunnel_webhook.ports import Refusal, Unacceptable
from vocabulary.builders import BLUE, GREEN, ZONE, claim, rule

A, B = Hostname("a.example.com"), Hostname("b.example.com")
REFUSED = Unacceptable("1056: Bad Configuration")


def change(hostname: str, service: str = "http://bad", tunnel: str = BLUE) -> RuleChange:
    return RuleChange(tunnel, upserts=(rule(hostname, service),))


def test_the_same_change_of_the_same_hostname_is_known_to_be_refused() -> None:
    refusals = Refusals(lambda: 0.0)
    refusals.remember({A: change(A)}, REFUSED)
    assert refusals.among({A: change(A), B: change(A)}) == {A: REFUSED}


def test_another_change_is_not() -> None:
    refusals = Refusals(lambda: 0.0)
    refusals.remember({A: change(A)}, REFUSED)
    assert refusals.among({A: change(A, "http://other")}) == {}
    assert refusals.among({A: change(A, tunnel=GREEN)}) == {}


def test_a_refusal_is_remembered_for_ten_minutes() -> None:
    now = [0.0]
    refusals = Refusals(lambda: now[0])
    refusals.remember({A: change(A)}, REFUSED)
    now[0] = 599.9
    assert refusals.among({A: change(A)}) == {A: REFUSED}
    now[0] = 600.0
    assert refusals.among({A: change(A)}) == {}


def test_at_most_a_thousand_refusals_are_remembered_the_oldest_are_forgotten_first() -> None:
    refusals = Refusals(lambda: 0.0)
    refusals.remember({A: change(A)}, REFUSED)
    many = {Hostname(f"h{number}.example.com"): change("h.example.com") for number in range(1500)}
    refusals.remember(many, REFUSED)
    assert refusals.among({A: change(A)}) == {}
    assert len(refusals.among(many)) == 1000


def refusal(name: Hostname, reason: Reason = Reason.REFUSED, *, is_final: bool = True) -> Refusal:
    return Refusal(name, reason, "1234: no", is_final)


def posts(*records: DnsRecord) -> RecordBatch:
    return RecordBatch(posts=records)


def test_the_same_record_in_the_same_zone_is_known_to_be_refused_for_ten_minutes() -> None:
    now = [0.0]
    refusals = Refusals(lambda: now[0])
    refusals.remember_records(ZONE, posts(claim(A), claim(B)), [refusal(A)])
    now[0] = 599.9
    assert refusals.among_records(ZONE, posts(claim(A), claim(B))) == (refusal(A),)
    assert refusals.among_records(ZONE, posts(claim(A, GREEN))) == ()
    now[0] = 600.0
    assert refusals.among_records(ZONE, posts(claim(A))) == ()


@pytest.mark.parametrize(
    "passing",
    [
        pytest.param(refusal(A, Reason.RECORD_CONFLICT), id="a conflict, which a person may settle at any time"),
        pytest.param(refusal(A, is_final=False), id="one that is not final"),
    ],
)
def test_what_may_be_written_by_the_next_request_is_not_remembered(passing: Refusal) -> None:
    refusals = Refusals(lambda: 0.0)
    refusals.remember_records(ZONE, posts(claim(A)), [passing])
    assert refusals.among_records(ZONE, posts(claim(A))) == ()


def test_what_did_not_fit_is_asked_again_once_something_was_deleted_from_the_zone() -> None:
    refusals = Refusals(lambda: 0.0)
    full = refusal(A, Reason.QUOTA_EXCEEDED)
    refusals.remember_records(ZONE, posts(claim(A)), [full])
    refusals.remember_records(ZONE, RecordBatch(deletes=(claim(B),)), [refusal(B)])
    assert refusals.among_records(ZONE, posts(claim(A))) == (full,)
    refusals.remember_records(ZONE, RecordBatch(deletes=(claim(B),)), [])
    assert refusals.among_records(ZONE, posts(claim(A))) == ()
