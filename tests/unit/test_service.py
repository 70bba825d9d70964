"""The four verbs: what external-dns gets, what is applied, and what is raised for the rest."""

import logging
from dataclasses import replace

import pytest

from doubles.steps import SteppedTunnels, SteppedZones, fail, pass_by
from tunnel_webhook.adapters.memory import InMemoryTunnels, InMemoryZones
from tunnel_webhook.application import TunnelService
from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.dns import RecordBatch, Zone
from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint
from tunnel_webhook.domain.planning.guard import Guard
from tunnel_webhook.ports import ChangesNotApplied, PermanentFailure, Readiness, Refusal, TemporaryFailure
from vocabulary.builders import BLUE, GREEN, POLICY, ZONE, claim, configuration, endpoint, memory, record, rule, service

pytestmark = pytest.mark.anyio

OTHER = Zone("example.org", "zone-example.org")
APP = "app.example.com"
LIMITED = TemporaryFailure("rate limited")


def create(*endpoints: Endpoint) -> Changes:
    return Changes(create=endpoints)


def names(zones: InMemoryZones) -> set[str]:
    return {each.name for each in zones.stored[ZONE].values()}


def hosts(tunnels: InMemoryTunnels) -> list[str]:
    text, version = tunnels.documents[BLUE]
    return [each.hostname for each in TunnelConfiguration.parse(text, version).rules]


def published(number: int) -> tuple[InMemoryTunnels, InMemoryZones]:
    """Return ports that hold so many published hostnames."""
    hostnames = [f"h{index}.example.com" for index in range(number)]
    documents = {BLUE: configuration(*map(rule, hostnames)), GREEN: configuration()}
    return memory(documents, {ZONE: tuple(map(claim, hostnames))})


# What external-dns gets.


async def test_a_created_hostname_is_claimed_routed_and_reported() -> None:
    tunnels, zones = memory()
    api = service(tunnels, zones)

    await api.apply_changes(create(endpoint(resource="service/prod/app")))

    assert names(zones) == {APP}
    assert hosts(tunnels) == [APP, ""]
    (reported,) = await api.records()
    assert reported.targets == ("http://app:8080",)
    assert reported.labels == {"owner": "default", "resource": "service/prod/app"}


async def test_a_deleted_hostname_leaves_nothing_behind() -> None:
    tunnels, zones = memory()
    before = tunnels.documents[BLUE][0], dict(zones.stored[ZONE])
    api = service(tunnels, zones)
    await api.apply_changes(create(endpoint()))

    await api.apply_changes(Changes(delete=await api.records()))

    assert (tunnels.documents[BLUE][0], zones.stored[ZONE]) == before


async def test_applying_the_same_changes_again_writes_nothing() -> None:
    tunnels, zones = memory()
    await service(tunnels, zones).apply_changes(create(endpoint()))
    read_only = fail(PermanentFailure("must not be written"), at="before save")

    await service(SteppedTunnels(tunnels, read_only), SteppedZones(zones, read_only)).apply_changes(create(endpoint()))

    assert hosts(tunnels) == [APP, ""]


async def test_the_domain_filter_is_the_one_of_the_policy() -> None:
    assert service(*memory()).domain_filter() == POLICY.domain_filter


async def test_an_instance_with_an_owner_id_reports_only_its_own_hostnames() -> None:
    rules = (rule("a.example.com"), rule("b.example.com"))
    records = (
        claim("a.example.com", owner="a"),
        claim("b.example.com", owner="b"),
        record("c.example.com", "1.2.3.4", "A"),
    )
    tunnels, zones = memory({BLUE: configuration(*rules), GREEN: configuration()}, {ZONE: records})
    reported = await service(tunnels, zones, replace(POLICY, owner_id="a")).records()
    assert [each.dns_name for each in reported] == ["a.example.com"]


async def test_drift_is_reported_as_a_property_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    (reported,) = await service(*memory(records={ZONE: (claim(APP),)})).records()
    assert reported.properties == (("webhook/drift", "no-rule"),)
    assert "app.example.com has drifted: no-rule" in caplog.text


async def test_adjusting_names_what_cannot_be_published_and_drops_what_cannot_be_tunnelled(
    caplog: pytest.LogCaptureFixture,
) -> None:
    asked = (endpoint("bad.example.com", "ftp://x"), endpoint("mx.example.com", record_type="MX"))
    (adjusted,) = await service(*memory()).adjust_endpoints(asked)
    assert adjusted.dns_name == "bad.example.com"
    assert dict(adjusted.properties) == {"webhook/invalid": "invalid-service"}
    assert "cannot publish bad.example.com (unknown resource): invalid-service" in caplog.text


# What is not applied.


