"""The contract of WebhookAPI: the same suite on the service itself, and on the service seen through HTTP."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from doubles.http_client import HttpWebhookAPI, connect
from doubles.steps import SteppedTunnels, fail
from tunnel_webhook.adapters.http.webhook import create_webhook_app
from tunnel_webhook.adapters.memory import InMemoryTunnels, InMemoryZones
from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.external_dns.endpoint import Changes
from tunnel_webhook.ports import ChangesNotApplied, PermanentFailure, TemporaryFailure, WebhookAPI
from vocabulary.builders import BLUE, POLICY, ZONE, claim, configuration, endpoint, memory, record, rule, service

pytestmark = pytest.mark.anyio

BY_HAND = rule("by-hand.example.com", "http://by-hand:80", noTLSVerify=True)
FOREIGN = record("mail.example.com", "192.0.2.1", "A")


@pytest.fixture
def driven() -> tuple[InMemoryTunnels, InMemoryZones]:
    """Return the driven ports: the side door through which this suite looks and breaks things."""
    empty = configuration()
    return memory({BLUE: configuration(BY_HAND), POLICY.tunnels[1].id: empty}, {ZONE: (FOREIGN,)})


@pytest.fixture
def tunnels(driven: tuple[InMemoryTunnels, InMemoryZones]) -> SteppedTunnels:
    """Return the tunnels with steps at which they can fail."""
    return SteppedTunnels(driven[0])


@pytest.fixture(params=["direct", "through HTTP"])
async def api(
    request: pytest.FixtureRequest, driven: tuple[InMemoryTunnels, InMemoryZones], tunnels: SteppedTunnels
) -> AsyncIterator[WebhookAPI]:
    """Return the port under examination."""
    direct = service(tunnels, driven[1])
    if request.param == "direct":
        yield direct
    else:
        async with HttpWebhookAPI(connect(create_webhook_app(direct))) as through_http:
            yield through_http


def bystanders(driven: tuple[InMemoryTunnels, InMemoryZones]) -> tuple[list[str], bool]:
    tunnels, zones = driven
    rules = TunnelConfiguration.parse(*tunnels.documents[BLUE]).rules
    return [each.text for each in rules if each.text == BY_HAND.text], FOREIGN in zones.stored[ZONE].values()


async def test_the_domain_filter_is_told(api: WebhookAPI) -> None:
    assert api.domain_filter() == POLICY.domain_filter


async def test_nothing_is_published_at_first_whatever_others_made(api: WebhookAPI) -> None:
    assert await api.records() == ()


async def test_what_is_adjusted_and_applied_is_what_is_reported(api: WebhookAPI) -> None:
    wanted = await api.adjust_endpoints(
        (
            endpoint("B.example.com.", "HTTP://B:80/", resource="service/prod/b", no_tls_verify="TRUE"),
            endpoint("a.example.com", path="/api"),
            endpoint("a.example.com"),
        )
    )

    await api.apply_changes(Changes(create=wanted))

    reported = await api.records()
    assert [(each.dns_name, each.set_identifier, each.targets, each.properties) for each in reported] == [
        (each.dns_name, each.set_identifier, each.targets, each.properties) for each in wanted
    ]
    assert await api.adjust_endpoints(reported) == reported


async def test_bystanders_survive_a_creation_and_a_deletion(
    api: WebhookAPI, driven: tuple[InMemoryTunnels, InMemoryZones]
) -> None:
    await api.apply_changes(Changes(create=(endpoint("*.example.com"), endpoint("app.example.com"))))
    await api.apply_changes(Changes(delete=await api.records()))

    assert bystanders(driven) == ([BY_HAND.text], True)


async def test_applying_the_same_twice_does_nothing_the_second_time(
    api: WebhookAPI, driven: tuple[InMemoryTunnels, InMemoryZones]
) -> None:
    await api.apply_changes(Changes(create=(endpoint(),)))
    before = dict(driven[0].documents)

    await api.apply_changes(Changes(create=(endpoint(),)))

    assert driven[0].documents == before


async def test_one_bad_endpoint_keeps_no_good_one_from_going_live(api: WebhookAPI) -> None:
    with pytest.raises(ChangesNotApplied):
        await api.apply_changes(Changes(create=(endpoint("good.example.com"), endpoint("mail.example.com"))))

    assert [each.dns_name for each in await api.records()] == ["good.example.com"]


@pytest.mark.parametrize("failure", [TemporaryFailure("come back later"), PermanentFailure("the token may not read")])
async def test_records_fails_rather_than_returning_a_part(
    api: WebhookAPI, driven: tuple[InMemoryTunnels, InMemoryZones], tunnels: SteppedTunnels, failure: Exception
) -> None:
    published = claim("app.example.com")
    driven[1].stored[ZONE][published.id] = published
    tunnels.step = fail(failure)

    with pytest.raises(type(failure)):
        await api.records()


async def test_an_unpublishable_endpoint_is_returned_marked(api: WebhookAPI) -> None:
    (marked,) = await api.adjust_endpoints((endpoint("bad.example.com", "ftp://x"),))

    assert (marked.dns_name, dict(marked.properties)) == ("bad.example.com", {"webhook/invalid": "invalid-service"})


async def test_changes_at_the_same_time_are_applied_one_after_the_other(api: WebhookAPI) -> None:
    await asyncio.gather(
        *(api.apply_changes(Changes(create=(endpoint(f"h{number}.example.com"),))) for number in range(10))
    )

    assert len(await api.records()) == 10
