"""A granian server in this event loop, on a Unix socket that only this process announces."""

from __future__ import annotations

import socket

from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.embed import Server

from tunnel_webhook.telemetry import ASGIApp

_BACKLOG = 1024


class Backend(Server):
    """Serves an app on `socket_address`; each answer says `Connection: close` and closes its connection.

    granian counts the connections that it accepts (`backlog`), drops none that is slow or silent, and waits for them
    when it stops. So only the gate connects to it, with fewer connections, each with a request.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Bind the socket; connections wait in its queue until `serve` runs."""
        super().__init__(
            app,
            interface=Interfaces.ASGINL,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(keep_alive=False),
            websockets=False,
            backlog=_BACKLOG,
            # granian warns that embedding is experimental (see adrs/0006); its handlers would bypass our log format.
            log_level=LogLevels.error,
            log_dictconfig={"incremental": True, "handlers": {}, "loggers": {}},
        )
        self._socket = socket.socket(socket.AF_UNIX)
        # An empty name makes Linux choose one outside the file system, which may be read-only.
        self._socket.bind("")
        self._socket.listen(_BACKLOG)

    @property
    def socket_address(self) -> bytes:
        """The name of the socket, in Linux' abstract namespace."""
        address: bytes = self._socket.getsockname()
        return address

    def _init_shared_socket(self) -> None:
        """Hand over the socket in granian's own way; its constructor only takes addresses and paths."""
        self._ssp = None
        holder = SocketHolder(self._socket.detach(), True, _BACKLOG)  # type: ignore[call-arg]  # noqa: FBT003 -- untyped
        self._shd = holder  # type: ignore[assignment]  # -- granian declares it as None
