"""Moving in: hostnames of the Go webhook become ours on the first sync, hand-made ones where the operator allows it."""

import dataclasses
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace

from doubles.cloudflare_adapters import ZONE, Cloudflare, cloudflare
from doubles.emulator import BLUE, GREEN, Emulator, Record, State, seed
from doubles.go_reference import OLD_PREFIX, left_behind
from doubles.side_doors import emulated_record
from oracles.external_dns_planner import ExternalDns, is_empty
from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.domain.external_dns.endpoint import Endpoint
from tunnel_webhook.domain.external_dns.hostname_pattern import HostnamePattern
from tunnel_webhook.domain.external_dns.policy import Policy
from vocabulary.builders import POLICY, endpoint, service
from vocabulary.world import DOCUMENT, RECORDS

pytestmark = pytest.mark.anyio

ADOPTING = dataclasses.replace(POLICY, adopt_hostnames=(HostnamePattern.parse("*.wild.example.com"),))
"""The policy of an operator who lets this be taken over."""

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


def world(*records: Record) -> State:
    """Return an account that a person edited by hand, with these records besides."""
    state = seed().with_document(BLUE, DOCUMENT)
    return state.with_records("example.com", *map(emulated_record, RECORDS), *records)


def endpoints(services: Mapping[str, str]) -> tuple[Endpoint, ...]:
    """Return the endpoints that the Go webhook was given: the service as the target, and a TTL without a meaning."""
    return tuple(
        Endpoint(name, targets=(service,), ttl=1, labels={"resource": "ingress/prod/web"})
        for name, service in services.items()
    )


@asynccontextmanager
async def moving_in(
    state: State, owner: str = "", policy: Policy = POLICY
) -> AsyncIterator[tuple[Cloudflare, ExternalDns]]:
    """Yield the adapters on this state, and external-dns: with an owner id with the txt registry, else with noop."""
    async with cloudflare(Emulator(state)) as adapters:
        yield adapters, ExternalDns(service(adapters.tunnels, adapters.zones, policy), owner)


def moved(state: State) -> dict[str, Record]:
    """Return the records that are not in `world()`, by name."""
    bystanders = world().zones[ZONE.id].records
    return {record.name: record for key, record in state.zones[ZONE.id].records.items() if key not in bystanders}


def without_comments(state: State) -> list[Record]:
    """Return the records of the zone, without what a new comment changes in those that are not in `world()`."""
    new = moved(state).values()
    return [
        replace(record, comment=None, modified_on="", comment_modified_on=None) if record in new else record
        for record in state.zones[ZONE.id].records.values()
    ]


def comments(state: State) -> dict[str, str]:
    return {name: record.comment or "" for name, record in moved(state).items()}


NOOP_AND_TXT = pytest.mark.parametrize("owner", ["", "home"], ids=["noop", "txt"])


@NOOP_AND_TXT
async def test_hostnames_of_the_go_webhook_are_ours_after_one_sync_that_changes_only_comments(owner: str) -> None:
    before = left_behind(world(), SERVICES)
    # With a longer comment the Go webhook cannot publish a hostname.
    assert max(map(len, comments(before).values())) == 100
    async with moving_in(before, owner) as (cloud, dns):
        assert await dns.sync(endpoints(SERVICES)) == ()

        after = cloud.emulator.state
        assert after.tunnels == before.tunnels
        assert without_comments(after) == without_comments(before)
        marker = f"heritage=tunnel-webhook,owner={owner or 'default'},paths=.,resource=ingress/prod/web"
        assert comments(after) == dict.fromkeys(SERVICES, marker)
        assert cloud.calls_to("PUT", "") == 0
        assert cloud.calls_to("POST", "batch") == 1

        assert is_empty(await dns.plan(endpoints(SERVICES)))


@NOOP_AND_TXT
async def test_after_the_move_hostnames_are_updated_and_deleted_like_any_other(owner: str) -> None:
    async with moving_in(left_behind(world(), SERVICES), owner) as (cloud, dns):
        await dns.sync(endpoints(SERVICES))
        changed = {"app.example.com": "https://app:443"}
        assert await dns.sync(endpoints(changed)) == ()
        assert is_empty(await dns.plan(endpoints(changed)))
        assert set(comments(cloud.emulator.state)) == {"app.example.com"}
        assert await dns.sync(()) == ()
        assert cloud.emulator.state.document(BLUE) == DOCUMENT
        assert cloud.emulator.state.zones == world().zones


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(left_behind(world(), {"app.example.com": "http://app:80"}, OLD_PREFIX), id="before January 2025"),
        pytest.param(
            left_behind(world(), {"app.example.com": "http://old:80"}).with_document(
                BLUE, left_behind(world(), {"app.example.com": "http://app:80"}).document(BLUE)
            ),
            id="with another service since",
        ),
    ],
)
async def test_a_hostname_that_the_go_webhook_published_long_ago_moves_in_and_is_deleted_at_last(before: State) -> None:
    async with moving_in(before) as (cloud, dns):
        assert await dns.sync(endpoints({"app.example.com": "http://app:80"})) == ()
        assert cloud.emulator.state.tunnels == before.tunnels
        assert comments(cloud.emulator.state)["app.example.com"].startswith("heritage=tunnel-webhook,")
        assert await dns.sync(()) == ()
        assert cloud.emulator.state.document(BLUE) == DOCUMENT
        assert cloud.emulator.state.zones == world().zones


