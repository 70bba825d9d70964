"""Our process on the in-memory backend, and a socket on which tests read, change and disturb its account.

    BACKEND=memory python -m external_dns.memory_process SOCKET

is the command `serve` on an empty account. It answers on a Unix socket, one line of JSON for one line of JSON.

| request   | arguments                           | answer                                                         |
|-----------|-------------------------------------|----------------------------------------------------------------|
| `state`   |                                     | every document (text, version) by tunnel, every record by zone |
| `put`     | `documents`, `records`              | `null`; the account holds these and nothing else               |
| `disturb` | `step`, `times`, `delay`, `failure` | `null`; the next `before tunnels.save` (…) hang or fail        |
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from socketserver import StreamRequestHandler, ThreadingUnixStreamServer
from threading import Thread
from typing import Any, ClassVar

from dependency_injector import providers
from msgspec import convert, to_builtins

from doubles.side_doors import Contents, MemoryDoor
from doubles.steps import SteppedTunnels, SteppedZones
from tunnel_webhook.adapters.memory import InMemoryTunnels, InMemoryZones
from tunnel_webhook.cli import main
from tunnel_webhook.container import Container
from tunnel_webhook.ports import PermanentFailure, TemporaryFailure

_FAILURES = {"temporary": TemporaryFailure, "permanent": PermanentFailure}


@dataclass(slots=True)
class Disturbances:
    """What goes wrong, by step: for how many seconds it hangs, how it fails after that, how many times."""

    pending: dict[str, tuple[float, str, int]] = field(default_factory=dict)

    async def at(self, port: str, name: str) -> None:
        """Hang and fail as the step of a port is disturbed, if it is."""
        when, _, call = name.partition(" ")
        step = f"{when} {port}.{call}"
        delay, failure, times = self.pending.get(step, (0.0, "", 0))
        if times:
            self.pending[step] = (delay, failure, times - 1)
            await asyncio.sleep(delay)
            if failure:
                message = f"{failure} failure {step}, which a test asked for"
                raise _FAILURES[failure](message)


class MemoryAccount:
    """The account in memory, and the requests of tests for it."""

    def __init__(self) -> None:
        self._disturbances = Disturbances()
        self.tunnels, self.zones = InMemoryTunnels({}), InMemoryZones({})

    def open(self) -> None:
        """Give the account to every container of this process, with its disturbances."""
        at = self._disturbances.at
        Container.memory_tunnels.override(providers.Object(SteppedTunnels(self.tunnels, partial(at, "tunnels"))))
        Container.memory_zones.override(providers.Object(SteppedZones(self.zones, partial(at, "zones"))))

    def answer(self, request: dict[str, Any]) -> Any:
        """Carry out a request, and return the answer."""
        answers: dict[str, Callable[..., Any]] = {"state": self._state, "put": self._put, "disturb": self._disturb}
        return answers[request.pop("request")](**request)

    def _state(self) -> Any:
        return to_builtins(MemoryDoor(self.tunnels, self.zones).read(), enc_hook=str)

    def _put(self, **contents: Any) -> None:
        MemoryDoor(self.tunnels, self.zones).write(convert(contents, Contents))

    def _disturb(self, step: str, delay: float, failure: str, times: int) -> None:
        self._disturbances.pending = {step: (delay, failure, times)}


class _Answers(StreamRequestHandler):
    account: ClassVar = MemoryAccount()

    def handle(self) -> None:
        answer = self.account.answer(json.loads(self.rfile.readline()))
        self.wfile.write(json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    _Answers.account.open()
    server = ThreadingUnixStreamServer(sys.argv[1], _Answers)
    Thread(target=server.serve_forever, daemon=True).start()
    main(["serve"])
