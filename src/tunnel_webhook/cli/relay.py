"""One connection: a request goes to the server, its answer comes back, and the client keeps a minimum pace.

| the relay waits for                 | for at most                                                               |
|-------------------------------------|---------------------------------------------------------------------------|
| the head of the request             | `head` seconds from the connection on                                     |
| the rest of the body                | `slack` seconds from the head on, and one more for every `rate` bytes     |
| the server to answer                | any time: the service has a deadline of its own                           |
| the client to take the answer       | `slack` seconds from its start on, and one more for every `rate` bytes    |
| the client to close the connection  | `linger` seconds, or `slack` seconds if it has not sent the whole body    |

Bytes pass unchanged: the server alone decides what a request is. Only Content-Length is read, to know whether the
client owes a part of the body; with Transfer-Encoding, which external-dns never uses, it owes one until it is answered.
The server closes after its answer, so there is one request per connection, and no idle connection between two of them.
"""

from __future__ import annotations

import asyncio
import math
import re
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, TypeAlias

Side: TypeAlias = Literal["client", "server"]

_END = b"\r\n\r\n"
_INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"
_MAX_HEAD = 16_384
_CHUNK = 262_144
_LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,18})[ \t]*\r$", re.IGNORECASE | re.MULTILINE)
_ENCODED = re.compile(rb"^transfer-encoding:", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Pace:
    """What a client must keep to: `head`, `slack` and `linger` in seconds, `rate` in bytes per second."""

    head: float
    slack: float
    rate: float
    linger: float


class Relay:
    """Relays one connection, and says for whom it waits whenever that changes; at first, it waits for the client."""

    def __init__(self, server: bytes, pace: Callable[[], Pace], wait_for: Callable[[Side], None]) -> None:
        """Take the address of the server's Unix socket; the pace is asked for whenever it is needed."""
        self.has_request = False
        self._server = server
        self._pace = pace
        self._wait_for = wait_for
        self._loop = asyncio.get_running_loop()
        self._patience = asyncio.timeout(pace().head)
        self._owed = math.inf
        self._answering = False
        self._begin()

    async def run(self, client: socket.socket) -> None:
        """Return when the exchange has ended; raise TimeoutError if the client was too slow."""
        async with self._patience:
            head = await self._head(client)
            if not head:
                return
            self.has_request = True
            self._owed = _body_length(head)
            self._begin()
            # At once, so that a complete request is never closed for another connection.
            self._receive(len(head) - head.index(_END) - len(_END))
            with socket.socket(socket.AF_UNIX) as server:
                server.setblocking(False)  # noqa: FBT003 -- the standard library's signature
                await self._loop.sock_connect(server, self._server)
                await self._exchange(head, client, server)

    async def _head(self, client: socket.socket) -> bytes:
        """Return everything up to a chunk that holds the end of the head, or nothing if it does not come."""
        received = b""
        with suppress(OSError):
            while len(received) < _MAX_HEAD and (chunk := await self._loop.sock_recv(client, _MAX_HEAD)):
                received += chunk
                if _END in received:
                    return received
        return b""

    async def _exchange(self, head: bytes, client: socket.socket, server: socket.socket) -> None:
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(self._send_request(head, client, server))
            with suppress(OSError):
                await self._return_answer(server, client)
                client.shutdown(socket.SHUT_WR)
                # Closed before the client has sent everything, the connection is reset, and it may lose the answer.
                await asyncio.wait([sending], timeout=self._pace().slack if self._owed else self._pace().linger)
            sending.cancel()

    async def _send_request(self, head: bytes, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            chunk, answered = head, False
            while chunk:
                try:
                    if not answered:
                        await self._loop.sock_sendall(server, chunk)
                except ConnectionError:
                    answered = True
                chunk = await self._loop.sock_recv(client, _CHUNK)
                self._receive(len(chunk))
        with suppress(OSError):
            server.shutdown(socket.SHUT_WR)

    def _receive(self, size: int) -> None:
        self._owed = max(0, self._owed - size)
        if self._answering:
            return
        if self._owed:
            self._progress(size)
        elif self._patience.when() is not None:
            self._set_end(None)
            self._wait_for("server")

    async def _return_answer(self, server: socket.socket, client: socket.socket) -> None:
        while chunk := await self._answered(server):
            if not self._answering and chunk != _INTERIM:
                self._answering = True
                self._begin()
                self._wait_for("client")
            if self._answering:
                self._progress(len(chunk))
            await self._loop.sock_sendall(client, chunk)

    async def _answered(self, server: socket.socket) -> bytes:
        """Return the next part of the answer, or nothing at its end."""
        try:
            return await self._loop.sock_recv(server, _CHUNK)
        # Linux reports so that the server closed without reading the whole request.
        except ConnectionError:
            return b""

    def _begin(self) -> None:
        self._began, self._moved = self._loop.time(), 0

    def _progress(self, size: int) -> None:
        pace = self._pace()
        self._moved += size
        self._set_end(self._began + pace.slack + self._moved / pace.rate)

    def _set_end(self, when: float | None) -> None:
        if not self._patience.expired():
            self._patience.reschedule(when)


def _body_length(head: bytes) -> float:
    if _ENCODED.search(head):
        return math.inf
    length = _LENGTH.search(head)
    return int(length[1]) if length else 0
