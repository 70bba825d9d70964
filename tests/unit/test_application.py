"""The service: what it does when things fail, come late, or change under its hands."""

import asyncio
import logging
from dataclasses import replace

import pytest

from doubles.steps import SteppedTunnels, SteppedZones, fail
from tunnel_webhook.adapters.memory import InMemoryTunnels, InMemoryZones
from tunnel_webhook.application import Contact, TunnelService
from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.dns import DnsRecord, RecordBatch, Zone
from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.guard import Guard
from tunnel_webhook.domain.planning.plan import Action
from tunnel_webhook.ports import ChangesNotApplied, PermanentFailure, TemporaryFailure
from vocabulary.builders import BLUE, GREEN, POLICY, ZONE, claim, configuration, endpoint, memory, record, rule, service

pytestmark = pytest.mark.anyio

OTHER = Zone("example.org", "zone-example.org")


def names(zones: InMemoryZones, zone: Zone = ZONE) -> set[str]:
    return {each.name for each in zones.stored[zone].values()}


def hosts(tunnels: InMemoryTunnels, tunnel: str = BLUE) -> list[str]:
    text, version = tunnels.documents[tunnel]
    return [each.hostname for each in TunnelConfiguration.parse(text, version).rules]


def create(*found: Endpoint) -> Changes:
    return Changes(create=found)


async def test_a_created_hostname_is_claimed_routed_and_reported() -> None:
    tunnels, zones = memory()
    api = service(tunnels, zones)

    await api.apply_changes(create(endpoint("app.example.com", resource="service/prod/app")))

    assert names(zones) == {"app.example.com"}
    assert hosts(tunnels) == ["app.example.com", ""]
    (reported,) = await api.records()
    assert reported.targets == ("http://app:8080",)
    assert reported.labels == {"owner": "default", "resource": "service/prod/app"}
    assert api.domain_filter() == POLICY.domain_filter


async def test_a_deleted_hostname_leaves_nothing_behind() -> None:
    tunnels, zones = memory()
    before = (tunnels.documents[BLUE][0], dict(zones.stored[ZONE]))
    api = service(tunnels, zones)
    await api.apply_changes(create(endpoint()))

    await api.apply_changes(Changes(delete=await api.records()))

    assert (tunnels.documents[BLUE][0], zones.stored[ZONE]) == before


async def test_a_change_that_changes_nothing_writes_nothing() -> None:
    tunnels, zones = memory()
    await service(tunnels, zones).apply_changes(create(endpoint()))
    step = fail(PermanentFailure("must not be written"), "before save")

    await service(SteppedTunnels(tunnels, step), SteppedZones(zones, step)).apply_changes(create(endpoint()))

    assert hosts(tunnels) == ["app.example.com", ""]


async def test_adjusting_tells_of_what_cannot_be_published_and_drops_what_cannot_be_tunnelled(
    caplog: pytest.LogCaptureFixture,
) -> None:
    api = service(*memory())

    adjusted = await api.adjust_endpoints(
        (endpoint("bad.example.com", "ftp://x"), endpoint("mx.example.com", record_type="MX"))
    )

    assert [(each.dns_name, dict(each.properties)) for each in adjusted] == [
        ("bad.example.com", {"webhook/invalid": "invalid-service"})
    ]
    assert "cannot publish bad.example.com" in caplog.text


async def test_what_is_rejected_is_named_after_all_else_is_applied() -> None:
    tunnels, zones = memory()
    api = service(tunnels, zones)

    with pytest.raises(ChangesNotApplied, match=r"bad.example.com: invalid-service: ") as caught:
        await api.apply_changes(create(endpoint(), endpoint("bad.example.com", "ftp://x")))

    assert [each.code for each in caught.value.rejections] == ["invalid-service"]
    assert hosts(tunnels) == ["app.example.com", ""]
    assert api.contact == Contact(1_000_000.0)


async def test_rejections_are_only_told_where_the_operator_wants_no_error() -> None:
    api = service(*memory(), fail_on_rejection=False)

    await api.apply_changes(create(endpoint("bad.example.com", "ftp://x")))


async def test_a_name_that_is_none_is_rejected_and_its_deletion_is_nothing() -> None:
    api = service(*memory())
    nameless = endpoint("not a name")

    with pytest.raises(ChangesNotApplied, match="invalid-hostname"):
        await api.apply_changes(Changes(create=(nameless,), delete=(nameless,)))


async def test_deletions_beyond_the_limit_are_withheld_and_the_rest_is_applied() -> None:
    held = {ZONE: tuple(claim(f"h{number}.example.com") for number in range(8))}
    rules = (rule(f"h{number}.example.com") for number in range(8))
    tunnels, zones = memory({BLUE: configuration(*rules), GREEN: configuration()}, held)
    api = TunnelService(tunnels, zones, POLICY, Guard(5, 0.5), deadline=10.0, clock=lambda: 0.0)
    doomed = (await api.records())[:6]

    with pytest.raises(ChangesNotApplied, match=r"6 deletions are withheld: .*MAX_DELETE_RATIO") as caught:
        await api.apply_changes(Changes(create=(endpoint(),), delete=doomed))

    assert len(caught.value.withheld) == 6
    assert len(names(zones)) == len(hosts(tunnels)) - 1 == 9


