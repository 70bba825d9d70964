"""When a request is sent again; `test_cloudflare_outcomes` has the table of what is worth it."""

import asyncio
import gzip
from contextlib import suppress

import httpx
import pytest

from doubles.clock import VirtualClock
from doubles.scripted_transport import Answer, BrokenBody, ScriptedTransport
from tunnel_webhook.adapters.cloudflare.retry import AT_ONCE, RetryPolicy, RetryTransport
from tunnel_webhook.adapters.cloudflare.throttle import Throttle
from tunnel_webhook.ports import TemporaryFailure

pytestmark = pytest.mark.anyio

POLICY = RetryPolicy()
OK = httpx.Response(200)
BLOCKED = httpx.Response(429, headers={"Retry-After": "137"})


def transport(
    clock: VirtualClock, *answers: Answer, timeout: float = 10.0, throttle: Throttle | None = None
) -> RetryTransport:
    """Return a transport whose jitter is always a half."""
    inner = ScriptedTransport(*answers)
    return RetryTransport(
        inner,
        timeout,
        clock.now,
        clock.sleep,
        lambda: 0.5,
        POLICY,
        throttle if throttle is not None else Throttle(),
    )


def attempts(retrying: RetryTransport) -> int:
    """Return how many attempts were made."""
    assert isinstance(retrying.inner, ScriptedTransport)
    return len(retrying.inner.requests)


def a_request(method: str = "GET") -> httpx.Request:
    return httpx.Request(method, "http://cloudflare/x", content=b"{}" if method != "GET" else None)


def at_once() -> httpx.Request:
    """Return a write that is sent now or not at all."""
    return httpx.Request("PUT", "http://cloudflare/x", content=b"{}", extensions={AT_ONCE: True})


def test_delays_double_up_to_the_longest_and_jitter_starts_at_zero() -> None:
    attempt = httpx.Response(502)
    assert [POLICY.delay(number, "GET", attempt, 60.0, 1.0) for number in range(7)] == [0.25, 0.5, 1, 2, 4, 4, 4]
    assert POLICY.delay(3, "GET", attempt, 60.0, 0.0) == 0.0


def test_retry_after_is_obeyed_within_the_timeout() -> None:
    attempt = httpx.Response(503, headers={"Retry-After": "5"})
    assert POLICY.delay(0, "GET", attempt, 10.0, 0.0) == 5.0
    assert POLICY.delay(0, "GET", attempt, 5.0, 0.0) is None


def test_the_number_of_attempts_is_limited() -> None:
    assert POLICY.delay(POLICY.attempts - 1, "GET", httpx.Response(502), 60.0, 0.5) is None


async def test_a_read_is_repeated_until_it_succeeds() -> None:
    clock = VirtualClock()
    retrying = transport(clock, httpx.Response(502), httpx.ReadTimeout("x"), OK)
    assert (await retrying.handle_async_request(a_request())).status_code == 200
    assert attempts(retrying) == 3
    assert clock.slept == [0.125, 0.25]


async def test_a_write_that_may_have_been_carried_out_is_sent_once() -> None:
    retrying = transport(VirtualClock(), httpx.Response(502), OK)
    assert (await retrying.handle_async_request(a_request("PUT"))).status_code == 502
    assert attempts(retrying) == 1
    for error in (httpx.ReadTimeout("x"), httpx.RemoteProtocolError("x")):
        retrying = transport(VirtualClock(), error, OK)
        with pytest.raises(type(error)):
            await retrying.handle_async_request(a_request("PUT"))
        assert attempts(retrying) == 1


async def test_a_write_that_was_not_carried_out_is_repeated() -> None:
    retrying = transport(VirtualClock(), httpx.ConnectError("x"), httpx.Response(503), OK)
    assert (await retrying.handle_async_request(a_request("POST"))).status_code == 200
    assert attempts(retrying) == 3


@pytest.mark.parametrize("answer", [httpx.Response(429), httpx.Response(503), httpx.ConnectError("x")], ids=repr)
async def test_a_request_that_is_sent_at_once_is_never_repeated(answer: Answer) -> None:
    clock = VirtualClock()
    retrying = transport(clock, answer, OK)
    with suppress(httpx.ConnectError):
        assert (await retrying.handle_async_request(at_once())).status_code in {429, 503}
    assert attempts(retrying) == 1
    assert clock.slept == []


async def test_a_request_that_is_sent_at_once_does_not_wait_where_others_do_but_counts_among_them() -> None:
    clock = VirtualClock()
    retrying = transport(clock, OK, throttle=Throttle(burst=1, rate=1.0))
    for _ in range(3):
        await retrying.handle_async_request(at_once())
    assert clock.slept == []
    await retrying.handle_async_request(a_request())
    assert clock.slept == [3.0]


