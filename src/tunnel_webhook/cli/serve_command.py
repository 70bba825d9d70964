"""`serve`: two granian servers in one event loop, until a signal ends them.

| event                      | outcome                                                                              |
|----------------------------|--------------------------------------------------------------------------------------|
| a port is taken            | CannotServe, before anything is served                                               |
| SIGTERM or SIGINT          | no new request is accepted, running requests are answered, running work is finished  |
| a second such signal       | the process ends at once                                                             |
| a server stops by itself   | the other one is stopped as by a signal, then CannotServe                            |

Health and metrics are served until the running work is finished.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.embed import Server

from tunnel_webhook.container import Container
from tunnel_webhook.settings import Settings
from tunnel_webhook.telemetry import ASGIApp, Masking, configure_logging, open_telemetry

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
# Go keeps idle connections for 90 s, and a POST on one that the server has closed ends external-dns. granian's timeout
# for reading headers also runs on an idle connection.
_IDLE_MILLISECONDS = 600_000
_LAST_SCRAPE_SECONDS = 2.0

log = logging.getLogger(__name__)


class CannotServe(Exception):
    """A server cannot listen, or stopped by itself; the message is one line for the operator."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Where a server listens: an IP address, a port (0 picks a free one), and the prefix of the variables for both."""

    host: str
    port: int
    prefix: str = ""

    @property
    def url(self) -> str:
        """The listener as a URL."""
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"


def run_serve(settings: Settings, version: str) -> int:
    """Serve until a signal comes, and return the exit code."""
    masking = Masking(settings.secrets)
    configure_logging(settings.log_level, settings.log_format, masking)
    for notice in settings.notices:
        log.warning(notice)
    telemetry = open_telemetry(
        version,
        masking,
        dry_run=settings.dry_run,
        export_traces=settings.exports_traces,
        export_metrics=settings.exports_metrics,
    )
    telemetry.install()
    container = Container(settings=settings, telemetry=telemetry)
    container.check_dependencies()
    try:
        webhook, monitoring = resolve_ports(
            Listener(settings.host, settings.port), Listener(settings.exposed_host, settings.exposed_port, "EXPOSED_")
        )
        facts = {"version": version, "backend": settings.backend, "dry_run": settings.dry_run}
        log.info("serving", extra={"webhook": webhook.url, "exposed": monitoring.url, **facts})
        with asyncio.Runner() as runner:
            runner.run(_serve_container(container, webhook, monitoring))
    except CannotServe as error:
        log.critical("%s", error)
        return 1
    finally:
        telemetry.shutdown()
    log.info("stopped")
    return 0


def resolve_ports(*listeners: Listener) -> tuple[Listener, ...]:
    """Return the listeners with a free port for each 0; raise CannotServe for one that is taken or not on this machine.

    granian itself would share a taken port, and the kernel would split the requests between the two processes.
    """
    with ExitStack() as probes:
        return tuple(_resolve_port(listener, probes) for listener in listeners)


def _resolve_port(listener: Listener, probes: ExitStack) -> Listener:
    probe = probes.enter_context(socket.socket(socket.AF_INET6 if ":" in listener.host else socket.AF_INET))
    # Connections that just ended must not keep a restarted process from its port.
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind((listener.host, listener.port))
    except OSError as error:
        prefix = listener.prefix
        message = (
            f"{prefix}HOST={listener.host} {prefix}PORT={listener.port}: {error.strerror};"
            f" stop what listens there, or set {prefix}PORT to a free port"
        )
        raise CannotServe(message) from error
    return replace(listener, port=probe.getsockname()[1])


async def _serve_container(container: Container, webhook: Listener, monitoring: Listener) -> None:
    async with container.lifetime():
        apps = (container.webhook_app(), webhook), (container.monitoring_app(), monitoring)
        await serve_apps(*apps, finish=container.turns().finish)


async def serve_apps(
    webhook: tuple[ASGIApp, Listener], monitoring: tuple[ASGIApp, Listener], *, finish: Callable[[], Awaitable[None]]
) -> None:
    """Serve both apps until a signal comes; `finish` waits for running work. Raises CannotServe."""
    stopping = _first_signal()
    servers = [_server(*webhook, idle=_IDLE_MILLISECONDS), _server(*monitoring)]
    tasks = [asyncio.create_task(server.serve()) for server in servers]
    await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
    failed = [task for task in tasks if task.done()]
    log.info("stopping: no new request is accepted, running work is finished")
    servers[0].stop()  # type: ignore[no-untyped-call]  # -- granian leaves it unannotated
    await asyncio.wait(tasks[:1])
    await finish()
    servers[1].stop()  # type: ignore[no-untyped-call]  # -- as above
    await asyncio.wait(tasks[1:], timeout=_LAST_SCRAPE_SECONDS)
    stopping.cancel()
    for task in failed:
        error = task.exception()
        reason, *_backtrace = f"{error}\n".splitlines()
        message = f"a server stopped by itself: {reason}"
        raise CannotServe(message) from error


def _first_signal() -> asyncio.Future[None]:
    """Return a future that the first signal completes; the second one then has its default effect."""
    loop = asyncio.get_running_loop()
    received: asyncio.Future[None] = loop.create_future()

    def receive() -> None:
        received.set_result(None)
        for number in _SIGNALS:
            loop.remove_signal_handler(number)

    for number in _SIGNALS:
        loop.add_signal_handler(number, receive)
    return received


def _server(app: ASGIApp, listener: Listener, idle: int = HTTP1Settings.header_read_timeout) -> Server:
    return Server(
        app,
        address=listener.host,
        port=listener.port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=idle),
        websockets=False,
        # granian warns that embedding is experimental (see adrs/0006); its own handlers would bypass our log format.
        log_level=LogLevels.error,
        log_dictconfig={"incremental": True, "handlers": {}, "loggers": {}},
    )
