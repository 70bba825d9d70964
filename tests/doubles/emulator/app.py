"""The emulator as an ASGI app; a dropped connection is `Dropped`, raised through the server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

from doubles.emulator import control
from doubles.emulator.emulator import Emulator
from doubles.emulator.envelope import Request
from doubles.emulator.visit import Dropped

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]


def create_app(emulator: Emulator) -> Callable[[Message, Receive, Send], Awaitable[None]]:
    """Return the ASGI app of an emulator."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        response = await control.handle(emulator, await _request(scope, receive))
        headers = {**response.headers, "content-length": str(len(response.body))}
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": response.status, "headers": pairs})
        is_cut = response.cut is not None
        await send({"type": "http.response.body", "body": response.body[: response.cut], "more_body": is_cut})
        if is_cut:
            raise Dropped(how="close")

    return app


async def _request(scope: Message, receive: Receive) -> Request:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    return Request(
        method=scope["method"],
        path=scope["path"],
        query=tuple(parse_qsl(scope["query_string"].decode(), keep_blank_values=True)),
        headers={name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]},
        body=body,
    )