async def test_a_dry_run_tells_and_writes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    tunnels, zones = memory()
    caplog.set_level(logging.INFO)

    await service(tunnels, zones, dry_run=True).apply_changes(create(endpoint()))

    assert (hosts(tunnels), names(zones)) == ([""], set())
    assert "dry run, would apply: create 1" in caplog.text


async def test_a_preview_is_the_plan_and_writes_nothing() -> None:
    tunnels, zones = memory()

    _, plan = await service(tunnels, zones).preview(create(endpoint()))

    assert [(each.action, each.hostname) for each in plan.decisions] == [(Action.CREATE, "app.example.com")]
    assert (hosts(tunnels), names(zones)) == ([""], set())


async def test_a_preview_of_nothing_shows_what_can_be_repaired() -> None:
    grey = replace(claim("grey.example.com"), proxied=False)
    documents = {BLUE: configuration(rule("grey.example.com"), rule("well.example.com")), GREEN: configuration()}
    tunnels, zones = memory(documents, {ZONE: (grey, claim("well.example.com"), claim("empty.example.com"))})

    _, plan = await service(tunnels, zones).preview()

    assert [(each.action, each.hostname) for each in plan.decisions] == [(Action.UPDATE, "grey.example.com")]


async def test_an_explanation_knows_the_rule_that_wins() -> None:
    tunnels, zones = memory(
        {BLUE: configuration(rule("app.example.com")), GREEN: configuration()}, {ZONE: (claim("app.example.com"),)}
    )

    explained = await service(tunnels, zones).explain(Hostname("app.example.com"), "/")

    assert [(each.tunnel, each.number, each.verdict) for each in explained.candidates][:2] == [
        (BLUE, 1, "wins: the first rule that matches"),
        (BLUE, 2, "never reached: rule 1 takes the request before it"),
    ]


async def test_a_record_that_is_refused_keeps_no_other_from_going_live() -> None:
    tunnels, zones = memory()
    zones.quota = 1
    api = service(tunnels, zones)

    with pytest.raises(ChangesNotApplied, match=r"b.example.com: quota-exceeded"):
        await api.apply_changes(create(endpoint("a.example.com"), endpoint("b.example.com")))

    assert hosts(tunnels) == ["a.example.com", ""]


async def test_a_zone_that_fails_for_now_postpones_its_hostnames_only() -> None:
    tunnels, zones = memory(records={ZONE: (), OTHER: ()})

    class OneZoneFails(InMemoryZones):
        async def save(self, zone: Zone, batch: RecordBatch, /) -> tuple[()]:
            if zone == OTHER:
                message = "rate limited"
                raise TemporaryFailure(message)
            await InMemoryZones.save(self, zone, batch)
            return ()

    failing = OneZoneFails(zones.stored)
    api = service(tunnels, failing)

    with pytest.raises(TemporaryFailure, match="1 hostnames wait for the next sync: rate limited"):
        await api.apply_changes(create(endpoint("a.example.com"), endpoint("b.example.org")))

    assert hosts(tunnels) == ["a.example.com", ""]
    assert api.contact == Contact(1_000_000.0, "1 hostnames wait for the next sync: rate limited")


async def test_a_tunnel_that_refuses_for_good_rejects_its_hostnames_and_releases_none() -> None:
    tunnels, zones = memory(
        {BLUE: configuration(rule("app.example.com")), GREEN: configuration()}, {ZONE: (claim("app.example.com"),)}
    )
    refusing = SteppedTunnels(tunnels, fail(PermanentFailure("token may not write"), "before save"))
    api = service(refusing, zones)
    doomed = await api.records()

    with pytest.raises(ChangesNotApplied, match=r"app.example.com: refused: token may not write"):
        await api.apply_changes(Changes(delete=doomed))

    assert names(zones) == {"app.example.com"}


async def test_a_document_that_others_broke_is_reported_and_not_written() -> None:
    broken = configuration(rule("by-hand.example.com", "http://x/path"))
    tunnels, zones = memory({BLUE: broken, GREEN: configuration()})

    with pytest.raises(
        ChangesNotApplied, match="while cloudflared refuses what others put there: http://x/path is an invalid address"
    ):
        await service(tunnels, zones).apply_changes(create(endpoint()))

    assert tunnels.documents[BLUE] == (broken.text, 1)


async def test_a_document_that_is_none_fails_for_good() -> None:
    tunnels, zones = memory()
    tunnels.documents[BLUE] = ("[]", 1)

    with pytest.raises(PermanentFailure, match="not a JSON object"):
        await service(tunnels, zones).records()


class ForeignWriter(InMemoryTunnels):
    """Somebody else writes directly before each save, so many times."""

    times: int = 1

    async def save(self, tunnel: str, configuration: TunnelConfiguration, /) -> TunnelConfiguration:
        if self.times:
            self.times -= 1
            text, version = self.documents[tunnel]
            self.documents[tunnel] = (text, version + 1)
        return await InMemoryTunnels.save(self, tunnel, configuration)


