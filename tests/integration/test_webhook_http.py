"""The webhook app: what external-dns gets, and the whole table of what nobody else should send."""

import json
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from doubles.http_client import MEDIA_TYPE, connect, json_of
from doubles.steps import SteppedTunnels, SteppedZones, fail
from tunnel_webhook.adapters.http import problems
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
TOKEN = "s3cr3t-t0ken"  # noqa: S105 -- the tests look for it
Driven = tuple[SteppedTunnels, SteppedZones]
Ask = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]


@pytest.fixture
def driven() -> Driven:
    tunnels, zones = memory(None, {ZONE: (record("mail.example.com", "192.0.2.1", "A"),)})
    return SteppedTunnels(tunnels), SteppedZones(zones)


@pytest.fixture
async def client(driven: Driven) -> AsyncIterator[httpx.AsyncClient]:
    async with connect(create_webhook_app(service(*driven))) as connected:
        yield connected


def post(path: str, body: bytes, **headers: str) -> Ask:
    return lambda client: client.post(path, content=body, headers={**TYPED, **headers})


def changes(name: str) -> bytes:
    return json.dumps({"create": json_of([endpoint(name)])}).encode()


async def test_the_filter_is_told_at_once_and_to_the_letter(client: httpx.AsyncClient, driven: Driven) -> None:
    driven[0].step = driven[1].step = fail(AssertionError("nobody may be asked"))

    answer = await client.get("/")

    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, MEDIA_TYPE, b"{}")


async def test_a_sync_goes_through(client: httpx.AsyncClient) -> None:
    wanted = b'[{"dnsName":"App.example.com","targets":["http://app:80/"],"recordType":"CNAME","recordTTL":60}]\n'
    adjusted = await post("/adjustendpoints", wanted)(client)
    applied = await post("/records", b'{"create":%b}' % adjusted.content)(client)
    records = await client.get("/records")

    assert [answer.status_code for answer in (adjusted, applied, records)] == [200, 204, 200]
    assert {answer.headers["content-type"] for answer in (adjusted, records)} == {MEDIA_TYPE}
    assert (applied.content, "content-type" in applied.headers) == (b"", False)
    assert adjusted.json() == [{"dnsName": "app.example.com", "targets": ["http://app:80"], "recordType": "CNAME"}]
    assert [each["dnsName"] for each in records.json()] == ["app.example.com"]


@pytest.mark.parametrize("name", sorted(SENT))
async def test_nothing_that_external_dns_sent_is_refused_as_its_fault(client: httpx.AsyncClient, name: str) -> None:
    path, statuses = ("/adjustendpoints", {200}) if name.startswith("adjust") else ("/records", {204, 500})

    answer = await post(path, SENT[name])(client)

    assert answer.status_code in statuses


async def test_an_adjustment_of_nothing_is_an_empty_list(client: httpx.AsyncClient) -> None:
    assert (await post("/adjustendpoints", b"null\n")(client)).content == b"[]\n"


@pytest.mark.parametrize(
    "declared",
    [
        MEDIA_TYPE,
        "application/external.dns.webhook+json; version=1",
        "Application/External.DNS.Webhook+JSON ; Version = 1",
        'application/external.dns.webhook+json;version="1"',
        "application/external.dns.webhook+json;charset=utf-8;version=1",
    ],
)
async def test_a_media_type_may_be_spelt_in_any_way(client: httpx.AsyncClient, declared: str) -> None:
    assert (await post("/records", b"{}", **{"Content-Type": declared})(client)).status_code == 204


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        (None, "missing"),
        ("", "missing"),
        ("application/json", "application/json"),
        ("text/plain", "text/plain"),
        ("application/external.dns.webhook+json", "application/external.dns.webhook+json;"),
        ("application/external.dns.webhook+json;version=2", "version=2"),
    ],
    ids=["missing", "empty", "JSON", "text", "no version", "another version"],
)
async def test_another_media_type_is_refused_before_the_body_is_read(
    client: httpx.AsyncClient, declared: str | None, told: str
) -> None:
    answer = await client.post("/records", content=b"{", headers={} if declared is None else {"Content-Type": declared})

    assert answer.status_code == 415
    assert told in answer.json()["detail"]
    assert MEDIA_TYPE in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/records/", "/records?x=1", "//records", "/records/?"])
@pytest.mark.parametrize("accept", [MEDIA_TYPE, "*/*", "text/html", ""])
async def test_a_path_and_an_accept_may_be_dressed_in_any_way(
    client: httpx.AsyncClient, path: str, accept: str
) -> None:
    got = await client.get(httpx.URL("http://webhook" + path), headers={"Accept": accept})
    posted = await client.post(httpx.URL("http://webhook" + path), content=b"{}", headers={**TYPED, "Accept": accept})

    assert (got.status_code, posted.status_code) == (200, 204)


