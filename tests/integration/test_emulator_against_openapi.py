"""The emulator's answers, and the requests for them, validated against Cloudflare's OpenAPI description of 2024-08-07.

Where the description is older than the recordings, or contradicts itself, the recordings win:

| the description                                           | the API                     |
|-----------------------------------------------------------|-----------------------------|
| an error's code is 1000 or more                           | 0 and 971 exist             |
| every failure has `messages` and `result`                 | some routes leave them out  |
| a failure is also a success (`allOf` of both)             | it is a failure             |
| `deleted_at`, `conns_active_at`, `conns_inactive_at`, and | null without a value        |
| a record's `comment` are strings                          |                             |
| every rule has a hostname                                 | the catch-all has none      |
| `name` and `content` have no comparisons                  | they have, since 2025-02-21 |

Batches, usage and the verification of an account's token are not in the extract; the test with the SDK has them.
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

pytestmark = pytest.mark.anyio

DESCRIPTION = Path(__file__).parents[3] / "shared/reference/cloudflare-openapi.json"
NULLABLE = {"tunnel_deleted_at", "tunnel_conns_active_at", "tunnel_conns_inactive_at", "dns-records_comment"}
NEWER_PARAMETERS = re.compile(r"(name|content)\.(exact|contains|startswith|endswith)")
NOT_EMULATED = {
    ("delete", "/accounts/{account_id}/cfd_tunnel/{tunnel_id}/connections"),
    ("get", "/accounts"),
    ("get", "/accounts/{account_id}/cfd_tunnel"),
    ("post", "/zones/{zone_id}/dns_records"),
    ("get", "/zones/{zone_id}/dns_records/{dns_record_id}"),
    ("patch", "/zones/{zone_id}/dns_records/{dns_record_id}"),
    ("put", "/zones/{zone_id}/dns_records/{dns_record_id}"),
    ("delete", "/zones/{zone_id}/dns_records/{dns_record_id}"),
}

ZONE = zone_id("example.com")
TUNNELS, RECORDS = f"/accounts/{ACCOUNT}/cfd_tunnel", f"/zones/{ZONE}/dns_records"
TARGET = f"{BLUE}.cfargotunnel.com"
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
UNKNOWN, DELETED = "00000000-0000-4000-8000-000000000000", "11111111-2222-4333-8444-555555555555"
SCENARIO: tuple[tuple[str, str, Any], ...] = (
    ("GET", "/user/tokens/verify", None),
    ("GET", "/zones?per_page=50&page=1&status=active&order=name", None),
    ("GET", "/zones?name=example.com", None),
    ("GET", f"/zones?account.id={ACCOUNT}", None),
    ("GET", f"/zones/{ZONE}", None),
    ("GET", f"{TUNNELS}/{BLUE}", None),
    ("GET", f"{TUNNELS}/{DELETED}", None),
    ("GET", f"{TUNNELS}/{UNKNOWN}", None),
    ("GET", f"{TUNNELS}/{BLUE}/connections", None),
    ("GET", f"{TUNNELS}/{BLUE}/configurations", None),
    ("PUT", f"{TUNNELS}/{BLUE}/configurations", {"config": DOCUMENT}),
    ("GET", f"{TUNNELS}/{BLUE}/configurations", None),
    ("PUT", f"{TUNNELS}/{BLUE}/configurations", {"config": {"ingress": []}}),
    ("GET", f"{TUNNELS}/{UNKNOWN}/configurations", None),
    ("GET", f"{RECORDS}?per_page=5000000&order=name", None),
    ("GET", f"{RECORDS}?comment.startswith=heritage&type=CNAME", None),
    ("GET", f"{RECORDS}?name.exact=app.example.com&content.endswith=.com", None),
    ("GET", f"/zones/{'0' * 32}/dns_records", None),
    ("GET", "/zones?per_page=50&page=2", None),
)
REFUSALS = (
    ("GET", "/zones"),
    ("GET", f"{TUNNELS}/{BLUE}"),
    ("GET", RECORDS),
    ("GET", "/user/tokens/verify"),
)


def world() -> State:
    connected = Tunnel(BLUE, ACCOUNT, "blue", connectors=(Connector("b51d9d55-5121-4116-a420-fb571c6e335a"),))
    deleted = Tunnel(DELETED, ACCOUNT, "gone", deleted_at="2026-09-29T07:06:00.497020Z")
    records = (
        Record("app.example.com", "CNAME", TARGET, proxied=True, comment="heritage=tunnel-webhook,owner=default"),
        Record("a.example.com", "A", "192.0.2.1", ttl=300),
        Record("a.example.com", "AAAA", "2001:db8::1"),
        Record("example.com", "MX", "mx.example.net", more={"priority": 10}),
        Record("sub.example.com", "NS", "ns.example.net"),
    )
    state = seed(["example.com", "example.org"]).with_tunnel(connected).with_tunnel(deleted)
    return state.with_records("example.com", *records).with_token(Token("nothing", {}))


def ask(emulator: Emulator, token: str = API_TOKEN) -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return httpx.AsyncClient(transport=EmulatorTransport(emulator), base_url=BASE_URL, headers=headers)


async def exchanges() -> list[httpx.Response]:
    """Return the answers to the scenario, and to requests that are refused for their credentials or their number."""
    emulator = Emulator(world())
    async with (
        ask(emulator) as client,
        ask(emulator, "nothing") as stranger,
        ask(emulator, "unknown") as unknown,
        ask(emulator, "") as anonymous,
    ):
        answers = [await client.request(method, path, json=body) for method, path, body in SCENARIO]
        answers += [await other.request(*call) for other in (stranger, unknown, anonymous) for call in REFUSALS]
        emulator.state = emulator.state.with_behaviour(rate_quota=0)
        answers.append(await client.get("/zones"))
    return answers


@pytest.fixture(scope="module")
def description() -> Mapping[str, Any]:
    if not DESCRIPTION.exists():
        pytest.skip(f"needs Cloudflare's OpenAPI description at {DESCRIPTION.relative_to(DESCRIPTION.parents[2])}")
    read: Mapping[str, Any] = json.loads(DESCRIPTION.read_text())
    return {"paths": read["paths"], "components": {"schemas": corrected_schemas(read["components"]["schemas"])}}


def corrected_schemas(schemas: Mapping[str, Any]) -> dict[str, Any]:
    """Return the description's schemas as JSON Schema, corrected by the table above."""
    corrected: dict[str, Any] = {name: as_json_schema(schema) for name, schema in schemas.items()}
    for name in NULLABLE:
        corrected[name]["type"] = ["string", "null"]
    for name, schema in corrected.items():
        if name.endswith("_messages"):
            del schema["items"]["properties"]["code"]["minimum"]
        if name.endswith("api-response-common-failure"):
            schema["required"] = ["success", "errors"]
    corrected["tunnel_ingressRule"]["required"].remove("hostname")
    return corrected


