"""Tunnel configurations through the Cloudflare adapter, and everything that may go wrong."""

import json
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from doubles.cloudflare_adapters import TIMEOUT, Cloudflare, cloudflare
from doubles.emulator import (
    ACCOUNT,
    BLUE,
    GREEN,
    HTML,
    Configuration,
    Distort,
    Drop,
    Emulator,
    ForeignWrite,
    Lie,
    Respond,
    Slow,
    Tunnel,
    seed,
)
from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.ports import PermanentFailure, Superseded, TemporaryFailure, Unacceptable, Unsettled
from vocabulary.builders import configuration, rule

pytestmark = pytest.mark.anyio

APP = rule("app.example.com", "http://app:80")
FOREIGN = '{"ingress":[{"service":"http_status:503"}]}'


@pytest.fixture
async def world() -> AsyncIterator[Cloudflare]:
    """Yield the adapters on an emulator with two tunnels."""
    async with cloudflare(Emulator(seed())) as adapters:
        yield adapters


def change(world: Cloudflare, tunnel: Tunnel) -> None:
    """Replace a tunnel."""
    world.emulator.state = world.emulator.state.with_tunnel(tunnel)


def blue(world: Cloudflare) -> Tunnel:
    return world.emulator.state.tunnels[BLUE]


def stored(world: Cloudflare) -> tuple[int, str]:
    """Return the version and the text of the blue document, as the emulator holds it."""
    held = blue(world).configuration
    assert held is not None
    return held.version, held.document


async def with_app(world: Cloudflare) -> tuple[TunnelConfiguration, TunnelConfiguration]:
    """Return the blue document, and the same document with one more rule."""
    base = await world.tunnels.load(BLUE)
    return base, base.with_rules((APP, *base.rules))


def always() -> bool:
    return True


@pytest.mark.parametrize(
    ("document", "rules"),
    [
        ("null", 0),
        ('{"warp-routing":{"enabled":true}}', 0),
        ('{"ingress":[]}', 0),
        ('{"ingress":[{"service":"http_status:404"}]}', 1),
    ],
    ids=["null", "no ingress", "no rules", "a catch-all"],
)
async def test_a_document_is_read_even_without_rules(world: Cloudflare, document: str, rules: int) -> None:
    change(world, replace(blue(world), configuration=Configuration(document=document, version=7)))
    loaded = await world.tunnels.load(BLUE)
    assert len(loaded.rules) == rules
    assert loaded.version == 7


@pytest.mark.parametrize("status", [404, 400])
async def test_a_tunnel_that_never_had_a_configuration_has_an_empty_document(world: Cloudflare, status: int) -> None:
    missing = '{"success":false,"errors":[{"code":1055,"message":"Configuration for tunnel not found"}]}'
    world.emulator.arm(Respond(path="configurations$", status=status, body=missing))
    assert await world.tunnels.load(BLUE) == TunnelConfiguration()
    assert world.calls == [
        f"GET /accounts/{ACCOUNT}/cfd_tunnel/{BLUE}/configurations",
        f"GET /accounts/{ACCOUNT}/cfd_tunnel/{BLUE}",
    ]


async def test_a_deleted_tunnel_is_a_permanent_failure_that_says_when(world: Cloudflare) -> None:
    change(world, replace(blue(world), deleted_at="2026-09-30T00:00:00Z"))
    with pytest.raises(PermanentFailure, match=r"was deleted at 2026-09-30T00:00:00Z: set CLOUDFLARE_TUNNEL_ID"):
        await world.tunnels.load(BLUE)


async def test_a_locally_managed_tunnel_is_refused_by_its_source_without_another_call(world: Cloudflare) -> None:
    change(world, replace(blue(world), config_src="local", configuration=Configuration(source="local")))
    with pytest.raises(PermanentFailure, match="not remotely managed"):
        await world.tunnels.load(BLUE)
    assert len(world.calls) == 1


async def test_a_locally_managed_tunnel_without_a_configuration_is_refused_too(world: Cloudflare) -> None:
    change(world, replace(blue(world), config_src="local", configuration=None))
    with pytest.raises(PermanentFailure, match="not remotely managed"):
        await world.tunnels.load(BLUE)


