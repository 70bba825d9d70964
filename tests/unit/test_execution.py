"""Carrying a plan out: steps in their order, hostnames that fail alone, and records that outlive their rules."""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

import pytest

from doubles.steps import Step, SteppedTunnels, SteppedZones, fail
from tunnel_webhook.adapters.memory import InMemoryTunnels, InMemoryZones, NoLock
from tunnel_webhook.application import Documents, Executor, Gathering, Refusals, SyncLog
from tunnel_webhook.application.documents import TunnelState
from tunnel_webhook.application.execution import Outcome
from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.dns import DnsRecord, RecordBatch, Zone
from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint
from tunnel_webhook.domain.marker import Marker
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.plan import Plan, RuleChange
from tunnel_webhook.domain.planning.planner import plan
from tunnel_webhook.domain.planning.releasing import plan_releases
from tunnel_webhook.domain.planning.request import hostnames_in
from tunnel_webhook.ports import PermanentFailure, Refusal, TemporaryFailure, TunnelRepository, ZoneRepository
from vocabulary.builders import BLUE, GREEN, POLICY, ZONE, claim, configuration, endpoint, marker, memory, rule

pytestmark = pytest.mark.anyio

OTHER = Zone("example.org", "zone-example.org")
APP = "app.example.com"
PUBLISHED = {BLUE: configuration(rule(APP, "http://app:8080")), GREEN: configuration()}
EMPTY = {BLUE: configuration(), GREEN: configuration()}
LIMITED = TemporaryFailure("rate limited")
NOW, DELAY = 1_700_000_000.0, 120.0
OLD = int(NOW - DELAY)