async def test_a_rejection_is_raised_after_everything_else_is_applied() -> None:
    tunnels, zones = memory()
    with pytest.raises(ChangesNotApplied, match=r"bad.example.com: invalid-service: ") as error:
        await service(tunnels, zones).apply_changes(create(endpoint(), endpoint("bad.example.com", "ftp://x")))
    assert [rejection.reason for rejection in error.value.rejections] == ["invalid-service"]
    assert hosts(tunnels) == [APP, ""]


async def test_the_sentences_of_several_rejections_are_separated() -> None:
    bad = (endpoint("a.example.com", path="x"), endpoint("b.example.com", tunnel="red"))
    with pytest.raises(ChangesNotApplied, match=r"^a.example.com: invalid-path: .*; b.example.com: unknown-tunnel: "):
        await service(*memory()).apply_changes(create(*bad))


async def test_a_rejection_raises_nothing_where_the_operator_wants_it_reported_only() -> None:
    api = service(*memory(), fail_on_rejection=False)
    await api.apply_changes(create(endpoint("bad.example.com", "ftp://x")))


async def test_an_invalid_name_is_rejected_and_its_deletion_ignored() -> None:
    nameless = endpoint("not a name")
    with pytest.raises(ChangesNotApplied, match="invalid-hostname") as error:
        await service(*memory()).apply_changes(Changes(create=(nameless,), delete=(nameless,)))
    assert len(error.value.rejections) == 1


@pytest.mark.parametrize(
    ("deleted", "sentence"),
    [
        (6, r"6 deletions are withheld \(h0.*h5.example.com\): 6 of 8 hostnames "),
        (1, r"1 deletion is withheld \(h0.exa"),
    ],
)
async def test_deletions_beyond_the_limit_are_withheld_and_the_rest_is_applied(deleted: int, sentence: str) -> None:
    tunnels, zones = published(8)
    api = replace(service(tunnels, zones, fail_on_rejection=False), guard=Guard(deleted - 1, 0.0))
    doomed = (await api.records())[:deleted]
    with pytest.raises(ChangesNotApplied, match=sentence) as error:
        await api.apply_changes(Changes(create=(endpoint(),), delete=doomed))
    assert len(error.value.withheld) == deleted
    assert len(names(zones)) == 9


class OtherZoneFails(InMemoryZones):
    """Zones of which example.org cannot be written for now."""

    async def save(self, zone: Zone, batch: RecordBatch, /) -> tuple[Refusal, ...]:
        if zone == OTHER:
            raise LIMITED
        return await InMemoryZones.save(self, zone, batch)