async def test_without_the_permission_to_read_a_tunnel_the_failure_names_it(world: Cloudflare) -> None:
    token = next(iter(world.emulator.state.tokens.values()))
    world.emulator.state = world.emulator.state.with_token(replace(token, grants={"zone read": ("*",)}))
    with pytest.raises(PermanentFailure, match=r"cannot load configuration \(tunnel .*Cloudflare Tunnel/Edit"):
        await world.tunnels.load(BLUE)


async def test_a_tunnel_that_may_not_be_read_is_not_reported_as_missing(world: Cloudflare) -> None:
    change(world, replace(blue(world), configuration=None))
    message = '{"success":false,"errors":[{"code":10000,"message":"Authentication error"}]}'
    world.emulator.arm(Respond(path=f"{BLUE}$", status=403, body=message))
    with pytest.raises(PermanentFailure, match=r"cannot read tunnel \(.*Cloudflare Tunnel/Edit"):
        await world.tunnels.load(BLUE)


@pytest.mark.parametrize(
    "result", ["{}", '{"config":null}', '{"version":2}'], ids=["nothing", "no document", "no config"]
)
async def test_a_write_that_is_answered_without_the_document_has_the_next_version(
    world: Cloudflare, result: str
) -> None:
    base, desired = await with_app(world)
    world.emulator.arm(Distort(method="PUT", body=f'{{"success":true,"result":{result}}}'))
    assert await world.tunnels.save(BLUE, base, desired, always) == base.version + 1


async def test_a_document_is_read_twice_side_by_side_and_then_written(world: Cloudflare) -> None:
    base, desired = await with_app(world)
    world.emulator.state = world.emulator.state.with_behaviour(latency=0.1)
    start = world.emulator.clock.now()
    await world.tunnels.save(BLUE, base, desired, always)
    assert world.methods == ["GET", "GET", "GET", "PUT"]
    assert world.emulator.clock.now() - start == pytest.approx(0.2)


@pytest.mark.parametrize("nth", [1, 2])
async def test_a_foreign_write_that_only_one_of_the_reads_finds_stops_ours(world: Cloudflare, nth: int) -> None:
    base, desired = await with_app(world)
    world.emulator.arm(ForeignWrite(method="GET", tunnel=BLUE, document=FOREIGN, nth=nth))
    saved = await world.tunnels.save(BLUE, base, desired, always)
    assert isinstance(saved, Superseded)
    assert {document.version for document in saved.documents} == {base.version, base.version + 1} - {2 - nth}
    assert world.calls_to("PUT") == 0
    assert stored(world)[1] == FOREIGN


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize(
    "lie",
    [
        Lie(tells="refusal", code=1055),
        Lie(tells="refusal", status=403, code=1055),
        Lie(tells="null"),
        Lie(tells="blank", version=1),
        Lie(tells="no ingress"),
        Lie(tells="no rules"),
        Lie(tells="another tunnel", version=1),
        Lie(tells="version", version=3),
        Lie(tells="version", version=0),
        Lie(tells="partial", path="configurations"),
    ],
    ids=lambda lie: f"{lie.tells} {lie.status} {lie.code} {lie.version}",
)
async def test_a_single_false_answer_to_either_read_stops_the_write(world: Cloudflare, lie: Lie, nth: int) -> None:
    before = world.emulator.state = world.emulator.state.with_document(BLUE, configuration(APP).text)
    base = await world.tunnels.load(BLUE)
    world.emulator.arm(replace(lie, nth=nth, path="configurations"))
    saved = await world.tunnels.save(BLUE, base, configuration(), always)
    assert isinstance(saved, Superseded)
    found = [(document.text, document.version) for document in saved.documents]
    assert found.count((base.text, base.version)) == 1
    assert world.emulator.state == before
    assert world.emulator.idle == ()


async def test_a_write_that_is_carried_out_later_is_unsettled_and_not_repeated(world: Cloudflare) -> None:
    base, desired = await with_app(world)
    world.emulator.arm(Slow(method="PUT", seconds=60))
    with pytest.raises(Unsettled, match=r"version 1 is not what was sent, and the next sync starts from it"):
        await world.tunnels.save(BLUE, base, desired, always)
    assert stored(world)[0] == base.version
    await world.emulator.settle()
    assert stored(world)[0] == base.version + 1
    assert world.calls_to("PUT") == 1


