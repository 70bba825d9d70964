"""The webhook app: the answers to external-dns, and the table of problems."""

import json
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doubles.http_client import MEDIA_TYPE, connect, json_of
from doubles.steps import SteppedTunnels, SteppedZones, fail
from tunnel_webhook.adapters.http import problems
from tunnel_webhook.adapters.http.admission import Admission
from tunnel_webhook.adapters.http.problems import MAX_BODY
from tunnel_webhook.adapters.http.webhook import create_webhook_app
from tunnel_webhook.ports import PermanentFailure, TemporaryFailure
from vocabulary.builders import ZONE, endpoint, memory, record, service

pytestmark = pytest.mark.anyio

SENT = {
    path.stem: path.read_bytes() for path in (Path(__file__).parents[1] / "fixtures" / "external_dns").glob("*.json")
}
TYPED = {"Content-Type": MEDIA_TYPE}
MIB = 1024 * 1024
TOKEN = "s3cr3t-t0ken"  # noqa: S105 -- the tests search for it
PASSWORD = "c0rrect-h0rse"  # noqa: S105 -- of the tests
Driven = tuple[SteppedTunnels, SteppedZones]
Send = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]


@pytest.fixture
def driven() -> Driven:
    tunnels, zones = memory(None, {ZONE: (record("mail.example.com", "192.0.2.1", "A"),)})
    return SteppedTunnels(tunnels), SteppedZones(zones)


@pytest.fixture
async def client(driven: Driven) -> AsyncIterator[httpx.AsyncClient]:
    async with connect(create_webhook_app(service(*driven), Admission(password=PASSWORD))) as connected:
        connected.auth = ("external-dns", PASSWORD)
        yield connected


def post(path: str, body: bytes, **headers: str) -> Send:
    return lambda client: client.post(path, content=body, headers={**TYPED, **headers})


def changes(name: str) -> bytes:
    return json.dumps({"create": json_of([endpoint(name)])}).encode()


async def test_the_filter_is_answered_at_once_with_the_exact_media_type(
    client: httpx.AsyncClient, driven: Driven
) -> None:
    driven[0].step = driven[1].step = fail(AssertionError("no port may be called"))

    answer = await client.get("/")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert answer.content == b"{}"


async def test_a_sync_adjusts_applies_and_reads(client: httpx.AsyncClient) -> None:
    endpoints = b'[{"dnsName":"App.example.com","targets":["http://app:80/"],"recordType":"CNAME","recordTTL":60}]\n'
    adjusted = await post("/adjustendpoints", endpoints)(client)
    applied = await post("/records", b'{"create":%b}' % adjusted.content)(client)
    records = await client.get("/records")

    assert [answer.status_code for answer in (adjusted, applied, records)] == [200, 204, 200]
    assert {answer.headers["content-type"] for answer in (adjusted, records)} == {MEDIA_TYPE}
    assert applied.content == b""
    assert "content-type" not in applied.headers
    assert adjusted.json() == [{"dnsName": "app.example.com", "targets": ["http://app:80"], "recordType": "CNAME"}]
    assert [record["dnsName"] for record in records.json()] == ["app.example.com"]


@pytest.mark.parametrize("name", sorted(SENT))
async def test_no_body_of_a_genuine_external_dns_is_answered_with_4xx(client: httpx.AsyncClient, name: str) -> None:
    path, statuses = ("/adjustendpoints", {200}) if name.startswith("adjust") else ("/records", {204, 500})

    answer = await post(path, SENT[name])(client)

    assert answer.status_code in statuses


async def test_the_adjustment_of_null_is_an_empty_list(client: httpx.AsyncClient) -> None:
    assert (await post("/adjustendpoints", b"null\n")(client)).content == b"[]\n"


@pytest.mark.parametrize(
    "media_type",
    [
        MEDIA_TYPE,
        "application/external.dns.webhook+json; version=1",
        "Application/External.DNS.Webhook+JSON ; Version=1",
        'application/external.dns.webhook+json;version="1"',
        "application/external.dns.webhook+json;charset=utf-8;version=1",
    ],
)
async def test_a_media_type_is_accepted_in_every_spelling(client: httpx.AsyncClient, media_type: str) -> None:
    assert (await post("/records", b"{}", **{"Content-Type": media_type})(client)).status_code == 204


