"""Connections of clients that do not behave: bytes on a socket, and nothing else."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from urllib.parse import urlsplit

MEDIA_TYPE = "application/external.dns.webhook+json;version=1"
_HEAD = f"POST /records HTTP/1.1\r\nHost: localhost\r\nContent-Type: {MEDIA_TYPE}\r\n".encode()
UNFINISHED = {
    "silent": b"",
    "one byte": b"G",
    "half a head": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n",
    "a head without its body": _HEAD + b"Content-Length: 1000\r\n\r\n",
    "half a body": _HEAD + b'Content-Length: 1000\r\n\r\n{"create":',
    "half a chunk": _HEAD + b"Transfer-Encoding: chunked\r\n\r\n3e8\r\n[",
    "not HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}
"""What is sent on each connection of a kind; the client then says nothing more, and keeps the connection open."""


def address(url: str) -> tuple[str, int]:
    """Return host and port of a URL, for a socket."""
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    return parts.hostname, parts.port


@contextmanager
def connections(url: str, number: int, sent: bytes = b"", source: str = "127.0.0.1") -> Iterator[list[socket.socket]]:
    """Open connections from an address of the loopback interface and send the same on each; close them at the end."""
    with ExitStack() as opened:
        sockets = []
        for _ in range(number):
            connection = opened.enter_context(socket.create_connection(address(url), 5, (source, 0)))
            sockets.append(connection)
            # The process may have closed it by now.
            connection.setblocking(False)  # noqa: FBT003 -- the standard library's signature
            drip(connection, sent)
        yield sockets


def drip(connection: socket.socket, sent: bytes) -> None:
    """Send bytes on a connection that may have been closed."""
    try:
        connection.send(sent)
    except OSError:
        connection.close()


def answer(url: str, timeout: float) -> tuple[int, str]:
    """Return status and body of a GET. httpx would take longer to start than most answers take."""
    with closing(HTTPConnection(*address(url), timeout=timeout)) as connection:
        connection.request("GET", urlsplit(url).path or "/", headers={"Accept": MEDIA_TYPE})
        response = connection.getresponse()
        return response.status, response.read().decode()
