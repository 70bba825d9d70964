"""Carrying a plan out: steps in their order, hostnames that fail alone, and documents that others write as well."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

import pytest

from doubles.steps import Step, SteppedTunnels, SteppedZones, fail
from tunnel_webhook.adapters.memory import InMemoryTunnels, InMemoryZones
from tunnel_webhook.application import Executor
from tunnel_webhook.application.execution import Outcome
from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.dns import DnsRecord, RecordBatch, Zone
from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.plan import Plan
from tunnel_webhook.domain.planning.planner import plan
from tunnel_webhook.ports import PermanentFailure, Refusal, TemporaryFailure, TunnelRepository, ZoneRepository
from vocabulary.builders import BLUE, GREEN, POLICY, ZONE, claim, configuration, endpoint, memory, rule

pytestmark = pytest.mark.anyio

OTHER = Zone("example.org", "zone-example.org")
APP = "app.example.com"
PUBLISHED = {BLUE: configuration(rule(APP, "http://app:8080")), GREEN: configuration()}
LIMITED = TemporaryFailure("rate limited")


async def planned(tunnels: InMemoryTunnels, zones: InMemoryZones, changes: Changes) -> Plan:
    """Return the plan of changes on what the ports in memory hold."""
    documents = {tunnel: await tunnels.load(tunnel) for tunnel in tunnels.documents}
    known = await zones.zones()
    return plan(Existing.of(known, await zones.load(in_full=frozenset(known)), documents), changes, POLICY)


async def execute(tunnels: TunnelRepository, zones: ZoneRepository, decided: Plan) -> Outcome:
    return await Executor(tunnels, zones, POLICY).execute(decided)


def create(*endpoints: Endpoint) -> Changes:
    return Changes(create=endpoints)


def names(zones: InMemoryZones, zone: Zone = ZONE) -> set[str]:
    return {record.name for record in zones.stored[zone].values()}


def hosts(tunnels: InMemoryTunnels, tunnel: str = BLUE) -> list[str]:
    text, version = tunnels.documents[tunnel]
    return [each.hostname for each in TunnelConfiguration.parse(text, version).rules]


# The order of steps.


@dataclass
class Journal:
    """Notes every step of both ports, in order."""

    steps: list[str] = field(default_factory=list)

    def ports(self, tunnels: TunnelRepository, zones: ZoneRepository) -> tuple[SteppedTunnels, SteppedZones]:
        return SteppedTunnels(tunnels, self._step("rules")), SteppedZones(zones, self._step("records"))

    def _step(self, port: str) -> Step:
        async def note(name: str) -> None:
            if name == "after save":
                self.steps.append(port)

        return note


@pytest.mark.parametrize(
    ("changes", "steps"),
    [
        pytest.param(create(endpoint("new.example.com")), ["records", "rules"], id="create: claim, rules"),
        pytest.param(
            Changes(update_new=(endpoint(tunnel="green"),)),
            ["rules", "records", "rules"],
            id="move: rules, repoint, cleanup",
        ),
        pytest.param(Changes(delete=(endpoint(),)), ["rules", "records"], id="delete: rules, release"),
        pytest.param(create(endpoint()), [], id="nothing to do: nothing"),
    ],
)
async def test_claims_come_first_and_releases_last(changes: Changes, steps: list[str]) -> None:
    tunnels, zones = memory(PUBLISHED, {ZONE: (claim(APP),)})
    journal = Journal()
    outcome = await execute(*journal.ports(tunnels, zones), await planned(tunnels, zones, changes))
    assert journal.steps == steps
    assert outcome.waiting == ()
    assert outcome.applied.rejections == ()


async def test_a_move_leaves_rules_only_in_the_new_tunnel() -> None:
    tunnels, zones = memory(PUBLISHED, {ZONE: (claim(APP),)})
    await execute(tunnels, zones, await planned(tunnels, zones, Changes(update_new=(endpoint(tunnel="green"),))))
    (record,) = zones.stored[ZONE].values()
    assert record.tunnel == GREEN
    assert hosts(tunnels) == [""]
    assert hosts(tunnels, GREEN) == [APP, ""]


# Hostnames that fail alone.


@dataclass(slots=True)
class FailingZone:
    """Zones of which one cannot be written for now."""

    inner: InMemoryZones
    zone: Zone

    async def zones(self) -> tuple[Zone, ...]:
        return await self.inner.zones()

    async def load(
        self, *, in_full: AbstractSet[Zone] = frozenset(), named: AbstractSet[Zone] = frozenset()
    ) -> Mapping[Zone, tuple[DnsRecord, ...]]:
        return await self.inner.load(in_full=in_full, named=named)

    async def save(self, zone: Zone, batch: RecordBatch, /) -> tuple[Refusal, ...]:
        if zone == self.zone:
            raise LIMITED
        return await self.inner.save(zone, batch)


async def test_a_refused_record_keeps_no_other_from_going_live() -> None:
    tunnels, zones = memory()
    zones.quota = 1
    outcome = await execute(
        tunnels, zones, await planned(tunnels, zones, create(endpoint("a.example.com"), endpoint("b.example.com")))
    )
    assert hosts(tunnels) == ["a.example.com", ""]
    (rejection,) = outcome.applied.rejections
    assert rejection.hostname == "b.example.com"
    assert rejection.reason == "quota-exceeded"


async def test_a_zone_that_fails_for_now_lets_only_its_own_hostnames_wait() -> None:
    tunnels, zones = memory(records={ZONE: (), OTHER: ()})
    decided = await planned(tunnels, zones, create(endpoint("a.example.com"), endpoint("b.example.org")))
    outcome = await execute(tunnels, FailingZone(zones, OTHER), decided)
    assert hosts(tunnels) == ["a.example.com", ""]
    assert outcome.waiting == ("b.example.org",)
    assert outcome.failure is LIMITED


async def test_a_refused_hostname_does_not_count_among_those_that_wait() -> None:
    tunnels, zones = memory(records={ZONE: (), OTHER: ()})
    zones.quota = 1
    asked = create(endpoint("a.example.com"), endpoint("b.example.com"), endpoint("c.example.org"))
    outcome = await execute(tunnels, FailingZone(zones, OTHER), await planned(tunnels, zones, asked))
    assert outcome.waiting == ("c.example.org",)
    assert [rejection.hostname for rejection in outcome.applied.rejections] == ["b.example.com"]
    assert [decision.hostname for decision in outcome.applied.decisions] == ["a.example.com"]


async def test_a_tunnel_that_refuses_for_good_rejects_its_hostnames_and_releases_none() -> None:
    tunnels, zones = memory(PUBLISHED, {ZONE: (claim(APP),)})
    decided = await planned(tunnels, zones, Changes(delete=(endpoint(),)))
    refusing = SteppedTunnels(tunnels, fail(PermanentFailure("the token may not write"), at="before save"))
    outcome = await execute(refusing, zones, decided)
    assert names(zones) == {APP}
    (rejection,) = outcome.applied.rejections
    assert rejection.reason == "refused"
    assert rejection.sentence == "the token may not write"


async def test_the_first_failure_is_the_one_that_is_reported() -> None:
    tunnels, zones = memory()
    decided = await planned(
        tunnels, zones, create(endpoint("a.example.com"), endpoint("b.example.com", tunnel="green"))
    )
    failures = iter([LIMITED, TemporaryFailure("another")])

    async def fail_each(name: str) -> None:
        if name == "before save":
            raise next(failures)

    outcome = await execute(SteppedTunnels(tunnels, fail_each), zones, decided)
    assert outcome.waiting == ("a.example.com", "b.example.com")
    assert outcome.failure is LIMITED


# Documents.


async def test_a_document_that_cloudflared_refuses_already_is_not_written() -> None:
    broken = configuration(rule("by-hand.example.com", "http://x/path"))
    tunnels, zones = memory({BLUE: broken, GREEN: configuration()})
    outcome = await execute(tunnels, zones, await planned(tunnels, zones, create(endpoint())))
    assert tunnels.documents[BLUE] == (broken.text, 1)
    (rejection,) = outcome.applied.rejections
    assert rejection.sentence == (
        f"the configuration of tunnel {BLUE} cannot be written until someone corrects what cloudflared refuses in it:"
        " http://x/path is an invalid address, ingress rules don't support proxying to a different path on the origin"
        " service. The path will be the same as the eyeball request's path"
    )


@dataclass(slots=True)
class ForeignWriter:
    """Tunnels that someone else writes directly before and after each of our saves, so many times."""

    inner: InMemoryTunnels
    times: int
    document: TunnelConfiguration

    async def load(self, tunnel: str, /) -> TunnelConfiguration:
        return await self.inner.load(tunnel)

    async def save(self, tunnel: str, configuration: TunnelConfiguration, /) -> TunnelConfiguration:
        foreign = self.times > 0
        if foreign:
            self.times -= 1
            await self.inner.save(tunnel, self.document)
        saved = await self.inner.save(tunnel, configuration)
        if foreign:
            self.inner.documents[tunnel] = (self.document.text, saved.version)
        return saved


async def test_a_foreign_write_is_noticed_and_the_document_read_again(caplog: pytest.LogCaptureFixture) -> None:
    tunnels, zones = memory()
    theirs = configuration(rule("theirs.example.com"))
    outcome = await execute(ForeignWriter(tunnels, 1, theirs), zones, await planned(tunnels, zones, create(endpoint())))
    assert "someone else wrote the configuration of tunnel blue at the same time" in caplog.text
    assert hosts(tunnels) == ["theirs.example.com", APP, ""]
    assert outcome.waiting == ()


async def test_foreign_writes_without_end_let_the_hostname_wait_after_three_tries() -> None:
    tunnels, zones = memory()
    writer = ForeignWriter(tunnels, 99, configuration())
    outcome = await execute(writer, zones, await planned(tunnels, zones, create(endpoint())))
    assert writer.times == 96
    assert outcome.waiting == (APP,)
    assert "gave up after 3 tries" in str(outcome.failure)


async def test_rules_of_the_same_hostname_that_appear_after_planning_are_kept() -> None:
    tunnels, zones = memory(PUBLISHED, {ZONE: (claim(APP),)})
    decided = await planned(tunnels, zones, Changes(update_new=(endpoint(target="http://new"),)))
    added = rule(APP, "http://later", "^/later")
    document = replace(configuration(added, rule(APP, "http://app:8080")), version=2)
    tunnels.documents[BLUE] = (document.text, document.version)
    await execute(tunnels, zones, decided)
    text, version = tunnels.documents[BLUE]
    assert added in TunnelConfiguration.parse(text, version).rules
