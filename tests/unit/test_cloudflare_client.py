"""The client: what every request carries, how lists are read, and what becomes of failures."""

import asyncio
import json
import logging
import traceback
from itertools import count

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.instrumentation.httpx import AsyncOpenTelemetryTransport
from opentelemetry.sdk.trace import TracerProvider  # noqa: TID251 -- the tests look at the spans
from opentelemetry.sdk.trace.export import SimpleSpanProcessor  # noqa: TID251 -- as above
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter  # noqa: TID251 -- as above

from doubles.clock import VirtualClock
from doubles.scripted_transport import HTTPX_EXCEPTIONS, Answer, ScriptedTransport, exception_of
from tunnel_webhook.adapters.cloudflare.client import CloudflareAPI, gather_or_cancel, http_transport, open_client
from tunnel_webhook.adapters.cloudflare.credentials import ApiKey, ApiToken
from tunnel_webhook.adapters.cloudflare.failures import NotDone, Operation
from tunnel_webhook.adapters.cloudflare.outcomes import HTTPX_ERRORS
from tunnel_webhook.adapters.cloudflare.server_clock import ServerClock
from tunnel_webhook.ports import Failure, PermanentFailure, TemporaryFailure, Unsettled

pytestmark = pytest.mark.anyio

SECRET = "v1_0123456789-abcdefghijklmnopqrstuvwxyz"  # noqa: S105 -- made up
API_URL = "http://cloudflare.invalid/client/v4"
READ = Operation("list records", "zone example.com")
WRITE = Operation("write records", "zone example.com", writes=True)


def client(transport: httpx.AsyncBaseTransport, credentials: httpx.Auth | None = None) -> httpx.AsyncClient:
    """Return a client on a network that takes no time."""
    clock = VirtualClock()
    return open_client(
        credentials or ApiToken(SECRET),
        transport,
        base_url=API_URL,
        deadline=12.5,
        clock=clock.now,
        sleep=clock.sleep,
        random=lambda: 0.5,
    )


def operations_on(opened: httpx.AsyncClient) -> CloudflareAPI:
    """Return operations on a client."""
    clock = VirtualClock()
    return CloudflareAPI(opened, ServerClock(clock.now, clock.now))


def api(*answers: Answer) -> tuple[CloudflareAPI, ScriptedTransport]:
    """Return operations that are answered from a list, and the network that holds their requests."""
    transport = ScriptedTransport(*answers)
    return operations_on(client(transport)), transport


def success(result: str, info: str = "null") -> httpx.Response:
    """Return a response of the API."""
    return httpx.Response(200, content=f'{{"success":true,"result":{result},"result_info":{info}}}')


async def test_a_request_carries_the_credentials_and_the_user_agent() -> None:
    operations, transport = api(success("1"))
    assert await operations.get(int, READ, "/zones") == 1
    (request,) = transport.requests
    assert str(request.url) == f"{API_URL}/zones"
    assert request.headers["authorization"] == f"Bearer {SECRET}"
    assert request.headers["user-agent"].startswith("external-dns-cloudflare-tunnel-webhook/0.")
    assert "content-type" not in request.headers


async def test_a_write_is_json_and_waits_for_80_percent_of_the_deadline() -> None:
    operations, transport = api(success("1"))
    assert await operations.write(int, WRITE, "POST", "/zones/z/dns_records/batch", b"{}") == 1
    (request,) = transport.requests
    assert request.headers["content-type"] == "application/json"
    assert await request.aread() == b"{}"
    assert request.extensions["timeout"] == {"connect": 3.0, "read": 10.0, "write": 10.0, "pool": 5.0}


async def test_a_write_at_once_is_sent_as_any_other_write() -> None:
    operations, transport = api(success("1"))
    assert await operations.write_at_once(int, WRITE, "PUT", "/x", b"{}") == 1
    (request,) = transport.requests
    assert request.headers["content-type"] == "application/json"
    assert await request.aread() == b"{}"
    assert request.extensions["timeout"]["read"] == 10.0