@pytest.mark.parametrize(
    ("media_type", "named"),
    [
        (None, "missing"),
        ("", "missing"),
        ("application/json", "application/json"),
        ("text/plain", "text/plain"),
        ("application/external.dns.webhook+json", "application/external.dns.webhook+json;"),
        ("application/external.dns.webhook+json;version=2", "version=2"),
        (f"text/plain;{MEDIA_TYPE}", f"text/plain;{MEDIA_TYPE}"),
        (f"multipart/form-data;boundary=a;{MEDIA_TYPE}", "multipart/form-data"),
        (f'application/x-www-form-urlencoded;x="{MEDIA_TYPE}"', "application/x-www-form-urlencoded"),
        (f"text/plain, {MEDIA_TYPE}", "text/plain"),
        (f"{MEDIA_TYPE}, text/plain", "text/plain"),
        ("application/external.dns.webhook+json;version=2;version=1", "version=2"),
    ],
    ids=[
        "missing",
        "empty",
        "JSON",
        "text",
        "no version",
        "another version",
        "as a parameter of text",
        "as a parameter of a form",
        "quoted in a parameter",
        "second in a list",
        "first in a list",
        "two versions",
    ],
)
async def test_another_media_type_is_refused_before_the_body_is_read(
    client: httpx.AsyncClient, media_type: str | None, named: str
) -> None:
    headers = {} if media_type is None else {"Content-Type": media_type}

    answer = await client.post("/records", content=b"{", headers=headers)

    assert answer.status_code == 415
    assert named in answer.json()["detail"]
    assert MEDIA_TYPE in answer.json()["detail"]


async def test_two_media_types_are_refused_even_if_they_are_equal(client: httpx.AsyncClient) -> None:
    for first, second in ((MEDIA_TYPE, MEDIA_TYPE), (MEDIA_TYPE, "text/plain"), ("text/plain", MEDIA_TYPE)):
        answer = await client.post(
            "/records", content=b"{", headers=[("Content-Type", first), ("Content-Type", second)]
        )

        assert answer.status_code == 415


SIMPLE = ["text/plain", "multipart/form-data", "application/x-www-form-urlencoded"]
"""The types that a page may send to another origin without asking first (Fetch, 2.2.2: CORS-safelisted)."""


@given(
    st.sampled_from(SIMPLE),
    st.lists(st.sampled_from([*';,= \t"\\/', *SIMPLE, MEDIA_TYPE, *re.split("([;=])", MEDIA_TYPE)]), max_size=12),
)
async def test_no_spelling_of_a_simple_media_type_is_accepted(simple: str, rest: list[str]) -> None:
    async with connect(create_webhook_app(service(*memory(None, {ZONE: ()})))) as client:
        answer = await client.post(
            "/records", content=changes("app.example.com"), headers={"Content-Type": simple + ";" + "".join(rest)}
        )
        records = await client.get("/records")

    assert answer.status_code == 415
    assert records.json() == []


@pytest.mark.parametrize("path", ["/records/", "/records?x=1", "//records", "/records/?"])
@pytest.mark.parametrize("accept", [MEDIA_TYPE, "*/*", "text/html", ""])
async def test_a_path_and_an_accept_are_accepted_in_every_form(
    client: httpx.AsyncClient, path: str, accept: str
) -> None:
    got = await client.get(httpx.URL("http://127.0.0.1" + path), headers={"Accept": accept})
    posted = await client.post(httpx.URL("http://127.0.0.1" + path), content=b"{}", headers={**TYPED, "Accept": accept})

    assert got.status_code == 200
    assert posted.status_code == 204


@pytest.mark.parametrize(
    ("send", "failure", "status", "part"),
    [
        pytest.param(post("/records", b"{}", Host=""), None, 400, "0 Host headers", id="AmbiguousRequest"),
        pytest.param(lambda client: client.get("/", auth=None), None, 401, "missing", id="WrongPassword"),
        pytest.param(post("/records", b"{}", Origin="null"), None, 403, "'null'", id="ForbiddenRequest"),
        pytest.param(post("/adjustendpoints", b"{"), None, 400, "array", id="MalformedBody"),
        pytest.param(
            lambda client: client.get("/applychanges"), None, 404, "/applychanges", id="Litestar: no such path"
        ),
        pytest.param(lambda client: client.put("/records"), None, 405, "PUT", id="Litestar: no such method"),
        pytest.param(post("/records", b" " * 33 * MIB), None, 413, str(32 * MIB), id="Litestar: a body over the limit"),
        pytest.param(
            post("/records", b"{}", **{"Content-Type": "text/plain"}), None, 415, "text/plain", id="WrongMediaType"
        ),
        pytest.param(
            post("/records", b"{}", **{"Content-Length": "2x"}), None, 400, "2x", id="Litestar: any other 4xx"
        ),
        pytest.param(
            post("/records", changes("mail.example.com")), None, 500, "record-conflict", id="ChangesNotApplied"
        ),
        pytest.param(
            lambda client: client.get("/records"),
            PermanentFailure("the token"),
            500,
            "the token",
            id="PermanentFailure",
        ),
        pytest.param(
            lambda client: client.get("/records"),
            TemporaryFailure("try later"),
            503,
            "try later",
            id="TemporaryFailure",
        ),
        pytest.param(lambda client: client.get("/records"), RuntimeError(TOKEN), 500, "unexpected", id="anything else"),
    ],
)
async def test_each_exception_is_answered_as_in_the_table(
    client: httpx.AsyncClient, driven: Driven, send: Send, failure: Exception | None, status: int, part: str
) -> None:
    if failure:
        driven[1].step = fail(failure)

    answer = await send(client)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem.keys() == {"title", "status", "detail"}
    assert problem["status"] == status
    assert part in problem["detail"]
    assert len(answer.content) < 1024


