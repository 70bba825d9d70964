"""The emulated API against recordings of the real one (cloudflare-api.md 10), and its rules for tunnels."""

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
    State,
    Tunnel,
    open_client,
    seed,
)
from doubles.emulator.seed import EMPTY

pytestmark = pytest.mark.anyio

TUNNEL = f"/accounts/{ACCOUNT}/cfd_tunnel/{BLUE}"
CONFIGURATION = f"{TUNNEL}/configurations"
WRITTEN_AT = "2026-09-29T06:58:49.437085Z"
FRESH = Tunnel(BLUE, ACCOUNT, "k8s", conns_active_at="2026-09-29T06:58:12.155536Z")
DELETED = replace(FRESH, deleted_at=WRITTEN_AT)
LOCAL = replace(FRESH, config_src="local", configuration=None)
BODY = {
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


def emulator_with(tunnel: Tunnel = FRESH, **switches: Any) -> Emulator:
    """Return an emulator with this blue tunnel, at the time of the recording."""
    clock = VirtualClock(datetime.fromisoformat(WRITTEN_AT).timestamp())
    return Emulator(seed().with_tunnel(tunnel).with_behaviour(**switches), clock)


async def get(emulator: Emulator, path: str) -> httpx.Response:
    async with open_client(emulator) as client:
        return await client.get(path)


async def put(emulator: Emulator, document: str) -> httpx.Response:
    body = f'{{"config":{document}}}'
    async with open_client(emulator) as client:
        return await client.put(CONFIGURATION, content=body, headers={"content-type": "application/json"})


def compact(text: str) -> str:
    return json.dumps(json.loads(text), separators=(",", ":"))


def refusal(code: int, message: str) -> str:
    """Return the whole body of an answer with one error."""
    error = json.dumps({"code": code, "message": message}, separators=(",", ":"))
    return f'{{"success":false,"errors":[{error}],"messages":[],"result":null}}'


async def test_a_fresh_tunnel_answers_as_recorded() -> None:
    recorded = """{"success":true,"errors":[],"messages":[],
 "result":{"tunnel_id":"5456b9ca-8b73-4b44-93df-67ad7acc8e2c","version":0,
 "config":null,"source":"cloudflare","created_at":"2026-09-29T06:57:52.563255Z"}}"""
    response = await get(emulator_with(), CONFIGURATION)
    assert response.status_code == 200
    assert response.text == compact(recorded)


async def test_a_put_and_the_get_after_it_answer_as_recorded_in_the_recorded_order_of_keys() -> None:
    recorded = """{"success":true,"errors":[],"messages":[],
 "result":{"tunnel_id":"5456b9ca-8b73-4b44-93df-67ad7acc8e2c","version":1,
  "config":{"ingress":[
     {"service":"http://127.0.0.1:18080","hostname":"a.flare-spike-vpc.invalid"},
     {"path":"^/api","service":"http://127.0.0.1:18081","hostname":"b.flare-spike-vpc.invalid",
      "originRequest":{"connectTimeout":10}},
     {"service":"http_status:404"}],
   "warp-routing":{"enabled":false}},
  "source":"cloudflare","created_at":"2026-09-29T06:58:49.437085Z"}}"""
    emulator = emulator_with()
    assert (await put(emulator, json.dumps(BODY["config"]))).text == compact(recorded)
    assert (await get(emulator, CONFIGURATION)).text == compact(recorded)


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        pytest.param(
            '{"ingress":[{"hostname":"a.example.com","service":"http://a:80"}]}',
            "The last ingress rule must match all URLs (i.e. it should not have a hostname or path filter)",
            id="without a catch-all",
        ),
        pytest.param('{"ingress":[]}', "The config file doesn't contain any ingress rules", id="without rules"),
    ],
)
async def test_a_document_that_cloudflared_refuses_is_refused_as_recorded(document: str, sentence: str) -> None:
    response = await put(emulator_with(), document)
    assert response.status_code == 400
    assert response.text == refusal(1056, f"Bad Configuration: Validation failed: {sentence}\n")


async def test_the_configuration_of_a_deleted_tunnel_is_missing_as_recorded() -> None:
    emulator = emulator_with(DELETED)
    for response in (await get(emulator, CONFIGURATION), await put(emulator, EMPTY)):
        assert response.status_code == 404
        assert response.text == refusal(1055, "Configuration for tunnel not found")


async def test_a_tunnel_answers_as_recorded() -> None:
    recorded = """{"id":"5456b9ca-8b73-4b44-93df-67ad7acc8e2c","account_tag":"699d98642c564d2e855e9661899b7252",
 "created_at":"2026-09-29T06:57:52.563255Z","deleted_at":null,"name":"k8s","conns_active_at":"2026-09-29T06:58:12.155536Z",
 "conns_inactive_at":null,"tun_type":"cfd_tunnel","metadata":{},"status":"healthy","remote_config":true,
 "config_src":"cloudflare"}"""
    response = await get(emulator_with(), TUNNEL)
    assert response.status_code == 200
    assert response.text == f'{{"success":true,"errors":[],"messages":[],"result":{compact(recorded)}}}'


async def test_a_deleted_tunnel_is_still_read_without_the_source_of_its_configuration() -> None:
    result = (await get(emulator_with(DELETED), TUNNEL)).json()["result"]
    assert result["deleted_at"] == WRITTEN_AT
    assert result["remote_config"] is False
    assert result["status"] == "down"
    assert "config_src" not in result


