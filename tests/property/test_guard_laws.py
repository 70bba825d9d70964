"""The guard over histories of syncs: within any ten minutes, only so many hostnames go."""

import asyncio
import re
from contextlib import suppress
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tunnel_webhook.adapters.memory import InMemoryTunnels
from tunnel_webhook.application import Deletions
from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint
from tunnel_webhook.domain.external_dns.policy import Policy, Tunnel
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.guard import WINDOW, Guard, deletions_in, guarded_plan
from tunnel_webhook.domain.planning.plan import Plan
from tunnel_webhook.ports import ChangesNotApplied
from vocabulary.builders import BLUE, ZONE, claim, configuration, endpoint, memory, rule, service

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


paths = st.sampled_from(["", "/a", "/b"])
wishes = st.lists(
    st.tuples(
        st.sampled_from([1.0, 60.0, 300.0, 700.0]),
        st.frozensets(
            st.tuples(st.sampled_from([f"a{number}.example.com" for number in range(7)]), paths), max_size=14
        ),
    ),
    min_size=2,
    max_size=6,
)


def served(tunnels: InMemoryTunnels) -> frozenset[str]:
    return frozenset(
        each.hostname for each in TunnelConfiguration.parse(*tunnels.documents[BLUE]).rules if each.hostname
    )


def difference(published: tuple[Endpoint, ...], asked: tuple[Endpoint, ...]) -> Changes:
    """Return what external-dns would ask for."""
    had = {(each.dns_name, each.set_identifier): each for each in published}
    want = {(each.dns_name, each.set_identifier): each for each in asked}
    return Changes(
        create=tuple(each for key, each in want.items() if key not in had),
        delete=tuple(each for key, each in had.items() if key not in want),
    )


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([Guard(), Guard(0, 0.5), Guard(2, 0.25)]), wishes)
def test_whatever_is_asked_no_more_hostnames_lose_their_last_rule_than_the_guard_allows(
    guard: Guard, history: list[tuple[float, frozenset[tuple[str, str]]]]
) -> None:
    async def run() -> None:
        now = 0.0
        tunnels, zones = memory()
        zones.clock = lambda: 1_000_000.0 + now
        api = replace(service(tunnels, zones, clock=lambda: now, release_delay=120.0), guard=guard)
        lost: dict[str, float] = {}
        for seconds, wish in history:
            now += seconds
            before = served(tunnels)
            asked = await api.adjust_endpoints(tuple(endpoint(name, path=path) for name, path in sorted(wish)))
            with suppress(ChangesNotApplied):
                await api.apply_changes(difference(await api.records(), asked))
            await api.turns.finish()
            after = served(tunnels)
            gone = before - after
            lost = {name: at for name, at in lost.items() if now - at < WINDOW and name not in after}
            lost |= dict.fromkeys(gone, now)
            if gone:
                total = len(before | lost.keys())
                assert len(lost) <= guard.limit(total)
                assert len(lost) < max(total, 3)

    asyncio.run(run())