async def test_a_write_at_once_waits_for_none_of_the_calls_that_are_under_way() -> None:
    release = asyncio.Event()

    class Busy(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.method == "GET":
                await release.wait()
            return success("1")

    operations = operations_on(client(Busy()))
    reads = [asyncio.create_task(operations.get(int, READ, "/x")) for _ in range(20)]
    await asyncio.sleep(0)
    assert await operations.write_at_once(int, WRITE, "PUT", "/x", b"{}") == 1
    assert not any(read.done() for read in reads)
    release.set()
    assert await asyncio.gather(*reads) == [1] * 20


async def test_a_write_at_once_is_not_done_while_the_rate_limit_is_exhausted() -> None:
    operations, transport = api(httpx.Response(429, headers={"Retry-After": "300"}), success("1"))
    for _ in range(2):
        with pytest.raises(NotDone, match=r"cannot write records \(zone example\.com\): "):
            await operations.write_at_once(int, WRITE, "PUT", "/x", b"{}")
    assert len(transport.requests) == 1


async def test_a_write_at_once_without_an_answer_is_unsettled() -> None:
    operations, transport = api(httpx.ReadTimeout("x"), success("1"))
    with pytest.raises(Unsettled):
        await operations.write_at_once(int, WRITE, "PUT", "/x", b"{}")
    assert len(transport.requests) == 1


async def test_every_answer_sets_cloudflares_clock_refusals_included() -> None:
    operations, _ = api(
        httpx.Response(200, headers={"Date": "Sun, 06 Nov 1994 08:49:37 GMT"}, content=success("1").content),
        httpx.Response(403, headers={"Date": "Sun, 06 Nov 1994 08:49:39 GMT"}, content=b'{"success":false}'),
    )
    await operations.get(int, READ, "/x")
    assert operations.now() == 784111777.0
    with pytest.raises(PermanentFailure):
        await operations.get(int, READ, "/x")
    assert operations.now() == 784111779.0


async def test_every_phase_of_a_read_has_a_limit() -> None:
    operations, transport = api(success("1"))
    await operations.get(int, READ, "/zones")
    assert transport.requests[0].extensions["timeout"] == {"connect": 3.0, "read": 5.0, "write": 5.0, "pool": 5.0}


async def test_connections_are_kept_alive_for_longer_than_a_sync_interval() -> None:
    async with http_transport() as transport:
        pool = transport._kept._pool  # noqa: SLF001 -- httpx shows it nowhere else
        assert pool._keepalive_expiry == 90.0  # noqa: SLF001 -- as above
        assert not pool._http2  # noqa: SLF001 -- as above


@pytest.mark.parametrize("kind", HTTPX_EXCEPTIONS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("operation", [READ, WRITE], ids=["read", "write"])
async def test_every_exception_of_httpx_is_chained_to_a_failure_of_the_ports(
    kind: type[Exception], operation: Operation
) -> None:
    operations, _ = api(exception_of(kind, SECRET))
    call = operations.write(int, WRITE, "PUT", "/x", b"") if operation.writes else operations.get(int, READ, "/x")
    with pytest.raises(Failure) as caught:
        await call
    assert not isinstance(caught.value, HTTPX_ERRORS)
    assert isinstance(caught.value.__cause__, HTTPX_ERRORS)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "result",
    ["null", '"text"', "{}", "[1,", "[{}]"],
    ids=["null", "text", "object", "truncated", "list of other entries"],
)
async def test_a_result_of_another_shape_is_a_temporary_failure(result: str) -> None:
    operations, _ = api(success(result))
    with pytest.raises(TemporaryFailure, match=r"cannot list records \(zone example\.com\): Cloudflare answered 200"):
        await operations.get(list[int], READ, "/x")
    with pytest.raises(Unsettled):
        await operations.write(list[int], WRITE, "PUT", "/x", b"")


async def test_a_redirect_is_not_followed() -> None:
    operations, transport = api(httpx.Response(302, headers={"Location": "http://elsewhere/"}))
    with pytest.raises(PermanentFailure, match="CLOUDFLARE_API_URL"):
        await operations.get(int, READ, "/x")
    assert len(transport.requests) == 1


async def test_pages_are_read_up_to_the_total_even_when_they_are_smaller_than_asked() -> None:
    operations, transport = api(
        success("[1,2]", '{"total_count":5}'),
        success("[3,4]", '{"total_count":5}'),
        success("[5]", '{"total_count":5}'),
    )
    assert await operations.list_all(list[int], READ, "/x", {"type": "CNAME"}, 100, str) == [1, 2, 3, 4, 5]
    assert [str(request.url.params) for request in transport.requests] == [
        f"type=CNAME&page={page}&per_page=100" for page in (1, 2, 3)
    ]


@pytest.mark.parametrize("info", ["null", '{"page":1}'], ids=["no result_info", "no total_count"])
async def test_pages_without_a_total_are_read_up_to_the_first_that_is_not_full(info: str) -> None:
    operations, transport = api(success("[1,2]", info), success("[3]", info))
    assert await operations.list_all(list[int], READ, "/x", {}, 2, str) == [1, 2, 3]
    operations, transport = api(success("[1,2]", info), success("[]", info))
    assert await operations.list_all(list[int], READ, "/x", {}, 2, str) == [1, 2]
    assert len(transport.requests) == 2


@pytest.mark.parametrize(
    "pages",
    [
        [("[1,2]", 4), ("[2,3]", 4)],
        [("[1,2]", 4), ("[4]", 3)],
        [("[1,2]", 4), ("[3]", 4), ("[]", 4)],
        [("[1,2]", 2), ("[3]", 3)],
        [("[]", 3)],
        [("[1]", 3), ("[]", 0)],
    ],
    ids=[
        "one comes twice",
        "the total changes",
        "one is missing",
        "the first total is too low",
        "the first page is empty",
        "the first page is too short",
    ],
)
async def test_pages_that_shift_while_they_are_read_are_read_again(pages: list[tuple[str, int]]) -> None:
    shifting = [success(result, f'{{"total_count":{total}}}') for result, total in pages]
    whole = [success("[1,2]", '{"total_count":3}'), success("[3]", '{"total_count":3}')]
    operations, transport = api(*shifting, *whole)
    assert await operations.list_all(list[int], READ, "/x", {}, 2, str) == [1, 2, 3]
    assert len(transport.requests) == len(pages) + 2


async def test_pages_that_never_hold_still_are_a_failure_and_never_a_partial_list() -> None:
    operations, transport = api(*[success("[1,2]", '{"total_count":4}')] * 6)
    with pytest.raises(TemporaryFailure, match="the list changed while it was read, 3 times"):
        await operations.list_all(list[int], READ, "/x", {}, 2, str)
    assert len(transport.requests) == 6


@given(
    number=st.integers(0, 9),
    struck=st.integers(1, 5),
    lie=st.one_of(st.integers(0, 12), st.just("empty")),
)
async def test_one_page_that_lies_about_its_total_or_its_entries_never_shortens_a_list(
    number: int, struck: int, lie: int | str
) -> None:
    requests = count(1)

    def answer(request: httpx.Request) -> httpx.Response:
        page, is_struck = int(request.url.params["page"]), next(requests) == struck
        entries = list(range(number))[2 * (page - 1) : 2 * page]
        total = lie if is_struck and isinstance(lie, int) else number
        return success(json.dumps([] if is_struck and lie == "empty" else entries), f'{{"total_count":{total}}}')

    operations, _ = api(answer)
    assert await operations.list_all(list[int], READ, "/x", {}, 2, str) == list(range(number))


async def test_a_server_that_ignores_the_page_is_a_failure_and_not_an_endless_list() -> None:
    operations, transport = api(success("[1,2]", '{"total_count":2}'))
    with pytest.raises(TemporaryFailure, match="the list changed while it was read"):
        await operations.list_all(list[int], READ, "/x", {}, 2, str)
    assert len(transport.requests) == 6


async def test_a_list_on_one_page_is_complete_whatever_its_total_says() -> None:
    operations, _ = api(success("[1,2]", '{"total_count":2}'))
    assert await operations.list_all(list[int], READ, "/x", {}, 100, str) == [1, 2]


async def test_the_first_failure_of_concurrent_calls_is_raised_once_the_others_are_cancelled() -> None:
    cancelled = []

    async def waits() -> int:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            for _ in range(5):
                await asyncio.sleep(0)
            cancelled.append("waits")
            raise
        return 1

    async def fails() -> int:
        message = "no"
        raise TemporaryFailure(message)

    with pytest.raises(TemporaryFailure):
        await gather_or_cancel([waits(), fails(), waits()])
    assert cancelled == ["waits", "waits"]


async def test_the_results_of_concurrent_calls_keep_the_order_of_the_calls() -> None:
    async def after(rounds: int) -> int:
        for _ in range(rounds):
            await asyncio.sleep(0)
        return rounds

    assert await gather_or_cancel(after(rounds) for rounds in (3, 1, 2)) == [3, 1, 2]
    assert await gather_or_cancel([]) == []


@pytest.mark.parametrize("credentials", [ApiToken(SECRET), ApiKey(SECRET, "me@example.com")], ids=["token", "key"])
async def test_no_credential_reaches_a_log_a_trace_or_an_error(
    credentials: httpx.Auth, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    echo = f'{{"success":false,"errors":[{{"code":9109,"message":"Bearer {SECRET} and {SECRET}"}}]}}'
    network = AsyncOpenTelemetryTransport(
        ScriptedTransport(httpx.Response(403, content=echo), httpx.ReadError("reset")), tracer_provider=provider
    )
    texts = []
    opened = client(network, credentials)
    for _ in range(2):
        with pytest.raises(Failure) as failure:
            await operations_on(opened).write(int, WRITE, "PUT", "/x", b"")
        texts += [str(failure.value), repr(failure.value), repr(opened.auth), repr(opened)]
        texts += traceback.format_exception(failure.value)
    texts += caplog.messages
    texts += [span.to_json() for span in exporter.get_finished_spans()]
    assert len(exporter.get_finished_spans()) == 2
    assert not [text for text in texts if SECRET in text]
