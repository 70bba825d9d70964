"""L13: whatever Cloudflare answers, the delays of a request never exceed its deadline."""

import asyncio
from contextlib import suppress

import httpx
from hypothesis import given
from hypothesis import strategies as st

from doubles.clock import VirtualClock
from doubles.scripted_transport import Answer, ScriptedTransport
from tunnel_webhook.adapters.cloudflare.retry import RetryPolicy, RetryTransport
from tunnel_webhook.adapters.cloudflare.throttle import LONGEST_BLOCK, Throttle
from tunnel_webhook.ports import TemporaryFailure

ERRORS = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError)
STATUSES = (200, 404, 408, 429, 500, 502, 503, 522, 530)
seconds = st.floats(0, 400)
headers: st.SearchStrategy[dict[str, str]] = st.one_of(
    st.just({}),
    st.builds(lambda number: {"Retry-After": f"{number:.0f}"}, seconds),
    st.builds(lambda number: {"Ratelimit": f'"default";r=0;t={number:.0f}'}, seconds),
    st.just({"Retry-After": "Tue, 29 Sep 2026 07:00:20 GMT", "Date": "Tue, 29 Sep 2026 07:00:00 GMT"}),
)
answers = st.one_of(
    st.builds(httpx.Response, st.sampled_from(STATUSES), headers=headers),
    st.builds(lambda kind: kind("x"), st.sampled_from(ERRORS)),
)


@given(
    script=st.lists(answers, min_size=1, max_size=12),
    methods=st.lists(st.sampled_from(["GET", "PUT", "POST"]), min_size=1, max_size=6),
    budget=st.floats(0.01, 60),
    durations=st.floats(0, 5),
    chance=st.floats(0, 1, exclude_max=True),
    throttle=st.builds(Throttle, burst=st.floats(1, 5), rate=st.floats(0.1, 5)),
)
def test_l13_retry_delays_never_exceed_the_deadline(
    script: list[Answer], methods: list[str], budget: float, durations: float, chance: float, throttle: Throttle
) -> None:
    clock = VirtualClock(0.0)
    inner = ScriptedTransport(*script)

    class TakesTime(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            assert clock.now() - start < budget
            clock.advance(durations)
            return await inner.handle_async_request(request)

    retrying = RetryTransport(TakesTime(), budget, clock.now, clock.sleep, lambda: chance, throttle=throttle)
    for method in methods:
        start = clock.now()
        clock.slept.clear()
        with suppress(httpx.RequestError, TemporaryFailure):
            asyncio.run(retrying.handle_async_request(httpx.Request(method, "http://cloudflare/")))
        assert sum(clock.slept) < budget


@given(
    attempt=st.integers(0, 50),
    method=st.sampled_from(["GET", "PUT", "POST"]),
    outcome=answers,
    left=st.floats(0, 400),
    chance=st.floats(0, 1, exclude_max=True),
)
def test_no_single_delay_reaches_what_is_left(
    attempt: int, method: str, outcome: httpx.Response | httpx.RequestError, left: float, chance: float
) -> None:
    delay = RetryPolicy().delay(attempt, method, outcome, left, chance)
    assert delay is None or 0 <= delay < left


@given(blocks=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 10**9)), min_size=1))
def test_no_block_outlives_the_longest_of_cloudflares(blocks: list[tuple[int, int]]) -> None:
    throttle = Throttle()
    for at, length in blocks:
        throttle.block(at, length)
    assert throttle.blocked(max(at for at, _ in blocks)) <= LONGEST_BLOCK
