"""When a request is sent again, and when not."""

import asyncio
import gzip

import httpx
import pytest

from doubles.clock import VirtualClock
from doubles.scripted_transport import Answer, BrokenBody, ScriptedTransport
from tunnel_webhook.adapters.cloudflare.retry import RetryPolicy, RetryTransport
from tunnel_webhook.adapters.cloudflare.throttle import Throttle
from tunnel_webhook.ports import TemporaryFailure

pytestmark = pytest.mark.anyio

POLICY = RetryPolicy()
OK = httpx.Response(200)
NEVER, READS, ALL = set[str](), {"GET"}, {"GET", "PUT", "POST"}
BLOCKED = httpx.Response(429, headers={"Retry-After": "137"})


def transport(
    clock: VirtualClock, *answers: Answer, budget: float = 10.0, throttle: Throttle | None = None
) -> RetryTransport:
    """Return a transport whose random numbers are a half."""
    inner = ScriptedTransport(*answers)
    return RetryTransport(
        inner, budget, clock.now, clock.sleep, lambda: 0.5, POLICY, throttle if throttle is not None else Throttle()
    )


def sent(retrying: RetryTransport) -> int:
    """Return how many attempts were made."""
    assert isinstance(retrying.inner, ScriptedTransport)
    return len(retrying.inner.requests)


def request(method: str = "GET") -> httpx.Request:
    return httpx.Request(method, "http://cloudflare/x", content=b"{}" if method != "GET" else None)


@pytest.mark.parametrize(
    ("outcome", "repeated"),
    [
        *((status, NEVER) for status in (200, 301, 400, 401, 403, 404, 409, 501, 505, 528)),
        *((status, READS) for status in (408, 425, 500, 502, 504, *range(520, 528), 530)),
        *((status, ALL) for status in (429, 503)),
    ],
)
def test_a_status_is_retried_by_the_table(outcome: int, repeated: set[str]) -> None:
    again = {method for method in ALL if POLICY.delay(0, method, httpx.Response(outcome), 10.0, 0.5) is not None}
    assert again == repeated


@pytest.mark.parametrize(
    ("error", "repeated"),
    [
        (httpx.ConnectError, ALL),
        (httpx.ConnectTimeout, ALL),
        (httpx.PoolTimeout, ALL),
        (httpx.ProxyError, ALL),
        (httpx.ReadTimeout, READS),
        (httpx.WriteTimeout, READS),
        (httpx.ReadError, READS),
        (httpx.WriteError, READS),
        (httpx.RemoteProtocolError, READS),
        (httpx.DecodingError, READS),
        (httpx.UnsupportedProtocol, NEVER),
        (httpx.LocalProtocolError, NEVER),
    ],
)
def test_an_exception_is_retried_by_the_table(error: type[httpx.RequestError], repeated: set[str]) -> None:
    again = {method for method in ALL if POLICY.delay(0, method, error("x"), 10.0, 0.5) is not None}
    assert again == repeated


def test_delays_double_up_to_the_longest_and_are_random_from_nothing_on() -> None:
    outcome = httpx.Response(502)
    assert [POLICY.delay(attempt, "GET", outcome, 60.0, 1.0) for attempt in range(7)] == [0.25, 0.5, 1, 2, 4, 4, 4]
    assert POLICY.delay(3, "GET", outcome, 60.0, 0.0) == 0.0


def test_retry_after_is_obeyed_up_to_what_is_left_of_the_budget() -> None:
    outcome = httpx.Response(503, headers={"Retry-After": "5"})
    assert POLICY.delay(0, "GET", outcome, 10.0, 0.0) == 5.0
    assert POLICY.delay(0, "GET", outcome, 5.0, 0.0) is None


def test_attempts_are_numbered() -> None:
    assert POLICY.delay(POLICY.attempts - 1, "GET", httpx.Response(502), 60.0, 0.5) is None


async def test_a_read_is_repeated_until_it_succeeds() -> None:
    clock = VirtualClock()
    retrying = transport(clock, httpx.Response(502), httpx.ReadTimeout("x"), OK)
    assert (await retrying.handle_async_request(request())).status_code == 200
    assert (sent(retrying), clock.slept) == (3, [0.125, 0.25])


