"""One of our processes beside its external-dns, wired by the container, in the time of the running loop."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Coroutine
from contextvars import ContextVar, copy_context
from functools import lru_cache
from typing import Any, TypeVar

import httpx
from dependency_injector import providers

from chaos.names import Owner
from doubles.emulator import ACCOUNT, API_TOKEN, BASE_URL, BLUE, GREEN, Emulator, EmulatorTransport
from doubles.virtual_loop import VirtualLoop
from oracles.external_dns_planner import ExternalDns, is_empty
from tunnel_webhook.adapters.cloudflare.server_clock import ServerClock
from tunnel_webhook.container import Container
from tunnel_webhook.domain.external_dns.endpoint import Endpoint
from tunnel_webhook.ports import ChangesNotApplied, Failure
from tunnel_webhook.settings import load_settings
from tunnel_webhook.telemetry import Telemetry, open_telemetry

DEADLINE = 12.0
_NOTICE = re.compile("someone else|foreign|overwritten")
_ROUNDS = 1000

T = TypeVar("T")

RUNNING: ContextVar[Process | None] = ContextVar("RUNNING", default=None)
"""The process that the current task belongs to."""

CALLER: ContextVar[Process | None] = ContextVar("CALLER", default=None)
"""The process whose call is answered by the current task."""


class Process:
    """A process from its start to its end; a new one remembers nothing.

    `looks` holds Cloudflare's answers to it about each tunnel's document, `lied_to_about` the tunnels about which its
    last answer was a lie. `notices` counts the log lines about overwritten writes, `faults` says what it did that
    no process may do.
    """

    def __init__(self, name: str, owner: Owner, registry: str, emulator: Emulator, **settings: str) -> None:
        """Start."""
        self.name, self.owner = name, owner
        self.alive = True
        self.pace = 0.1
        self.calls = 0
        self.notices = 0
        self.looks: dict[str, list[Any]] = {}
        self.may_be_lied_to = False
        self.lied_to_about: set[str] = set()
        self.truths_due: dict[str, int] = {}
        self.faults: list[str] = []
        self.pauses_next_for = 0.0
        self._paused: list[Any] | None = None
        self._seconds_paused = 0.0
        self.tasks: dict[asyncio.Task[Any], None] = {}
        self._emulator = emulator
        self._registry_owner = owner if registry == "txt" else ""
        self._settings = settings
        self._container: Container | None = None

    def start(self, coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run a coroutine as this process."""
        context = copy_context()
        context.run(RUNNING.set, self)
        return context.run(asyncio.get_running_loop().create_task, coroutine)

    async def sync(self, sources: tuple[Endpoint, ...]) -> str:
        """Go through external-dns' loop once, and return how it ended."""
        if self._container is None:
            self._container = self._wire()
        external_dns = ExternalDns(_Timed(self), self._registry_owner)
        self.may_be_lied_to = True
        before = self.calls
        try:
            changes = await external_dns.plan(sources)
            if not is_empty(changes):
                await self.ask(self.service.apply_changes(changes))
        except ChangesNotApplied as answer:
            return f"not applied: {answer}"
        except Failure as failure:
            return f"{type(failure).__name__}: {failure}"
        except Exception as error:  # noqa: BLE001 -- this is what must never happen
            self.faults.append(f"a sync raised {error!r}")
            return repr(error)
        finally:
            self.last_calls = self.calls - before
        return "nothing to do" if is_empty(changes) else "applied"

    @property
    def service(self) -> Any:
        """The driving port."""
        assert self._container is not None
        return self._container.service()

    async def ask(self, answer: Awaitable[T]) -> T:
        """Await an answer of the driving port, which must come within the deadline."""
        start = asyncio.get_running_loop().time() - self._seconds_paused
        try:
            return await answer
        finally:
            seconds = asyncio.get_running_loop().time() - self._seconds_paused - start
            if seconds > DEADLINE + 0.01:
                self.faults.append(f"an answer took {seconds:.2f} s")

    def pause(self, seconds: float) -> None:
        """Stop for a time: nothing of this process goes on, and its calls are answered meanwhile."""
        self._paused = []
        self._seconds_paused += seconds
        context = copy_context()
        context.run(RUNNING.set, None)
        asyncio.get_running_loop().call_later(seconds, self.resume, context=context)

    def resume(self) -> None:
        """Go on."""
        paused, self._paused = self._paused, None
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.resume(paused or [])

    @property
    def is_paused(self) -> bool:
        """Whether nothing of this process goes on now."""
        return self._paused is not None

    async def kill(self) -> None:
        """End at once: no task goes on, and nothing that is still sent arrives."""
        self.alive = False
        self.resume()
        for _ in range(_ROUNDS):
            if not self.tasks:
                return
            for task in list(self.tasks):
                task.cancel()
            await asyncio.sleep(0)
        self.faults.append(f"these tasks do not end: {list(self.tasks)}")

    def _wire(self) -> Container:
        environment = {
            "CLOUDFLARE_API_TOKEN": API_TOKEN,
            "CLOUDFLARE_TUNNEL_ID": f"blue={BLUE},green={GREEN}",
            "CLOUDFLARE_ACCOUNT_ID": ACCOUNT,
            "CLOUDFLARE_API_URL": BASE_URL,
            "OWNER_ID": self.owner,
            "DOMAIN_FILTER": "example.com",
            "MAX_DELETE_RATIO": "1",
            **self._settings,
        }
        container = Container(settings=load_settings(environment), telemetry=_telemetry())
        cloudflare: Any = container.cloudflare()
        cloudflare.network.override(providers.Object(_Network(self, self._emulator)))
        clock = providers.Object(self._emulator.clock.now)
        container.clock.override(clock)
        cloudflare.clock.override(clock)
        cloudflare.server_clock.override(providers.Singleton(ServerClock, clock, clock))
        return container


