"""Gathering: what is known of each tunnel, whatever else fails."""

import pytest

from doubles.lying import LyingTunnels
from doubles.steps import SteppedZones, fail
from tunnel_webhook.adapters.memory import InMemoryTunnels, InMemoryZones, NoLock
from tunnel_webhook.application import Documents, Gathering, SyncLog
from tunnel_webhook.ports import TemporaryFailure, TunnelMissing
from vocabulary.builders import BLUE, GREEN, POLICY, ZONE, claim, configuration, memory, rule

pytestmark = pytest.mark.anyio

APP = "app.example.com"
PUBLISHED = {BLUE: configuration(rule(APP, "http://app:8080")), GREEN: configuration()}


def gathering(tunnels: InMemoryTunnels | LyingTunnels, zones: InMemoryZones | SteppedZones) -> Gathering:
    documents = Documents(tunnels, NoLock(), POLICY, lambda: 0.0, SyncLog(POLICY))
    return Gathering(documents, zones, POLICY)


async def test_a_true_answer_ends_a_doubt_even_if_the_records_cannot_be_read() -> None:
    tunnels, zones = memory(PUBLISHED, {ZONE: (claim(APP),)})
    lying, stepped = LyingTunnels(tunnels), SteppedZones(zones)
    gathers = gathering(lying, stepped)
    await gathers.gather()
    lying.left = 2
    assert (await gathers.gather()).states[BLUE].failure
    stepped.step = fail(TemporaryFailure("rate limited"), at="before load")
    with pytest.raises(TemporaryFailure, match="rate limited"):
        await gathers.gather()
    assert not gathers.documents.believe({})
    beliefs = await gathers.documents.read()
    assert gathers.documents.believe(beliefs)[BLUE].failure is None


async def test_before_the_claims_are_known_an_empty_first_answer_is_in_doubt() -> None:
    tunnels, zones = memory({BLUE: configuration(), GREEN: configuration()})
    tunnels.documents[BLUE] = ("null", 1)
    documents = gathering(tunnels, zones).documents
    assert documents.believe(await documents.read())[BLUE].failure


async def test_a_second_tunnel_that_does_not_exist_fails_no_question_unless_a_hostname_points_there() -> None:
    tunnels, zones = memory(PUBLISHED, {ZONE: (claim(APP),)})
    del tunnels.documents[GREEN]
    assert (await gathering(tunnels, zones).existing()).claims.keys() == {APP}
    zones.stored[ZONE] = {record.id: record for record in (claim(APP), claim("moved.example.com", GREEN))}
    with pytest.raises(TunnelMissing, match=GREEN):
        await gathering(tunnels, zones).existing()


async def test_the_default_tunnel_has_to_exist() -> None:
    tunnels, zones = memory(PUBLISHED)
    del tunnels.documents[BLUE]
    with pytest.raises(TunnelMissing, match=BLUE):
        await gathering(tunnels, zones).existing()