async def test_a_write_is_sent_once_where_it_may_have_taken_effect() -> None:
    retrying = transport(VirtualClock(), httpx.Response(502), OK)
    assert (await retrying.handle_async_request(request("PUT"))).status_code == 502
    assert sent(retrying) == 1
    for error in (httpx.ReadTimeout("x"), httpx.RemoteProtocolError("x")):
        retrying = transport(VirtualClock(), error, OK)
        with pytest.raises(type(error)):
            await retrying.handle_async_request(request("PUT"))
        assert sent(retrying) == 1


async def test_a_write_is_repeated_where_it_did_nothing() -> None:
    retrying = transport(VirtualClock(), httpx.ConnectError("x"), httpx.Response(503), OK)
    assert (await retrying.handle_async_request(request("POST"))).status_code == 200
    assert sent(retrying) == 3


async def test_the_last_outcome_is_returned_when_the_budget_is_spent() -> None:
    clock = VirtualClock(1000.0)
    retrying = transport(clock, httpx.Response(502), budget=3.0)
    assert (await retrying.handle_async_request(request())).status_code == 502
    assert clock.now() <= 1003.0
    retrying = transport(clock, httpx.ReadError("x"), budget=3.0)
    with pytest.raises(httpx.ReadError):
        await retrying.handle_async_request(request())


async def test_a_block_of_five_minutes_is_answered_at_once_and_without_asking_until_its_end() -> None:
    clock = VirtualClock()
    retrying = transport(clock, BLOCKED, OK)
    assert (await retrying.handle_async_request(request())).status_code == 429
    for _ in range(3):
        with pytest.raises(TemporaryFailure, match=r"rate limit is exhausted: ask again in 137 s"):
            await retrying.handle_async_request(request())
    assert (sent(retrying), clock.slept) == (1, [])
    clock.advance(137)
    assert (await retrying.handle_async_request(request())).status_code == 200


async def test_a_block_that_ends_in_time_is_waited_for_by_everybody() -> None:
    clock = VirtualClock(1000.0)
    retrying = transport(clock, httpx.Response(429, headers={"Retry-After": "2"}), OK)
    first, second = await asyncio.gather(*(retrying.handle_async_request(request()) for _ in range(2)))
    assert (first.status_code, second.status_code) == (200, 200)
    assert clock.now() >= 1002.0


async def test_a_block_without_retry_after_lasts_until_the_rate_limit_resets() -> None:
    retrying = transport(VirtualClock(), httpx.Response(429, headers={"Ratelimit": '"default";r=0;t=250'}), OK)
    with pytest.raises(TemporaryFailure, match="250 s"):
        await retrying.handle_async_request(request())
    assert sent(retrying) == 1


async def test_more_requests_than_the_rate_allows_fail_at_once_instead_of_queueing() -> None:
    clock = VirtualClock()
    retrying = transport(clock, OK, budget=2.0, throttle=Throttle(burst=1, rate=1.0))
    await retrying.handle_async_request(request())
    await retrying.handle_async_request(request())
    assert clock.slept == [1.0]
    retrying.throttle.delay(clock.now(), 100.0)
    with pytest.raises(TemporaryFailure, match="more requests are waiting"):
        await retrying.handle_async_request(request())
    assert sent(retrying) == 2


async def test_a_body_that_breaks_off_is_read_again_and_closed() -> None:
    body = BrokenBody(httpx.RemoteProtocolError("incomplete"))
    retrying = transport(
        VirtualClock(), lambda _: httpx.Response(200, stream=body), httpx.Response(200, content=b"whole")
    )
    response = await retrying.handle_async_request(request())
    assert (response.content, body.closed) == (b"whole", True)


async def test_a_body_that_cannot_be_unpacked_is_read_again() -> None:
    garbage = BrokenBody(httpx.ReadError("never reached"), [b"no gzip"])
    whole = httpx.Response(200, headers={"Content-Encoding": "gzip"}, content=gzip.compress(b"whole"))
    retrying = transport(
        VirtualClock(),
        lambda _: httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=garbage),
        lambda _: whole,
    )
    assert (await retrying.handle_async_request(request())).content == b"whole"


async def test_an_answer_that_never_ends_is_cut_off_at_the_end_of_the_budget() -> None:
    class Silent(httpx.AsyncBaseTransport):
        async def handle_async_request(self, _: httpx.Request) -> httpx.Response:
            await asyncio.sleep(60)
            return OK

    clock = VirtualClock()
    retrying = RetryTransport(Silent(), 0.02, clock.now, clock.sleep, lambda: 0.5)
    with pytest.raises(httpx.ReadTimeout, match="no complete answer"):
        await retrying.handle_async_request(request("PUT"))
