"""The emulated API against what the real one was recorded to say (cloudflare-api.md 10), and its rules for tunnels."""

import json
from datetime import datetime
from typing import Any

import httpx
import msgspec
import pytest
from msgspec.structs import replace

from doubles.clock import VirtualClock
from doubles.emulator import (
    ACCOUNT,
    BLUE,
    GREEN,
    Account,
    Configuration,
    Connector,
    Emulator,
    Problem,
    State,
    Tunnel,
    open_client,
    seed,
)
from doubles.emulator.seed import EMPTY

pytestmark = pytest.mark.anyio

CONFIGURATION = f"/accounts/{ACCOUNT}/cfd_tunnel/{BLUE}/configurations"
WRITTEN_AT = "2026-09-29T06:58:49.437085Z"
FRESH = Tunnel(BLUE, ACCOUNT, "k8s", conns_active_at="2026-09-29T06:58:12.155536Z")
PUT_BODY = {
    "config": {
        "ingress": [
            {"hostname": "a.flare-spike-vpc.invalid", "service": "http://127.0.0.1:18080"},
            {
                "hostname": "b.flare-spike-vpc.invalid",
                "path": "^/api",
                "service": "http://127.0.0.1:18081",
                "originRequest": {"connectTimeout": 10},
            },
            {"service": "http_status:404"},
        ],
        "warp-routing": {"enabled": False},
    }
}


def fresh(**switches: Any) -> Emulator:
    """Return an emulator whose blue tunnel is as Cloudflare makes one, at the time of the recording."""
    clock = VirtualClock(datetime.fromisoformat(WRITTEN_AT).timestamp())
    return Emulator(seed().with_tunnel(FRESH).with_behaviour(**switches), clock)


async def get(emulator: Emulator, path: str) -> httpx.Response:
    async with open_client(emulator) as client:
        return await client.get(path)


async def put(emulator: Emulator, document: str, path: str = CONFIGURATION) -> httpx.Response:
    async with open_client(emulator) as client:
        return await client.put(path, content=f'{{"config":{document}}}', headers={"content-type": "application/json"})


def compact(text: str) -> str:
    return json.dumps(json.loads(text), separators=(",", ":"))


async def test_a_fresh_tunnel_answers_as_recorded() -> None:
    recorded = """{"success":true,"errors":[],"messages":[],"result":{"tunnel_id":"5456b9ca-8b73-4b44-93df-67ad7acc8e2c",
      "version":0,"config":null,"source":"cloudflare","created_at":"2026-09-29T06:57:52.563255Z"}}"""
    response = await get(fresh(), CONFIGURATION)
    assert (response.status_code, response.text) == (200, compact(recorded))


async def test_a_put_and_the_get_after_it_answer_as_recorded_to_the_order_of_the_keys() -> None:
    recorded = """{"success":true,"errors":[],"messages":[],
 "result":{"tunnel_id":"5456b9ca-8b73-4b44-93df-67ad7acc8e2c","version":1,
  "config":{"ingress":[
     {"service":"http://127.0.0.1:18080","hostname":"a.flare-spike-vpc.invalid"},
     {"path":"^/api","service":"http://127.0.0.1:18081","hostname":"b.flare-spike-vpc.invalid","originRequest":{"connectTimeout":10}},
     {"service":"http_status:404"}],
   "warp-routing":{"enabled":false}},
  "source":"cloudflare","created_at":"2026-09-29T06:58:49.437085Z"}}"""
    emulator = fresh()
    written = await put(emulator, json.dumps(PUT_BODY["config"]))
    read = await get(emulator, CONFIGURATION)
    assert (written.text, read.text) == (compact(recorded), compact(recorded))


async def test_a_document_without_a_catch_all_is_refused_as_recorded() -> None:
    recorded = (
        '{"success":false,"errors":[{"code":1056,"message":"Bad Configuration: Validation failed: The last ingress rule must'
        ' match all URLs (i.e. it should not have a hostname or path filter)\\n"}],"messages":[],"result":null}'
    )
    response = await put(fresh(), '{"ingress":[{"hostname":"a.example.com","service":"http://a:80"}]}')
    assert (response.status_code, response.text) == (400, recorded)


