"""`serve`: two servers in one event loop, each behind a gate, until a signal ends them.

| event                      | outcome                                                                              |
|----------------------------|--------------------------------------------------------------------------------------|
| a port is taken            | CannotServe, before anything is served                                               |
| SIGTERM or SIGINT          | no new request is accepted, running requests are answered, running work is finished; |
|                            | a client that still sends one or takes its answer has 2 seconds for it               |
| a second such signal       | the process ends at once                                                             |
| a server stops by itself   | the other one is stopped as by a signal, then CannotServe                            |
| a bug                      | it is logged with its traceback, and the exit code is 1                              |

Health and metrics are served until the running work is finished.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import socket
import sys
from collections.abc import Awaitable, Callable

from tunnel_webhook.cli.backend import Backend
from tunnel_webhook.cli.gate import Gate, connection_budget
from tunnel_webhook.cli.listening import CannotServe, Listener, url_of
from tunnel_webhook.cli.signals import first_signal
from tunnel_webhook.container import Container
from tunnel_webhook.settings import Settings
from tunnel_webhook.telemetry import LogPipe, Masking, configure_logging, open_telemetry

_GRACE_SECONDS = 2.0
_LAST_SCRAPE_SECONDS = 0.5
_STOP_SECONDS = 2.0
_LAST_LINES_SECONDS = 2.0

log = logging.getLogger(__name__)


def run_serve(settings: Settings, version: str) -> int:
    """Serve until a signal comes, and return the exit code, after the log has been written as far as it is read."""
    pipe, masking = LogPipe(sys.stderr), Masking(settings.secrets)
    configure_logging(settings.log_level, settings.log_format, masking, pipe)
    try:
        _serve_until_signal(settings, version, pipe, masking)
    except CannotServe as error:
        log.critical("%s", error)
        return 1
    except Exception:
        log.critical("an unexpected error ended the process", exc_info=True)
        return 1
    else:
        log.info("stopped")
        return 0
    finally:
        pipe.drain(_LAST_LINES_SECONDS)


def _serve_until_signal(settings: Settings, version: str, pipe: LogPipe, masking: Masking) -> None:
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
    pipe.observe(telemetry.meters)
    container = Container(settings=settings, telemetry=telemetry)
    container.check_dependencies()
    try:
        asyncio.run(_serve_container(container, settings, version))
    finally:
        telemetry.shutdown()


async def _serve_container(container: Container, settings: Settings, version: str) -> None:
    stopping = first_signal()
    with (
        Listener(settings.host, settings.port).open() as webhook,
        Listener(settings.exposed_host, settings.exposed_port, "EXPOSED_").open() as monitoring,
    ):
        facts = {"version": version, "backend": settings.backend, "dry_run": settings.dry_run}
        log.info("serving", extra={"webhook": url_of(webhook), "exposed": url_of(monitoring), **facts})
        async with container.lifetime():
            contact = asyncio.create_task(container.service().keep_contact(asyncio.sleep))
            budget = connection_budget(resource.getrlimit(resource.RLIMIT_NOFILE)[0], ports=2)
            ports = (
                Port("webhook", Backend(container.webhook_app()), webhook, budget),
                Port("exposed", Backend(container.monitoring_app()), monitoring, budget),
            )
            try:
                await serve_ports(*ports, stopping=stopping, finish=container.turns().finish)
            finally:
                contact.cancel()


class Port:
    """A server and the gate in front of it; both run from here on."""

    def __init__(self, name: str, backend: Backend, listening: socket.socket, budget: int) -> None:
        """Take the name for log and metrics, and how many connections may be open."""
        self._backend = backend
        self._gate = Gate(name, listening, backend.socket_address, budget)
        self._serving = asyncio.create_task(self._backend.serve())
        self._accepting = asyncio.create_task(self._gate.accept_connections())
        self.running = (self._serving, self._accepting)

    async def close(self, grace: float) -> None:
        """Return when every request is answered and the server has stopped; see Gate.drain for `grace`."""
        self._accepting.cancel()
        await asyncio.wait([self._accepting])
        await self._gate.drain(grace)
        self._backend.stop()  # type: ignore[no-untyped-call]  # -- granian leaves it unannotated
        # All requests are answered; what granian still does must not delay the exit.
        await asyncio.wait([self._serving], timeout=_STOP_SECONDS)


async def serve_ports(
    webhook: Port, monitoring: Port, *, stopping: asyncio.Future[None], finish: Callable[[], Awaitable[None]]
) -> None:
    """Serve until `stopping` is done; `finish` waits for running work. Raises CannotServe if a port stops by itself."""
    running = (*webhook.running, *monitoring.running)
    await asyncio.wait([*running, stopping], return_when=asyncio.FIRST_COMPLETED)
    failed = [task for task in running if task.done()]
    log.info("stopping: no new request is accepted, running work is finished")
    await webhook.close(_GRACE_SECONDS)
    await finish()
    await monitoring.close(_LAST_SCRAPE_SECONDS)
    stopping.cancel()
    for task in failed:
        error = task.exception()
        reason, *_backtrace = f"{error}\n".splitlines()
        message = f"a server stopped by itself: {reason}"
        raise CannotServe(message) from error