async def test_a_request_that_is_sent_at_once_fails_while_the_rate_limit_is_exhausted() -> None:
    clock = VirtualClock()
    retrying = transport(clock, httpx.Response(429, headers={"Retry-After": "2"}), OK)
    await retrying.handle_async_request(at_once())
    with pytest.raises(TemporaryFailure, match=r"rate limit is exhausted: ask again in 2 s"):
        await retrying.handle_async_request(at_once())
    assert attempts(retrying) == 1
    clock.advance(2.0)
    assert (await retrying.handle_async_request(at_once())).status_code == 200


async def test_the_last_outcome_is_returned_at_the_timeout() -> None:
    clock = VirtualClock(1000.0)
    retrying = transport(clock, httpx.Response(502), timeout=3.0)
    assert (await retrying.handle_async_request(a_request())).status_code == 502
    assert clock.now() <= 1003.0
    retrying = transport(clock, httpx.ReadError("x"), timeout=3.0)
    with pytest.raises(httpx.ReadError):
        await retrying.handle_async_request(a_request())


async def test_a_block_of_five_minutes_fails_every_request_at_once_without_asking_until_its_end() -> None:
    clock = VirtualClock()
    retrying = transport(clock, BLOCKED, OK)
    assert (await retrying.handle_async_request(a_request())).status_code == 429
    for _ in range(3):
        with pytest.raises(TemporaryFailure, match=r"rate limit is exhausted: ask again in 137 s"):
            await retrying.handle_async_request(a_request())
    assert attempts(retrying) == 1
    assert clock.slept == []
    clock.advance(137)
    assert (await retrying.handle_async_request(a_request())).status_code == 200


async def test_every_request_waits_for_a_block_that_ends_in_time() -> None:
    clock = VirtualClock(1000.0)
    retrying = transport(clock, httpx.Response(429, headers={"Retry-After": "2"}), OK)
    first, second = await asyncio.gather(*(retrying.handle_async_request(a_request()) for _ in range(2)))
    assert first.status_code == 200
    assert second.status_code == 200
    assert clock.now() >= 1002.0


async def test_a_block_without_retry_after_lasts_until_the_rate_limit_resets() -> None:
    retrying = transport(VirtualClock(), httpx.Response(429, headers={"Ratelimit": '"default";r=0;t=250'}), OK)
    with pytest.raises(TemporaryFailure, match="250 s"):
        await retrying.handle_async_request(a_request())
    assert attempts(retrying) == 1


async def test_more_requests_than_the_rate_allows_fail_at_once_instead_of_queueing() -> None:
    clock = VirtualClock()
    retrying = transport(clock, OK, timeout=2.0, throttle=Throttle(burst=1, rate=1.0))
    await retrying.handle_async_request(a_request())
    await retrying.handle_async_request(a_request())
    assert clock.slept == [1.0]
    retrying.throttle.delay(clock.now(), 100.0)
    with pytest.raises(TemporaryFailure, match="more requests are waiting"):
        await retrying.handle_async_request(a_request())
    assert attempts(retrying) == 2


async def test_a_body_that_breaks_off_is_read_again_and_closed() -> None:
    body = BrokenBody(httpx.RemoteProtocolError("incomplete"))
    retrying = transport(
        VirtualClock(), lambda _: httpx.Response(200, stream=body), httpx.Response(200, content=b"whole")
    )
    response = await retrying.handle_async_request(a_request())
    assert response.content == b"whole"
    assert body.is_closed


async def test_a_body_that_cannot_be_decompressed_is_read_again() -> None:
    garbage = BrokenBody(httpx.ReadError("never reached"), b"not gzip")
    whole = httpx.Response(200, headers={"Content-Encoding": "gzip"}, content=gzip.compress(b"whole"))
    retrying = transport(
        VirtualClock(),
        lambda _: httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=garbage),
        lambda _: whole,
    )
    assert (await retrying.handle_async_request(a_request())).content == b"whole"


async def test_an_answer_that_never_comes_is_given_up_at_the_timeout() -> None:
    class Silent(httpx.AsyncBaseTransport):
        async def handle_async_request(self, _: httpx.Request) -> httpx.Response:
            await asyncio.sleep(60)
            return OK

    clock = VirtualClock()
    retrying = RetryTransport(Silent(), 0.02, clock.now, clock.sleep, lambda: 0.5)
    with pytest.raises(httpx.ReadTimeout, match="no complete answer"):
        await retrying.handle_async_request(a_request("PUT"))
