"""An account, and processes whose calls are answered one at a time, in an order and in ways that an explorer chooses.

| way           | the effect of the call               | what the process sees                     |
|---------------|--------------------------------------|-------------------------------------------|
| `serve`       | its own                              | the true answer                           |
| `lie: …`      | none (only for reads)                | one of `LIES`                             |
| `lost before` | none (only for writes)               | no answer                                 |
| `lost after`  | its own (only for writes)            | no answer                                 |
| `late`        | its own, at a later step (only PUT)  | no answer                                 |
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2s
from itertools import count

import httpx

from doubles.emulator import API_TOKEN, State
from doubles.emulator.envelope import Request, Response
from doubles.emulator.routes import answer
from tunnel_webhook.adapters.cloudflare.client import CloudflareAPI
from tunnel_webhook.adapters.cloudflare.envelope import Answer, Fault, decode_response
from tunnel_webhook.adapters.cloudflare.failures import Operation, failure_of_error, failure_of_fault
from tunnel_webhook.adapters.cloudflare.server_clock import ServerClock

START = 1_790_000_000.0
_HEADERS = {"authorization": f"Bearer {API_TOKEN}", "content-type": "application/json"}

LIES: Mapping[str, tuple[int, str]] = {
    "nothing": (200, '{"success":true,"result":{}}'),
    "null": (200, '{"success":true,"result":{"version":%d,"config":null}}'),
}
"""False answers to the question for a document, one per kind that the adapter passes on; the version is the true one.

A 404, a 403 with code 1055 and a document without `ingress` reach the application as one of these.
"""


@dataclass(slots=True)
class Call:
    """A call that waits for its answer."""

    operation: Operation
    request: Request
    answered: asyncio.Future[Answer]

    @property
    def is_document(self) -> bool:
        return self.request.path.endswith("/configurations")

    @property
    def ways(self) -> tuple[str, ...]:
        """The ways in which the call may be answered, without a disturbance first."""
        if self.request.method == "GET":
            if self.is_document:
                return ("serve", "lie: stale", *(f"lie: {kind}" for kind in LIES))
            return ("serve", "lie: empty") if self.request.path.endswith("/dns_records") else ("serve",)
        return ("serve", "lost before", "lost after", *(("late",) if self.is_document else ()))


@dataclass(slots=True)
class Board:
    """The account and the waiting calls of each process, the oldest first."""

    state: State
    now: float = START
    waiting: dict[str, list[Call]] = field(default_factory=dict)
    transcripts: dict[str, str] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    """By process, the version of the document that it read last."""

    late: list[tuple[str, Request]] = field(default_factory=list)
    overwritten: set[int] = field(default_factory=set)
    """The versions that were overwritten by a write that rested on an older one."""

    past: dict[str, State] = field(default_factory=dict)
    is_open: bool = False
    nonces: Iterator[int] = field(default_factory=lambda: count(1))

    def clock(self) -> float:
        return self.now

    async def sleep(self, _seconds: float) -> None:
        """Return at once: what matters is the order of the calls."""

    async def ask(self, actor: str, operation: Operation, request: Request) -> Answer:
        """Wait for the answer to a call."""
        call = Call(operation, request, asyncio.get_running_loop().create_future())
        self.waiting.setdefault(actor, []).append(call)
        if self.is_open or request.path.endswith("/zones"):
            self.give(actor, "serve")
        return await call.answered

    def give(self, actor: str, way: str) -> None:
        """Answer the oldest call of a process in a way."""
        call = self.waiting[actor].pop(0)
        response = self._response(actor, call, way)
        seen = f"{call.request.method} {call.request.path} {response and response.body!r}"
        self.transcripts[actor] = blake2s((self.transcripts.get(actor, "") + seen).encode()).hexdigest()
        if call.answered.done():
            return
        if response is None:
            call.answered.set_exception(failure_of_error(call.operation, httpx.ReadError("lost")))
            return
        decoded = decode_response(response.status, response.headers, response.body)
        if isinstance(decoded, Fault):
            call.answered.set_exception(failure_of_fault(call.operation, decoded))
        else:
            call.answered.set_result(decoded)

    def land(self) -> None:
        """Carry out the oldest late write."""
        self._effect(*self.late.pop(0))

    def _response(self, actor: str, call: Call, way: str) -> Response | None:
        kind = way.removeprefix("lie: ")
        if kind != way:
            return self._lie(actor, call, kind)
        if way == "late":
            self.late.append((actor, call.request))
        if way in {"late", "lost before"}:
            return None
        response = self._effect(actor, call.request)
        return None if way == "lost after" else response

    def _lie(self, actor: str, call: Call, kind: str) -> Response:
        tunnel = call.request.path.split("/")[-2]
        if kind == "empty":
            return Response(200, b'{"success":true,"result":[],"result_info":{"total_count":0}}')
        if kind == "stale":
            past = self.past.get(tunnel, self.state)
            self.seen[actor] = past.version(tunnel)
            return answer(past, call.request, self.now)[1]
        status, body = LIES[kind]
        self.seen[actor] = self.state.version(tunnel)
        return Response(status, (body % self.state.version(tunnel) if "%d" in body else body).encode())

    def _effect(self, actor: str, request: Request) -> Response:
        before = self.state
        self.state, response = answer(before, request, self.now)
        if request.path.endswith("/configurations"):
            tunnel = request.path.split("/")[-2]
            if request.method == "GET":
                self.seen[actor] = before.version(tunnel)
            elif self.state is not before:
                self.past[tunnel] = before
                self.overwritten |= set(range(self.seen[actor] + 1, before.version(tunnel) + 1))
        return response

    def write_document(self, tunnel: str, document: str) -> int:
        """Replace a document as a person does, and return its version."""
        self.past[tunnel] = self.state
        self.state = self.state.with_document(tunnel, document)
        return self.state.version(tunnel)

    def key(self) -> str:
        """Return what decides the future of the account, as one text."""
        documents = [(tunnel, self.state.document(tunnel), self.state.version(tunnel)) for tunnel in self.state.tunnels]
        records = sorted(
            (record.id, record.name, record.content, record.comment)
            for zone in self.state.zones.values()
            for record in zone.records.values()
        )
        late = [(actor, request.body.decode()) for actor, request in self.late]
        return json.dumps([documents, records, late, self.now, sorted(self.transcripts.items())])


class BoardAPI(CloudflareAPI):
    """Operations of one process on a board instead of the network."""

    def __init__(self, board: Board, actor: str) -> None:
        super().__init__(httpx.AsyncClient(transport=httpx.AsyncBaseTransport()), ServerClock(board.clock, board.clock))
        self._board = board
        self._actor = actor

    async def _request(
        self,
        operation: Operation,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        on_new_connection: bool = False,  # noqa: ARG002 -- there are no connections
        at_once: bool = False,  # noqa: ARG002 -- nothing waits
    ) -> Answer:
        query = tuple((params or {}).items())
        request = Request(method, f"/client/v4{path}", query, _HEADERS, content or b"")
        return await self._board.ask(self._actor, operation, request)