def test_each_row_of_the_table_has_a_case() -> None:
    rows = re.findall(r"^\| ([\w: ]+?) +\| (\d{3}|its own)", problems.__doc__ or "", re.MULTILINE)
    (cases,) = (
        mark
        for mark in vars(test_each_exception_is_answered_as_in_the_table)["pytestmark"]
        if mark.name == "parametrize"
    )

    assert {row for row, _ in rows} - {"Litestar: the client has left"} == {case.id for case in cases.args[1]}


REFUSED: dict[str, tuple[dict[str, str], int]] = {
    "an Origin": ({"Origin": "https://evil.example"}, 403),
    "an Origin in an upgrade": ({"Origin": "null", "Connection": "Upgrade", "Upgrade": "websocket"}, 403),
    "a foreign site": ({"Sec-Fetch-Site": "cross-site"}, 403),
    "a foreign Host": ({"Host": "evil.example"}, 403),
    "user information in Host": ({"Host": "localhost@evil.example"}, 403),
    "no Host": ({"Host": ""}, 400),
    "a wrong password": ({"Authorization": "Basic eDp3cm9uZw=="}, 401),
}


@pytest.mark.parametrize(("headers", "status"), REFUSED.values(), ids=REFUSED)
async def test_a_refused_request_is_answered_alike_on_every_path_before_anything_is_read_or_done(
    client: httpx.AsyncClient, driven: Driven, headers: dict[str, str], status: int
) -> None:
    driven[0].step = driven[1].step = fail(AssertionError("no port may be called"))

    async def unread() -> AsyncIterator[bytes]:
        yield pytest.fail("the body was read")

    auth = None if "Authorization" in headers else httpx.USE_CLIENT_DEFAULT
    answers = [
        await client.request(method, path, headers={**TYPED, **headers}, content=unread(), auth=auth)
        for method in ("GET", "OPTIONS", "PUT", "MADEUP", "POST")
        for path in ("/", "/records", "/adjustendpoints", "/made-up", "/records?x=1", "//records", "/%0A")
    ]

    assert {answer.status_code for answer in answers} == {status}
    assert len({(answer.content, answer.headers["content-type"]) for answer in answers}) == 1
    assert not {"allow", "access-control-allow-origin"} & {name for answer in answers for name in answer.headers}
    assert all(len(answer.json()["detail"]) > 40 for answer in answers)


async def test_a_request_without_the_password_is_asked_for_it(client: httpx.AsyncClient) -> None:
    answer = await client.get("/records", auth=None)

    assert answer.headers["www-authenticate"].startswith("Basic ")
    assert "--webhook-provider-url" in answer.json()["detail"]
    assert PASSWORD not in answer.text


async def test_a_refusal_is_logged_with_its_reason(client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    await client.get("/records", headers={"Origin": "https://evil.example"})

    (line,) = caplog.messages
    assert line.startswith("answered GET /records with 403: the request has an Origin ('https://evil.example')")


async def test_a_client_that_disconnects_while_sending_is_logged_as_a_warning(
    driven: Driven, caplog: pytest.LogCaptureFixture
) -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, str]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost"), (b"content-type", MEDIA_TYPE.encode()), (b"content-length", b"2")]
    scope: Any = {
        "type": "http",
        "method": "POST",
        "path": "/records",
        "headers": headers,
        "query_string": b"",
        "root_path": "",
    }
    app: Any = create_webhook_app(service(*driven))
    await app(scope, receive, send)

    assert sent[0]["status"] == 500
    assert [(event.levelname, event.exc_info) for event in caplog.records] == [("WARNING", None)]


async def test_an_unexpected_error_is_in_the_log_and_not_in_the_answer(
    client: httpx.AsyncClient, driven: Driven, caplog: pytest.LogCaptureFixture
) -> None:
    driven[0].step = fail(RuntimeError(TOKEN))

    answer = await client.get("/records")

    assert TOKEN not in answer.text
    (event,) = (event for event in caplog.records if event.levelno == logging.ERROR)
    assert event.exc_info
    assert TOKEN in caplog.text


