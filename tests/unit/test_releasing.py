"""Hostnames that were deleted: what is done about their records, by the table of `releasing`."""

from dataclasses import replace

import pytest

from tunnel_webhook.domain.dns import DnsRecord
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.plan import Action, Decision, Plan, RuleChange
from tunnel_webhook.domain.planning.releasing import plan_releases
from vocabulary.builders import BLUE, GREEN, POLICY, ZONE, claim, configuration, marker, rule

APP = Hostname("app.example.com")
NOW, DELAY = 1_700_000_000.0, 120.0
JUST_NOW, LONG_AGO = int(NOW) - 119, int(NOW) - 120


def releasing(since: int, owner: str = "default", tunnel: str = BLUE) -> DnsRecord:
    return replace(claim(APP, tunnel), comment=marker(owner, since=since).comment)


def existing(record: DnsRecord, *, blue: bool = False, green: bool = False) -> Existing:
    """Return the state with this record, and rules of its hostname in these tunnels."""
    documents = {
        BLUE: configuration(*([rule(APP), rule(APP, path="/x")] if blue else [])),
        GREEN: configuration(*([rule(APP)] if green else [])),
    }
    return Existing.of([ZONE], {ZONE: [record]}, documents)


REMOVED_FROM_BLUE = RuleChange(BLUE, removals=("", "/x"))
REMOVED_FROM_GREEN = RuleChange(GREEN, removals=("",))


@pytest.mark.parametrize("since", [JUST_NOW, LONG_AGO], ids=["before the delay has passed", "after it"])
@pytest.mark.parametrize(
    ("blue", "green", "rules"),
    [
        pytest.param(True, False, (REMOVED_FROM_BLUE,), id="in its tunnel"),
        pytest.param(False, True, (REMOVED_FROM_GREEN,), id="in another tunnel"),
        pytest.param(True, True, (REMOVED_FROM_BLUE, REMOVED_FROM_GREEN), id="in both"),
    ],
)
def test_a_rule_that_is_there_again_is_removed_and_the_record_marked_again(
    since: int,
    blue: bool,  # noqa: FBT001 -- a fact
    green: bool,  # noqa: FBT001 -- a fact
    rules: tuple[RuleChange, ...],
) -> None:
    record = releasing(since)
    planned = plan_releases(existing(record, blue=blue, green=green), POLICY, NOW, DELAY)
    expected = Decision(Action.DELETE, APP, ZONE, BLUE, rules=rules, release=record)
    assert planned == Plan((expected,), managed=frozenset({APP}))


def test_a_record_without_a_rule_is_deleted_once_the_delay_has_passed() -> None:
    record = releasing(LONG_AGO)
    planned = plan_releases(existing(record), POLICY, NOW, DELAY)
    assert planned.decisions == (Decision(Action.FORGET, APP, ZONE, BLUE, discard=record),)


def test_a_record_without_a_rule_stays_until_the_delay_has_passed() -> None:
    assert plan_releases(existing(releasing(JUST_NOW)), POLICY, NOW, DELAY).decisions == ()


def test_a_record_of_another_owner_is_left_to_that_owner() -> None:
    policy = replace(POLICY, owner_id="us")
    state = existing(releasing(LONG_AGO, owner="them"), blue=True)
    assert plan_releases(state, policy, NOW, DELAY).decisions == ()


def test_a_hostname_that_was_not_deleted_is_no_release() -> None:
    assert plan_releases(existing(claim(APP), blue=True), POLICY, NOW, 0.0).decisions == ()
