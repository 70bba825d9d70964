"""Hostnames that were deleted: what is done about their records, by the table of `releasing`."""

from dataclasses import replace

import pytest

from tunnel_webhook.domain.claim import Release
from tunnel_webhook.domain.claimed_paths import ClaimedPaths
from tunnel_webhook.domain.cloudflared.ingress import IngressRule
from tunnel_webhook.domain.dns import DnsRecord
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.marker import Marker
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.plan import Action, Decision, Plan, RuleChange
from tunnel_webhook.domain.planning.releasing import plan_releases
from vocabulary.builders import BLUE, GREEN, POLICY, ZONE, claim, configuration, marker, rule

APP = Hostname("app.example.com")
NOW, DELAY = 1_700_000_000.0, 120.0
JUST_NOW, LONG_AGO = int(NOW) - 119, int(NOW) - 120


def releasing(since: int, owner: str = "default", tunnel: str = BLUE) -> DnsRecord:
    return replace(claim(APP, tunnel), comment=marker(owner, paths=["", "/x"], since=since).comment)


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
    expected = Decision(Action.DELETE, APP, ZONE, BLUE, rules=rules, release=Release(record))
    assert planned == Plan((expected,), managed=frozenset({(APP, ClaimedPaths.of(["", "/x"]))}))


def test_a_record_without_a_rule_is_deleted_once_the_delay_has_passed() -> None:
    record = releasing(LONG_AGO)
    planned = plan_releases(existing(record), POLICY, NOW, DELAY)
    assert planned.decisions == (Decision(Action.FORGET, APP, ZONE, BLUE, discard=Release(record)),)


def test_a_record_without_a_rule_stays_until_the_delay_has_passed() -> None:
    assert plan_releases(existing(releasing(JUST_NOW)), POLICY, NOW, DELAY).decisions == ()


def test_a_record_of_another_owner_is_left_to_that_owner() -> None:
    policy = replace(POLICY, owner_id="us")
    state = existing(releasing(LONG_AGO, owner="them"), blue=True)
    assert plan_releases(state, policy, NOW, DELAY).decisions == ()


def test_a_hostname_that_was_not_deleted_is_no_release() -> None:
    assert plan_releases(existing(claim(APP), blue=True), POLICY, NOW, 0.0).decisions == ()


# Single paths, and records that are still needed.


def leaving(since: int) -> DnsRecord:
    marked = Marker("default", paths=ClaimedPaths.of([""]), leaving=ClaimedPaths.of(["/x"]), since=since)
    return replace(claim(APP), comment=marked.comment)


@pytest.mark.parametrize("since", [JUST_NOW, LONG_AGO], ids=["before the delay has passed", "after it"])
def test_a_rule_of_a_released_path_that_is_there_again_is_removed_and_the_others_stay(since: int) -> None:
    record = leaving(since)
    (decision,) = plan_releases(existing(record, blue=True, green=True), POLICY, NOW, DELAY).decisions
    assert decision.action is Action.UPDATE
    assert decision.rules == (RuleChange(BLUE, removals=("/x",)),)
    assert decision.release == Release(record, claim(APP))


def test_a_released_path_without_a_rule_is_given_up_once_the_delay_has_passed() -> None:
    assert plan_releases(existing(leaving(JUST_NOW)), POLICY, NOW, DELAY).decisions == ()
    (decision,) = plan_releases(existing(leaving(LONG_AGO), green=True), POLICY, NOW, DELAY).decisions
    assert decision == Decision(Action.UPDATE, APP, ZONE, BLUE, discard=Release(leaving(LONG_AGO), claim(APP)))


def test_a_record_that_a_rule_of_a_person_needs_is_unmarked_and_goes_on_answering() -> None:
    record = replace(claim(APP), comment=marker(since=LONG_AGO, note="ask Ann").comment)
    (decision,) = plan_releases(
        existing_beside(record, rule(APP, "http://admin", "^/admin")), POLICY, NOW, DELAY
    ).decisions
    assert decision.discard == Release(record, replace(record, comment="ask Ann"))


def test_a_record_that_a_person_made_is_unmarked_and_not_deleted() -> None:
    record = replace(claim(APP), comment=replace(marker(since=LONG_AGO), adopted=True).comment)
    (decision,) = plan_releases(existing_beside(record), POLICY, NOW, DELAY).decisions
    assert decision.discard == Release(record, replace(record, comment=""))


def existing_beside(record: DnsRecord, *rules: IngressRule) -> Existing:
    return Existing.of([ZONE], {ZONE: [record]}, {BLUE: configuration(*rules), GREEN: configuration()})


# Paths that were claimed and have no rule.


@pytest.mark.parametrize(
    ("paths", "rules", "age", "kept"),
    [
        pytest.param(["", "/x"], [""], 600.0, [""], id="an old record, and another path has its rule"),
        pytest.param(["", "/x"], [""], 599.0, None, id="an apply may still be about to write the rule"),
        pytest.param(["", "/x"], [], 600.0, None, id="no path has a rule: that is a drift"),
        pytest.param(["", "/x"], ["", "/x"], 600.0, None, id="every path has its rule"),
    ],
)
def test_a_named_path_without_a_rule_leaves_once_no_apply_can_be_writing_it(
    paths: list[str], rules: list[str], age: float, kept: list[str] | None
) -> None:
    record = replace(claim(APP, paths=paths), created=NOW - age)
    state = existing_beside(record, *(rule(APP, path=path) for path in rules))
    planned = plan_releases(state, POLICY, NOW, DELAY).decisions
    if kept is None:
        assert planned == ()
    else:
        release = Release(record, replace(record, comment=marker(paths=kept).comment))
        assert planned == (Decision(Action.UPDATE, APP, ZONE, BLUE, release=release),)


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(claim(APP, paths=["", "/x"]), id="whose age is not known"),
        pytest.param(
            replace(claim(APP), comment="heritage=tunnel-webhook,owner=default", created=0.0),
            id="that names every path",
        ),
    ],
)
def test_no_path_of_a_record_leaves_by_itself(record: DnsRecord) -> None:
    assert plan_releases(existing_beside(record, rule(APP)), POLICY, NOW, DELAY).decisions == ()