@pytest.mark.parametrize(
    "fault",
    [
        Drop(method="PUT", when="after"),
        Drop(method="PUT", when="after", how="close"),
        Slow(method="PUT", seconds=60, when="after"),
        Respond(method="PUT", status=502, body=HTML, content_type="text/html", effect=True),
        Respond(method="PUT", status=504, body="", effect=True),
        Distort(method="PUT", body=HTML),
        Distort(method="PUT", keep=40),
        Distort(method="PUT", cut=40),
    ],
    ids=["reset", "closed", "timeout", "502", "504", "HTML", "truncated", "cut off"],
)
async def test_an_unsettled_write_that_was_carried_out_is_found_by_one_read_and_not_repeated(
    world: Cloudflare, fault: Drop
) -> None:
    base, desired = await with_app(world)
    world.emulator.arm(fault)
    assert await world.tunnels.save(BLUE, base, desired, always) == base.version + 1
    assert world.methods == ["GET", "GET", "GET", "PUT", "GET"]
    assert world.emulator.idle == ()


@pytest.mark.parametrize(
    "fault",
    [
        Drop(method="PUT", when="before"),
        Respond(method="PUT", status=500),
        Respond(method="PUT", status=502, body=HTML, content_type="text/html"),
        Respond(method="PUT", status=200, body="{}"),
    ],
    ids=["reset", "500", "502", "garbage"],
)
async def test_an_unsettled_write_that_was_not_carried_out_stays_unsettled_and_is_not_repeated(
    world: Cloudflare, fault: Drop
) -> None:
    before = stored(world)
    base, desired = await with_app(world)
    world.emulator.arm(fault)
    with pytest.raises(Unsettled, match=r"cannot save configuration \(tunnel .*version 1 is not what was sent"):
        await world.tunnels.save(BLUE, base, desired, always)
    assert stored(world) == before
    assert world.methods == ["GET", "GET", "GET", "PUT", "GET"]


async def test_the_same_content_under_the_version_of_the_base_does_not_settle_a_write(world: Cloudflare) -> None:
    base, _ = await with_app(world)
    world.emulator.arm(Drop(method="PUT"))
    with pytest.raises(Unsettled):
        await world.tunnels.save(BLUE, base, base, always)


@pytest.mark.parametrize("fault", [Drop(method="PUT"), Drop(method="PUT", when="after")], ids=["before", "after"])
async def test_an_unsettled_write_never_overwrites_what_someone_else_wrote(world: Cloudflare, fault: Drop) -> None:
    base, desired = await with_app(world)
    world.emulator.arm(fault, ForeignWrite(method="GET", tunnel=BLUE, document=FOREIGN, nth=3))
    with pytest.raises(Unsettled, match=r"version \d is not what was sent"):
        await world.tunnels.save(BLUE, base, desired, always)
    assert stored(world)[1] == FOREIGN
    assert stored(world)[0] > base.version
    assert world.calls_to("PUT") == 1


@pytest.mark.parametrize(
    "fault",
    [Drop(method="PUT", how="refuse"), Respond(method="PUT", status=503), Respond(method="PUT", status=429)],
    ids=["no connection", "503", "429"],
)
async def test_a_write_that_was_not_carried_out_is_repeated_once_from_the_two_reads_on(
    world: Cloudflare, fault: Drop
) -> None:
    base, desired = await with_app(world)
    world.emulator.arm(fault)
    assert await world.tunnels.save(BLUE, base, desired, always) == base.version + 1
    assert world.methods == ["GET", *["GET", "GET", "PUT"] * 2]


async def test_a_write_that_was_not_carried_out_never_overwrites_what_someone_else_wrote(world: Cloudflare) -> None:
    base, desired = await with_app(world)
    world.emulator.arm(
        Respond(method="PUT", status=503), ForeignWrite(method="GET", tunnel=BLUE, document=FOREIGN, nth=3)
    )
    assert isinstance(await world.tunnels.save(BLUE, base, desired, always), Superseded)
    assert stored(world)[1] == FOREIGN