def releasing(name: str = APP, since: int = OLD, tunnel: str = BLUE) -> DnsRecord:
    """Return the stored record of a hostname that was deleted."""
    return replace(claim(name, tunnel), comment=marker("default", since=since).comment)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan, what it was made from, and what carries it out."""

    executor: Executor
    existing: Existing
    states: Mapping[str, TunnelState]
    plan: Plan

    async def execute(self, started: float = 0.0) -> Outcome:
        """Carry the plan out."""
        return await self.executor.execute(self.plan, self.states, started)


async def prepare(
    tunnels: TunnelRepository,
    zones: ZoneRepository,
    changes: Changes | None = None,
    *,
    delay: float = DELAY,
    clock: Callable[[], float] = lambda: 0.0,
) -> Prepared:
    """Return the plan of changes, or without any, that of the releases, on what the ports hold."""
    documents = Documents(tunnels, NoLock(), POLICY, clock, SyncLog(POLICY))
    gathered = await Gathering(documents, zones, POLICY).gather(hostnames_in(changes) if changes else ())
    decided = (
        plan(gathered.existing, changes, POLICY)
        if changes
        else plan_releases(gathered.existing, POLICY, zones.now(), delay)
    )
    executor = Executor(documents, zones, Refusals(clock), clock, delay)
    return Prepared(executor, gathered.existing, gathered.states, decided)


async def execute(
    tunnels: TunnelRepository, zones: ZoneRepository, changes: Changes | None = None, *, delay: float = DELAY
) -> Outcome:
    """Plan changes and carry them out."""
    return await (await prepare(tunnels, zones, changes, delay=delay)).execute()


def dated(
    documents: Mapping[str, TunnelConfiguration], *records: DnsRecord, more: Mapping[Zone, tuple[DnsRecord, ...]] = {}
) -> tuple[InMemoryTunnels, InMemoryZones]:
    """Return ports in memory at a known time."""
    tunnels, zones = memory(documents, {ZONE: records, **more})
    zones.clock = lambda: NOW
    return tunnels, zones


def create(*endpoints: Endpoint) -> Changes:
    return Changes(create=endpoints)


DELETE = Changes(delete=(endpoint(),))


def names(zones: InMemoryZones, zone: Zone = ZONE) -> set[str]:
    return {record.name for record in zones.stored[zone].values()}


def hosts(tunnels: InMemoryTunnels, tunnel: str = BLUE) -> list[str]:
    text, version = tunnels.documents[tunnel]
    return [each.hostname for each in TunnelConfiguration.parse(text, version).rules]


def put(tunnels: InMemoryTunnels, document: TunnelConfiguration) -> None:
    """Replace the blue document as someone else does."""
    tunnels.documents[BLUE] = (document.text, tunnels.documents[BLUE][1] + 1)


# The order of steps.


@dataclass
class Journal:
    """Notes every step of both ports, in order; reading all tunnels is one step for each of the two."""

    steps: list[str] = field(default_factory=list)

    def ports(self, tunnels: TunnelRepository, zones: ZoneRepository) -> tuple[SteppedTunnels, SteppedZones]:
        return SteppedTunnels(tunnels, self._step("read", "rules")), SteppedZones(zones, self._step("", "records"))

    def _step(self, load: str, save: str) -> Step:
        async def note(name: str) -> None:
            if name == "after save":
                self.steps.append(save)
            elif name == "after load" and load:
                self.steps.append(load)

        return note


READ = ["read", "read"]


@pytest.mark.parametrize(
    ("changes", "records", "delay", "steps"),
    [
        pytest.param(create(endpoint("new.example.com")), (), DELAY, ["records", "rules"], id="create: claim, rules"),
        pytest.param(
            Changes(update_new=(endpoint(tunnel="green"),)),
            (claim(APP),),
            DELAY,
            ["rules", "records", "rules"],
            id="move: rules, repoint, cleanup",
        ),
        pytest.param(DELETE, (claim(APP),), DELAY, ["rules", "records"], id="delete: rules, mark"),
        pytest.param(
            DELETE,
            (claim(APP),),
            0.0,
            ["rules", *READ, *READ, "records"],
            id="delete without a delay: rules, two reads, delete",
        ),
        pytest.param(
            create(endpoint("again.example.com")),
            (releasing("again.example.com"),),
            DELAY,
            ["records", "rules"],
            id="renew: swap, rules",
        ),
        pytest.param(
            None, (releasing(),), DELAY, ["rules", "records"], id="a rule that came back: remove it, mark again"
        ),
        pytest.param(
            None, (releasing("gone.example.com"),), DELAY, [*READ, "records"], id="forget: one more read, delete"
        ),
        pytest.param(create(endpoint()), (claim(APP),), DELAY, [], id="nothing to do: nothing"),
    ],
)
async def test_claims_come_first_and_releases_last(
    changes: Changes | None, records: tuple[DnsRecord, ...], delay: float, steps: list[str]
) -> None:
    tunnels, zones = dated(PUBLISHED, *records)
    journal = Journal()
    prepared = await prepare(*journal.ports(tunnels, zones), changes, delay=delay)
    journal.steps.clear()
    outcome = await prepared.execute()
    assert journal.steps == steps
    assert outcome.waiting == ()
    assert outcome.applied.rejections == ()


async def test_a_move_leaves_rules_only_in_the_new_tunnel() -> None:
    tunnels, zones = memory(PUBLISHED, {ZONE: (claim(APP),)})
    await execute(tunnels, zones, Changes(update_new=(endpoint(tunnel="green"),)))
    (record,) = zones.stored[ZONE].values()
    assert record.tunnel == GREEN
    assert hosts(tunnels) == [""]
    assert hosts(tunnels, GREEN) == [APP, ""]


# Releases.


async def test_the_record_of_a_deleted_hostname_is_marked_with_the_time_and_stays() -> None:
    tunnels, zones = dated(PUBLISHED, claim(APP))
    await execute(tunnels, zones, DELETE)
    assert hosts(tunnels) == [""]
    (record,) = zones.stored[ZONE].values()
    assert record == replace(claim(APP), comment=f"heritage=tunnel-webhook,owner=default,paths=.,releasing={NOW:.0f}")


async def test_without_a_delay_the_record_is_deleted_in_the_same_apply() -> None:
    tunnels, zones = dated(PUBLISHED, claim(APP))
    await execute(tunnels, zones, DELETE, delay=0.0)
    assert names(zones) == set()


async def test_a_record_whose_owner_leaves_no_room_for_the_time_is_deleted_at_once() -> None:
    owner = "o" * 60
    tunnels, zones = dated(PUBLISHED, claim(APP, owner=owner), claim("kept.example.com"))
    journal = Journal()
    prepared = await prepare(*journal.ports(tunnels, zones), Changes(delete=(endpoint(owner=owner),)))
    journal.steps.clear()
    await prepared.execute()
    assert journal.steps == ["rules", *READ, *READ, "records"]
    assert names(zones) == {"kept.example.com"}


@pytest.mark.parametrize("read", [1, 2])
async def test_without_a_delay_a_record_stays_as_it_is_if_either_read_finds_its_rule_again(read: int) -> None:
    tunnels, zones = dated(PUBLISHED, claim(APP))
    loads = iter(range(1, 9))

    async def come_back(name: str) -> None:
        if name == "before load" and next(loads) == 2 * read + 1:
            put(tunnels, PUBLISHED[BLUE])

    outcome = await execute(SteppedTunnels(tunnels, come_back), zones, DELETE, delay=0.0)
    assert list(zones.stored[ZONE].values()) == [claim(APP)]
    assert outcome.waiting == (APP,)
    assert "a rule is there again" in str(outcome.failure)


async def test_a_rule_that_came_back_is_removed_again_and_the_wait_begins_again() -> None:
    tunnels, zones = dated(PUBLISHED, releasing())
    outcome = await execute(tunnels, zones)
    assert hosts(tunnels) == [""]
    (record,) = zones.stored[ZONE].values()
    assert Marker.parse(record.comment) == marker("default", since=int(NOW))
    assert [decision.action.value for decision in outcome.applied.decisions] == ["delete"]


async def test_a_releasing_record_is_deleted_once_a_further_read_finds_no_rule_of_it() -> None:
    tunnels, zones = dated(EMPTY, releasing())
    outcome = await execute(tunnels, zones)
    assert names(zones) == set()
    assert [decision.action.value for decision in outcome.applied.decisions] == ["forget"]


async def test_a_releasing_record_stays_if_the_further_read_finds_a_rule_of_it() -> None:
    tunnels, zones = dated(EMPTY, releasing(), releasing("other.example.com"))
    prepared = await prepare(tunnels, zones)
    put(tunnels, PUBLISHED[BLUE])
    outcome = await prepared.execute()
    assert names(zones) == {APP}
    assert outcome.waiting == (APP,)


@pytest.mark.parametrize(
    ("document", "version"), [("{}", 9), (EMPTY[BLUE].text, 0)], ids=["an empty answer", "an older answer"]
)
async def test_a_releasing_record_stays_if_the_further_read_is_in_doubt(document: str, version: int) -> None:
    tunnels, zones = dated(EMPTY, releasing())
    prepared = await prepare(tunnels, zones)
    tunnels.documents[GREEN] = (document, version)
    outcome = await prepared.execute()
    assert names(zones) == {APP}
    assert outcome.waiting == (APP,)
    assert "in doubt" in str(outcome.failure)


async def test_a_releasing_record_stays_if_the_further_read_fails() -> None:
    tunnels, zones = dated(EMPTY, releasing())
    stepped = SteppedTunnels(tunnels)
    prepared = await prepare(stepped, zones)
    stepped.step = fail(LIMITED)
    outcome = await prepared.execute()
    assert names(zones) == {APP}
    assert outcome.failure is LIMITED


async def test_a_record_that_is_asked_for_again_is_swapped_for_a_new_one_with_another_id() -> None:
    tunnels, zones = dated(EMPTY, releasing())
    await execute(tunnels, zones, create(endpoint()))
    (record,) = zones.stored[ZONE].values()
    assert record.id != releasing().id
    assert replace(record, id="") == replace(claim(APP), id="")
    assert hosts(tunnels) == [APP, ""]


# Hostnames that fail alone.


@dataclass(slots=True)
class FailingZone:
    """Zones of which one cannot be written for now."""

    inner: InMemoryZones
    zone: Zone

    def now(self) -> float:
        return self.inner.now()

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
    outcome = await execute(tunnels, zones, create(endpoint("a.example.com"), endpoint("b.example.com")))
    assert hosts(tunnels) == ["a.example.com", ""]
    (rejection,) = outcome.applied.rejections
    assert rejection.hostname == "b.example.com"
    assert rejection.reason == "quota-exceeded"


async def test_a_zone_that_fails_for_now_lets_only_its_own_hostnames_wait() -> None:
    tunnels, zones = memory(records={ZONE: (), OTHER: ()})
    asked = create(endpoint("a.example.com"), endpoint("b.example.org"))
    outcome = await execute(tunnels, FailingZone(zones, OTHER), asked)
    assert hosts(tunnels) == ["a.example.com", ""]
    assert outcome.waiting == ("b.example.org",)
    assert outcome.failure is LIMITED


@dataclass(slots=True)
class UndecidedZones(InMemoryZones):
    """Zones that refuse every record for now, and count the batches."""

    batches: int = 0
    is_final: bool = False

    async def save(self, _zone: Zone, batch: RecordBatch, /) -> tuple[Refusal, ...]:
        self.batches += 1
        names = {record.name for record in batch.records}
        return tuple(Refusal(name, Reason.REFUSED, "1234: no", self.is_final) for name in names)


async def test_a_hostname_whose_record_is_refused_but_not_for_good_waits_for_the_next_sync() -> None:
    tunnels, zones = dated(EMPTY)
    outcome = await execute(tunnels, UndecidedZones(zones.stored), create(endpoint()))
    assert outcome.waiting == (APP,)
    assert str(outcome.failure).endswith("the next sync goes on to look for the records at fault: 1234: no")
    assert outcome.applied.rejections == ()


async def test_a_batch_of_which_every_record_was_refused_before_is_not_written() -> None:
    tunnels, zones = dated(EMPTY)
    refusing = UndecidedZones(zones.stored, is_final=True)
    prepared = await prepare(tunnels, refusing, create(endpoint(resource="service/prod/app")))
    for _ in range(3):
        (rejection,) = (await prepared.execute()).applied.rejections
        assert (rejection.reason, rejection.sentence) == ("refused", "1234: no")
        assert rejection.resource == "service/prod/app"
    assert refusing.batches == 1


async def test_a_refused_hostname_does_not_count_among_those_that_wait() -> None:
    tunnels, zones = memory(records={ZONE: (), OTHER: ()})
    zones.quota = 1
    asked = create(endpoint("a.example.com"), endpoint("b.example.com"), endpoint("c.example.org"))
    outcome = await execute(tunnels, FailingZone(zones, OTHER), asked)
    assert outcome.waiting == ("c.example.org",)
    assert [rejection.hostname for rejection in outcome.applied.rejections] == ["b.example.com"]
    assert [decision.hostname for decision in outcome.applied.decisions] == ["a.example.com"]


async def test_a_tunnel_that_refuses_for_good_rejects_its_hostnames_and_releases_none() -> None:
    tunnels, zones = memory(PUBLISHED, {ZONE: (claim(APP),)})
    refusing = SteppedTunnels(tunnels, fail(PermanentFailure("the token may not write"), at="before save"))
    outcome = await execute(refusing, zones, DELETE)
    assert list(zones.stored[ZONE].values()) == [claim(APP)]
    (rejection,) = outcome.applied.rejections
    assert rejection.reason == "refused"
    assert rejection.sentence == "the token may not write"


async def test_the_first_failure_is_the_one_that_is_reported() -> None:
    tunnels, zones = memory()
    failures = iter([LIMITED, TemporaryFailure("another")])

    async def fail_each(name: str) -> None:
        if name == "before save":
            raise next(failures)

    asked = create(endpoint("a.example.com"), endpoint("b.example.com", tunnel="green"))
    outcome = await execute(SteppedTunnels(tunnels, fail_each), zones, asked)
    assert outcome.waiting == ("a.example.com", "b.example.com")
    assert outcome.failure is LIMITED


# Tunnels that cannot be relied on, or do not exist.


async def test_a_tunnel_that_fails_lets_its_hostnames_wait_and_the_rest_goes_on() -> None:
    tunnels, zones = memory()
    asked = create(endpoint("a.example.com"), endpoint("b.example.com", tunnel="green"))
    prepared = await prepare(tunnels, zones, asked)
    states = {**prepared.states, GREEN: replace(prepared.states[GREEN], failure=LIMITED)}
    outcome = await replace(prepared, states=states).execute()
    assert hosts(tunnels) == ["a.example.com", ""]
    assert names(zones) == {"a.example.com"}
    assert outcome.waiting == ("b.example.com",)
    assert outcome.failure is LIMITED


async def test_a_hostname_is_rejected_if_its_tunnel_fails_for_good() -> None:
    tunnels, zones = memory()
    prepared = await prepare(tunnels, zones, create(endpoint()))
    denied = PermanentFailure("the token may not read")
    outcome = await replace(
        prepared, states={**prepared.states, BLUE: replace(prepared.states[BLUE], failure=denied)}
    ).execute()
    (rejection,) = outcome.applied.rejections
    assert (rejection.hostname, rejection.reason, rejection.sentence) == (APP, Reason.REFUSED, "the token may not read")
    assert names(zones) == set()


async def test_a_hostname_that_is_asked_for_in_a_missing_tunnel_is_rejected() -> None:
    tunnels, zones = memory()
    del tunnels.documents[GREEN]
    outcome = await execute(tunnels, zones, create(endpoint("a.example.com"), endpoint(tunnel="green")))
    (rejection,) = outcome.applied.rejections
    assert (rejection.hostname, rejection.reason) == (APP, Reason.REFUSED)
    assert f"tunnel {GREEN} does not exist" in rejection.sentence
    assert names(zones) == {"a.example.com"}


async def test_a_hostname_may_leave_a_missing_tunnel() -> None:
    tunnels, zones = memory(records={ZONE: (claim(APP, GREEN), claim("gone.example.com", GREEN))})
    del tunnels.documents[GREEN]
    asked = Changes(update_new=(endpoint(),), delete=(endpoint("gone.example.com", tunnel="green"),))
    outcome = await execute(tunnels, zones, asked, delay=0.0)
    assert outcome.applied.rejections == ()
    assert outcome.waiting == ()
    (record,) = zones.stored[ZONE].values()
    assert (record.name, record.tunnel) == (APP, BLUE)
    assert hosts(tunnels) == [APP, ""]


async def test_a_hostname_waits_if_only_the_tunnel_that_it_leaves_cannot_be_relied_on() -> None:
    tunnels, zones = memory(PUBLISHED, {ZONE: (claim(APP),)})
    prepared = await prepare(tunnels, zones, Changes(update_new=(endpoint(tunnel="green"),)))
    states = {**prepared.states, BLUE: replace(prepared.states[BLUE], failure=LIMITED)}
    outcome = await replace(prepared, states=states).execute()
    assert outcome.waiting == (APP,)
    assert hosts(tunnels, GREEN) == [""]


# Time.


@pytest.mark.parametrize(("seconds", "is_written"), [(44.9, True), (45.0, False)])
async def test_no_write_begins_later_than_45_seconds_after_the_first_read(
    seconds: float,
    is_written: bool,  # noqa: FBT001 -- an expectation
) -> None:
    tunnels, zones = memory()
    prepared = await prepare(tunnels, zones, create(endpoint()), clock=lambda: seconds)
    outcome = await prepared.execute(started=0.0)
    assert names(zones) == ({APP} if is_written else set())
    assert outcome.waiting == (() if is_written else (APP,))
    assert is_written or "nothing is written later than 45 s" in str(outcome.failure)


async def test_a_document_is_not_written_later_than_45_seconds_after_the_first_read_either() -> None:
    tunnels, zones = memory()
    passed = [0.0]

    async def wait(name: str) -> None:
        if name == "after save":
            passed[0] = 45.0

    prepared = await prepare(tunnels, SteppedZones(zones, wait), create(endpoint()), clock=lambda: passed[0])
    outcome = await prepared.execute(started=0.0)
    assert names(zones) == {APP}
    assert hosts(tunnels) == [""]
    assert outcome.waiting == (APP,)


# Documents.


async def test_a_document_that_cloudflared_refuses_already_is_not_written() -> None:
    broken = configuration(rule("by-hand.example.com", "http://x/path"))
    tunnels, zones = memory({BLUE: broken, GREEN: configuration()})
    outcome = await execute(tunnels, zones, create(endpoint()))
    assert tunnels.documents[BLUE] == (broken.text, 1)
    (rejection,) = outcome.applied.rejections
    assert rejection.sentence == (
        f"the configuration of tunnel {BLUE} cannot be written until someone corrects what cloudflared refuses in it:"
        " http://x/path is an invalid address, ingress rules don't support proxying to a different path on the origin"
        " service. The path will be the same as the eyeball request's path"
    )


async def test_rules_of_the_same_hostname_that_appear_after_planning_are_kept() -> None:
    tunnels, zones = memory(PUBLISHED, {ZONE: (claim(APP),)})
    prepared = await prepare(tunnels, zones, Changes(update_new=(endpoint(target="http://new"),)))
    added = rule(APP, "http://later", "^/later")
    put(tunnels, configuration(added, rule(APP, "http://app:8080")))
    await prepared.execute()
    text, version = tunnels.documents[BLUE]
    rules = TunnelConfiguration.parse(text, version).rules
    assert added in rules
    assert "http://new" in {each.service for each in rules}


async def test_a_rule_that_cloudflared_would_refuse_is_rejected_before_it_is_sent_and_the_rest_goes_live() -> None:
    tunnels, zones = memory()
    prepared = await prepare(tunnels, zones, create(endpoint("a.example.com"), endpoint(), endpoint("z.example.com")))
    first, app, last = prepared.plan.decisions
    faulty = replace(app, rules=(RuleChange(BLUE, upserts=(rule(APP, "http://x/path"),)),))
    outcome = await replace(prepared, plan=replace(prepared.plan, decisions=(first, faulty, last))).execute()
    (rejection,) = outcome.applied.rejections
    assert rejection.hostname == APP
    assert rejection.sentence.startswith(f"tunnel {BLUE} would refuse its configuration: http://x/path is an invalid")
    assert hosts(tunnels) == ["a.example.com", "z.example.com", ""]
