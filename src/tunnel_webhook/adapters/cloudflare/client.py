"""The way to Cloudflare: a connection pool with credentials, and operations that fail in the words of the ports."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from importlib.metadata import version
from typing import Any, TypeVar

import httpx
import msgspec

from tunnel_webhook.adapters.cloudflare.envelope import Answer, Fault, decode_response
from tunnel_webhook.adapters.cloudflare.failures import NotDone, Operation, failure_of_error, failure_of_fault
from tunnel_webhook.adapters.cloudflare.outcomes import HTTPX_ERRORS
from tunnel_webhook.adapters.cloudflare.retry import AT_ONCE, OPERATION_NAME, RetryTransport
from tunnel_webhook.adapters.cloudflare.server_clock import ServerClock
from tunnel_webhook.ports import TemporaryFailure

_USER_AGENT = f"external-dns-cloudflare-tunnel-webhook/{version('external-dns-cloudflare-tunnel-webhook')}"
_CONCURRENCY = 8
_KEEP_ALIVE = 90.0
_CONNECT, _READ, _WRITE, _POOL = 3.0, 5.0, 5.0, 5.0
_SHARE_OF_DEADLINE = 0.8
_LISTING_TRIES = 3

T = TypeVar("T")


def http_transport() -> httpx.AsyncHTTPTransport:
    """Return the network: HTTP/1.1 with connections that outlive a sync interval of a minute."""
    # A write at once must not wait for a connection while all others are in use.
    limits = httpx.Limits(
        max_connections=2 * _CONCURRENCY, max_keepalive_connections=2 * _CONCURRENCY, keepalive_expiry=_KEEP_ALIVE
    )
    return httpx.AsyncHTTPTransport(limits=limits)


def open_client(
    credentials: httpx.Auth,
    transport: httpx.AsyncBaseTransport,
    *,
    base_url: str,
    deadline: float,
    clock: Callable[[], float],
    sleep: Callable[[float], Awaitable[object]],
    random: Callable[[], float],
) -> httpx.AsyncClient:
    """Return the one client of a process, to be closed by the caller; `clock` is monotonic.

    A call and its repetitions take at most 80 % of `deadline`, in seconds, so that Cloudflare's reason for a failure
    arrives before the deadline ends the work without one. A write waits for its answer all that time, since giving up
    on it would leave it unsettled.
    """
    return httpx.AsyncClient(
        base_url=base_url,
        auth=credentials,
        transport=RetryTransport(transport, _SHARE_OF_DEADLINE * deadline, clock, sleep, random),
        timeout=httpx.Timeout(connect=_CONNECT, read=_READ, write=_WRITE, pool=_POOL),
        headers={"User-Agent": _USER_AGENT, "Accept": "application/json"},
        follow_redirects=False,
    )


class CloudflareAPI:
    """Operations on Cloudflare, at most 8 at a time. They raise the failures that `failures` draws."""

    def __init__(self, client: httpx.AsyncClient, server_clock: ServerClock) -> None:
        """Take the client, which its owner closes, and the clock that Cloudflare's answers set."""
        self._client = client
        self._server_clock = server_clock
        self._slots = asyncio.Semaphore(_CONCURRENCY)

    async def get(self, kind: type[T], operation: Operation, path: str) -> T:
        """Read one result of a kind that msgspec decodes."""
        return _decode(kind, operation, await self._send(operation, "GET", path))

    async def write(self, kind: type[T], operation: Operation, method: str, path: str, body: bytes) -> T:
        """Write JSON with PUT or POST, and return the result."""
        return _decode(kind, operation, await self._send(operation, method, path, content=body))

    async def write_at_once(self, kind: type[T], operation: Operation, method: str, path: str, body: bytes) -> T:
        """Write JSON now or raise NotDone: without waiting for a turn, and without a repetition.

        For a write that rests on a read a moment ago.
        """
        return _decode(kind, operation, await self._request(operation, method, path, content=body, at_once=True))

    def now(self) -> float:
        """Return Cloudflare's time in seconds since the epoch, to within a second."""
        return self._server_clock.now()

    async def list_all(
        self,
        kind: type[list[T]],
        operation: Operation,
        path: str,
        params: Mapping[str, str],
        page_size: int,
        identity: Callable[[T], str],
    ) -> list[T]:
        """Read all pages of a list, and read them again if they shift meanwhile.

        An entry that is created or deleted between two pages moves the border between them, so that entries are missing
        or appear twice. Raises TemporaryFailure if the list never holds still.
        """
        for _ in range(_LISTING_TRIES):
            entries, totals = await self._pages(kind, operation, path, params, page_size)
            is_stable = len(totals) == 1 or (len(set(totals)) == 1 and totals[0] in {len(entries), None})
            if is_stable and len({identity(entry) for entry in entries}) == len(entries):
                return entries
        message = f"{operation}: the list changed while it was read, {_LISTING_TRIES} times"
        raise TemporaryFailure(message)

    async def _pages(
        self, kind: type[list[T]], operation: Operation, path: str, params: Mapping[str, str], page_size: int
    ) -> tuple[list[T], list[int | None]]:
        """Return the entries of all pages, and the total that each page reports."""
        entries: list[T] = []
        totals: list[int | None] = []
        while True:
            position = {"page": str(len(totals) + 1), "per_page": str(page_size)}
            answer = await self._send(operation, "GET", path, params={**params, **position})
            page = _decode(kind, operation, answer)
            entries += page
            totals.append(answer.total)
            is_last = len(page) < page_size if answer.total is None else len(entries) >= answer.total
            if is_last or not page:
                return entries, totals

    async def _send(
        self,
        operation: Operation,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Answer:
        async with self._slots:
            return await self._request(operation, method, path, params=params, content=content)

    async def _request(
        self,
        operation: Operation,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        at_once: bool = False,
    ) -> Answer:
        options: dict[str, Any] = {}
        if content is not None:
            timeout = httpx.Timeout(connect=_CONNECT, read=None, write=None, pool=_POOL)
            options = {"content": content, "headers": {"Content-Type": "application/json"}, "timeout": timeout}
        try:
            response = await self._client.request(
                method, path, params=params, extensions={OPERATION_NAME: operation.name, AT_ONCE: at_once}, **options
            )
        except HTTPX_ERRORS as error:
            raise failure_of_error(operation, error) from error
        except TemporaryFailure as error:
            message = f"{operation}: {error}"
            raise NotDone(message) from error
        self._server_clock.heed(response.headers)
        decoded = decode_response(response.status_code, response.headers, response.content)
        if isinstance(decoded, Fault):
            raise failure_of_fault(operation, decoded)
        return decoded


def _decode(kind: type[T], operation: Operation, answer: Answer) -> T:
    try:
        return msgspec.json.decode(answer.result, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        fault = Fault(200, None, f"a result of another shape: {error}")
        raise failure_of_fault(operation, fault) from error


async def gather_or_cancel(calls: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Return the results of concurrent calls in their order; the first failure cancels the others."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
