"""Serving: two granian servers in one event loop, from the test of the ports to the last step.

| comes                      | happens                                                                              |
|----------------------------|--------------------------------------------------------------------------------------|
| a port that is taken       | CannotServe, before anything is served                                               |
| SIGTERM or SIGINT          | no new request is taken, running ones are answered, the running step is finished     |
| the same signal once more  | the process ends at once                                                             |
| a server ends by itself    | the other one is stopped in the same way, then CannotServe                           |

Health and metrics are served until the last step is done.
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
from tunnel_webhook.telemetry import ASGIApp, configure_logging, open_telemetry

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
# Go keeps an idle connection for 90 s, and a POST on one that we closed meanwhile ends external-dns. What granian calls the
# timeout for reading headers counts idleness, too.
_IDLE_MILLISECONDS = 600_000
_SECONDS_FOR_A_LAST_SCRAPE = 2.0

log = logging.getLogger(__name__)


class CannotServe(Exception):
    """A server cannot listen, or ended by itself; the message is one line for the operator."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server listens: an IP address, a port (0: any free one), and the prefix that their variables have."""

    host: str
    port: int
    prefix: str = ""

    @property
    def url(self) -> str:
        """The place as a URL."""
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"


def run(settings: Settings, version: str) -> int:
    """Serve until the process is told to end, and return its exit code."""
    configure_logging(settings.log_level, settings.log_format, settings.secrets)
    for notice in settings.notices:
        log.warning(notice)
    telemetry = open_telemetry(
        version,
        dry_run=settings.dry_run,
        export_traces=settings.exports_traces,
        export_metrics=settings.exports_metrics,
    )
    telemetry.install()
    container = Container(settings=settings, telemetry=telemetry)
    container.check_dependencies()
    try:
        webhook, exposed = find_ports(
            Place(settings.host, settings.port), Place(settings.exposed_host, settings.exposed_port, "EXPOSED_")
        )
        facts = {"version": version, "backend": settings.backend, "dry_run": settings.dry_run}
        log.info("serving", extra={"webhook": webhook.url, "exposed": exposed.url, **facts})
        with asyncio.Runner() as runner:
            runner.run(_serve(container, webhook, exposed))
    except CannotServe as error:
        log.critical("%s", error)
        return 1
    finally:
        telemetry.shutdown()
    log.info("stopped")
    return 0


def find_ports(*places: Place) -> tuple[Place, ...]:
    """Return the places with a free port for each 0; raise CannotServe where a place is taken or is not on this machine.

    granian itself would share the port with whoever has it, and split the requests between both.
    """
    with ExitStack() as probes:
        return tuple(_find_port(place, probes) for place in places)


def _find_port(place: Place, probes: ExitStack) -> Place:
    probe = probes.enter_context(socket.socket(socket.AF_INET6 if ":" in place.host else socket.AF_INET))
    # Connections that just ended must not keep a restarted process from its port.
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind((place.host, place.port))
    except OSError as error:
        named = f"{place.prefix}HOST={place.host} {place.prefix}PORT={place.port}"
        message = f"{named}: {error.strerror}; stop what listens there, or set {place.prefix}PORT to a free port"
        raise CannotServe(message) from error
    return replace(place, port=probe.getsockname()[1])


async def _serve(container: Container, webhook: Place, exposed: Place) -> None:
    async with container.lifetime():
        turns = container.turns()
        await serve((container.webhook_app(), webhook), (container.monitoring_app(), exposed), turns.finish)


async def serve(
    webhook: tuple[ASGIApp, Place], exposed: tuple[ASGIApp, Place], finish: Callable[[], Awaitable[None]]
) -> None:
    """Serve both apps until a signal comes, then wait for what `finish` waits for; raise CannotServe."""
    stopping = _first_signal()
    servers = [_server(*webhook, idle=_IDLE_MILLISECONDS), _server(*exposed)]
    tasks = [asyncio.create_task(server.serve()) for server in servers]
    await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
    failed = [task for task in tasks if task.done()]
    log.info("stopping: no new request is taken, the running step is finished")
    servers[0].stop()  # type: ignore[no-untyped-call]  # -- granian leaves it unannotated
    await asyncio.wait(tasks[:1])
    await finish()
    servers[1].stop()  # type: ignore[no-untyped-call]  # -- as above
    await asyncio.wait(tasks[1:], timeout=_SECONDS_FOR_A_LAST_SCRAPE)
    stopping.cancel()
    for task in failed:
        error = task.exception()
        reason, *_backtrace = f"{error}\n".splitlines()
        message = f"a server ended by itself: {reason}"
        raise CannotServe(message) from error


def _first_signal() -> asyncio.Future[None]:
    loop = asyncio.get_running_loop()
    came: asyncio.Future[None] = loop.create_future()

    def come() -> None:
        came.set_result(None)
        for number in _SIGNALS:
            loop.remove_signal_handler(number)

    for number in _SIGNALS:
        loop.add_signal_handler(number, come)
    return came


def _server(app: ASGIApp, place: Place, idle: int = HTTP1Settings.header_read_timeout) -> Server:
    return Server(
        app,
        address=place.host,
        port=place.port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=idle),
        websockets=False,
        # Its warnings are that embedding is experimental, which adrs/0006 weighs; its handlers would bypass our format.
        log_level=LogLevels.error,
        log_dictconfig={"incremental": True, "handlers": {}, "loggers": {}},
    )
