"""The way to Cloudflare: a connection pool with credentials, and operations that fail in the words of the ports."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from functools import partial
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
_MOST_PAGES = 1000

NEW_CONNECTION = "tunnel_webhook.new_connection"
"""The extension of a request that must not use a connection on which anything was answered before."""

T = TypeVar("T")


class Network(httpx.AsyncBaseTransport):
    """Kept connections, and a new one for each request with the extension NEW_CONNECTION; or all through a proxy."""

    def __init__(self, proxy: httpx.Proxy | None = None) -> None:
        """Open no connection yet."""
        # A write at once must not wait for a connection while all others are in use.
        self._kept = _pool(2 * _CONCURRENCY, proxy)
        # `Connection: close` would end a kept connection only after the answer that is to be independent of it.
        self._new = _pool(0, proxy)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request."""
        pool = self._new if request.extensions.get(NEW_CONNECTION) else self._kept
        return await pool.handle_async_request(request)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._kept.aclose()
        await self._new.aclose()


def _pool(kept: int, proxy: httpx.Proxy | None) -> httpx.AsyncHTTPTransport:
    most = max(kept, _CONCURRENCY)
    limits = httpx.Limits(max_connections=most, max_keepalive_connections=kept, keepalive_expiry=_KEEP_ALIVE)
    return httpx.AsyncHTTPTransport(limits=limits, proxy=proxy)


def http_transport(proxy: str = "", credentials: tuple[str, str] | None = None) -> Network:
    """Return the network: HTTP/1.1 with connections that outlive a sync interval of a minute, or new ones.

    `proxy` is the URL of an HTTP proxy without user information, if there is one; `credentials` are that information.
    """
    return Network(httpx.Proxy(proxy, auth=credentials) if proxy else None)


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

    def __init__(self, client: httpx.AsyncClient, server_clock: ServerClock, mask: Callable[[str], str] = str) -> None:
        """Take the client, which its owner closes, the clock that answers set, and what masks secrets in sentences."""
        self._client = client
        self._server_clock = server_clock
        self._mask = mask
        self._slots = asyncio.Semaphore(_CONCURRENCY)

    async def get(self, kind: type[T], operation: Operation, path: str, *, on_new_connection: bool = False) -> T:
        """Read one result of a kind that msgspec decodes."""
        return _decode(kind, operation, await self._send(operation, "GET", path, on_new_connection=on_new_connection))

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
        *,
        on_new_connection: bool = False,
    ) -> list[T]:
        """Read all pages of a list, and read them again if they shift meanwhile.

        An entry that is created or deleted between two pages moves the border between them, so that entries are missing
        or appear twice. Raises TemporaryFailure if the list never holds still.

        | a page                                                 | then                             |
        |--------------------------------------------------------|----------------------------------|
        | is full, or fewer entries were read than its total     | the next page is read            |
        | is empty                                               | the page before was the last one |
        | repeats an entry, or its total is not that of the list | the whole list is read again     |
        """
        for _ in range(_LISTING_TRIES):
            pages = partial(self._page, kind, operation, path, params, page_size, on_new_connection=on_new_connection)
            entries = await _consistent(pages, page_size, identity)
            if entries is not None:
                return entries
        message = f"{operation}: the list changed while it was read, {_LISTING_TRIES} times"
        raise TemporaryFailure(message)

    async def _page(
        self,
        kind: type[list[T]],
        operation: Operation,
        path: str,
        params: Mapping[str, str],
        page_size: int,
        number: int,
        *,
        on_new_connection: bool,
    ) -> tuple[list[T], int | None]:
        """Return one page, and the total that it reports."""
        position = {"page": str(number), "per_page": str(page_size)}
        answer = await self._send(
            operation, "GET", path, params={**params, **position}, on_new_connection=on_new_connection
        )
        return _decode(kind, operation, answer), answer.total

    async def _send(
        self,
        operation: Operation,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        on_new_connection: bool = False,
    ) -> Answer:
        async with self._slots:
            return await self._request(
                operation, method, path, params=params, content=content, on_new_connection=on_new_connection
            )

    async def _request(
        self,
        operation: Operation,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        on_new_connection: bool = False,
        at_once: bool = False,
    ) -> Answer:
        options: dict[str, Any] = {}
        extensions = {OPERATION_NAME: operation.name, NEW_CONNECTION: on_new_connection, AT_ONCE: at_once}
        if content is not None:
            timeout = httpx.Timeout(connect=_CONNECT, read=None, write=None, pool=_POOL)
            options = {"content": content, "headers": {"Content-Type": "application/json"}, "timeout": timeout}
        try:
            response = await self._client.request(method, path, params=params, extensions=extensions, **options)
        except HTTPX_ERRORS as error:
            raise failure_of_error(operation, error) from error
        except TemporaryFailure as error:
            message = f"{operation}: {error}"
            raise NotDone(message) from error
        self._server_clock.heed(response.headers)
        decoded = decode_response(response.status_code, response.headers, response.content, self._mask)
        if isinstance(decoded, Fault):
            raise failure_of_fault(operation, decoded)
        return decoded


def _decode(kind: type[T], operation: Operation, answer: Answer) -> T:
    try:
        return msgspec.json.decode(answer.result, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        fault = Fault(200, None, f"a result of another shape: {error}")
        raise failure_of_fault(operation, fault) from error


async def _consistent(
    read_page: Callable[[int], Awaitable[tuple[list[T], int | None]]], page_size: int, identity: Callable[[T], str]
) -> list[T] | None:
    """Return the entries of all pages, or None if the pages contradict one another."""
    entries: dict[str, T] = {}
    totals: list[int] = []
    for number in range(1, _MOST_PAGES + 1):
        page, total = await read_page(number)
        before = len(entries)
        entries |= {identity(entry): entry for entry in page}
        if len(entries) < before + len(page):
            return None
        if total is not None and (page or number == 1):
            totals.append(total)
        # A full page is followed even where the total says that it is the last one: the total may be wrong.
        if not page or (len(page) < page_size and len(entries) >= (total or 0)):
            # The only page may hold more than its total: it is not full, so nothing is missing.
            fits = max(totals, default=0) <= len(entries) if number == 1 else set(totals) <= {len(entries)}
            return list(entries.values()) if fits else None
    return None


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
