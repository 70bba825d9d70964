"""Credentials, permissions, lists of zones and the rate limit of the emulated API (cloudflare-api.md 2.6, 3, 6, 7)."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from doubles.emulator import (
    ACCOUNT,
    API_TOKEN,
    BASE_URL,
    BLUE,
    Account,
    Emulator,
    EmulatorTransport,
    State,
    Token,
    open_client,
    seed,
    zone_id,
)

pytestmark = pytest.mark.anyio

OURS, THEIRS = zone_id("example.com"), zone_id("example.org")
OTHER_ACCOUNT = "0123456789abcdef0123456789abcdef"
BLOCKED = (
    '{"success":false,"errors":[{"code":971,"message":"Please wait and consider throttling your request speed"}],'
    '"messages":[],"result":null}'
)
FORBIDDEN = '{"success":false,"errors":[{"code":10000,"message":"Authentication error"}],"messages":[],"result":null}'
CONFIGURATION = f"/accounts/{ACCOUNT}/cfd_tunnel/{BLUE}/configurations"
RECORDS = f"/zones/{OURS}/dns_records"
BATCH = f"{RECORDS}/batch"


def knowing(*tokens: Token, **switches: Any) -> Emulator:
    state = seed(["example.com", "example.org"]).with_behaviour(**switches)
    for token in tokens:
        state = state.with_token(token)
    return Emulator(state)


def token(**grants: tuple[str, ...]) -> Token:
    """Return a token of these grants, their names with `_` for the space."""
    named: dict[Any, tuple[str, ...]] = {name.replace("_", " "): resources for name, resources in grants.items()}
    return Token("limited", named)


async def ask(emulator: Emulator, method: str, path: str, headers: Mapping[str, str]) -> httpx.Response:
    async with httpx.AsyncClient(transport=EmulatorTransport(emulator), base_url=BASE_URL) as client:
        return await client.request(method, path, headers=headers, json={} if method in {"POST", "PUT"} else None)


async def ask_as(emulator: Emulator, secret: str, path: str, method: str = "GET") -> httpx.Response:
    return await ask(emulator, method, path, {"authorization": f"Bearer {secret}"})


def refusal(response: httpx.Response) -> tuple[int, int]:
    """Return the status and the code of an error."""
    return response.status_code, response.json()["errors"][0]["code"]


async def test_a_valid_token_is_verified_as_documented() -> None:
    dated = Token("dated", not_before="2018-07-01T05:20:00Z", expires_on="2020-01-01T00:00:00Z")
    documented = (
        '{"success":true,"errors":[],"messages":[],"result":{"id":"ed17574386854bf78a67040be0a770b0","status":"active",'
        '"not_before":"2018-07-01T05:20:00Z","expires_on":"2020-01-01T00:00:00Z"}}'
    )
    assert (await ask_as(knowing(dated), "dated", "/user/tokens/verify")).text == documented


@pytest.mark.parametrize("status", ["disabled", "expired"])
async def test_a_disabled_or_expired_token_is_verified_as_such_and_refused_everywhere_else(status: Any) -> None:
    emulator = knowing(replace(token(), status=status))
    verified = await ask_as(emulator, "limited", "/user/tokens/verify")
    assert verified.status_code == 200
    assert verified.json()["result"]["status"] == status
    assert refusal(await ask_as(emulator, "limited", "/zones")) == (403, 9109)
    assert refusal(await ask_as(emulator, "limited", RECORDS)) == (403, 9109)
    assert refusal(await ask_as(emulator, "limited", CONFIGURATION)) == (403, 10000)


async def test_an_unknown_token_is_refused_everywhere() -> None:
    assert refusal(await ask_as(knowing(), "unknown", "/user/tokens/verify")) == (401, 1000)
    assert refusal(await ask_as(knowing(), "unknown", f"/accounts/{ACCOUNT}/tokens/verify")) == (401, 1000)
    assert refusal(await ask_as(knowing(), "unknown", RECORDS)) == (403, 9109)
    assert refusal(await ask_as(knowing(), "unknown", CONFIGURATION)) == (403, 10000)


async def test_an_accounts_token_is_verified_only_by_its_account() -> None:
    emulator = knowing(Token("cfat_owned", account=ACCOUNT))
    assert refusal(await ask_as(emulator, "cfat_owned", "/user/tokens/verify")) == (401, 1000)
    assert refusal(await ask_as(emulator, "cfat_owned", f"/accounts/{OTHER_ACCOUNT}/tokens/verify")) == (401, 1000)
    verified = await ask_as(emulator, "cfat_owned", f"/accounts/{ACCOUNT}/tokens/verify")
    assert verified.json()["result"]["status"] == "active"
    assert (await ask_as(emulator, "cfat_owned", "/zones")).status_code == 200


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Bearer two words", "Basic abc", "limited", "Bearer with\ttab", "bearer limited"],
)
async def test_a_malformed_header_is_refused_as_seen_in_the_wild(authorization: str) -> None:
    seen = (
        '{"success":false,"errors":[{"code":6003,"message":"Invalid request headers","error_chain":'
        '[{"code":6111,"message":"Invalid format for Authorization header"}]}],"messages":[],"result":null}'
    )
    response = await ask(knowing(token()), "GET", "/zones", {"authorization": authorization})
    assert response.status_code == 400
    assert response.text == seen


@pytest.mark.parametrize(
    ("headers", "answer"),
    [
        ({}, (400, 9106)),
        ({"x-auth-email": "a@example.com"}, (400, 9106)),
        ({"x-auth-email": "a@example.com", "x-auth-key": "not a key"}, (400, 6003)),
        ({"x-auth-email": "a@example.com", "x-auth-key": "wrong"}, (403, 10000)),
        ({"x-auth-email": "b@example.com", "x-auth-key": "right"}, (403, 10000)),
        ({"x-auth-email": "a@example.com", "x-auth-key": "right", "authorization": f"Bearer {API_TOKEN}"}, (400, 6003)),
    ],
    ids=["none", "no key", "malformed key", "wrong key", "another's key", "two schemes"],
)
async def test_other_credentials_are_refused(headers: Mapping[str, str], answer: tuple[int, int]) -> None:
    emulator = Emulator(replace(seed(), keys={"a@example.com": "right"}))
    assert refusal(await ask(emulator, "GET", CONFIGURATION, headers)) == answer


async def test_an_email_address_and_its_key_have_every_permission() -> None:
    emulator = Emulator(replace(seed(), keys={"a@example.com": "right"}))
    headers = {"x-auth-email": "a@example.com", "x-auth-key": "right"}
    for path in ("/zones", CONFIGURATION, RECORDS):
        assert (await ask(emulator, "GET", path, headers)).status_code == 200


@pytest.mark.parametrize(
    ("grants", "path", "method", "answer"),
    [
        ({}, CONFIGURATION, "GET", (403, 10000)),
        ({}, RECORDS, "GET", (403, 10000)),
        ({"tunnel_read": (OTHER_ACCOUNT,)}, CONFIGURATION, "GET", (403, 10000)),
        ({"account_read": (ACCOUNT,)}, CONFIGURATION, "GET", (403, 9109)),
        ({"zone_read": (OURS,)}, RECORDS, "GET", (403, 9109)),
        ({"zone_read": (OURS,)}, BATCH, "POST", (403, 9109)),
        ({"dns_write": (THEIRS,)}, RECORDS, "GET", (403, 10000)),
        ({"dns_read": (OURS,)}, f"/zones/{OURS}", "GET", (403, 9109)),
        ({"tunnel_read": (ACCOUNT,)}, CONFIGURATION, "PUT", (403, 10000)),
        ({"dns_read": (OURS,)}, BATCH, "POST", (403, 10000)),
        ({"dns_write": (OURS,)}, f"/zones/{'0' * 32}/dns_records", "GET", (403, 10000)),
    ],
)
async def test_a_token_without_the_permission_is_refused(
    grants: Mapping[str, tuple[str, ...]], path: str, method: str, answer: tuple[int, int]
) -> None:
    assert refusal(await ask_as(knowing(token(**grants)), "limited", path, method)) == answer


async def test_a_missing_permission_answers_as_seen_in_the_wild() -> None:
    assert (await ask_as(knowing(token()), "limited", CONFIGURATION)).text == FORBIDDEN


@pytest.mark.parametrize(
    ("grants", "path"),
    [
        ({"tunnel_read": (ACCOUNT,)}, CONFIGURATION),
        ({"tunnel_write": (ACCOUNT,)}, CONFIGURATION),
        ({"dns_read": (OURS,)}, RECORDS),
        ({"dns_write": (OURS,)}, RECORDS),
        ({"dns_write": (ACCOUNT,)}, RECORDS),
        ({"zone_read": (OURS,)}, f"/zones/{OURS}"),
        ({"zone_read": ("*",)}, "/zones"),
    ],
)
async def test_a_token_with_the_permission_is_admitted(grants: Mapping[str, tuple[str, ...]], path: str) -> None:
    assert (await ask_as(knowing(token(**grants)), "limited", path)).status_code == 200


@pytest.mark.parametrize(
    ("grants", "method", "path"),
    [({"tunnel_read": (ACCOUNT,)}, "PUT", CONFIGURATION), ({"dns_read": (OURS,)}, "POST", BATCH)],
)
async def test_a_write_with_permission_only_to_read_is_refused_in_a_body_without_messages_and_result(
    grants: Mapping[str, tuple[str, ...]], method: str, path: str
) -> None:
    response = await ask_as(knowing(token(**grants)), "limited", path, method)
    error = {"code": 10000, "message": f"{method} method not allowed for the api_token authentication scheme"}
    assert response.json() == {"success": False, "errors": [error]}


@pytest.mark.parametrize(
    ("grants", "switch", "zones"),
    [
        ({"zone_read": ("*",)}, "refused", ["example.com", "example.org"]),
        ({"zone_read": (ACCOUNT,)}, "refused", ["example.com", "example.org"]),
        ({"zone_read": (OURS,)}, "own zones", ["example.com"]),
    ],
)
async def test_a_token_sees_the_zones_that_it_is_granted(
    grants: Mapping[str, tuple[str, ...]], switch: str, zones: list[str]
) -> None:
    response = await ask_as(knowing(token(**grants), zone_scoped_list=switch), "limited", "/zones")
    assert [zone["name"] for zone in response.json()["result"]] == zones


@pytest.mark.parametrize(
    ("grants", "switch"), [({"zone_read": (OURS,)}, "refused"), ({"dns_write": (OURS,)}, "own zones")]
)
async def test_a_token_may_not_be_allowed_to_list_zones(grants: Mapping[str, tuple[str, ...]], switch: str) -> None:
    response = await ask_as(knowing(token(**grants), zone_scoped_list=switch), "limited", "/zones")
    assert refusal(response) == (403, 0)
    assert "requires permission 'com.cloudflare.api.account.zone.list' to list zones" in response.text


def with_zones() -> State:
    state = seed(["b.example", "a.example", "c.test"])
    pending = replace(state.zone("c.test"), status="pending", account=OTHER_ACCOUNT)
    return replace(
        state.with_zone(pending), accounts={**state.accounts, OTHER_ACCOUNT: Account(OTHER_ACCOUNT, "Other")}
    )


@pytest.mark.parametrize(
    ("query", "zones"),
    [
        ("", ["b.example", "a.example", "c.test"]),
        ("name=A.example", ["a.example"]),
        ("status=active", ["b.example", "a.example"]),
        (f"account.id={OTHER_ACCOUNT}", ["c.test"]),
        ("order=name", ["a.example", "b.example", "c.test"]),
        ("name=a.example&status=pending", []),
        ("unheard=of", ["b.example", "a.example", "c.test"]),
    ],
)
async def test_a_list_of_zones_is_filtered_and_ordered(query: str, zones: list[str]) -> None:
    response = await ask_as(Emulator(with_zones()), API_TOKEN, f"/zones?{query}")
    assert [zone["name"] for zone in response.json()["result"]] == zones


async def test_a_list_of_zones_has_pages_of_at_most_50() -> None:
    emulator = Emulator(seed([f"zone{number}.example" for number in range(51)]))
    pages = [(await ask_as(emulator, API_TOKEN, f"/zones?per_page=50&page={page}")).json() for page in (1, 2, 3)]
    assert [len(page["result"]) for page in pages] == [50, 1, 0]
    assert pages[0]["result_info"] == {"page": 1, "per_page": 50, "count": 50, "total_count": 51, "total_pages": 2}


async def test_a_zone_has_an_account_a_plan_and_a_status() -> None:
    zone = (await ask_as(knowing(), API_TOKEN, f"/zones/{OURS}")).json()["result"]
    assert zone["account"]["id"] == ACCOUNT
    assert zone["plan"]["legacy_id"] == "enterprise"
    assert zone["status"] == "active"


async def test_every_answer_says_how_many_calls_are_left() -> None:
    async with open_client(knowing()) as client:
        responses = [await client.get("/zones"), await client.get("/nowhere")]
    assert [response.headers["ratelimit"] for response in responses] == [
        '"default";r=1199;t=300',
        '"default";r=1198;t=300',
    ]
    assert {response.headers["ratelimit-policy"] for response in responses} == {'"default";q=1200;w=300'}


async def test_one_call_too_many_blocks_every_call_of_the_token_for_five_minutes() -> None:
    emulator = knowing(Token("another"), rate_quota=3)
    async with open_client(emulator) as client:
        assert [(await client.get("/zones")).status_code for _ in range(5)] == [200, 200, 200, 429, 429]
        await emulator.clock.sleep(163)
        blocked = await client.get("/zones")
        assert blocked.status_code == 429
        assert blocked.text == BLOCKED
        assert blocked.headers["retry-after"] == "137"
        assert blocked.headers["ratelimit"] == '"default";r=0;t=137'
        assert (await ask_as(emulator, "another", "/zones")).status_code == 200
        await emulator.clock.sleep(137)
        assert (await client.get("/zones")).headers["ratelimit"] == '"default";r=2;t=300'


async def test_calls_that_are_spread_over_windows_are_never_blocked() -> None:
    emulator = knowing(rate_quota=3)
    async with open_client(emulator) as client:
        for _ in range(10):
            assert (await client.get("/zones")).status_code == 200
            await emulator.clock.sleep(101)
