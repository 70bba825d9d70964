"""Moving in: hostnames of the Go webhook become ours on the first sync, and those made by hand only on request."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace

from doubles.cloudflare_adapters import ZONE, Cloudflare, cloudflare
from doubles.emulator import BLUE, GREEN, Emulator, Record, State, VirtualClock, seed
from doubles.go_reference import left_behind
from oracles.external_dns_planner import ExternalDns, is_empty
from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.domain.external_dns.endpoint import Endpoint
from vocabulary.builders import endpoint, service

pytestmark = pytest.mark.anyio

TO_BLUE = f"{BLUE}.cfargotunnel.com"
SERVICES = {
    "*.example.com": "http://ingress.prod:80",
    "app.example.com": "http://app.prod.svc.cluster.local:8080",
    "secure.example.com": "https://secure:8443",
    "ssh.example.com": "ssh://bastion:22",
    "socket.example.com": "unix:/run/app.sock",
    "gone.example.com": "http_status:410",
    "hello.example.com": "hello_world",
    "example.com": "http://apex:80",
    "long.example.com": f"http://{'l' * 60}.{'o' * 14}:8080",
}
BY_HAND = '{"note":"\\u00fc","service":"http://hand:80","hostname":"hand.example.com","originRequest":{"new":[1]}}'
DOCUMENT = (
    f'{{"x":1.50,"ingress":[{BY_HAND},{{"service":"http_status:404","originRequest":{{}}}}],'
    '"warp-routing":{"enabled":true}}'
)


def world(*records: Record, document: str = DOCUMENT) -> State:
    """Return an account that a person edits, too."""
    return (
        seed()
        .with_document(BLUE, document)
        .with_records("example.com", Record("www.example.com", "A", "192.0.2.1"), *records)
    )


def requested(names: dict[str, str]) -> tuple[Endpoint, ...]:
    """Return what external-dns requested from the Go webhook: the service as target, and a TTL without meaning."""
    return tuple(
        Endpoint(name, targets=(target,), ttl=1, labels={"resource": "ingress/prod/web"})
        for name, target in names.items()
    )


@asynccontextmanager
async def moving_in(state: State, owner: str = "") -> AsyncIterator[tuple[Cloudflare, ExternalDns]]:
    """Yield the adapters on a state, and external-dns with the txt registry, or with noop if it has no owner id."""
    async with cloudflare(Emulator(state, VirtualClock())) as adapters:
        yield adapters, ExternalDns(service(adapters.tunnels, adapters.zones), owner)


def without_comments(state: State) -> dict[str, Record]:
    """Return the records of the zone without what a new comment changes."""
    return {
        key: replace(record, comment=None, modified_on="", comment_modified_on=None)
        for key, record in state.zones[ZONE.id].records.items()
    }


def comments(state: State) -> dict[str, str | None]:
    return {record.name: record.comment for record in state.zones[ZONE.id].records.values()}


@pytest.mark.parametrize("owner", ["", "home"], ids=["noop", "txt"])
async def test_hostnames_of_the_go_webhook_are_ours_after_one_sync_and_only_comments_have_changed(owner: str) -> None:
    before = left_behind(world(), SERVICES)
    # With a longer comment the Go webhook cannot publish a hostname.
    assert max(len(comment or "") for comment in comments(before).values()) == 100
    async with moving_in(before, owner) as (cloud, dns):
        assert await dns.sync(requested(SERVICES)) == ()

        after = cloud.emulator.state
        assert after.tunnels == before.tunnels
        assert without_comments(after) == without_comments(before)
        marker = f"heritage=tunnel-webhook,owner={owner or 'default'},resource=ingress/prod/web"
        assert comments(after) == {"www.example.com": None, **dict.fromkeys(SERVICES, marker)}
        assert cloud.calls_to("PUT") == 0
        assert cloud.calls_to("POST", "batch") == 1

        assert is_empty(await dns.plan(requested(SERVICES)))


@pytest.mark.parametrize("owner", ["", "home"], ids=["noop", "txt"])
async def test_after_the_move_hostnames_are_changed_and_deleted_like_any_other(owner: str) -> None:
    async with moving_in(left_behind(world(), SERVICES), owner) as (cloud, dns):
        await dns.sync(requested(SERVICES))
        changed = {"app.example.com": "https://app:443"}
        assert await dns.sync(requested(changed)) == ()
        assert is_empty(await dns.plan(requested(changed)))
        assert set(comments(cloud.emulator.state)) == {"www.example.com", "app.example.com"}
        assert await dns.sync(()) == ()
        assert cloud.emulator.state.document(BLUE) == DOCUMENT
        assert cloud.emulator.state.zones == world().zones


async def test_hostnames_that_are_not_requested_stay_as_the_go_webhook_left_them() -> None:
    before = left_behind(world(), SERVICES)
    async with moving_in(before) as (cloud, dns):
        app = {"app.example.com": SERVICES["app.example.com"]}
        await dns.sync(requested(app))
        await dns.sync(())
        after = comments(cloud.emulator.state)
        assert after == {name: comment for name, comment in comments(before).items() if name != "app.example.com"}
        assert cloud.emulator.state.document(BLUE) == left_behind(
            world(), {name: target for name, target in SERVICES.items() if name not in app}
        ).document(BLUE)


async def test_a_thousand_hostnames_move_in_one_batch() -> None:
    many = {f"app-{number}.example.com": f"http://app-{number}:80" for number in range(1000)}
    before = left_behind(world(), many)
    async with moving_in(before) as (cloud, dns):
        assert await dns.sync(requested(many)) == ()
        assert cloud.emulator.state.tunnels == before.tunnels
        assert cloud.calls_to("PUT") == 0
        assert cloud.calls_to("POST", "batch") == 1


async def test_a_wildcard_that_the_go_webhook_put_before_a_hostname_it_shadows_moves_behind_it_at_once() -> None:
    # The Go webhook puts the newest rule first, so that no request ever reached app.example.com.
    shadowing = {"app.example.com": "http://app:80", "*.example.com": "http://any:80"}
    before = left_behind(world(), shadowing)
    async with moving_in(before) as (cloud, dns):
        assert await dns.sync(requested(shadowing)) == ()
        assert [rule.hostname for rule in (await cloud.tunnels.load(BLUE)).rules] == [
            "hand.example.com",
            "app.example.com",
            "*.example.com",
            "",
        ]
        assert is_empty(await dns.plan(requested(shadowing)))


@pytest.mark.parametrize(
    "record",
    [
        pytest.param((), id="without-a-record"),
        pytest.param(
            (Record("hand.example.com", "CNAME", TO_BLUE, proxied=True, comment="by hand", ttl=1),),
            id="with-its-record",
        ),
    ],
)
@pytest.mark.parametrize("owner", ["", "home"], ids=["noop", "txt"])
async def test_an_equal_rule_made_by_hand_is_adopted_unchanged(record: tuple[Record, ...], owner: str) -> None:
    before = world(*record, document=DOCUMENT.replace(',"originRequest":{"new":[1]}', ""))
    same = requested({"hand.example.com": "http://hand:80"})
    async with moving_in(before, owner) as (cloud, dns):
        assert await dns.sync(same) == ()
        assert cloud.emulator.state.tunnels == before.tunnels
        assert (comments(cloud.emulator.state)["hand.example.com"] or "").startswith("heritage=tunnel-webhook,")
        assert is_empty(await dns.plan(same))


@pytest.mark.parametrize("owner", ["", "home"], ids=["noop", "txt"])
async def test_a_different_rule_made_by_hand_is_taken_over_only_on_request(owner: str) -> None:
    before = world(Record("hand.example.com", "CNAME", TO_BLUE, proxied=True, comment="by hand"))
    async with moving_in(before, owner) as (cloud, dns):
        (rejection,) = await dns.sync((endpoint("hand.example.com", "http://new:80"),))
        assert rejection.hostname == "hand.example.com"
        assert rejection.reason is Reason.RULE_CONFLICT
        assert cloud.emulator.state == before

        adopting = (endpoint("hand.example.com", "http://new:80", adopt="true"),)
        assert await dns.sync(adopting) == ()
        hand = BY_HAND.replace("http://hand:80", "http://new:80")
        assert cloud.emulator.state.document(BLUE) == DOCUMENT.replace(BY_HAND, hand)
        assert is_empty(await dns.plan(adopting))


async def test_a_hostname_of_the_go_webhook_in_a_foreign_tunnel_is_left_alone() -> None:
    elsewhere = "ffffffff-0000-4000-8000-000000000000.cfargotunnel.com"
    before = world(Record("app.example.com", "CNAME", elsewhere, proxied=True, comment="external-dns/http://app:80"))
    async with moving_in(before) as (cloud, dns):
        (rejection,) = await dns.sync((endpoint("app.example.com", "http://app:80", adopt="true"),))
        assert rejection.reason == Reason.RECORD_CONFLICT
        assert cloud.emulator.state == before


async def test_a_hostname_of_the_go_webhook_moves_in_before_it_moves_to_another_tunnel() -> None:
    app = {"app.example.com": "http://app:80"}
    async with moving_in(left_behind(world(), app)) as (cloud, dns):
        (rejection,) = await dns.sync((endpoint("app.example.com", "http://app:80", tunnel="green"),))
        assert rejection.reason == Reason.RECORD_CONFLICT
        assert await dns.sync(requested(app)) == ()
        assert await dns.sync((endpoint("app.example.com", "http://app:80", tunnel="green"),)) == ()
        assert cloud.emulator.state.document(BLUE) == DOCUMENT
        assert '"app.example.com"' in cloud.emulator.state.document(GREEN)
