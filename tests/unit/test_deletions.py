"""Which deletions are remembered, for how long, and how many."""

from tunnel_webhook.application import Deletions
from tunnel_webhook.domain.hostname import Hostname

A, B = Hostname("a.example.com"), Hostname("b.example.com")


def test_a_deletion_is_recent_for_ten_minutes_from_the_last_time_it_began() -> None:
    now = [0.0]
    deletions = Deletions(lambda: now[0])
    deletions.remember([A, B])
    now[0] = 300.0
    deletions.remember([A])
    now[0] = 600.0
    assert deletions.recent() == {A}
    now[0] = 900.0
    assert deletions.recent() == frozenset()


def test_at_most_ten_thousand_deletions_are_remembered_the_oldest_are_forgotten_first() -> None:
    deletions = Deletions(lambda: 0.0)
    deletions.remember([A])
    many = [Hostname(f"h{number}.example.com") for number in range(10_000)]
    deletions.remember(many)
    assert deletions.recent() == frozenset(many)
