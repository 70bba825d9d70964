"""The official SDK, generated from Cloudflare's own schema, works on the emulator.

It validates responses strictly, so a member that is missing or of a wrong type fails the test; except for a document
with a real catch-all, because the schema requires a hostname of every rule.
"""

import json
from collections.abc import AsyncIterator

import httpx
import pytest
from cloudflare import (
    APIConnectionError,
    AsyncCloudflare,
    BadRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
)

from doubles.emulator import (
    ACCOUNT,
    API_TOKEN,
    BASE_URL,
    BLUE,
    Connector,
    Drop,
    Emulator,
    EmulatorTransport,
    Record,
    Respond,
    Token,
    Tunnel,
    seed,
    zone_id,
)

pytestmark = pytest.mark.anyio

ZONE = zone_id("example.com")
TARGET = f"{BLUE}.cfargotunnel.com"
MARK = "heritage=tunnel-webhook,owner=default"


@pytest.fixture
def emulator() -> Emulator:
    zones = ["example.com", *(f"zone{number}.example" for number in range(60))]
    tunnel = Tunnel(BLUE, ACCOUNT, "blue", connectors=(Connector("b51d9d55-5121-4116-a420-fb571c6e335a"),))
    state = (
        seed(zones).with_tunnel(tunnel).with_token(Token("cfat_owned", account=ACCOUNT)).with_token(Token("none", {}))
    )
    return Emulator(state)


@pytest.fixture
async def cloudflare(emulator: Emulator) -> AsyncIterator[AsyncCloudflare]:
    async with sdk(emulator) as client:
        yield client


def sdk(emulator: Emulator, token: str = API_TOKEN, *, retries: int = 0, strict: bool = True) -> AsyncCloudflare:
    return AsyncCloudflare(
        api_token=token,
        base_url=BASE_URL,
        http_client=httpx.AsyncClient(transport=EmulatorTransport(emulator)),
        max_retries=retries,
        _strict_response_validation=strict,
    )


async def test_it_verifies_a_users_token(cloudflare: AsyncCloudflare) -> None:
    verified = await cloudflare.user.tokens.verify()
    assert verified is not None
    assert verified.status == "active"


async def test_it_verifies_an_accounts_token(emulator: Emulator) -> None:
    async with sdk(emulator, "cfat_owned") as cloudflare:
        verified = await cloudflare.accounts.tokens.verify(account_id=ACCOUNT)
        assert verified is not None
        assert verified.status == "active"


async def test_it_lists_all_pages_of_zones_and_one_empty_page(emulator: Emulator, cloudflare: AsyncCloudflare) -> None:
    names = [zone.name async for zone in cloudflare.zones.list(per_page=50, account={"id": ACCOUNT}, status="active")]
    assert len(names) == 61
    assert len(emulator.log) == 3


async def test_it_finds_a_zone_by_its_name_and_reads_it(cloudflare: AsyncCloudflare) -> None:
    (listed,) = [zone async for zone in cloudflare.zones.list(name="example.com")]
    zone = await cloudflare.zones.get(zone_id=ZONE)
    assert zone == listed
    assert listed.account.id == ACCOUNT
    assert listed.plan is not None
    assert listed.plan.legacy_id == "enterprise"


async def test_it_reads_a_tunnel_and_its_connectors(cloudflare: AsyncCloudflare) -> None:
    tunnels = cloudflare.zero_trust.tunnels.cloudflared
    tunnel = await tunnels.get(BLUE, account_id=ACCOUNT)
    assert tunnel is not None
    assert tunnel.config_src == "cloudflare"
    assert tunnel.remote_config
    (connector,) = [connector async for connector in tunnels.connections.get(BLUE, account_id=ACCOUNT)]
    assert connector.config_version == 0
    assert len(connector.conns or ()) == 4


async def test_it_reads_a_fresh_configuration_and_replaces_it(cloudflare: AsyncCloudflare) -> None:
    configurations = cloudflare.zero_trust.tunnels.cloudflared.configurations
    fresh = await configurations.get(BLUE, account_id=ACCOUNT)
    assert fresh is not None
    assert fresh.version == 0
    assert fresh.config is None
    written = await configurations.update(
        BLUE,
        account_id=ACCOUNT,
        config={
            "ingress": [
                {
                    "hostname": "app.example.com",
                    "path": "^/api",
                    "service": "https://app:443",
                    "origin_request": {
                        "connect_timeout": 10,
                        "no_tls_verify": True,
                        "access": {"required": True, "team_name": "acme", "aud_tag": ["tag"]},
                    },
                },
                {"hostname": "*", "service": "http_status:404"},
            ],
            "origin_request": {"tls_timeout": 10},
        },
    )
    read = await configurations.get(BLUE, account_id=ACCOUNT)
    assert written is not None
    assert read is not None
    assert read.version == 1
    assert read.source == "cloudflare"
    assert read.to_dict() == written.to_dict()
    assert read.config is not None
    assert [rule.hostname for rule in read.config.ingress or ()] == ["app.example.com", "*"]


