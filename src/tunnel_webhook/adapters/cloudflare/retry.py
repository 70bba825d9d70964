"""When a request is sent again: a policy that decides, and the one place that waits.

| outcome of an attempt                          | read (GET) | write (PUT, POST)                             |
|------------------------------------------------|------------|-----------------------------------------------|
| no connection                                  | again      | again                                         |
| 429, 503                                       | again      | again                                         |
| 408, 425, 500, 502, 504, 520 to 527, 530       | again      | never: it may have taken effect               |
| timeout, reset, truncated body                 | again      | never: it may have taken effect               |
| anything else                                  | never      | never                                         |

"Again" is after `Retry-After` where that is given, and a random part of a delay that doubles (full jitter), and only as long as
the budget of the request lasts: an answer in time is worth more than a late success.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx
from opentelemetry import metrics

from tunnel_webhook.adapters.cloudflare.envelope import remaining_requests, seconds_to_reset, seconds_to_wait
from tunnel_webhook.adapters.cloudflare.failures import NEVER_SENT
from tunnel_webhook.adapters.cloudflare.throttle import Throttle
from tunnel_webhook.ports import TemporaryFailure

Outcome = httpx.Response | httpx.RequestError
"""What an attempt led to."""

OPERATION = "tunnel_webhook.operation"
"""The extension of a request that names its operation for the metrics."""

_THROTTLED = 429
_SAFE = frozenset({_THROTTLED, 503})
_TRANSIENT = _SAFE | {408, 425, 500, 502, 504, *range(520, 528), 530}
_PASSING = (
    httpx.TimeoutException,
    httpx.NetworkError,
    httpx.RemoteProtocolError,
    httpx.ProxyError,
    httpx.DecodingError,
)

_meter = metrics.get_meter("tunnel_webhook")
_requests = _meter.create_counter(
    "tunnel_webhook_cloudflare_requests", description="Requests to Cloudflare, by operation and status"
)
_duration = _meter.create_histogram(
    "tunnel_webhook_cloudflare_request_duration_seconds", unit="s", description="Their durations"
)
_retries = _meter.create_counter(
    "tunnel_webhook_cloudflare_retries", description="Requests that were sent again, by operation"
)
_remaining = _meter.create_gauge(
    "tunnel_webhook_cloudflare_rate_limit_remaining",
    description="Requests that the rate limit still allows, as Cloudflare says",
)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Which outcome is worth another attempt, and when; delays in seconds."""

    first: float = 0.25
    longest: float = 4.0
    attempts: int = 10

    def delay(self, attempt: int, method: str, outcome: Outcome, left: float, chance: float) -> float | None:
        """Return how long to wait after an attempt (counted from 0), or None to leave it at its outcome.

        `left` is what is left of the budget, and what is returned is less; `chance` is random in [0, 1).
        """
        if attempt + 1 >= self.attempts or not _may_repeat(method, outcome):
            return None
        asked = seconds_to_wait(outcome.headers) if isinstance(outcome, httpx.Response) else None
        delay = (asked or 0.0) + chance * min(self.longest, self.first * 2**attempt)
        return delay if delay < left else None


def _may_repeat(method: str, outcome: Outcome) -> bool:
    reads = method == "GET"
    if isinstance(outcome, httpx.Response):
        return outcome.status_code in (_TRANSIENT if reads else _SAFE)
    return isinstance(outcome, _PASSING if reads else NEVER_SENT)


@dataclass(slots=True)
class RetryTransport(httpx.AsyncBaseTransport):
    """Sends each request, again where that is worth it, within `budget` seconds of its call; bodies are read within them too.

    Raises TemporaryFailure, without asking Cloudflare, where its turn or the end of a block comes after that.
    """

    inner: httpx.AsyncBaseTransport
    budget: float
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[object]]
    random: Callable[[], float]
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    throttle: Throttle = field(default_factory=Throttle)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the last response, its body read, or raise the last exception."""
        deadline = self.clock() + self.budget
        operation = str(request.extensions.get(OPERATION, request.method))
        attempt = 0
        while True:
            await self._wait_for_turn(deadline)
            outcome = await self._attempt(request, operation, deadline)
            delay = self.policy.delay(attempt, request.method, outcome, deadline - self.clock(), self.random())
            if delay is None:
                break
            attempt += 1
            _retries.add(1, {"operation": operation})
            await self.sleep(delay)
        if isinstance(outcome, httpx.RequestError):
            raise outcome
        return outcome

    async def aclose(self) -> None:
        """Close the transport within."""
        await self.inner.aclose()

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

    async def _attempt(self, request: httpx.Request, operation: str, deadline: float) -> Outcome:
        start = self.clock()
        outcome: Outcome
        try:
            outcome = response = await self._send(request, deadline - start)
            status = str(response.status_code)
            self._heed(response)
        except httpx.RequestError as error:
            outcome, status = error, type(error).__name__
        attributes = {"operation": operation, "status": status}
        _requests.add(1, attributes)
        _duration.record(self.clock() - start, attributes)
        return outcome

    async def _send(self, request: httpx.Request, left: float) -> httpx.Response:
        phases: dict[str, float | None] = request.extensions.get("timeout", {})
        limited = {phase: left if limit is None else min(limit, left) for phase, limit in phases.items()}
        attempt = httpx.Request(
            request.method,
            request.url,
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "timeout": limited},
        )
        try:
            # The phases have their limits, and a body that comes drop by drop keeps within each of them.
            async with asyncio.timeout(left):
                response = await self.inner.handle_async_request(attempt)
                try:
                    await response.aread()
                finally:
                    await response.aclose()
        except TimeoutError as error:
            message = f"no complete answer within {left:.1f} s"
            raise httpx.ReadTimeout(message, request=request) from error
        return response

    def _heed(self, response: httpx.Response) -> None:
        """Remember what a response says about the rate limit."""
        remaining = remaining_requests(response.headers)
        if remaining is not None:
            _remaining.set(remaining)
        if response.status_code == _THROTTLED:
            seconds = seconds_to_wait(response.headers)
            self.throttle.block(
                self.clock(), seconds if seconds is not None else seconds_to_reset(response.headers) or 0.0
            )
