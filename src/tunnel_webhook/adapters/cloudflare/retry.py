"""When a request is sent again: a policy that decides, and the one place that waits.

`outcomes` says what is worth another attempt. It follows after `Retry-After`, if Cloudflare sends one, plus a random
part of a delay that doubles (full jitter), and only within the timeout of the call: an answer in time is worth more
than a late success.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx
from opentelemetry import metrics

from tunnel_webhook.adapters.cloudflare.envelope import remaining_requests, seconds_to_reset, seconds_to_wait
from tunnel_webhook.adapters.cloudflare.outcomes import meaning_of_error, meaning_of_status
from tunnel_webhook.adapters.cloudflare.throttle import Throttle
from tunnel_webhook.ports import TemporaryFailure

Attempt = httpx.Response | httpx.RequestError
"""How one attempt ended."""

OPERATION_NAME = "tunnel_webhook.operation"
"""The extension of a request that names its operation for the metrics."""

AT_ONCE = "tunnel_webhook.at_once"
"""The extension of a request that is sent now or not at all: it never waits, and is never repeated."""

_THROTTLED = 429

_meter = metrics.get_meter("tunnel_webhook")
_requests = _meter.create_counter(
    "tunnel_webhook_cloudflare_requests", description="Requests to Cloudflare, by operation and status"
)
_duration = _meter.create_histogram(
    "tunnel_webhook_cloudflare_request_duration_seconds",
    unit="s",
    description="Duration of requests to Cloudflare, by operation and status",
)
_retries = _meter.create_counter(
    "tunnel_webhook_cloudflare_retries", description="Requests that were sent again, by operation"
)
_remaining = _meter.create_gauge(
    "tunnel_webhook_cloudflare_rate_limit_remaining",
    description="Requests that the rate limit still allows, as reported by Cloudflare",
)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Which attempt is followed by another, and when; waits in seconds."""

    wait_initial: float = 0.25
    wait_max: float = 4.0
    attempts: int = 10

    def delay(self, number: int, method: str, attempt: Attempt, remaining: float, jitter: float) -> float | None:
        """Return how long to wait after an attempt, or None if it was the last one.

        `number` counts attempts from 0, `remaining` is what is left of the timeout in seconds, which the delay never
        reaches, and `jitter` is random in [0, 1).
        """
        if number + 1 >= self.attempts or not _may_repeat(method, attempt):
            return None
        requested = seconds_to_wait(attempt.headers) if isinstance(attempt, httpx.Response) else None
        delay = (requested or 0.0) + jitter * min(self.wait_max, self.wait_initial * 2**number)
        return delay if delay < remaining else None


def _may_repeat(method: str, attempt: Attempt) -> bool:
    if isinstance(attempt, httpx.Response):
        meaning = meaning_of_status(attempt.status_code)
    else:
        meaning = meaning_of_error(attempt)
    return meaning.allows_repeat(writes=method != "GET")


@dataclass(slots=True)
class RetryTransport(httpx.AsyncBaseTransport):
    """Sends each request, repeatedly if needed, within `timeout` seconds, which include waiting and reading the body.

    Raises TemporaryFailure without asking Cloudflare if the rate limit would let the request through only after that.
    """

    inner: httpx.AsyncBaseTransport
    timeout: float
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[object]]
    random: Callable[[], float]
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    throttle: Throttle = field(default_factory=Throttle)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the last response with its body read, or raise the last exception."""
        deadline = self.clock() + self.timeout
        operation = str(request.extensions.get(OPERATION_NAME, request.method))
        at_once = bool(request.extensions.get(AT_ONCE))
        number = 0
        while True:
            if at_once:
                self._take_turn()
            else:
                await self._wait_for_turn(deadline)
            attempt = await self._attempt(request, operation, deadline)
            delay = self.policy.delay(number, request.method, attempt, deadline - self.clock(), self.random())
            if delay is None or at_once:
                break
            number += 1
            _retries.add(1, {"operation": operation})
            await self.sleep(delay)
        if isinstance(attempt, httpx.RequestError):
            raise attempt
        return attempt

    async def aclose(self) -> None:
        """Close the inner transport."""
        await self.inner.aclose()

    def _take_turn(self) -> None:
        """Count a request without waiting; the bucket leaves room for a few below Cloudflare's limit."""
        now = self.clock()
        self.throttle.delay(now, math.inf)
        if blocked := self.throttle.blocked(now):
            message = f"Cloudflare's rate limit is exhausted: ask again in {blocked:.0f} s"
            raise TemporaryFailure(message)

    async def _wait_for_turn(self, deadline: float) -> None:
        now = self.clock()
        wait = self.throttle.delay(now, deadline - now)
        await self._wait(wait, deadline, "more requests are waiting than Cloudflare's rate limit allows")
        while blocked := self.throttle.blocked(self.clock()):
            await self._wait(blocked, deadline, "Cloudflare's rate limit is exhausted")

    async def _wait(self, seconds: float, deadline: float, reason: str) -> None:
        if seconds and seconds >= deadline - self.clock():
            message = f"{reason}: ask again in {seconds:.0f} s"
            raise TemporaryFailure(message)
        if seconds:
            await self.sleep(seconds)

    async def _attempt(self, request: httpx.Request, operation: str, deadline: float) -> Attempt:
        start = self.clock()
        attempt: Attempt
        try:
            attempt = response = await self._send(request, deadline - start)
            status = str(response.status_code)
            self._heed_rate_limit(response)
        except httpx.RequestError as error:
            attempt, status = error, type(error).__name__
        attributes = {"operation": operation, "status": status}
        _requests.add(1, attributes)
        _duration.record(self.clock() - start, attributes)
        return attempt

    async def _send(self, request: httpx.Request, remaining: float) -> httpx.Response:
        phases: dict[str, float | None] = request.extensions.get("timeout", {})
        limited = {phase: remaining if limit is None else min(limit, remaining) for phase, limit in phases.items()}
        limited_request = httpx.Request(
            request.method,
            request.url,
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "timeout": limited},
        )
        try:
            # Each phase has a limit, but a body that arrives drop by drop never exceeds one.
            async with asyncio.timeout(remaining):
                response = await self.inner.handle_async_request(limited_request)
                try:
                    await response.aread()
                finally:
                    await response.aclose()
        except TimeoutError as error:
            message = f"no complete answer within {remaining:.1f} s"
            raise httpx.ReadTimeout(message, request=request) from error
        return response

    def _heed_rate_limit(self, response: httpx.Response) -> None:
        """Remember what a response says about the rate limit."""
        remaining = remaining_requests(response.headers)
        if remaining is not None:
            _remaining.set(remaining)
        if response.status_code == _THROTTLED:
            seconds = seconds_to_wait(response.headers)
            if seconds is None:
                seconds = seconds_to_reset(response.headers) or 0.0
            self.throttle.block(self.clock(), seconds)