async def test_a_write_that_was_not_carried_out_twice_is_a_temporary_failure(world: Cloudflare) -> None:
    before = stored(world)
    base, desired = await with_app(world)
    world.emulator.arm(Respond(method="PUT", status=503, times=0))
    with pytest.raises(TemporaryFailure, match=r"cannot save configuration \(tunnel .*503") as caught:
        await world.tunnels.save(BLUE, base, desired, always)
    assert not isinstance(caught.value, Unsettled)
    assert stored(world) == before
    assert world.calls_to("PUT") == 2


async def test_a_write_without_the_permission_is_not_blamed_on_the_document(world: Cloudflare) -> None:
    base, desired = await with_app(world)
    message = '{"success":false,"errors":[{"code":10000,"message":"Authentication error"}]}'
    world.emulator.arm(Respond(method="PUT", status=403, body=message))
    with pytest.raises(PermanentFailure, match="Cloudflare Tunnel/Edit") as caught:
        await world.tunnels.save(BLUE, base, desired, always)
    assert not isinstance(caught.value, Unacceptable)


@pytest.mark.parametrize(
    "fault",
    [
        Drop(method="GET"),
        Drop(method="GET", how="refuse"),
        Slow(method="GET", seconds=6),
        Respond(method="GET", status=502, body=HTML, content_type="text/html"),
        Respond(method="GET", status=408, body=""),
        Respond(method="GET", status=520, body=""),
        Distort(method="GET", cut=40),
    ],
    ids=["reset", "no connection", "timeout", "502", "408", "520", "cut off"],
)
async def test_a_read_that_fails_is_repeated(world: Cloudflare, fault: Drop) -> None:
    world.emulator.arm(fault)
    assert (await world.tunnels.load(BLUE)).version == 1
    assert len(world.calls) == 2


@pytest.mark.parametrize(
    "fault",
    [
        Respond(method="GET", status=502, body=HTML, content_type="text/html", times=0),
        Respond(method="GET", status=500, body='{"success":false}', times=0),
        Distort(method="GET", body=HTML, times=0),
        Distort(method="GET", keep=60, times=0),
        Drop(method="GET", times=0),
        Slow(method="GET", seconds=60, times=0),
    ],
    ids=["HTML", "no errors", "HTML as success", "truncated", "reset", "slow"],
)
async def test_a_read_that_keeps_failing_is_a_temporary_failure_within_the_timeout(
    world: Cloudflare, fault: Respond
) -> None:
    world.emulator.arm(fault)
    start = world.emulator.clock.now()
    with pytest.raises(TemporaryFailure, match=r"cannot load configuration \(tunnel"):
        await world.tunnels.load(BLUE)
    assert world.emulator.clock.now() - start <= TIMEOUT


async def test_the_account_is_taken_from_the_zones_if_it_is_not_set() -> None:
    async with cloudflare(Emulator(seed()), account="") as world:
        await world.tunnels.load(BLUE)
        await world.tunnels.load(GREEN)
        assert [line.partition("?")[0] for line in world.calls] == [
            "GET /zones",
            "GET /zones",
            f"GET /accounts/{ACCOUNT}/cfd_tunnel/{BLUE}/configurations",
            f"GET /accounts/{ACCOUNT}/cfd_tunnel/{GREEN}/configurations",
        ]


async def test_a_rule_of_ours_is_stored_as_cloudflare_writes_rules(world: Cloudflare) -> None:
    base, desired = await with_app(world)
    await world.tunnels.save(BLUE, base, desired, always)
    assert json.loads(stored(world)[1])["ingress"][0] == {"hostname": "app.example.com", "service": "http://app:80"}


async def test_a_warp_routing_that_is_switched_on_stays_on(world: Cloudflare) -> None:
    world.emulator.state = world.emulator.state.with_document(BLUE, configuration().text)
    base, desired = await with_app(world)
    await world.tunnels.save(BLUE, base, desired, always)
    assert json.loads(stored(world)[1])["warp-routing"] == {"enabled": True}