@pytest.mark.parametrize(
    ("failing", "sentence", "logged"),
    [
        (["c.example.org"], "1 hostname waits for the next sync: rate limited", "waiting 1"),
        (["c.example.org", "d.example.org"], "2 hostnames wait for the next sync: rate limited", "waiting 2"),
    ],
    ids=["one", "two"],
)
async def test_the_failure_and_the_log_count_the_same_hostnames_that_wait(
    failing: list[str], sentence: str, logged: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    tunnels, zones = memory(records={ZONE: (), OTHER: ()})
    refusing = OtherZoneFails(zones.stored, quota=1)
    asked = create(*map(endpoint, ["a.example.com", "b.example.com", *failing]))

    with pytest.raises(TemporaryFailure, match=f"^{sentence}$"):
        await service(tunnels, refusing).apply_changes(asked)

    assert f"applied: create 1, rejected 1, {logged}" in caplog.text
    assert "rejected b.example.com (unknown resource): quota-exceeded" in caplog.text


async def test_a_document_that_is_not_an_object_fails_for_good() -> None:
    tunnels, zones = memory(records={ZONE: (claim(APP),)})
    tunnels.documents[BLUE] = ("[]", 1)
    with pytest.raises(PermanentFailure, match="not a JSON object"):
        await service(tunnels, zones).records()


# Tunnels that cannot be relied on.


PUBLISHED = {BLUE: configuration(rule(APP, "http://app:8080"), version=7), GREEN: configuration()}


async def test_records_in_doubt_reports_the_document_last_believed() -> None:
    tunnels, zones = memory(PUBLISHED, {ZONE: (claim(APP),)})
    api = service(tunnels, zones)
    before = await api.records()
    tunnels.documents[BLUE] = ("{}", 0)
    assert await api.records() == before
    assert before[0].targets == ("http://app:8080",)


async def test_records_of_a_tunnel_that_fails_are_those_last_believed() -> None:
    tunnels, zones = memory(PUBLISHED, {ZONE: (claim(APP),)})
    stepped = SteppedTunnels(tunnels)
    api = service(stepped, zones)
    before = await api.records()
    stepped.step = fail(LIMITED)
    assert await api.records() == before


async def test_changes_to_a_tunnel_in_doubt_wait_and_the_rest_goes_on() -> None:
    tunnels, zones = memory(PUBLISHED, {ZONE: (claim(APP),)})
    api = service(tunnels, zones)
    await api.records()
    tunnels.documents[BLUE] = ("{}", 8)
    asked = Changes(create=(endpoint("new.example.com", tunnel="green"),), delete=(endpoint(),))
    with pytest.raises(
        TemporaryFailure, match=r"^1 hostname waits for the next sync: the answer about tunnel .* doubt"
    ):
        await api.apply_changes(asked)
    assert tunnels.documents[BLUE] == ("{}", 8)
    assert names(zones) == {APP, "new.example.com"}
    assert "new.example.com" in tunnels.documents[GREEN][0]


async def test_records_fails_if_nothing_was_ever_believed_of_a_tunnel_with_a_visible_claim() -> None:
    tunnels, zones = memory(PUBLISHED, {ZONE: (claim(APP),)})
    with pytest.raises(TemporaryFailure, match="rate limited"):
        await service(SteppedTunnels(tunnels, fail(LIMITED)), zones).records()


async def test_records_does_not_fail_for_a_tunnel_with_only_claims_of_other_owners() -> None:
    tunnels, zones = memory(PUBLISHED, {ZONE: (claim(APP, owner="them"),)})
    stepped = SteppedTunnels(tunnels, fail(LIMITED))
    assert await service(stepped, zones, replace(POLICY, owner_id="us")).records() == ()


async def test_an_empty_first_answer_is_not_reported_while_an_old_claim_points_at_the_tunnel() -> None:
    old = replace(claim(APP), created=1000.0)
    tunnels, zones = memory({BLUE: TunnelConfiguration(), GREEN: configuration()}, {ZONE: (old,)})
    zones.clock = lambda: 1601.0
    with pytest.raises(TemporaryFailure, match="it is empty, although hostnames have been published through it"):
        await service(tunnels, zones).records()
    zones.clock = lambda: 1600.0
    (reported,) = await service(tunnels, zones).records()
    assert reported.properties == (("webhook/drift", "no-rule"),)


async def test_a_missing_tunnel_without_hostnames_fails_no_sync() -> None:
    tunnels, zones = memory(PUBLISHED, {ZONE: (claim(APP),)})
    del tunnels.documents[GREEN]
    api = service(tunnels, zones)
    assert [each.dns_name for each in await api.records()] == [APP]
    await api.apply_changes(create(endpoint("new.example.com")))
    assert hosts(tunnels) == [APP, "new.example.com", ""]


async def test_a_hostname_of_a_missing_tunnel_is_reported_as_drifted_and_can_be_deleted() -> None:
    tunnels, zones = memory(PUBLISHED, {ZONE: (claim("gone.example.com", GREEN),)})
    del tunnels.documents[GREEN]
    api = service(tunnels, zones)
    (reported,) = await api.records()
    assert reported.properties == (("webhook/drift", "no-rule"),)
    await api.apply_changes(Changes(delete=(reported,)))
    assert names(zones) == set()


# Releases.


class Clock:
    """A time in seconds since the epoch that a test sets."""

    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def releasing_service(tunnels: InMemoryTunnels, zones: InMemoryZones) -> tuple[TunnelService, Clock]:
    """Return a service that keeps a released record for two minutes, and the time."""
    clock = Clock()
    zones.clock = clock
    return service(tunnels, zones, release_delay=120.0, clock=clock), clock


async def test_a_deleted_hostname_is_no_longer_reported_and_its_record_is_deleted_after_the_delay() -> None:
    tunnels, zones = memory(PUBLISHED, {ZONE: (claim(APP),)})
    api, clock = releasing_service(tunnels, zones)
    await api.apply_changes(Changes(delete=await api.records()))
    assert hosts(tunnels) == [""]
    for seconds in (0.0, 119.0):
        clock.now += seconds
        assert await api.records() == ()
        await api.turns.finish()
        assert names(zones) == {APP}
    clock.now += 1.0
    assert await api.records() == ()
    await api.turns.finish()
    assert names(zones) == set()


async def test_a_rule_that_comes_back_is_removed_after_records_and_the_delay_begins_again() -> None:
    tunnels, zones = memory(PUBLISHED, {ZONE: (claim(APP),)})
    api, clock = releasing_service(tunnels, zones)
    late = tunnels.documents[BLUE][0]
    await api.apply_changes(Changes(delete=await api.records()))
    tunnels.documents[BLUE] = (late, tunnels.documents[BLUE][1] + 1)
    clock.now += 100.0
    assert await api.records() == ()
    await api.turns.finish()
    assert hosts(tunnels) == [""]
    (record,) = zones.stored[ZONE].values()
    assert record.comment == f"heritage=tunnel-webhook,owner=default,paths=.,releasing={clock.now:.0f}"


async def test_records_does_not_wait_for_the_releases_and_the_next_request_does() -> None:
    tunnels, zones = memory(PUBLISHED, {ZONE: (claim(APP),)})
    api, clock = releasing_service(tunnels, zones)
    await api.apply_changes(Changes(delete=await api.records()))
    clock.now += 120.0
    assert await api.records() == ()
    assert names(zones) == {APP}
    assert await api.records() == ()
    assert names(zones) == set()


async def test_the_end_of_the_process_waits_for_the_releases() -> None:
    tunnels, zones = memory(PUBLISHED, {ZONE: (claim(APP),)})
    api, clock = releasing_service(tunnels, zones)
    await api.apply_changes(Changes(delete=await api.records()))
    clock.now += 120.0
    await api.records()
    await api.turns.finish()
    assert names(zones) == set()


async def test_a_dry_run_finishes_no_release(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    record = replace(claim(APP), comment="heritage=tunnel-webhook,owner=default,releasing=0")
    tunnels, zones = memory(PUBLISHED, {ZONE: (record,)})
    api = replace(releasing_service(tunnels, zones)[0], dry_run=True)
    await api.records()
    await api.turns.finish()
    assert hosts(tunnels) == [APP, ""]
    assert list(zones.stored[ZONE].values()) == [record]
    assert "applied" not in caplog.text


async def test_releases_are_logged_like_an_apply(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    tunnels, zones = memory(PUBLISHED, {ZONE: (claim(APP),)})
    api, clock = releasing_service(tunnels, zones)
    await api.apply_changes(Changes(delete=await api.records()))
    clock.now += 120.0
    await api.records()
    await api.turns.finish()
    assert "applied: forget 1" in caplog.text


async def test_a_release_that_waits_is_tried_again_by_the_next_sync(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    tunnels, zones = memory(PUBLISHED, {ZONE: (claim(APP),)})
    stepped = SteppedZones(zones)
    clock = Clock()
    zones.clock = clock
    api = service(tunnels, stepped, release_delay=120.0, clock=clock)
    await api.apply_changes(Changes(delete=await api.records()))
    clock.now += 120.0
    stepped.step = fail(LIMITED, at="before save")
    assert await api.records() == ()
    await api.turns.finish()
    assert names(zones) == {APP}
    assert "nothing applied: waiting 1" in caplog.text
    stepped.step = pass_by
    await api.records()
    await api.turns.finish()
    assert names(zones) == set()


async def test_a_hostname_that_is_created_again_while_it_is_released_goes_live_at_once() -> None:
    tunnels, zones = memory(PUBLISHED, {ZONE: (claim(APP),)})
    api, _ = releasing_service(tunnels, zones)
    before = await api.records()
    await api.apply_changes(Changes(delete=before))
    await api.apply_changes(Changes(create=before))
    assert await api.records() == before
    (record,) = zones.stored[ZONE].values()
    assert record.id != claim(APP).id


# Dry run, log and readiness.


async def test_a_dry_run_logs_what_would_change_and_writes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    tunnels, zones = memory()
    await service(tunnels, zones, dry_run=True).apply_changes(create(endpoint()))
    assert hosts(tunnels) == [""]
    assert names(zones) == set()
    assert "would create app.example.com" in caplog.text
    assert "dry run, would apply: create 1" in caplog.text


async def test_every_change_is_named_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await service(*memory()).apply_changes(create(endpoint(resource="service/prod/app")))
    assert caplog.messages == [
        "created app.example.com (service/prod/app): http://app:8080",
        "applied: create 1",
    ]


async def test_readiness_is_the_last_contact_with_the_ports() -> None:
    tunnels, zones = memory()
    stepped = SteppedZones(zones)
    api = service(tunnels, stepped)
    assert api.contact.readiness() == Readiness(ready=True, sentence="the backend has not been asked yet")

    await api.records()
    assert api.contact.readiness() == Readiness(ready=True, sentence="the backend answered", seconds_since_contact=0.0)

    stepped.step = fail(LIMITED)
    with pytest.raises(TemporaryFailure):
        await api.records()
    assert api.contact.readiness() == Readiness(ready=False, sentence="rate limited", seconds_since_contact=0.0)


async def test_rejected_changes_are_an_answer_of_the_ports() -> None:
    api = service(*memory())
    with pytest.raises(ChangesNotApplied):
        await api.apply_changes(create(endpoint("bad.example.com", "ftp://x")))
    assert api.contact.readiness().ready