async def test_a_locally_managed_tunnel_has_no_configuration_or_one_that_was_pushed() -> None:
    emulator = emulator_with(LOCAL)
    result = (await get(emulator, TUNNEL)).json()["result"]
    assert result["config_src"] == "local"
    assert result["remote_config"] is False
    assert (await get(emulator, CONFIGURATION)).status_code == 404
    pushed = Configuration(document=EMPTY, version=3, source="local")
    emulator.state = emulator.state.with_tunnel(replace(LOCAL, configuration=pushed))
    assert (await get(emulator, CONFIGURATION)).json()["result"]["source"] == "local"


async def test_a_put_to_a_locally_managed_tunnel_is_refused() -> None:
    emulator = emulator_with(LOCAL)
    assert (await put(emulator, EMPTY)).status_code == 400
    assert emulator.state.tunnels[BLUE] == LOCAL


async def test_unknown_keys_and_the_text_of_numbers_survive_a_put() -> None:
    emulator = emulator_with()
    rule = '{"service":"http_status:404","x":{"b":1E2,"a":-0.0}}'
    await put(emulator, f'{{"unknown":1.50,"ingress":[{rule}],"warp-routing":{{"enabled":true}}}}')
    stored = '{"x":{"a":-0.0,"b":1E2},"service":"http_status:404"}'
    assert emulator.state.document(BLUE) == f'{{"ingress":[{stored}],"unknown":1.50,"warp-routing":{{"enabled":true}}}}'


async def test_a_document_keeps_every_character_if_the_key_order_is_as_sent() -> None:
    emulator = emulator_with(key_order="as sent")
    document = '{ "warp-routing":{"enabled":true}, "ingress": [ {"service": "http_status:404", "a":1.0} ] }'
    await put(emulator, document)
    assert emulator.state.document(BLUE) == document
    assert document in (await get(emulator, CONFIGURATION)).text


async def test_a_put_replaces_the_whole_document_and_switches_warp_routing_off_if_it_leaves_it_out() -> None:
    emulator = emulator_with()
    await put(emulator, '{"ingress":[{"service":"http_status:503"}],"warp-routing":{"enabled":true},"x":1}')
    await put(emulator, '{"ingress":[{"service":"http_status:404"}]}')
    assert emulator.state.document(BLUE) == EMPTY


async def test_an_identical_put_increments_the_version() -> None:
    emulator = emulator_with()
    assert [(await put(emulator, EMPTY)).json()["result"]["version"] for _ in range(2)] == [1, 2]


async def test_a_refused_document_changes_nothing() -> None:
    emulator = emulator_with()
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
        (json.dumps(BODY), "text/plain", 6003),
    ],
    ids=["cut short", "not UTF-8", "not an object", "without a config", "not declared as JSON"],
)
async def test_a_body_without_a_configuration_is_refused(body: str | bytes, content_type: str, code: int) -> None:
    async with open_client(emulator_with()) as client:
        response = await client.put(CONFIGURATION, content=body, headers={"content-type": content_type})
    assert response.status_code == 400
    assert response.json()["errors"][0]["code"] == code


async def test_connectors_report_the_version_that_they_applied_or_not() -> None:
    newest, lagging = Connector("b51d9d55-5121-4116-a420-fb571c6e335a"), Connector("0" * 36, config_version=3)
    configuration = Configuration(EMPTY, version=7)
    emulator = emulator_with(replace(FRESH, connectors=(newest, lagging), configuration=configuration))
    answer = (await get(emulator, f"{TUNNEL}/connections")).json()
    assert [connector["config_version"] for connector in answer["result"]] == [7, 3]
    assert "result_info" not in answer
    emulator.state = emulator.state.with_behaviour(config_version=False)
    answer = (await get(emulator, f"{TUNNEL}/connections")).json()
    assert not any("config_version" in connector for connector in answer["result"])


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/nowhere", 404, 7000),
        ("/zones/not-hex/dns_records", 404, 7003),
        (f"/accounts/{ACCOUNT}/cfd_tunnel/not-a-uuid", 404, 7003),
        (f"/accounts/{ACCOUNT}/cfd_tunnel/00000000-0000-4000-8000-000000000000", 404, 1003),
        (f"/zones/{'0' * 32}", 404, 1003),
        (f"/accounts/{'0' * 32}/cfd_tunnel/{BLUE}", 403, 10000),
        ("/zones?per_page=51", 400, 1004),
        ("/zones?per_page=4", 400, 1004),
        ("/zones?page=0", 400, 1004),
    ],
)
async def test_a_path_or_page_that_does_not_exist_is_refused(path: str, status: int, code: int) -> None:
    response = await get(emulator_with(), path)
    assert response.status_code == status
    assert response.json()["errors"][0]["code"] == code


async def test_a_method_that_a_route_does_not_have_is_refused() -> None:
    async with open_client(emulator_with()) as client:
        assert (await client.delete("/zones")).status_code == 405


async def test_a_tunnel_is_found_only_in_its_account() -> None:
    other = "0123456789abcdef0123456789abcdef"
    state = replace(seed(), accounts={**seed().accounts, other: Account(other, "Other")})
    emulator = Emulator(state.with_tunnel(Tunnel(GREEN, other, "theirs")))
    assert (await get(emulator, f"/accounts/{ACCOUNT}/cfd_tunnel/{GREEN}")).status_code == 404
    assert (await get(emulator, f"/accounts/{other}/cfd_tunnel/{GREEN}")).status_code == 200


async def test_the_whole_state_goes_to_json_and_back() -> None:
    emulator = emulator_with(latency=0.5)
    await put(emulator, EMPTY)
    assert msgspec.json.decode(msgspec.json.encode(emulator.state), type=State) == emulator.state