async def test_the_sentence_of_a_problem_is_logged(
    client: httpx.AsyncClient, driven: Driven, caplog: pytest.LogCaptureFixture
) -> None:
    driven[1].step = fail(TemporaryFailure("Cloudflare\x1b[31m\nsays: come back"))

    await client.get("/records")

    assert "answered GET /records with 503: Cloudflare [31m says: come back" in caplog.messages


@pytest.mark.parametrize(
    "sentence",
    [
        pytest.param("x" * 10_000, id="one word"),
        pytest.param("x " * 10_000, id="many words"),
        pytest.param("ü😀" * 10_000, id="long characters"),
        pytest.param('"\\' * 10_000, id="characters that JSON escapes"),
        pytest.param("\x00\n\r\x7f\u202e\ud800" * 10_000, id="invisible characters"),
    ],
)
async def test_a_body_stays_small_however_long_or_odd_its_sentence_is(
    client: httpx.AsyncClient, driven: Driven, sentence: str
) -> None:
    driven[1].step = fail(PermanentFailure("which: " + sentence))

    answer = await client.get("/records")

    assert len(answer.content) < 1024
    assert answer.json()["detail"].startswith("which:")
    assert answer.json()["detail"].isprintable()


async def chunks(number: int) -> AsyncIterator[bytes]:
    for _ in range(number):
        yield b" " * MIB
    yield b"{}"


async def test_a_body_without_a_length_is_read_up_to_the_limit(client: httpx.AsyncClient) -> None:
    fits = await client.post("/records", content=chunks(31), headers=TYPED)
    exceeds = await client.post("/records", content=chunks(32), headers=TYPED)

    assert fits.status_code == 204
    assert exceeds.status_code == 413


async def test_a_body_of_exactly_the_limit_is_accepted(client: httpx.AsyncClient) -> None:
    assert (await post("/adjustendpoints", b"[]".rjust(MAX_BODY))(client)).status_code == 200


async def test_60000_endpoints_fit_in_one_body(client: httpx.AsyncClient) -> None:
    body = json.dumps(json_of(endpoint(f"h{number}.example.com") for number in range(60_000))).encode()

    answer = await post("/adjustendpoints", body)(client)

    assert answer.status_code == 200
    assert len(answer.json()) == 60_000


@pytest.mark.parametrize(
    ("path", "supported"),
    [("/", {"GET"}), ("/records", {"GET", "POST"}), ("/adjustendpoints", {"POST"})],
    ids=["root", "records", "adjust"],
)
async def test_a_route_refuses_other_methods_and_lists_its_own(
    client: httpx.AsyncClient, path: str, supported: set[str]
) -> None:
    others = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "MADEUP"} - supported

    refused = [await client.request(method, path, headers=TYPED) for method in sorted(others)]
    options = await client.options(path)

    assert {answer.status_code for answer in refused} == {405}
    assert [set(answer.headers["allow"].split(", ")) for answer in refused] == [supported | {"OPTIONS"}] * len(refused)
    assert options.status_code == 204
    assert options.content == b""


@pytest.mark.parametrize(
    "path", ["/schema", "/schema/openapi.json", "/healthz", "/metrics", "/records/x", "/%0A", "/ü"]
)
async def test_every_other_path_is_unknown(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)

    assert answer.status_code == 404
    assert answer.json()["detail"].isprintable()


async def test_a_long_path_is_cut_in_the_answer(client: httpx.AsyncClient) -> None:
    answer = await client.get("/x" * 2000)

    assert answer.status_code == 404
    assert len(answer.content) < 1024


async def test_the_last_change_set_is_returned_without_calling_a_port(
    client: httpx.AsyncClient, driven: Driven
) -> None:
    before = await client.get("/changes")
    await post("/records", b'{"create":[{"dnsName":"app.example.com","targets":["https://me:hunter2@app"]}]}')(client)
    driven[0].step = driven[1].step = fail(AssertionError("no port may be called"))

    answer = await client.get("/changes")

    assert before.json() == {"seconds": None, "changes": None, "bytes": 0}
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    (created,) = answer.json()["changes"]["create"]
    assert created == {"dnsName": "app.example.com", "targets": ["https://***@app"]}


async def test_a_body_that_is_no_change_set_is_not_kept(client: httpx.AsyncClient) -> None:
    await post("/records", b"{}")(client)
    await post("/records", b"[]")(client)

    assert (await client.get("/changes")).json()["bytes"] == 2
    assert (await client.get("/changes")).json()["changes"]["create"] == []


@pytest.mark.parametrize("headers", [{"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Host": "evil.example"}])
async def test_the_last_change_set_is_under_the_same_admission(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    assert (await client.get("/changes", headers=headers)).status_code == 403
    client.auth = ("any", "another")
    assert (await client.get("/changes")).status_code == 401
    assert (await client.get("/changes", auth=None)).status_code == 401