def as_json_schema(schema: Any) -> Any:
    """Return an OpenAPI 3.0 schema as JSON Schema: `nullable` is a type there."""
    if isinstance(schema, list):
        return [as_json_schema(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {
        key: as_json_schema(value) for key, value in schema.items() if key not in {"example", "nullable", "description"}
    }
    if schema.get("nullable") is True and isinstance(schema.get("type"), str):
        plain["type"] = [schema["type"], "null"]
    return plain


def operation_of(description: Mapping[str, Any], request: httpx.Request) -> tuple[str, str]:
    """Return the method and the path template of a request's operation."""
    path = request.url.path.removeprefix(BASE)
    templates = [
        template for template in description["paths"] if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)
    ]
    assert len(templates) == 1, path
    return request.method.lower(), templates[0]


def _is_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


FORMATS = jsonschema.FormatChecker(["uuid", "ipv4", "ipv6"])
FORMATS.checks("date-time", raises=ValueError)(_is_time)


def problems_of(description: Mapping[str, Any], schema: Any, value: object) -> Iterator[str]:
    whole = {"allOf": [schema], "components": description["components"]}
    for error in jsonschema.Draft7Validator(whole, format_checker=FORMATS).iter_errors(value):
        yield f"{error.json_path}: {error.message}"


def answer_problems(description: Mapping[str, Any], response: httpx.Response) -> list[str]:
    method, path = operation_of(description, response.request)
    answers = {status.upper(): answer for status, answer in description["paths"][path][method]["responses"].items()}
    schema = as_json_schema(answers["200" if response.is_success else "4XX"]["content"]["application/json"]["schema"])
    if not response.is_success:
        schema = schema["allOf"][-1] if "allOf" in schema else schema
    return list(problems_of(description, schema, response.json()))


def request_problems(description: Mapping[str, Any], request: httpx.Request) -> list[str]:
    method, path = operation_of(description, request)
    operation = description["paths"][path][method]
    known = {
        parameter["name"]: as_json_schema(parameter["schema"])
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "query"
    }
    problems: list[str] = []
    for name, text in parse_qsl(request.url.query.decode(), keep_blank_values=True):
        if name in known:
            problems += problems_of(description, known[name], _typed(text))
        elif not NEWER_PARAMETERS.fullmatch(name):
            problems.append(f"there is no parameter {name}")
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if body is not None and method == "put":
        problems += problems_of(description, as_json_schema(body), json.loads(request.content))
    return problems


def _typed(text: str) -> object:
    return json.loads(text) if re.fullmatch(r"true|false|[0-9]+", text) else text


async def test_every_request_of_the_scenario_is_described(description: Mapping[str, Any]) -> None:
    for answer in await exchanges():
        assert request_problems(description, answer.request) == [], answer.request.url


async def test_every_answer_of_the_scenario_is_described(description: Mapping[str, Any]) -> None:
    for answer in await exchanges():
        assert answer_problems(description, answer) == [], f"{answer.request.method} {answer.url} {answer.status_code}"


async def test_the_scenario_has_every_operation_that_is_described_and_emulated(description: Mapping[str, Any]) -> None:
    described = {(method, path) for path, methods in description["paths"].items() for method in methods}
    called = {operation_of(description, answer.request) for answer in await exchanges() if answer.is_success}
    assert described - called == NOT_EMULATED


@pytest.mark.parametrize(
    ("path", "distortion"),
    [
        ("/user/tokens/verify", {"result": {"id": "x", "status": "splendid"}}),
        ("/zones", {"result": [{"id": "x"}]}),
        (f"/zones/{ZONE}", {"errors": None}),
        (RECORDS, {"result": [{"id": "x", "type": "CNAME"}]}),
        (f"{TUNNELS}/{BLUE}", {"success": "yes"}),
        (f"{TUNNELS}/{BLUE}/connections", {"result": {}}),
    ],
)
async def test_an_answer_that_does_not_fit_the_description_is_detected(
    description: Mapping[str, Any], path: str, distortion: Any
) -> None:
    async with ask(Emulator(world())) as client:
        response = await client.get(path)
    assert answer_problems(description, response) == []
    body = {**response.json(), **distortion}
    assert answer_problems(description, httpx.Response(200, json=body, request=response.request)) != []
