"""The two listening sockets: they are opened before anything is served, and a port that is taken is an error."""

from __future__ import annotations

import socket
from dataclasses import dataclass

_BACKLOG = 1024


class CannotServe(Exception):
    """A port cannot be opened, or a server stopped by itself; the message is one line for the operator."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Where to listen: an IP address, a port (0 takes a free one), and the prefix of the variables for both."""

    host: str
    port: int
    prefix: str = ""

    def open(self) -> socket.socket:
        """Return a socket that listens; raise CannotServe if the port is taken or the address not of this machine."""
        listening = socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET)
        listening.setblocking(False)  # noqa: FBT003 -- the standard library's signature
        # Connections that just ended must not keep a restarted process from its port.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((self.host, self.port))
            listening.listen(_BACKLOG)
        except OSError as error:
            listening.close()
            prefix = self.prefix
            message = (
                f"{prefix}HOST={self.host} {prefix}PORT={self.port}: {error.strerror};"
                f" stop what listens there, or set {prefix}PORT to a free port"
            )
            raise CannotServe(message) from error
        return listening


def url_of(listening: socket.socket) -> str:
    """Return the URL of a listening socket."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
