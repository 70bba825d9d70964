"""L1, L6, L7, L9 and L12: what holds for a whole sync, whatever exists and whatever is asked."""

import json
import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracles import naive
from oracles.external_dns_planner import ExternalDns, is_empty
from tunnel_webhook.adapters.memory import InMemoryTunnels, InMemoryZones
from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.cloudflared.validation import check_configuration
from tunnel_webhook.domain.external_dns.adjustment import adjust
from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.planner import plan
from tunnel_webhook.ports import ChangesNotApplied
from vocabulary.builders import BLUE, GREEN, POLICY, ZONE, service
from vocabulary.strategies import (
    CHILD,
    NAMES,
    WILDCARDS,
    World,
    changes,
    hand_made_documents,
    hostnames,
    wishes,
    worlds,
)

pytestmark = pytest.mark.anyio

OURS = replace(POLICY, owner_id="us")
registries = st.sampled_from([(OURS, ""), (OURS, "us"), (POLICY, "us")])
"""The policy of this instance, and the owner id of external-dns: none with the noop registry, else the txt registry."""


async def existing(tunnels: InMemoryTunnels, zones: InMemoryZones) -> Existing:
    """Return the state that the ports hold."""
    documents = {tunnel: await tunnels.load(tunnel) for tunnel in tunnels.documents}
    known = await zones.zones()
    return Existing.of(known, await zones.load(in_full=frozenset(known)), documents)


async def apply(tunnels: InMemoryTunnels, zones: InMemoryZones, asked: Changes) -> set[str]:
    """Apply changes, and return the reasons of the rejections."""
    try:
        await service(tunnels, zones, OURS).apply_changes(asked)
    except ChangesNotApplied as answer:
        return {rejection.reason for rejection in answer.rejections}
    return set()


@given(worlds(), changes())
async def test_l1_the_same_changes_twice_change_nothing_the_second_time(world: World, asked: Changes) -> None:
    tunnels, zones = world.ports()
    assert not await apply(tunnels, zones, asked) & {"refused", "quota-exceeded"}
    assert not plan(await existing(tunnels, zones), asked, OURS).decisions
    before = dict(tunnels.documents), {zone: dict(stored) for zone, stored in zones.stored.items()}
    await apply(tunnels, zones, asked)
    assert (tunnels.documents, zones.stored) == before


def shuffled(items: Sequence[Endpoint], chance: random.Random) -> tuple[Endpoint, ...]:
    return tuple(
        replace(item, properties=tuple(chance.sample(item.properties, len(item.properties))))
        for item in chance.sample(items, len(items))
    )


@given(worlds(), changes(), st.randoms(use_true_random=True))
async def test_l6_input_order_does_not_matter(world: World, asked: Changes, chance: random.Random) -> None:
    mixed = Changes(
        *(shuffled(part, chance) for part in (asked.create, asked.update_old, asked.update_new, asked.delete))
    )
    tunnels, zones = world.ports()
    documents = {tunnel: await tunnels.load(tunnel) for tunnel in tunnels.documents}
    records = await zones.load(in_full=frozenset(await zones.zones()))
    state = Existing.of((ZONE, CHILD), records, documents)
    turned = {zone: tuple(chance.sample(records[zone], len(records[zone]))) for zone in (CHILD, ZONE)}
    assert plan(state, asked, OURS) == plan(Existing.of((CHILD, ZONE), turned, documents), mixed, OURS)
    assert adjust(asked.create, OURS).endpoints == adjust(mixed.create, OURS).endpoints


def contents(tunnels: InMemoryTunnels, zones: InMemoryZones) -> tuple[object, object]:
    """Return what documents and zones hold, without versions, ids and the space between members."""
    documents = {
        tunnel: (naive.rule_texts(text), naive.other_members(text)) for tunnel, (text, _) in tunnels.documents.items()
    }
    return documents, {
        zone: sorted(replace(record, id="") for record in stored.values()) for zone, stored in zones.stored.items()
    }


@st.composite
def guests(draw: st.DrawFn) -> tuple[World, tuple[Endpoint, ...], tuple[Endpoint, ...]]:
    """Return hand-made documents, endpoints that stay, and endpoints that come and go on names of their own."""
    world = World(
        {tunnel: draw(hand_made_documents(with_catch_all=True)) for tunnel in (BLUE, GREEN)}, {ZONE: (), CHILD: ()}
    )
    rules = [json.loads(text) for document in world.documents.values() for text in naive.rule_texts(document)]
    taken = {pattern for rule in rules for pattern in naive.patterns(rule.get("hostname", ""))}
    staying = draw(st.sets(hostnames, min_size=1, max_size=3))
    return world, draw(wishes(staying)), draw(wishes({*NAMES, *WILDCARDS} - taken - staying))


@given(guests())
async def test_l7_create_then_delete_restores_documents_and_records(
    guests: tuple[World, tuple[Endpoint, ...], tuple[Endpoint, ...]],
) -> None:
    world, staying, coming = guests
    tunnels, zones = world.ports()
    external_dns = ExternalDns(service(tunnels, zones, OURS), "us")
    await external_dns.sync(staying)
    before = contents(tunnels, zones)
    await external_dns.sync((*staying, *coming))
    assert bool(coming) == (contents(tunnels, zones) != before)
    await external_dns.sync(staying)
    assert contents(tunnels, zones) == before


@given(worlds(), wishes(), registries)
async def test_l9_records_are_canonical_and_external_dns_finds_nothing_to_do_after_an_apply(
    world: World, desired: tuple[Endpoint, ...], registry: tuple[Policy, str]
) -> None:
    policy, owner_id = registry
    tunnels, zones = world.ports()
    api = service(tunnels, zones, policy)
    external_dns = ExternalDns(api, owner_id)
    refused = {rejection.hostname for rejection in await external_dns.sync(desired)}
    again = await external_dns.plan(desired)
    assert refused or is_empty(again)
    asked_again = (*again.create, *again.update_new, *again.delete)
    assert {endpoint.dns_name for endpoint in asked_again if endpoint.record_type == "CNAME"} <= refused
    ours = (endpoint for endpoint in await api.records() if endpoint.owner == "us")
    # What is refused keeps its drift, which no source desires.
    records = tuple(endpoint for endpoint in ours if endpoint.dns_name not in refused)
    assert await api.adjust_endpoints(records) == records


@given(worlds(with_catch_all=True), changes())
def test_l12_whatever_the_endpoints_the_documents_are_valid(world: World, asked: Changes) -> None:
    for text in world.planned(asked, OURS).values():
        check_configuration(TunnelConfiguration.parse(text))
        assert not naive.fault(text)
