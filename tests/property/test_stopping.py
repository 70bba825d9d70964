"""L11: a sync may stop after any write, and the next one reaches the same end."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count

import pytest
from hypothesis import given

import naive
from builders import POLICY, service
from external_dns_planner import ExternalDns
from strategies import NAMES, WILDCARDS, World, wishes, worlds
from tunnel_webhook.adapters.memory import InMemoryTunnels, InMemoryZones
from tunnel_webhook.domain.claim import DnsRecord, RecordBatch, Zone
from tunnel_webhook.domain.endpoint import Endpoint
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.ports import Refusal

pytestmark = pytest.mark.anyio

OURS, THEIRS = replace(POLICY, owner_id="us"), replace(POLICY, owner_id="them")
THEIR_NAMES = ("b.b.example.com", "*.b.example.com", "a.a.a.example.com", "*.a.example.com")
OUR_NAMES = tuple(name for name in (*NAMES, *WILDCARDS) if name not in THEIR_NAMES)


class Stopped(Exception):
    """The process ended here."""


@dataclass(slots=True)
class Life:
    """How many writes a process lives to see."""

    writes: int

    def step(self, name: str) -> None:
        """Count a write that was done; nothing is done after the last."""
        if self.writes == 0:
            raise Stopped
        self.writes -= name == "after save"


class OneByOne(InMemoryZones):
    """Zones that write each record of a batch on its own, so that a stop may fall between any two."""

    async def save(self, zone: Zone, batch: RecordBatch, /) -> tuple[Refusal, ...]:
        """Write one record after the other."""
        singles = [RecordBatch(deletes=(each,)) for each in batch.deletes]
        singles += [RecordBatch(patches=(each,)) for each in batch.patches]
        singles += [RecordBatch(posts=(each,)) for each in batch.posts]
        return tuple([refusal for single in singles for refusal in await InMemoryZones.save(self, zone, single)])


async def live(
    world: World, stages: Sequence[tuple[Endpoint, ...]], theirs: tuple[Endpoint, ...], writes: int
) -> tuple[dict[str, list[str]], list[DnsRecord], bool]:
    """Return documents and records in the end, and whether the process that made the last stage so stopped on its way."""
    tunnels, plain = world.ports()
    zones = OneByOne(plain.stored)
    us, them = ExternalDns(service(tunnels, zones, OURS), "us"), ExternalDns(service(tunnels, zones, THEIRS), "them")
    for stage in stages[:-1]:
        await us.sync(stage)
    await them.sync(theirs)
    life = Life(writes)
    stopped = False
    tunnels.hook = zones.hook = life.step
    try:
        await us.sync(stages[-1])
    except Stopped:
        stopped = True
    tunnels.hook = zones.hook = lambda _: None
    for _ in range(2):
        await them.sync(theirs)
        await us.sync(stages[-1])
    return rules(tunnels), [replace(each, id="") for each in records(zones)], stopped


def rules(tunnels: InMemoryTunnels) -> dict[str, list[str]]:
    return {tunnel: naive.rule_texts(text) for tunnel, (text, _) in tunnels.documents.items()}


def records(zones: InMemoryZones) -> list[DnsRecord]:
    return sorted(each for stored in zones.stored.values() for each in stored.values())


@given(worlds(), wishes(OUR_NAMES, max_size=4), wishes(OUR_NAMES, max_size=4), wishes(THEIR_NAMES, max_size=2))
async def test_a_sync_that_stopped_after_any_write_reaches_the_same_end_when_it_is_done_again(
    world: World, before: tuple[Endpoint, ...], after: tuple[Endpoint, ...], theirs: tuple[Endpoint, ...]
) -> None:
    whole = await live(world, (before, after), theirs, writes=10**6)
    for writes in count():
        documents, found, stopped = await live(world, (before, after), theirs, writes)
        assert (documents, found) == whole[:2], f"stopped after {writes} writes"
        if not stopped:
            break
    concerned = {Hostname.parse(each.dns_name) for each in (*before, *after, *theirs)}
    concerned |= {Hostname(each.name) for stored in world.records.values() for each in stored if each.marker}
    for tunnel, document in world.documents.items():
        standing = others(naive.rule_texts(document), concerned)
        assert others(documents[tunnel], concerned)[: len(standing)] == standing
    foreign = {replace(each, id="") for stored in world.records.values() for each in stored if each.name not in concerned}
    assert foreign <= set(found)


def others(texts: Sequence[str], concerned: set[Hostname]) -> list[str]:
    """Return the rules that nobody ever asked anything about."""
    return [text for text in texts if concerned.isdisjoint(naive.patterns(json.loads(text).get("hostname", "")))]
