"""Our process on the in-memory backend, with a back door: tests look into the account behind it, change it, and disturb it.

    BACKEND=memory python -m external_dns.memory_process SOCKET

is the command `serve` on an account that is empty, and answers on a Unix socket: one JSON line asked, one answered.

| asked                                           | answered                                                                     |
|-------------------------------------------------|------------------------------------------------------------------------------|
| `{"ask": "state"}`                              | every document (text and version, by tunnel), every record (by zone)         |
| `{"ask": "put", "documents": …, "records": …}`  | `null`; the account holds these and nothing else                             |
| `{"ask": "disturb", "step": …, …}`              | `null`; the next so many `before tunnels.save` (…) take `delay` s, or fail    |
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
    """What shall go wrong, by step: for how many seconds it hangs, how it fails after that, how often."""

    pending: dict[str, tuple[float, str, int]] = field(default_factory=dict)

    async def at(self, port: str, name: str) -> None:
        """Pass a step of a port in the time and with the failure that is due there."""
        when, _, call = name.partition(" ")
        step = f"{when} {port}.{call}"
        delay, failure, times = self.pending.get(step, (0.0, "", 0))
        if times:
            self.pending[step] = (delay, failure, times - 1)
            await asyncio.sleep(delay)
            if failure:
                message = f"{failure} failure {step}, as a test asked"
                raise _FAILURES[failure](message)


class BackDoor:
    """The account in memory, and what tests may ask of it."""

    def __init__(self) -> None:
        self._disturbances = Disturbances()
        self.tunnels, self.zones = InMemoryTunnels({}), InMemoryZones({})

    def open(self) -> None:
        """Let every container of this process have the account, disturbances and all."""
        at = self._disturbances.at
        Container.memory_tunnels.override(providers.Object(SteppedTunnels(self.tunnels, partial(at, "tunnels"))))
        Container.memory_zones.override(providers.Object(SteppedZones(self.zones, partial(at, "zones"))))

    def answer(self, asked: dict[str, Any]) -> Any:
        """Do what is asked, and return the answer."""
        answers: dict[str, Callable[..., Any]] = {"state": self._state, "put": self._put, "disturb": self._disturb}
        return answers[asked.pop("ask")](**asked)

    def _state(self) -> Any:
        return to_builtins(MemoryDoor(self.tunnels, self.zones).read(), enc_hook=str)

    def _put(self, **contents: Any) -> None:
        MemoryDoor(self.tunnels, self.zones).write(convert(contents, Contents))

    def _disturb(self, step: str, delay: float, failure: str, times: int) -> None:
        self._disturbances.pending = {step: (delay, failure, times)}


class _Answers(StreamRequestHandler):
    door: ClassVar = BackDoor()

    def handle(self) -> None:
        answer = self.door.answer(json.loads(self.rfile.readline()))
        self.wfile.write(json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    _Answers.door.open()
    server = ThreadingUnixStreamServer(sys.argv[1], _Answers)
    Thread(target=server.serve_forever, daemon=True).start()
    main(["serve"])
