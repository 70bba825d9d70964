"""The guard over histories of syncs: within any ten minutes, only so many hostnames go."""

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tunnel_webhook.application import Deletions
from tunnel_webhook.domain.external_dns.endpoint import Changes
from tunnel_webhook.domain.external_dns.policy import Policy, Tunnel
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.guard import WINDOW, Guard, deletions_in, guarded_plan
from tunnel_webhook.domain.planning.plan import Plan
from vocabulary.builders import BLUE, ZONE, claim, configuration, endpoint, rule

POLICY = Policy((Tunnel(BLUE),))
guards = st.builds(Guard, st.integers(0, 8), st.sampled_from([percent / 100 for percent in range(101)]))
hostnames = st.sampled_from([Hostname(f"a{number}.example.com") for number in range(14)])
syncs = st.lists(
    st.tuples(st.sampled_from([1.0, 60.0, 300.0, 599.0, 700.0]), st.frozensets(hostnames), st.frozensets(hostnames)),
    min_size=1,
    max_size=8,
)


def existing(live: frozenset[Hostname]) -> Existing:
    return Existing.of([ZONE], {ZONE: [*map(claim, live)]}, {BLUE: configuration(*map(rule, sorted(live)))})


def planned(live: frozenset[Hostname], doomed: frozenset[Hostname], guard: Guard, recent: frozenset[Hostname]) -> Plan:
    changes = Changes(delete=tuple(map(endpoint, sorted(doomed))))
    return guarded_plan(existing(live), changes, POLICY, guard, recent)


@given(guards, syncs)
def test_within_any_ten_minutes_no_more_hostnames_go_than_the_rule_says(
    guard: Guard, history: list[tuple[float, frozenset[Hostname], frozenset[Hostname]]]
) -> None:
    now = 0.0
    deletions = Deletions(lambda: now)
    live: frozenset[Hostname] = frozenset()
    gone: dict[Hostname, float] = {}
    for seconds, created, doomed in history:
        now += seconds
        live |= created
        plan = planned(live, doomed, guard, deletions.recent())
        deleted = deletions_in(plan, existing(live))
        deletions.remember(deleted)
        live -= deleted
        gone |= dict.fromkeys(deleted, now)
        lately = {hostname for hostname, at in gone.items() if now - at < WINDOW and hostname not in live}
        managed = len(lately | live)
        if deleted and guard.ratio < 1:
            assert len(lately) <= max(guard.floor, guard.ratio * managed + 1e-6)
            assert live or len(lately) < 3
        assert frozenset(plan.withheld) in {frozenset(), (doomed & (live | deleted))}
        assert not (plan.withheld and deleted)


@given(guards, st.frozensets(hostnames, min_size=1), st.data())
def test_what_the_sentence_names_lets_the_deletions_pass(
    guard: Guard, live: frozenset[Hostname], data: st.DataObject
) -> None:
    doomed = data.draw(st.frozensets(st.sampled_from(sorted(live)), min_size=1))
    recent = data.draw(st.frozensets(hostnames))
    plan = planned(live, doomed, guard, recent)
    if not plan.withheld:
        return
    name, number = re.findall(r"(MAX_\w+)=(\d+)", plan.withholding)[0]
    raised = replace(guard, floor=int(number)) if name == "MAX_DELETES_FLOOR" else replace(guard, ratio=1.0)
    assert planned(live, doomed, raised, recent).withheld == ()
    if "waiting" in plan.withholding:
        assert planned(live, doomed, guard, frozenset()).withheld == ()


@given(guards, st.integers(0, 8), st.sampled_from([0.25, 0.5, 1.0]), st.frozensets(hostnames), st.frozensets(hostnames))
def test_a_higher_limit_never_withholds_more(
    guard: Guard, more: int, ratio: float, live: frozenset[Hostname], doomed: frozenset[Hostname]
) -> None:
    if not planned(live, doomed, guard, frozenset()).withheld:
        raised = Guard(guard.floor + more, max(guard.ratio, ratio))
        assert planned(live, doomed, raised, frozenset()).withheld == ()