async def test_an_empty_ingress_is_refused_as_recorded() -> None:
    recorded = (
        '{"success":false,"errors":[{"code":1056,"message":"Bad Configuration: Validation failed: The config file doesn\'t'
        ' contain any ingress rules\\n"}],"messages":[],"result":null}'
    )
    response = await put(fresh(), '{"ingress":[]}')
    assert (response.status_code, response.text) == (400, recorded)


async def test_the_configuration_of_a_deleted_tunnel_is_missing_as_recorded() -> None:
    recorded = '{"success":false,"errors":[{"code":1055,"message":"Configuration for tunnel not found"}],"messages":[],"result":null}'
    emulator = Emulator(seed().with_tunnel(replace(FRESH, deleted_at=WRITTEN_AT)))
    for response in (await get(emulator, CONFIGURATION), await put(emulator, EMPTY)):
        assert (response.status_code, response.text) == (404, recorded)


async def test_a_listed_tunnel_answers_as_recorded() -> None:
    recorded = """{"success":true,"errors":[],"messages":[],
 "result":[{"id":"5456b9ca-8b73-4b44-93df-67ad7acc8e2c","account_tag":"699d98642c564d2e855e9661899b7252",
 "created_at":"2026-09-29T06:57:52.563255Z","deleted_at":null,"name":"k8s","conns_active_at":"2026-09-29T06:58:12.155536Z",
 "conns_inactive_at":null,"tun_type":"cfd_tunnel","metadata":{},"status":"healthy","remote_config":true,
 "config_src":"cloudflare"}],
 "result_info":{"page":1,"per_page":1000,"count":1,"total_count":1}}"""
    response = await get(fresh(), f"/accounts/{ACCOUNT}/cfd_tunnel?name=k8s&is_deleted=false")
    assert (response.status_code, response.text) == (200, compact(recorded))


async def test_a_deleted_tunnel_is_still_read_but_does_not_say_where_its_configuration_is_kept() -> None:
    emulator = Emulator(seed().with_tunnel(replace(FRESH, deleted_at=WRITTEN_AT)))
    result = (await get(emulator, f"/accounts/{ACCOUNT}/cfd_tunnel/{BLUE}")).json()["result"]
    assert (result["deleted_at"], result["remote_config"], result["status"]) == (WRITTEN_AT, False, "down")
    assert "config_src" not in result


async def test_a_listing_shows_deleted_tunnels_only_on_demand() -> None:
    emulator = Emulator(seed().with_tunnel(replace(FRESH, deleted_at=WRITTEN_AT)))
    listing = f"/accounts/{ACCOUNT}/cfd_tunnel"
    shown = {
        query: [tunnel["id"] for tunnel in (await get(emulator, listing + query)).json()["result"]]
        for query in ("", "?is_deleted=false", "?is_deleted=true", f"?uuid={GREEN}", "?name=blue", "?name=green")
    }
    assert shown == {
        "": [GREEN],
        "?is_deleted=false": [GREEN],
        "?is_deleted=true": [BLUE],
        f"?uuid={GREEN}": [GREEN],
        "?name=blue": [],
        "?name=green": [GREEN],
    }


async def test_a_locally_managed_tunnel_says_so_and_has_no_configuration_or_its_own() -> None:
    local = replace(FRESH, config_src="local", configuration=None)
    emulator = Emulator(seed().with_tunnel(local))
    told = (await get(emulator, f"/accounts/{ACCOUNT}/cfd_tunnel/{BLUE}")).json()["result"]
    assert (told["config_src"], told["remote_config"]) == ("local", False)
    assert (await get(emulator, CONFIGURATION)).status_code == 404
    pushed = Configuration(document=EMPTY, version=3, source="local")
    emulator.state = emulator.state.with_tunnel(replace(local, configuration=pushed))
    assert (await get(emulator, CONFIGURATION)).json()["result"]["source"] == "local"