async def test_it_reads_a_real_catch_all_only_if_it_is_not_strict(emulator: Emulator) -> None:
    emulator.write_foreign(BLUE, '{"ingress":[{"service":"http_status:404"}]}')
    async with sdk(emulator, strict=False) as cloudflare:
        read = await cloudflare.zero_trust.tunnels.cloudflared.configurations.get(BLUE, account_id=ACCOUNT)
        assert read is not None
        assert json.loads(read.to_json())["config"] == {"ingress": [{"service": "http_status:404"}]}


async def test_it_lists_records_by_filter_and_counts_them(emulator: Emulator, cloudflare: AsyncCloudflare) -> None:
    ours = [Record(f"h{number}.example.com", "CNAME", TARGET, proxied=True, comment=MARK) for number in range(3)]
    others = [
        Record("a.example.com", "A", "192.0.2.1"),
        Record("b.example.com", "AAAA", "2001:db8::1"),
        Record("example.com", "MX", "mx.example.net", more={"priority": 10}),
        Record("example.com", "TXT", '"v=spf1 -all"', comment="spf", comment_modified_on="2026-09-29T07:00:00.000000Z"),
        Record("sub.example.com", "NS", "ns.example.net"),
    ]
    emulator.state = emulator.state.with_records("example.com", *ours, *others)
    records = cloudflare.dns.records
    marked = [record.name async for record in records.list(zone_id=ZONE, comment={"startswith": MARK}, per_page=5000)]
    assert marked == ["h0.example.com", "h1.example.com", "h2.example.com"]
    by_name = [record.type async for record in records.list(zone_id=ZONE, name={"exact": "example.com"})]
    assert by_name == ["MX", "TXT"]
    assert len([record async for record in records.list(zone_id=ZONE, per_page=3)]) == 8
    usage = await cloudflare.dns.usage.zone.get(zone_id=ZONE)
    assert usage is not None
    assert usage.record_quota is None
    assert usage.record_usage == 8


async def test_it_runs_a_batch(emulator: Emulator, cloudflare: AsyncCloudflare) -> None:
    old = [Record(f"old{number}.example.com", "CNAME", TARGET, id=f"{number:032x}") for number in range(3)]
    emulator.state = emulator.state.with_records("example.com", *old)
    done = await cloudflare.dns.records.batch(
        zone_id=ZONE,
        deletes=[{"id": old[0].id}],
        patches=[{"id": old[1].id, "name": old[1].name, "type": "CNAME", "ttl": 1, "content": TARGET, "comment": MARK}],
        puts=[{"id": old[2].id, "name": old[2].name, "type": "CNAME", "ttl": 1, "content": TARGET, "proxied": True}],
        posts=[{"name": "new.example.com", "type": "CNAME", "ttl": 1, "content": TARGET, "proxied": True}],
    )
    assert done is not None
    arrays = (done.deletes, done.patches, done.puts, done.posts)
    assert [[record.name for record in array or ()] for array in arrays] == [
        ["old0.example.com"],
        ["old1.example.com"],
        ["old2.example.com"],
        ["new.example.com"],
    ]


async def test_it_recognizes_errors(emulator: Emulator, cloudflare: AsyncCloudflare) -> None:
    with pytest.raises(NotFoundError) as missing:
        await cloudflare.dns.records.batch(zone_id=ZONE, deletes=[{"id": "0" * 32}])
    assert [error.code for error in missing.value.errors] == [81044]
    with pytest.raises(BadRequestError) as invalid:
        await cloudflare.dns.records.batch(zone_id=ZONE, posts=[{"type": "A", "name": "a", "content": "x", "ttl": 1}])
    assert [error.code for error in invalid.value.errors] == [9005]
    async with sdk(emulator, "none") as stranger:
        with pytest.raises(PermissionDeniedError):
            await stranger.zones.get(zone_id=ZONE)
    emulator.state = emulator.state.with_behaviour(rate_quota=0)
    with pytest.raises(RateLimitError):
        await cloudflare.user.tokens.verify()


@pytest.mark.parametrize("fault", [Drop(), Drop(how="refuse")], ids=["reset", "refused"])
async def test_it_recognizes_a_lost_connection(emulator: Emulator, cloudflare: AsyncCloudflare, fault: Drop) -> None:
    emulator.arm(fault)
    with pytest.raises(APIConnectionError):
        await cloudflare.user.tokens.verify()


async def test_it_retries_temporary_failures(emulator: Emulator) -> None:
    emulator.arm(Respond(status=503, headers={"retry-after-ms": "1"}), Drop(nth=2))
    async with sdk(emulator, retries=2) as cloudflare:
        assert await cloudflare.user.tokens.verify() is not None
    assert [call.outcome for call in emulator.log] == ["answered", "dropped", "answered"]