@pytest.mark.parametrize(
    ("ask", "failure", "status", "told"),
    [
        pytest.param(post("/adjustendpoints", b"{"), None, 400, "array", id="MalformedBody"),
        pytest.param(
            lambda client: client.get("/applychanges"), None, 404, "/applychanges", id="Litestar: no such path"
        ),
        pytest.param(lambda client: client.put("/records"), None, 405, "PUT", id="Litestar: no such method"),
        pytest.param(post("/records", b" " * 33 * MIB), None, 413, str(32 * MIB), id="Litestar: a body over the limit"),
        pytest.param(
            post("/records", b"{}", **{"Content-Type": "text/plain"}), None, 415, "text/plain", id="WrongMediaType"
        ),
        pytest.param(post("/records", b"{}", Host="a b"), None, 400, "host", id="Litestar: any other 4xx"),
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
async def test_every_exception_is_answered_by_the_table(
    client: httpx.AsyncClient, driven: Driven, ask: Ask, failure: Exception | None, status: int, told: str
) -> None:
    if failure:
        driven[0].step = fail(failure)

    answer = await ask(client)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    problem = answer.json()
    assert problem.keys() == {"title", "status", "detail"}
    assert problem["status"] == status
    assert told in problem["detail"]
    assert len(answer.content) < 1024


def test_every_row_of_the_table_has_its_test() -> None:
    rows = re.findall(r"^\| ([\w: ]+?) +\| (\d{3}|its own)", problems.__doc__ or "", re.MULTILINE)
    (cases,) = (
        mark for mark in vars(test_every_exception_is_answered_by_the_table)["pytestmark"] if mark.name == "parametrize"
    )

    assert {row for row, _ in rows} - {"Litestar: the client has left"} == {case.id for case in cases.args[1]}


async def test_a_client_that_leaves_while_it_sends_is_no_fault_of_ours(
    driven: Driven, caplog: pytest.LogCaptureFixture
) -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, str]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", b"2")]
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


async def test_what_is_unexpected_is_told_to_the_log_and_to_nobody_else(
    client: httpx.AsyncClient, driven: Driven, caplog: pytest.LogCaptureFixture
) -> None:
    driven[0].step = fail(RuntimeError(TOKEN))

    answer = await client.get("/records")

    assert TOKEN not in answer.text
    (event,) = (event for event in caplog.records if event.levelno == logging.ERROR)
    assert event.exc_info
    assert TOKEN in caplog.text


async def test_the_log_says_the_sentence_that_external_dns_throws_away(
    client: httpx.AsyncClient, driven: Driven, caplog: pytest.LogCaptureFixture
) -> None:
    driven[0].step = fail(TemporaryFailure("Cloudflare\x1b[31m\nsays: come back"))

    await client.get("/records")

    assert "GET /records is answered with 503: Cloudflare [31m says: come back" in caplog.messages


@pytest.mark.parametrize(
    "sentence",
    [
        pytest.param("x" * 10_000, id="one word"),
        pytest.param("x " * 10_000, id="many words"),
        pytest.param("ü😀" * 10_000, id="long characters"),
        pytest.param('"\\' * 10_000, id="characters that JSON escapes"),
        pytest.param("\x00\n\r\x7f\u202e\ud800" * 10_000, id="characters that nobody sees"),
    ],
)
async def test_however_long_or_odd_a_sentence_is_the_body_stays_small(
    client: httpx.AsyncClient, driven: Driven, sentence: str
) -> None:
    driven[0].step = fail(PermanentFailure("which: " + sentence))

    answer = await client.get("/records")

    assert len(answer.content) < 1024
    assert answer.json()["detail"].startswith("which:")
    assert answer.json()["detail"].isprintable()


async def chunks(number: int) -> AsyncIterator[bytes]:
    for _ in range(number):
        yield b" " * MIB
    yield b"{}"


async def test_a_body_without_a_length_is_read_up_to_the_limit_and_no_further(client: httpx.AsyncClient) -> None:
    fits = await client.post("/records", content=chunks(31), headers=TYPED)
    exceeds = await client.post("/records", content=chunks(32), headers=TYPED)

    assert (fits.status_code, exceeds.status_code) == (204, 413)


async def test_a_body_of_exactly_the_limit_is_read(client: httpx.AsyncClient) -> None:
    assert (await post("/adjustendpoints", b"[]".rjust(MAX_BODY))(client)).status_code == 200


async def test_60000_endpoints_fit_in_one_body(client: httpx.AsyncClient) -> None:
    body = json.dumps(json_of(endpoint(f"h{number}.example.com") for number in range(60_000))).encode()

    answer = await post("/adjustendpoints", body)(client)

    assert answer.status_code == 200
    assert len(answer.json()) == 60_000


@pytest.mark.parametrize(
    ("path", "known"),
    [("/", {"GET"}), ("/records", {"GET", "POST"}), ("/adjustendpoints", {"POST"})],
    ids=["root", "records", "adjust"],
)
async def test_a_route_takes_no_other_method_and_tells_which(
    client: httpx.AsyncClient, path: str, known: set[str]
) -> None:
    others = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "MADEUP"} - known

    refused = [await client.request(method, path, headers=TYPED) for method in sorted(others)]
    options = await client.options(path)

    assert {answer.status_code for answer in refused} == {405}
    assert [set(answer.headers["allow"].split(", ")) for answer in refused] == [known | {"OPTIONS"}] * len(refused)
    assert (options.status_code, options.content) == (204, b"")


@pytest.mark.parametrize(
    "path", ["/schema", "/schema/openapi.json", "/healthz", "/metrics", "/records/x", "/%0A", "/ü"]
)
async def test_there_is_nothing_else(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)

    assert answer.status_code == 404
    assert answer.json()["detail"].isprintable()


async def test_a_long_path_is_cut_where_it_is_told(client: httpx.AsyncClient) -> None:
    answer = await client.get("/x" * 2000)

    assert (answer.status_code, len(answer.content) < 1024) == (404, True)
