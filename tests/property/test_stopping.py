"""L11: a sync may stop after any write, and the next one reaches the same end."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doubles.steps import SteppedTunnels, SteppedZones, pass_by
from oracles import naive
from oracles.external_dns_planner import ExternalDns
from tunnel_webhook.adapters.memory import InMemoryTunnels, InMemoryZones
from tunnel_webhook.domain.dns import DnsRecord, RecordBatch, Zone
from tunnel_webhook.domain.external_dns.endpoint import Endpoint
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.marker import Marker
from tunnel_webhook.ports import Refusal
from vocabulary.builders import POLICY, service
from vocabulary.strategies import NAMES, WILDCARDS, World, wishes, worlds

pytestmark = pytest.mark.anyio

OURS, THEIRS = replace(POLICY, owner_id="us"), replace(POLICY, owner_id="them")
THEIR_NAMES = ("b.b.example.com", "*.b.example.com", "a.a.a.example.com", "*.a.example.com")
OUR_NAMES = tuple(name for name in (*NAMES, *WILDCARDS) if name not in THEIR_NAMES)


class Stopped(Exception):
    """The process stopped here."""


@dataclass(slots=True)
class Life:
    """How many writes a process completes before it stops, and whether it stopped before its work was done."""

    writes: int
    stopped: bool = False

    async def step(self, name: str) -> None:
        """Count a completed write; stop after the last one."""
        if self.writes == 0:
            self.stopped = True
            raise Stopped
        self.writes -= name == "after save"


class OneByOne(SteppedZones):
    """Zones that write each name of a batch on its own, so that a stop may fall between any two, but not in a swap."""

    async def save(self, zone: Zone, batch: RecordBatch, /) -> tuple[Refusal, ...]:
        """Write one name after the other."""
        names = dict.fromkeys(record.name for record in batch.records)
        singles = [
            RecordBatch(
                tuple(record for record in batch.deletes if record.name == name),
                tuple(record for record in batch.patches if record.name == name),
                tuple(record for record in batch.posts if record.name == name),
            )
            for name in names
        ]
        return tuple([refusal for single in singles for refusal in await SteppedZones.save(self, zone, single)])


@dataclass(frozen=True, slots=True)
class History:
    """A state, what we publish before and after, and what another owner publishes meanwhile."""

    world: World
    before: tuple[Endpoint, ...]
    after: tuple[Endpoint, ...]
    theirs: tuple[Endpoint, ...]

    async def end(self, writes: int) -> tuple[dict[str, list[str]], list[DnsRecord], bool]:
        """Return the documents and records in the end, and whether the process stopped after so many writes."""
        tunnels, zones = self.world.ports()
        now = 1_790_000_000.0
        zones.clock = lambda: now
        stepped = SteppedTunnels(tunnels), OneByOne(zones)
        ours, theirs = service(*stepped, OURS), service(*stepped, THEIRS)
        us, them = ExternalDns(ours, "us"), ExternalDns(theirs, "them")
        await us.sync(self.before)
        await them.sync(self.theirs)
        life = Life(writes)
        stepped[0].step = stepped[1].step = life.step
        with suppress(Stopped):
            await us.sync(self.after)
        stepped[0].step = stepped[1].step = pass_by
        for _ in range(3):
            now += 700.0
            await them.sync(self.theirs)
            await us.sync(self.after)
            await ours.turns.finish()
            await theirs.turns.finish()
        return rules(tunnels), [replace(record, id="") for record in records(zones)], life.stopped


histories = st.builds(
    History, worlds(), wishes(OUR_NAMES, max_size=4), wishes(OUR_NAMES, max_size=4), wishes(THEIR_NAMES, max_size=2)
)


def rules(tunnels: InMemoryTunnels) -> dict[str, list[str]]:
    return {tunnel: naive.rule_texts(text) for tunnel, (text, _) in tunnels.documents.items()}


def records(zones: InMemoryZones) -> list[DnsRecord]:
    return sorted(record for stored in zones.stored.values() for record in stored.values())


@pytest.mark.timeout(300)
@given(histories)
async def test_l11_a_sync_that_stops_after_any_write_reaches_the_same_end_when_it_is_repeated(history: History) -> None:
    whole = await history.end(writes=10**6)
    for writes in count():
        documents, left, stopped = await history.end(writes)
        assert (documents, left) == whole[:2], f"stopped after {writes} writes"
        if not stopped:
            break
    world = history.world
    concerned = {Hostname.parse(each.dns_name) for each in (*history.before, *history.after, *history.theirs)}
    existing = [record for stored in world.records.values() for record in stored]
    concerned |= {Hostname(record.name) for record in existing if Marker.parse(record.comment)}
    for tunnel, document in world.documents.items():
        before = others(naive.rule_texts(document), concerned)
        assert others(documents[tunnel], concerned)[: len(before)] == before
    assert {replace(record, id="") for record in existing if record.name not in concerned} <= set(left)


def others(texts: Sequence[str], concerned: set[Hostname]) -> list[str]:
    """Return the rules of hostnames that were never asked for."""
    return [text for text in texts if concerned.isdisjoint(naive.patterns(json.loads(text).get("hostname", "")))]