async def test_a_hostname_that_is_never_asked_for_stays_as_the_go_webhook_left_it() -> None:
    before = left_behind(world(), SERVICES)
    async with moving_in(before) as (cloud, dns):
        app = {"app.example.com": SERVICES["app.example.com"]}
        await dns.sync(endpoints(app))
        await dns.sync(())
        others = left_behind(world(), {name: service for name, service in SERVICES.items() if name not in app})
        assert comments(cloud.emulator.state) == comments(others)
        assert cloud.emulator.state.document(BLUE) == others.document(BLUE)


async def test_a_thousand_hostnames_move_in_one_batch() -> None:
    many = {f"app-{number}.example.com": f"http://app-{number}:80" for number in range(1000)}
    before = left_behind(world(), many)
    async with moving_in(before) as (cloud, dns):
        assert await dns.sync(endpoints(many)) == ()
        assert cloud.emulator.state.tunnels == before.tunnels
        assert cloud.calls_to("PUT", "") == 0
        assert cloud.calls_to("POST", "batch") == 1


async def test_a_wildcard_that_the_go_webhook_put_before_a_hostname_moves_behind_it_at_once() -> None:
    # The Go webhook puts the newest rule first, so that no request ever reached app.example.com.
    shadowing = {"app.example.com": "http://app:80", "*.example.com": "http://any:80"}
    before = left_behind(world(), shadowing)
    async with moving_in(before) as (cloud, dns):
        assert await dns.sync(endpoints(shadowing)) == ()
        assert [rule.hostname for rule in (await cloud.tunnels.load(BLUE)).rules] == [
            "hand.example.com",
            "hand.example.com",
            "*.wild.example.com",
            "app.example.com",
            "*.example.com",
            "",
            "",
        ]
        assert is_empty(await dns.plan(endpoints(shadowing)))


BY_HAND = Record("*.wild.example.com", "CNAME", TO_BLUE, proxied=True, comment="by hand", ttl=1)


@NOOP_AND_TXT
async def test_a_hand_made_rule_that_no_record_leads_to_is_adopted_unchanged_if_it_says_the_same(owner: str) -> None:
    before = world()
    same = endpoints({"*.wild.example.com": "http://wild:80"})
    async with moving_in(before, owner) as (cloud, dns):
        assert await dns.sync(same) == ()
        assert cloud.emulator.state.tunnels == before.tunnels
        assert comments(cloud.emulator.state)["*.wild.example.com"].startswith("heritage=tunnel-webhook,")
        assert is_empty(await dns.plan(same))


@NOOP_AND_TXT
async def test_a_hand_made_rule_with_its_record_is_adopted_unchanged_if_the_operator_allows_it(owner: str) -> None:
    before = world(BY_HAND)
    same = endpoints({"*.wild.example.com": "http://wild:80"})
    async with moving_in(before, owner) as (cloud, dns):
        (rejection,) = await dns.sync(same)
        assert rejection.reason is Reason.ADOPTION_NOT_ALLOWED
        assert cloud.emulator.state == before
    async with moving_in(before, owner, ADOPTING) as (cloud, dns):
        assert await dns.sync(same) == ()
        assert cloud.emulator.state.tunnels == before.tunnels
        (comment,) = comments(cloud.emulator.state).values()
        assert comment.startswith(f"heritage=tunnel-webhook,owner={owner or 'default'},paths=.,adopted,resource=")
        assert comment.endswith(" by hand")
        assert is_empty(await dns.plan(same))

        await dns.sync(())
        (left,) = moved(cloud.emulator.state).values()
        assert replace(left, modified_on="", comment_modified_on=None) == replace(BY_HAND, id=left.id, modified_on="")


@NOOP_AND_TXT
async def test_a_hand_made_rule_that_says_something_else_is_adopted_only_by_two_words(owner: str) -> None:
    before = world(BY_HAND)
    asked = (endpoint("*.wild.example.com", "http://new:80"),)
    adopting = (endpoint("*.wild.example.com", "http://new:80", adopt="true"),)
    for policy, refused, reason in (
        (POLICY, asked, Reason.RULE_CONFLICT),
        (POLICY, adopting, Reason.ADOPTION_NOT_ALLOWED),
        (ADOPTING, asked, Reason.RULE_CONFLICT),
    ):
        async with moving_in(before, owner, policy) as (cloud, dns):
            (rejection,) = await dns.sync(refused)
            assert rejection.hostname == "*.wild.example.com"
            assert rejection.reason is reason
            assert cloud.emulator.state == before
    async with moving_in(before, owner, ADOPTING) as (cloud, dns):
        assert await dns.sync(adopting) == ()
        assert cloud.emulator.state.document(BLUE) == DOCUMENT.replace("http://wild:80", "http://new:80")
        assert is_empty(await dns.plan(adopting))


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
        assert await dns.sync(endpoints(app)) == ()
        assert await dns.sync((endpoint("app.example.com", "http://app:80", tunnel="green"),)) == ()
        assert cloud.emulator.state.document(BLUE) == DOCUMENT
        assert '"app.example.com"' in cloud.emulator.state.document(GREEN)
