"""The one way out: a connection pool with credentials, and operations that are answered or fail in the ports' words."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from importlib.metadata import version
from typing import Any, TypeVar

import httpx
import msgspec

from tunnel_webhook.adapters.cloudflare.envelope import Answer, Fault, decode_response
from tunnel_webhook.adapters.cloudflare.failures import HTTPX_ERRORS, Task, failure_from, failure_of
from tunnel_webhook.adapters.cloudflare.retry import OPERATION, RetryTransport
from tunnel_webhook.ports import TemporaryFailure

API_URL = "https://api.cloudflare.com/client/v4"
USER_AGENT = f"external-dns-cloudflare-tunnel-webhook/{version('external-dns-cloudflare-tunnel-webhook')}"
SIDE_BY_SIDE = 8
"""How many requests run at once."""

_KEEP_ALIVE = 90.0
_CONNECT, _READ, _WRITE, _POOL = 3.0, 5.0, 5.0, 5.0
_PAGE_TRIES = 3

T = TypeVar("T")


def http_transport(proxy: str | None = None) -> httpx.AsyncHTTPTransport:
    """Return the network: HTTP/1.1 with connections that outlive a sync interval of a minute; `proxy` is a URL."""
    limits = httpx.Limits(
        max_connections=SIDE_BY_SIDE, max_keepalive_connections=SIDE_BY_SIDE, keepalive_expiry=_KEEP_ALIVE
    )
    return httpx.AsyncHTTPTransport(limits=limits, proxy=proxy)


def open_client(
    credentials: httpx.Auth,
    transport: httpx.AsyncBaseTransport,
    *,
    budget: float,
    clock: Callable[[], float],
    sleep: Callable[[float], Awaitable[object]],
    random: Callable[[], float],
    base_url: str = API_URL,
) -> httpx.AsyncClient:
    """Return the one client of a process; who opens it closes it.

    `budget` is how many seconds one operation may take, with everything that is sent again; `clock` is monotonic. A write
    waits for its answer as long as the budget lasts, since to give up on one is to leave it unsettled.
    """
    return httpx.AsyncClient(
        base_url=base_url,
        auth=credentials,
        transport=RetryTransport(transport, budget, clock, sleep, random),
        timeout=httpx.Timeout(connect=_CONNECT, read=_READ, write=_WRITE, pool=_POOL),
        headers={"User-Agent": USER_AGENT, "Accept": "application/json"},
        follow_redirects=False,
    )


class CloudflareAPI:
    """Operations on Cloudflare. Raises TemporaryFailure and PermanentFailure, and the kinds of them that `failures` tells apart."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        """Take the client; it is closed elsewhere."""
        self._client = client
        self._slots = asyncio.Semaphore(SIDE_BY_SIDE)

    async def get(self, kind: type[T], task: Task, path: str) -> T:
        """Read one thing of a kind that msgspec decodes."""
        return self._decode(kind, task, await self._send(task, "GET", path))

    async def write(self, kind: type[T], task: Task, method: str, path: str, body: bytes) -> T:
        """Write with PUT or POST, and return what that is answered with."""
        return self._decode(kind, task, await self._send(task, method, path, content=body))

    async def list_all(
        self,
        kind: type[list[T]],
        task: Task,
        path: str,
        params: Mapping[str, str],
        page_size: int,
        identity: Callable[[T], str],
    ) -> list[T]:
        """Read all pages of a list; where they shift while they are read, read them again.

        Nothing holds a list still: what is made or deleted between two pages moves the border between them.
        """
        for _ in range(_PAGE_TRIES):
            found, totals = await self._pages(kind, task, path, params, page_size)
            whole = len(totals) == 1 or (len(set(totals)) == 1 and totals[0] in {len(found), None})
            if whole and len({identity(each) for each in found}) == len(found):
                return found
        message = f"{task}: the list changed while it was read, {_PAGE_TRIES} times"
        raise TemporaryFailure(message)

    async def _pages(
        self, kind: type[list[T]], task: Task, path: str, params: Mapping[str, str], page_size: int
    ) -> tuple[list[T], list[int | None]]:
        """Return what the pages hold, and the total that each of them told."""
        found: list[T] = []
        totals: list[int | None] = []
        while True:
            number = {"page": str(len(totals) + 1), "per_page": str(page_size)}
            answer = await self._send(task, "GET", path, params={**params, **number})
            page = self._decode(kind, task, answer)
            found += page
            totals.append(answer.total)
            last = len(page) < page_size if answer.total is None else len(found) >= answer.total
            if last or not page:
                return found, totals

    async def _send(
        self,
        task: Task,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Answer:
        options: dict[str, Any] = {}
        if content is not None:
            timeout = httpx.Timeout(connect=_CONNECT, read=None, write=None, pool=_POOL)
            options = {"content": content, "headers": {"Content-Type": "application/json"}, "timeout": timeout}
        try:
            async with self._slots:
                response = await self._client.request(
                    method, path, params=params, extensions={OPERATION: task.operation}, **options
                )
        except HTTPX_ERRORS as error:
            raise failure_from(task, error) from error
        except TemporaryFailure as error:
            message = f"{task}: {error}"
            raise TemporaryFailure(message) from error
        decoded = decode_response(response.status_code, response.headers, response.content)
        if isinstance(decoded, Fault):
            raise failure_of(task, decoded)
        return decoded

    def _decode(self, kind: type[T], task: Task, answer: Answer) -> T:
        try:
            return msgspec.json.decode(answer.result, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            fault = Fault(200, None, f"a result of another shape: {error}")
            raise failure_of(task, fault) from error


async def side_by_side(calls: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Return the results of calls in their order; the first failure stops the others."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
