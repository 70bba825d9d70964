"""Moving in: hostnames that the Go webhook made become ours on the first sync, and those made by hand only where that is asked."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace

from doubles.cloudflare_adapters import ZONE, Cloudflare, cloudflare
from doubles.emulator import BLUE, GREEN, Emulator, Record, State, seed
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
DOCUMENT = f'{{"x":1.50,"ingress":[{BY_HAND},{{"service":"http_status:404","originRequest":{{}}}}],"warp-routing":{{"enabled":true}}}}'


def world(*records: Record, document: str = DOCUMENT) -> State:
    """Return an account in which a person works beside us."""
    return (
        seed()
        .with_document(BLUE, document)
        .with_records("example.com", Record("www.example.com", "A", "192.0.2.1"), *records)
    )


def wanted(names: dict[str, str]) -> tuple[Endpoint, ...]:
    """Return what external-dns asked the Go webhook for: the service as the target, and a TTL that means nothing."""
    return tuple(
        Endpoint(name, targets=(target,), ttl=1, labels={"resource": "ingress/prod/web"})
        for name, target in names.items()
    )


@asynccontextmanager
async def moving_in(state: State, owner: str = "") -> AsyncIterator[tuple[Cloudflare, ExternalDns]]:
    """Yield the adapters on this state, and external-dns with the txt registry where it has an owner id, else with noop."""
    async with cloudflare(Emulator(state)) as adapters:
        yield adapters, ExternalDns(service(adapters.tunnels, adapters.zones), owner)


def less_the_comments(state: State) -> dict[str, Record]:
    """Return the records of the zone without what a new comment changes."""
    records = state.zones[ZONE.id].records
    return {key: replace(each, comment=None, modified_on="", comment_modified_on=None) for key, each in records.items()}


def comments(state: State) -> dict[str, str | None]:
    return {each.name: each.comment for each in state.zones[ZONE.id].records.values()}


@pytest.mark.parametrize("owner", ["", "home"], ids=["noop", "txt"])
async def test_what_the_go_webhook_left_is_ours_after_one_sync_and_only_comments_have_changed(owner: str) -> None:
    before = left_behind(world(), SERVICES)
    assert (
        max(len(comment or "") for comment in comments(before).values()) == 100
    )  # more, and the Go webhook cannot publish it
    async with moving_in(before, owner) as (cloud, dns):
        assert await dns.sync(wanted(SERVICES)) == ()

        after = cloud.emulator.state
        assert after.tunnels == before.tunnels
        assert less_the_comments(after) == less_the_comments(before)
        marker = f"heritage=tunnel-webhook,owner={owner or 'default'},resource=ingress/prod/web"
        assert comments(after) == {"www.example.com": None, **dict.fromkeys(SERVICES, marker)}
        assert (cloud.calls_to("PUT", ""), cloud.calls_to("POST", "batch")) == (0, 1)

        assert is_empty(await dns.plan(wanted(SERVICES)))


@pytest.mark.parametrize("owner", ["", "home"], ids=["noop", "txt"])
async def test_after_the_move_hostnames_change_and_go_like_any_other(owner: str) -> None:
    async with moving_in(left_behind(world(), SERVICES), owner) as (cloud, dns):
        await dns.sync(wanted(SERVICES))
        changed = {"app.example.com": "https://app:443"}
        assert await dns.sync(wanted(changed)) == ()
        assert is_empty(await dns.plan(wanted(changed)))
        assert set(comments(cloud.emulator.state)) == {"www.example.com", "app.example.com"}
        assert await dns.sync(()) == ()
        assert cloud.emulator.state.document(BLUE) == DOCUMENT
        assert cloud.emulator.state.zones == world().zones


async def test_what_nobody_asks_for_stays_as_the_go_webhook_left_it() -> None:
    before = left_behind(world(), SERVICES)
    async with moving_in(before) as (cloud, dns):
        app = {"app.example.com": SERVICES["app.example.com"]}
        await dns.sync(wanted(app))
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
        assert await dns.sync(wanted(many)) == ()
        assert cloud.emulator.state.tunnels == before.tunnels
        assert (cloud.calls_to("PUT", ""), cloud.calls_to("POST", "batch")) == (0, 1)


async def test_a_wildcard_that_the_go_webhook_put_before_what_it_shadows_gives_way_at_once() -> None:
    # The Go webhook puts the newest first, so that nobody ever reached app.example.com.
    shadowing = {"app.example.com": "http://app:80", "*.example.com": "http://any:80"}
    before = left_behind(world(), shadowing)
    async with moving_in(before) as (cloud, dns):
        assert await dns.sync(wanted(shadowing)) == ()
        assert [rule.hostname for rule in (await cloud.tunnels.load(BLUE)).rules] == [
            "hand.example.com",
            "app.example.com",
            "*.example.com",
            "",
        ]
        assert is_empty(await dns.plan(wanted(shadowing)))


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
async def test_a_rule_by_hand_that_says_the_same_is_adopted_as_it_stands(
    record: tuple[Record, ...], owner: str
) -> None:
    before = world(*record, document=DOCUMENT.replace(',"originRequest":{"new":[1]}', ""))
    same = wanted({"hand.example.com": "http://hand:80"})
    async with moving_in(before, owner) as (cloud, dns):
        assert await dns.sync(same) == ()
        assert cloud.emulator.state.tunnels == before.tunnels
        assert (comments(cloud.emulator.state)["hand.example.com"] or "").startswith("heritage=tunnel-webhook,")
        assert is_empty(await dns.plan(same))


@pytest.mark.parametrize("owner", ["", "home"], ids=["noop", "txt"])
async def test_a_rule_by_hand_that_says_something_else_is_taken_over_only_where_that_is_asked(owner: str) -> None:
    before = world(Record("hand.example.com", "CNAME", TO_BLUE, proxied=True, comment="by hand"))
    async with moving_in(before, owner) as (cloud, dns):
        (rejection,) = await dns.sync((endpoint("hand.example.com", "http://new:80"),))
        assert (rejection.hostname, rejection.reason) == ("hand.example.com", Reason.RULE_CONFLICT)
        assert cloud.emulator.state == before

        asked = (endpoint("hand.example.com", "http://new:80", adopt="true"),)
        assert await dns.sync(asked) == ()
        hand = BY_HAND.replace("http://hand:80", "http://new:80")
        assert cloud.emulator.state.document(BLUE) == DOCUMENT.replace(BY_HAND, hand)
        assert is_empty(await dns.plan(asked))


async def test_a_hostname_of_the_go_webhook_in_a_tunnel_that_is_not_ours_is_left_alone() -> None:
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
        assert await dns.sync(wanted(app)) == ()
        assert await dns.sync((endpoint("app.example.com", "http://app:80", tunnel="green"),)) == ()
        assert cloud.emulator.state.document(BLUE) == DOCUMENT
        assert '"app.example.com"' in cloud.emulator.state.document(GREEN)