async def test_a_put_to_a_locally_managed_tunnel_is_refused_or_converts_it() -> None:
    local = replace(FRESH, config_src="local", configuration=None)
    refusing = Emulator(seed().with_tunnel(local))
    assert (await put(refusing, EMPTY)).status_code == 400
    assert refusing.state.tunnels[BLUE] == local
    converting = Emulator(seed().with_tunnel(local).with_behaviour(local_put="convert"))
    assert (await put(converting, EMPTY)).json()["result"]["version"] == 1
    assert converting.state.tunnels[BLUE].config_src == "cloudflare"


async def test_unknown_keys_and_the_text_of_numbers_survive_a_put() -> None:
    emulator = fresh()
    document = '{"unknown":1.50,"ingress":[{"service":"http_status:404","x":{"b":1E2,"a":-0.0}}],"warp-routing":{"enabled":true}}'
    await put(emulator, document)
    assert emulator.state.document(BLUE) == (
        '{"ingress":[{"x":{"a":-0.0,"b":1E2},"service":"http_status:404"}],"unknown":1.50,"warp-routing":{"enabled":true}}'
    )


async def test_a_document_keeps_every_character_where_key_order_is_as_sent() -> None:
    emulator = fresh(key_order="as sent")
    document = '{ "warp-routing":{"enabled":true}, "ingress": [ {"service": "http_status:404", "a":1.0} ] }'
    await put(emulator, document)
    assert emulator.state.document(BLUE) == document
    assert document in (await get(emulator, CONFIGURATION)).text


async def test_warp_routing_is_switched_off_by_a_put_that_leaves_it_out() -> None:
    emulator = fresh()
    await put(emulator, '{"ingress":[{"service":"http_status:404"}],"warp-routing":{"enabled":true}}')
    await put(emulator, '{"ingress":[{"service":"http_status:404"}]}')
    assert emulator.state.document(BLUE) == EMPTY


async def test_a_put_replaces_the_whole_document() -> None:
    emulator = fresh()
    await put(emulator, json.dumps(PUT_BODY["config"]))
    await put(emulator, '{"ingress":[{"service":"http_status:503"}]}')
    assert "flare-spike" not in emulator.state.document(BLUE)


@pytest.mark.parametrize(("counts", "versions"), [(True, [1, 2]), (False, [1, 1])])
async def test_an_identical_put_counts_up_the_version_or_not(*, counts: bool, versions: list[int]) -> None:
    emulator = fresh(identical_put_counts=counts)
    assert [(await put(emulator, EMPTY)).json()["result"]["version"] for _ in range(2)] == versions


async def test_a_refused_document_changes_nothing() -> None:
    emulator = fresh()
    await put(emulator, EMPTY)
    before = emulator.state
    for document in ('{"ingress":[{"service":"nonsense"}]}', "null", "[]", '"x"', "{}"):
        assert (await put(emulator, document)).json()["errors"][0]["code"] == 1056
    assert emulator.state is before


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        ('{"config":', "application/json", 6007),
        (b'{"config":"\xff"}', "application/json", 6007),
        ("[]", "application/json", 9207),
        ("{}", "application/json", 1056),
        (json.dumps(PUT_BODY), "text/plain", 6003),
    ],
    ids=["cut short", "not UTF-8", "no object", "no config", "not called JSON"],
)
async def test_a_body_that_is_no_configuration_is_refused(body: str | bytes, content_type: str, code: int) -> None:
    async with open_client(fresh()) as client:
        response = await client.put(CONFIGURATION, content=body, headers={"content-type": content_type})
    assert (response.status_code, response.json()["errors"][0]["code"]) == (400, code)


