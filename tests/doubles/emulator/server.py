"""The emulator on a loopback socket: HTTP/1.1 by h11, so that a scripted fault can really drop the connection."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from urllib.parse import parse_qsl, unquote

import h11

from doubles.emulator import control
from doubles.emulator.emulator import Emulator
from doubles.emulator.envelope import Request, Response
from doubles.emulator.visit import Dropped

HOST = "127.0.0.1"
_CHUNK = 65_536
_AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER on, for 0 s: closing discards unsent data and resets the connection."""


async def serve(emulator: Emulator, port: int, ready: Callable[[int], None]) -> None:
    """Serve until cancelled; port 0 takes any free one, and `ready` is called with it."""
    server = await asyncio.start_server(partial(_converse, emulator), HOST, port)
    ready(server.sockets[0].getsockname()[1])
    try:
        await asyncio.Event().wait()
    finally:
        server.close()


async def _converse(emulator: Emulator, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one request after the other on a connection."""
    connection = h11.Connection(h11.SERVER)
    with suppress(ConnectionError, h11.RemoteProtocolError):
        try:
            while await _exchange(emulator, connection, reader, writer):
                connection.start_next_cycle()
        except Dropped as dropped:
            if dropped.how != "close":
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
                writer.transport.abort()
        finally:
            writer.close()


async def _exchange(
    emulator: Emulator, connection: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bool:
    """Answer one request; return whether the connection can carry another."""
    head = await _next(connection, reader)
    if not isinstance(head, h11.Request):
        return False
    body = bytearray()
    while isinstance(event := await _next(connection, reader), h11.Data):
        body += event.data
    if not isinstance(event, h11.EndOfMessage):
        return False
    response = await control.handle(emulator, _request(head, bytes(body)))
    await _send(connection, writer, response)
    return response.cut is None and connection.our_state is h11.DONE


async def _next(connection: h11.Connection, reader: asyncio.StreamReader) -> object:
    while (event := connection.next_event()) is h11.NEED_DATA:
        connection.receive_data(await reader.read(_CHUNK))
    return event


def _request(head: h11.Request, body: bytes) -> Request:
    path, _, query = head.target.decode().partition("?")
    return Request(
        method=head.method.decode(),
        path=unquote(path),
        query=tuple(parse_qsl(query, keep_blank_values=True)),
        headers={name.decode(): value.decode("latin-1") for name, value in head.headers},
        body=body,
    )


async def _send(connection: h11.Connection, writer: asyncio.StreamWriter, response: Response) -> None:
    """Send an answer; if it is cut, with fewer bytes than its content-length."""
    headers = {**response.headers, "content-length": str(len(response.body))}
    events = [
        h11.Response(status_code=response.status, headers=list(headers.items())),
        h11.Data(data=response.body[: response.cut]),
    ]
    for event in [*events, h11.EndOfMessage()] if response.cut is None else events:
        writer.write(connection.send(event) or b"")
    await writer.drain()