async def test_a_foreign_write_is_noticed_and_the_document_looked_at_again(caplog: pytest.LogCaptureFixture) -> None:
    tunnels, zones = memory()
    contested = ForeignWriter(tunnels.documents)

    await service(contested, zones).apply_changes(create(endpoint()))

    assert "somebody else wrote the configuration of tunnel blue at the same time" in caplog.text
    assert hosts(contested) == ["app.example.com", ""]


async def test_endless_foreign_writes_end_after_three_tries() -> None:
    tunnels, zones = memory()
    contested = ForeignWriter(tunnels.documents)
    contested.times = 99

    class Eraser(ForeignWriter):
        async def load(self, tunnel: str, /) -> TunnelConfiguration:
            self.documents[tunnel] = (configuration().text, self.documents[tunnel][1])
            return await InMemoryTunnels.load(self, tunnel)

    erasing = Eraser(tunnels.documents)
    erasing.times = 99

    with pytest.raises(TemporaryFailure, match="gave up after 3 tries"):
        await service(erasing, zones).apply_changes(create(endpoint()))

    assert erasing.times == 96


async def test_a_move_goes_rule_record_rule() -> None:
    tunnels, zones = memory(
        {BLUE: configuration(rule("app.example.com", "http://app:8080")), GREEN: configuration()},
        {ZONE: (claim("app.example.com"),)},
    )
    api = service(tunnels, zones)

    await api.apply_changes(Changes(update_new=(endpoint("app.example.com", tunnel="green"),)))

    (stored,) = zones.stored[ZONE].values()
    assert (stored.tunnel, hosts(tunnels), hosts(tunnels, GREEN)) == (GREEN, [""], ["app.example.com", ""])


async def test_drift_is_told_in_the_log_and_as_a_property(caplog: pytest.LogCaptureFixture) -> None:
    tunnels, zones = memory(records={ZONE: (claim("app.example.com"),)})

    (reported,) = await service(tunnels, zones).records()

    assert reported.properties == (("webhook/drift", "no-rule"),)
    assert "app.example.com has drifted: no-rule" in caplog.text


async def test_only_its_own_hostnames_are_visible_to_an_owner() -> None:
    rules = (rule("a.example.com"), rule("b.example.com"))
    records: dict[Zone, tuple[DnsRecord, ...]] = {
        ZONE: (
            claim("a.example.com", owner="a"),
            claim("b.example.com", owner="b"),
            record("c.example.com", "1.2.3.4", "A"),
        )
    }
    tunnels, zones = memory({BLUE: configuration(*rules), GREEN: configuration()}, records)

    reported = await service(tunnels, zones, replace(POLICY, owner_id="a")).records()

    assert [each.dns_name for each in reported] == ["a.example.com"]


class SlowTunnels(InMemoryTunnels):
    """Answers only when told to."""

    release: asyncio.Event

    async def save(self, tunnel: str, configuration: TunnelConfiguration, /) -> TunnelConfiguration:
        await self.release.wait()
        return await InMemoryTunnels.save(self, tunnel, configuration)


def slow_service(deadline: float) -> tuple[TunnelService, SlowTunnels]:
    tunnels, zones = memory()
    slow = SlowTunnels(tunnels.documents)
    slow.release = asyncio.Event()
    return TunnelService(slow, zones, POLICY, Guard(), deadline=deadline, clock=lambda: 0.0), slow


async def test_at_the_deadline_the_caller_is_told_and_the_work_goes_on() -> None:
    api, slow = slow_service(deadline=0.05)

    with pytest.raises(TemporaryFailure, match=r"no result within 0.05 s .*: the work goes on"):
        await api.apply_changes(create(endpoint()))
    with pytest.raises(
        TemporaryFailure, match=r"no result within 0.05 s .*: an earlier one goes on, and this never began"
    ):
        await api.apply_changes(create(endpoint("late.example.com")))
    slow.release.set()
    await api.finish()

    assert hosts(slow) == ["app.example.com", ""]
    assert [each.dns_name for each in await api.records()] == ["app.example.com"]


async def test_records_waits_for_a_change_that_is_being_applied() -> None:
    api, slow = slow_service(deadline=5.0)
    applying = asyncio.create_task(api.apply_changes(create(endpoint())))
    await asyncio.sleep(0.01)
    asking = asyncio.create_task(api.records())
    await asyncio.sleep(0.01)
    assert not asking.done()

    slow.release.set()

    assert [each.dns_name for each in await asking] == ["app.example.com"]
    await applying


async def test_a_caller_that_leaves_stops_nothing() -> None:
    api, slow = slow_service(deadline=5.0)
    applying = asyncio.create_task(api.apply_changes(create(endpoint(), endpoint("bad.example.com", "ftp://x"))))
    await asyncio.sleep(0.01)

    applying.cancel()
    slow.release.set()
    await api.finish()

    assert hosts(slow) == ["app.example.com", ""]


async def test_every_change_is_told_at_debug(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    await service(*memory()).apply_changes(create(endpoint()))

    assert "create app.example.com" in caplog.text
    assert "applied: create 1" in caplog.text