@pytest.mark.parametrize("present", [True, False])
async def test_a_configuration_tells_its_account_or_not(*, present: bool) -> None:
    result = (await get(fresh(account_id=present), CONFIGURATION)).json()["result"]
    assert result.get("account_id") == (ACCOUNT if present else None)


@pytest.mark.parametrize("present", [True, False])
async def test_a_tunnel_tells_its_connections_or_not(*, present: bool) -> None:
    connected = replace(FRESH, connectors=(Connector("b51d9d55-5121-4116-a420-fb571c6e335a"),))
    emulator = Emulator(seed().with_tunnel(connected).with_behaviour(deprecated_connections=present))
    result = (await get(emulator, f"/accounts/{ACCOUNT}/cfd_tunnel/{BLUE}")).json()["result"]
    assert len(result.get("connections", [])) == (4 if present else 0)


async def test_connectors_tell_the_version_that_they_applied_or_not() -> None:
    newest, lagging = Connector("b51d9d55-5121-4116-a420-fb571c6e335a"), Connector("0" * 36, config_version=3)
    connected = replace(FRESH, connectors=(newest, lagging), configuration=Configuration(EMPTY, version=7))
    emulator = Emulator(seed().with_tunnel(connected))
    connections = f"/accounts/{ACCOUNT}/cfd_tunnel/{BLUE}/connections"
    told = (await get(emulator, connections)).json()
    assert [connector["config_version"] for connector in told["result"]] == [7, 3]
    assert "result_info" not in told
    emulator.state = emulator.state.with_behaviour(config_version=False)
    assert not any("config_version" in connector for connector in (await get(emulator, connections)).json()["result"])


async def test_the_token_of_a_tunnel_is_a_bare_string() -> None:
    result = (await get(fresh(), f"/accounts/{ACCOUNT}/cfd_tunnel/{BLUE}/token")).json()["result"]
    assert isinstance(result, str)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/nowhere", 404, 7000),
        ("/zones/not-hex/dns_records", 404, 7003),
        (f"/accounts/{ACCOUNT}/cfd_tunnel/not-a-uuid", 404, 7003),
        (f"/accounts/{ACCOUNT}/cfd_tunnel/00000000-0000-4000-8000-000000000000", 404, 1003),
        (f"/zones/{'0' * 32}", 404, 1003),
        (f"/accounts/{'0' * 32}/cfd_tunnel", 403, 10000),
        ("/zones?per_page=51", 400, 1004),
        ("/zones?per_page=4", 400, 1004),
        ("/zones?page=0", 400, 1004),
    ],
)
async def test_what_is_not_there_is_refused(path: str, status: int, code: int) -> None:
    response = await get(fresh(), path)
    assert (response.status_code, response.json()["errors"][0]["code"]) == (status, code)


async def test_a_method_that_a_route_has_not_is_refused() -> None:
    async with open_client(fresh()) as client:
        assert (await client.delete("/zones")).status_code == 405


async def test_a_tunnel_of_another_account_is_not_there() -> None:
    other = "0123456789abcdef0123456789abcdef"
    state = replace(seed(), accounts={**seed().accounts, other: Account(other, "Other")})
    emulator = Emulator(state.with_tunnel(Tunnel(GREEN, other, "theirs")))
    assert (await get(emulator, f"/accounts/{ACCOUNT}/cfd_tunnel/{GREEN}")).status_code == 404
    assert (await get(emulator, f"/accounts/{other}/cfd_tunnel/{GREEN}")).status_code == 200


async def test_an_unconfirmed_answer_can_be_had_another_way() -> None:
    emulator = fresh(problems=(Problem("bad-identifier", 400, 7003, "Could not route"),))
    response = await get(emulator, "/zones/not-hex")
    assert (response.status_code, response.json()["errors"]) == (400, [{"code": 7003, "message": "Could not route"}])


async def test_the_whole_state_goes_to_json_and_back() -> None:
    emulator = fresh(latency=0.5)
    await put(emulator, EMPTY)
    assert msgspec.json.decode(msgspec.json.encode(emulator.state), type=State) == emulator.state
