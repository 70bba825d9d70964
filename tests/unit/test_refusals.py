"""What is remembered of refused rules, for how long, and how much."""

from tunnel_webhook.application import Refusals
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.plan import RuleChange
from tunnel_webhook.ports import Unacceptable
from vocabulary.builders import BLUE, GREEN, rule

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
