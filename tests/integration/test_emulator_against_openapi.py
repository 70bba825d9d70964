"""Requests that the emulator takes and answers that it gives, validated against Cloudflare's OpenAPI description of 2024-08-07.

Where the description is older than what was recorded since, or contradicts itself, the recording wins:

| the description says                                        | what is so                                                         |
|-------------------------------------------------------------|--------------------------------------------------------------------|
| an error's code is 1000 or more                             | 0 and 971 exist                                                    |
| every failure has `messages` and `result`                   | some routes leave them out                                         |
| a failure is also a success (`allOf` of both)               | it is a failure                                                    |
| `deleted_at`, `conns_active_at`, `conns_inactive_at`, and   | null where there is nothing to tell                                |
| a record's `comment` are strings                            |                                                                    |
| every rule has a hostname                                   | the catch-all has none                                             |
| what Cloudflare alone may write must be in a request        | it is in answers only                                              |
| a PATCH names the whole record                              | it names what changes                                              |
| `name` and `content` have no comparisons                    | they have, since 2025-02-21                                        |

Batch, usage, `/token` and the verification of an account's token are not in the extract; the SDK's test has them.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import jsonschema
import pytest

from doubles.emulator import (
    ACCOUNT,
    API_TOKEN,
    BASE_URL,
    BLUE,
    Connector,
    Emulator,
    EmulatorTransport,
    Record,
    State,
    Token,
    Tunnel,
    seed,
    zone_id,
)
from doubles.emulator.routes import BASE
from doubles.emulator.state import record_id

pytestmark = pytest.mark.anyio

DESCRIPTION = Path(__file__).parents[3] / "shared/reference/cloudflare-openapi.json"
NULLABLE = {"tunnel_deleted_at", "tunnel_conns_active_at", "tunnel_conns_inactive_at", "dns-records_comment"}
NEWER_PARAMETERS = re.compile(r"(name|content)\.(exact|contains|startswith|endswith)")
NOT_USED = {("delete", "/accounts/{account_id}/cfd_tunnel/{tunnel_id}/connections")}

ZONE = zone_id("example.com")
ACCOUNTS, ZONES = f"/accounts/{ACCOUNT}/cfd_tunnel", f"/zones/{ZONE}/dns_records"
TARGET = f"{BLUE}.cfargotunnel.com"
CNAME = {"type": "CNAME", "name": "new.example.com", "content": TARGET, "ttl": 1, "proxied": True, "comment": "mine"}
DOCUMENT = {
    "ingress": [
        {
            "hostname": "app.example.com",
            "path": "^/api(/|$)",
            "service": "https://app.ns.svc.cluster.local:8443",
            "originRequest": {
                "connectTimeout": 10,
                "access": {"required": True, "teamName": "acme", "audTag": ["tag"]},
            },
        },
        {"service": "http_status:404"},
    ],
    "originRequest": {"tlsTimeout": 10},
    "warp-routing": {"enabled": False},
}
UNKNOWN = "00000000-0000-4000-8000-000000000000"
SCENARIO: tuple[tuple[str, str, Any], ...] = (
    ("GET", "/user/tokens/verify", None),
    ("GET", "/accounts?per_page=50&page=1", None),
    ("GET", "/zones?per_page=50&page=1&status=active&order=name&direction=desc&match=all", None),
    ("GET", "/zones?name=contains:example&account.name=Example Account", None),
    ("GET", f"/zones?account.id={ACCOUNT}", None),
    ("GET", f"/zones/{ZONE}", None),
    ("GET", f"{ACCOUNTS}?is_deleted=false&per_page=1000", None),
    ("GET", f"{ACCOUNTS}?is_deleted=true&name=gone", None),
    ("GET", f"{ACCOUNTS}?uuid={BLUE}&status=healthy", None),
    ("GET", f"{ACCOUNTS}/{BLUE}", None),
    ("GET", f"{ACCOUNTS}/{UNKNOWN}", None),
    ("GET", f"{ACCOUNTS}/{BLUE}/connections", None),
    ("GET", f"{ACCOUNTS}/{BLUE}/configurations", None),
    ("PUT", f"{ACCOUNTS}/{BLUE}/configurations", {"config": DOCUMENT}),
    ("GET", f"{ACCOUNTS}/{BLUE}/configurations", None),
    ("PUT", f"{ACCOUNTS}/{BLUE}/configurations", {"config": {"ingress": []}}),
    ("GET", f"{ACCOUNTS}/{UNKNOWN}/configurations", None),
    ("POST", ZONES, CNAME),
    ("POST", ZONES, CNAME),
    ("POST", ZONES, {"type": "TXT", "name": "text.example.com", "content": '"x"', "ttl": 300}),
    ("GET", f"{ZONES}?per_page=5000000&order=name&direction=asc&match=any", None),
    ("GET", f"{ZONES}?comment.startswith=heritage&type=CNAME&proxied=true", None),
    ("GET", f"{ZONES}?name.exact=new.example.com&content.endswith=.com&comment.present=x", None),
    ("GET", f"{ZONES}/{record_id(6)}", None),
    ("PATCH", f"{ZONES}/{record_id(6)}", {"comment": "yours"}),
    (
        "PUT",
        f"{ZONES}/{record_id(6)}",
        {"type": "CNAME", "name": "new.example.com", "content": "other.example.net", "ttl": 1},
    ),
    ("DELETE", f"{ZONES}/{record_id(6)}", None),
    ("DELETE", f"{ZONES}/{record_id(6)}", None),
    ("GET", f"/zones/{'0' * 32}/dns_records", None),
    ("GET", "/zones?per_page=50&page=2", None),
)
REFUSALS = (
    ("GET", "/zones"),
    ("GET", "/accounts"),
    ("GET", f"{ACCOUNTS}/{BLUE}"),
    ("GET", ZONES),
    ("GET", "/user/tokens/verify"),
)


def world() -> State:
    connected = Tunnel(BLUE, ACCOUNT, "blue", connectors=(Connector("b51d9d55-5121-4116-a420-fb571c6e335a"),))
    deleted = Tunnel("11111111-2222-4333-8444-555555555555", ACCOUNT, "gone", deleted_at="2026-09-29T07:06:00.497020Z")
    records = (
        Record("app.example.com", "CNAME", TARGET, proxied=True, comment="heritage=tunnel-webhook,owner=default"),
        Record("a.example.com", "A", "192.0.2.1", ttl=300),
        Record("a.example.com", "AAAA", "2001:db8::1"),
        Record("example.com", "MX", "mx.example.net", more={"priority": 10}),
        Record("sub.example.com", "NS", "ns.example.net"),
    )
    state = seed(["example.com", "example.org"]).with_tunnel(connected).with_tunnel(deleted)
    return (
        state.with_records("example.com", *records)
        .with_token(Token("nothing", {}))
        .with_behaviour(deprecated_connections=True)
    )


def ask(emulator: Emulator, token: str = API_TOKEN) -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return httpx.AsyncClient(transport=EmulatorTransport(emulator), base_url=BASE_URL, headers=headers)


async def exchanges() -> list[httpx.Response]:
    """Return the answers to the scenario, and to those whom the emulator refuses for who they are or how often they ask."""
    emulator = Emulator(world())
    async with (
        ask(emulator) as client,
        ask(emulator, "nothing") as stranger,
        ask(emulator, "unknown") as unknown,
        ask(emulator, "") as nobody,
    ):
        answers = [await client.request(method, path, json=body) for method, path, body in SCENARIO]
        answers += [await who.request(*refused) for who in (stranger, unknown, nobody) for refused in REFUSALS]
        emulator.state = emulator.state.with_behaviour(rate_quota=0)
        answers.append(await client.get("/zones"))
    return answers


@pytest.fixture(scope="module")
def description() -> Mapping[str, Any]:
    if not DESCRIPTION.exists():
        pytest.skip(f"needs Cloudflare's OpenAPI description at {DESCRIPTION.relative_to(DESCRIPTION.parents[2])}")
    read: Mapping[str, Any] = json.loads(DESCRIPTION.read_text())
    return {"paths": read["paths"], "components": {"schemas": as_it_is_now(read["components"]["schemas"])}}


def as_it_is_now(schemas: Mapping[str, Any]) -> dict[str, Any]:
    """Return the description's schemas as JSON Schema, mended by the table above."""
    mended: dict[str, Any] = {name: as_json_schema(schema) for name, schema in schemas.items()}
    for name in NULLABLE:
        mended[name]["type"] = ["string", "null"]
    for name, schema in mended.items():
        if name.endswith("_messages"):
            del schema["items"]["properties"]["code"]["minimum"]
        if name.endswith("api-response-common-failure"):
            schema["required"] = ["success", "errors"]
    mended["tunnel_ingressRule"]["required"].remove("hostname")
    return mended


