"""The emulator as the network of an httpx client, in one process: httpx raises what the script does to a connection.

| script                                     | raised                                             |
|--------------------------------------------|----------------------------------------------------|
| `Drop(how="reset")`                        | `httpx.ReadError`                                  |
| `Drop(how="close")`, a released `Pause`    | `httpx.RemoteProtocolError`                        |
| `Drop(how="refuse")`                       | `httpx.ConnectError`                               |
| `Slow` and latency beyond the read timeout | `httpx.ReadTimeout`, when the clock reaches it     |
| `Distort(cut=…)`                           | `httpx.RemoteProtocolError`, when the body is read |

A `Pause` holds a call until the test releases it, whatever the timeout: meanwhile no time passes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

import httpx

from doubles.emulator import control
from doubles.emulator.emulator import Emulator
from doubles.emulator.envelope import Request
from doubles.emulator.routes import BASE
from doubles.emulator.seed import API_TOKEN
from doubles.emulator.visit import Dropped, GaveUp

BASE_URL = f"http://cloudflare.invalid{BASE}"
"""The base URL of a client on `EmulatorTransport`; the name is never resolved."""

_ENDS: Mapping[str, tuple[type[httpx.TransportError], str]] = {
    "reset": (httpx.ReadError, ""),
    "close": (httpx.RemoteProtocolError, "Server disconnected without sending a response."),
    "refuse": (httpx.ConnectError, "All connection attempts failed"),
}


@dataclass(frozen=True, slots=True)
class EmulatorTransport(httpx.AsyncBaseTransport):
    """Hands requests to an emulator without a socket."""

    emulator: Emulator

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the emulator's answer, or raise what httpx raises without one."""
        call = Request(
            method=request.method,
            path=request.url.path,
            query=tuple(parse_qsl(request.url.query.decode(), keep_blank_values=True)),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.aread(),
        )
        try:
            response = await control.handle(self.emulator, call, request.extensions.get("timeout", {}).get("read"))
        except Dropped as dropped:
            error, message = _ENDS[dropped.how]
            raise error(message, request=request) from dropped
        except GaveUp as gave_up:
            message = ""
            raise httpx.ReadTimeout(message, request=request) from gave_up
        headers = {**response.headers, "content-length": str(len(response.body))}
        if response.cut is None:
            return httpx.Response(response.status, headers=headers, content=response.body, request=request)
        cut = _Cut(response.body[: response.cut], request)
        return httpx.Response(response.status, headers=headers, stream=cut, request=request)


@dataclass(frozen=True, slots=True)
class _Cut(httpx.AsyncByteStream):
    """A body that ends before it should."""

    body: bytes
    request: httpx.Request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.body
        message = "peer closed connection without sending complete message body"
        raise httpx.RemoteProtocolError(message, request=self.request)


def open_client(emulator: Emulator, token: str = API_TOKEN) -> httpx.AsyncClient:
    """Return a plain client of an emulator, for tests that call it themselves."""
    headers = {"authorization": f"Bearer {token}"}
    return httpx.AsyncClient(transport=EmulatorTransport(emulator), base_url=BASE_URL, headers=headers)