class _Timed:
    """The driving port, with every answer timed."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def domain_filter(self) -> Any:
        return self._process.service.domain_filter()

    async def records(self) -> tuple[Endpoint, ...]:
        return await self._process.ask(self._process.service.records())

    async def adjust_endpoints(self, endpoints: tuple[Endpoint, ...], /) -> tuple[Endpoint, ...]:
        return await self._process.ask(self._process.service.adjust_endpoints(endpoints))

    async def apply_changes(self, changes: Any, /) -> None:
        await self._process.ask(self._process.service.apply_changes(changes))


class _Network(httpx.AsyncBaseTransport):
    """The network of one process, which ends with it."""

    def __init__(self, process: Process, emulator: Emulator) -> None:
        self._process, self._inner = process, EmulatorTransport(emulator)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not self._process.alive:
            message = "the process was killed"
            raise httpx.ConnectError(message, request=request)
        self._process.calls += 1
        context = copy_context()
        context.run(RUNNING.set, None)
        context.run(CALLER.set, self._process)
        call = context.run(asyncio.get_running_loop().create_task, self._inner.handle_async_request(request))
        if request.url.path.endswith("/dns_records") and "type" not in request.url.params:
            call.add_done_callback(self._pause, context=context)
        return await call

    def _pause(self, _: object) -> None:
        """Pause the process as it is answered which records there are, which is when it begins to apply changes."""
        seconds, self._process.pauses_next_for = self._process.pauses_next_for, 0.0
        if seconds and self._process.alive:
            self._process.pause(seconds)


class Notices(logging.Handler):
    """Counts, for each process, the warnings about writes that it overwrote."""

    def emit(self, record: logging.LogRecord) -> None:
        """Count a line of the log."""
        process = RUNNING.get()
        if process and record.levelno >= logging.WARNING and _NOTICE.search(record.getMessage()):
            process.notices += 1


def task_of_process(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
    """Make a task, and register it with its process: a task factory."""
    task: asyncio.Task[Any] = asyncio.Task(coroutine, loop=loop, **options)
    process = RUNNING.get()
    if process:
        process.tasks[task] = None
        task.add_done_callback(lambda done: process.tasks.pop(done, None))
    return task


def paused_callbacks() -> list[Any] | None:
    """Return where callbacks of the current process wait while it is paused."""
    process = RUNNING.get()
    return process._paused if process else None  # noqa: SLF001 -- of this module


@lru_cache
def _telemetry() -> Telemetry:
    return open_telemetry("chaos")