def as_json_schema(schema: Any) -> Any:
    """Return an OpenAPI 3.0 schema as JSON Schema: `nullable` is a type there."""
    if isinstance(schema, list):
        return [as_json_schema(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {
        key: as_json_schema(value) for key, value in schema.items() if key not in {"example", "nullable", "description"}
    }
    if schema.get("nullable") is True and isinstance(schema.get("type"), str):
        plain["type"] = [schema["type"], "null"]
    return plain


def operation_of(description: Mapping[str, Any], request: httpx.Request) -> tuple[str, str]:
    """Return the method and the path of the operation that a request is one of."""
    path = request.url.path.removeprefix(BASE)
    found = [template for template in description["paths"] if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)]
    assert len(found) == 1, path
    return request.method.lower(), found[0]


def _is_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


FORMATS = jsonschema.FormatChecker(["uuid", "ipv4", "ipv6"])
FORMATS.checks("date-time", raises=ValueError)(_is_time)


def faults(description: Mapping[str, Any], schema: Any, value: object) -> Iterator[str]:
    whole = {"allOf": [schema], "components": description["components"]}
    for error in jsonschema.Draft7Validator(whole, format_checker=FORMATS).iter_errors(value):
        yield f"{error.json_path}: {error.message}"


def answer_faults(description: Mapping[str, Any], response: httpx.Response) -> list[str]:
    method, path = operation_of(description, response.request)
    answers = {status.upper(): answer for status, answer in description["paths"][path][method]["responses"].items()}
    schema = as_json_schema(answers["200" if response.is_success else "4XX"]["content"]["application/json"]["schema"])
    if not response.is_success:
        schema = schema["allOf"][-1] if "allOf" in schema else schema
    return list(faults(description, schema, response.json()))


def request_faults(description: Mapping[str, Any], request: httpx.Request) -> list[str]:
    method, path = operation_of(description, request)
    operation = description["paths"][path][method]
    known = {
        each["name"]: as_json_schema(each["schema"])
        for each in operation.get("parameters", [])
        if each["in"] == "query"
    }
    found: list[str] = []
    for name, text in parse_qsl(request.url.query.decode(), keep_blank_values=True):
        if name in known:
            found += faults(description, known[name], _typed(text))
        elif not NEWER_PARAMETERS.fullmatch(name):
            found.append(f"there is no parameter {name}")
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if body is not None and method in {"put", "post"}:
        written = {**description, "components": {"schemas": _writable(description["components"]["schemas"])}}
        found += faults(written, as_json_schema(body), json.loads(request.content))
    return found


def _typed(text: str) -> object:
    return json.loads(text) if re.fullmatch(r"true|false|[0-9]+", text) else text


def _writable(schemas: Mapping[str, Any]) -> dict[str, Any]:
    return {**schemas, "dns-records_dns-record": {"oneOf": schemas["dns-records_dns-record"]["oneOf"]}}


async def test_every_request_of_the_scenario_is_one_that_is_described(description: Mapping[str, Any]) -> None:
    found = {str(each.request.url): request_faults(description, each.request) for each in await exchanges()}
    assert {url: wrong for url, wrong in found.items() if wrong} == {}


async def test_every_answer_of_the_scenario_is_one_that_is_described(description: Mapping[str, Any]) -> None:
    found = {
        f"{each.request.method} {each.url} {each.status_code}": answer_faults(description, each)
        for each in await exchanges()
    }
    assert {call: wrong for call, wrong in found.items() if wrong} == {}


async def test_the_scenario_has_every_operation_that_is_described_and_used(description: Mapping[str, Any]) -> None:
    described = {(method, path) for path, methods in description["paths"].items() for method in methods}
    asked = {operation_of(description, each.request) for each in await exchanges() if each.is_success}
    assert described - asked == NOT_USED


@pytest.mark.parametrize(
    ("path", "spoilt"),
    [
        ("/user/tokens/verify", {"result": {"id": "x", "status": "splendid"}}),
        ("/zones", {"result": [{"id": "x"}]}),
        (f"/zones/{ZONE}", {"errors": None}),
        (ZONES, {"result": [{"id": "x", "type": "CNAME"}]}),
        (f"{ACCOUNTS}/{BLUE}", {"success": "yes"}),
        (f"{ACCOUNTS}/{BLUE}/connections", {"result": {}}),
    ],
)
async def test_an_answer_of_another_shape_would_be_found(
    description: Mapping[str, Any], path: str, spoilt: Any
) -> None:
    async with ask(Emulator(world())) as client:
        response = await client.get(path)
    assert answer_faults(description, response) == []
    body = {**response.json(), **spoilt}
    assert answer_faults(description, httpx.Response(200, json=body, request=response.request)) != []
