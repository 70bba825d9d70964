"""The gate in front of a server: a client that can reach its port can slow down only itself.

| a connection arrives, and                           | outcome                                                    |
|-----------------------------------------------------|------------------------------------------------------------|
| fewer than `budget` are open                        | it is relayed                                              |
| `budget` are open, and some wait for their client   | the one that has waited longest is closed for it           |
| `budget` are open, and all wait for the server      | it waits in the kernel's queue until one is answered       |
| the process has no file descriptor left             | the three that have waited longest are closed for it       |

One connection is accepted per turn of the event loop, so the bytes that came with a connection are read before a later
one can take its place.
"""

from __future__ import annotations

import asyncio
import logging
import math
import resource
import socket
from contextlib import ExitStack
from dataclasses import replace

from opentelemetry import metrics

from tunnel_webhook.cli.relay import Pace, Relay, Side

PACE = Pace(head=5.0, slack=10.0, rate=65_536, linger=1.0)
_MIN_BUDGET, _MAX_BUDGET = 2, 256
# A connection takes three: the client's, and both ends of the connection to the server.
_DESCRIPTORS = 3
# The process itself holds about 25, and the pool of connections to Cloudflare 8 more.
_RESERVED_DESCRIPTORS = 40
_RETRY_SECONDS = 0.1
_QUIET_SECONDS = 60.0

_closed = metrics.get_meter("tunnel_webhook").create_counter(
    "tunnel_webhook_closed_connections",
    description="Connections closed because the port was full or the client too slow, by port and reason",
)

log = logging.getLogger(__name__)


class Gate:
    """Relays what arrives on a listening socket to a server's Unix socket, within a budget of connections."""

    def __init__(self, name: str, listening: socket.socket, server: bytes, budget: int, pace: Pace = PACE) -> None:
        """Take the name for log and metrics, a listening socket that does not block, and the address of the server."""
        self._name = name
        self._listening = listening
        self._server = server
        self._budget = budget
        self._pace = pace
        self._open: dict[asyncio.Task[None], Relay] = {}
        self._waiting: dict[asyncio.Task[None], None] = {}
        self._changed = asyncio.Event()
        self._quiet_until = 0.0

    async def accept_connections(self) -> None:
        """Accept connections until cancelled, then close the listening socket."""
        loop = asyncio.get_running_loop()
        with self._listening:
            while True:
                try:
                    client, _ = await loop.sock_accept(self._listening)
                except OSError as error:
                    for _ in range(_DESCRIPTORS):
                        self._close_oldest(f"a connection was not accepted ({error.strerror})")
                    await asyncio.sleep(_RETRY_SECONDS)
                    continue
                with ExitStack() as unless_relayed:
                    unless_relayed.enter_context(client)
                    await self._make_room()
                    unless_relayed.pop_all()
                self._relay(client)
                await asyncio.sleep(0)

    async def _make_room(self) -> None:
        while len(self._open) >= self._budget and not self._waiting:
            self._changed.clear()
            await self._changed.wait()
        if len(self._open) >= self._budget:
            self._close_oldest(f"all {self._budget} connections are in use")

    async def drain(self, grace: float) -> None:
        """Return when every complete request is answered; what a client owes must come within `grace` seconds."""
        self._pace = replace(self._pace, slack=grace, rate=math.inf)
        for task in [task for task, relay in self._open.items() if not relay.has_request]:
            self._cancel(task)
        if self._open:
            await asyncio.wait(self._open, timeout=grace)
        for task in [*self._waiting]:
            self._cancel(task)
        if self._open:
            await asyncio.wait(self._open)

    def _relay(self, client: socket.socket) -> None:
        relay = Relay(self._server, lambda: self._pace, lambda side: self._note(task, side))
        task = asyncio.create_task(self._run(relay, client))
        self._open[task] = relay
        self._waiting[task] = None
        task.add_done_callback(self._end)
        # Not by the task, which may be cancelled before it begins.
        task.add_done_callback(lambda _: client.close())

    async def _run(self, relay: Relay, client: socket.socket) -> None:
        try:
            await relay.run(client)
        except TimeoutError:
            self._count("too slow")
        except OSError as error:
            self._warn(f"a connection was not relayed ({error.strerror})")

    def _note(self, task: asyncio.Task[None], side: Side) -> None:
        self._waiting.pop(task, None)
        if side == "client":
            self._waiting[task] = None
            self._changed.set()

    def _end(self, task: asyncio.Task[None]) -> None:
        del self._open[task]
        self._waiting.pop(task, None)
        self._changed.set()

    def _close_oldest(self, reason: str) -> None:
        self._warn(f"{reason}: the one that has waited longest for its client is closed")
        if self._waiting:
            self._cancel(next(iter(self._waiting)))
            self._count("full")

    def _cancel(self, task: asyncio.Task[None]) -> None:
        self._waiting.pop(task, None)
        task.cancel()

    def _count(self, reason: str) -> None:
        _closed.add(1, {"port": self._name, "reason": reason})

    def _warn(self, message: str) -> None:
        now = asyncio.get_running_loop().time()
        if now >= self._quiet_until:
            self._quiet_until = now + _QUIET_SECONDS
            log.warning("port %s: %s", self._name, message)


def connection_budget(descriptors: int, ports: int) -> int:
    """Return how many connections each of some ports may hold open, if the process may open so many descriptors."""
    if descriptors == resource.RLIM_INFINITY:
        return _MAX_BUDGET
    return max(_MIN_BUDGET, min(_MAX_BUDGET, (descriptors - _RESERVED_DESCRIPTORS) // (_DESCRIPTORS * ports)))
