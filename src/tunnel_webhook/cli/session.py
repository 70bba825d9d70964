"""One command, from opening the container to closing it.

| the command                                                   | exit code                  |
|---------------------------------------------------------------|----------------------------|
| returns                                                       | what it returns            |
| raises a failure of a driven port                             | 1, and one line            |
| raises MalformedBody (`--changes`), InvalidEndpoint (a name)  | 2, and one line            |
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import rich_click as click

from tunnel_webhook.adapters.http.wire import MalformedBody
from tunnel_webhook.container import Container
from tunnel_webhook.domain.errors import InvalidEndpoint
from tunnel_webhook.ports import Failure
from tunnel_webhook.settings import Settings
from tunnel_webhook.telemetry import Masking, open_telemetry


def run_command(settings: Settings, version: str, command: Callable[[Container], Awaitable[int]]) -> int:
    """Run a command in an open container and return its exit code. Nothing is traced or exported."""
    container = Container(settings=settings, telemetry=open_telemetry(version, Masking(settings.secrets)))
    try:
        return asyncio.run(_run(container, command))
    except Failure as failure:
        click.echo(f"tunnel-webhook: {failure}", err=True)
        return 1
    except (MalformedBody, InvalidEndpoint) as error:
        click.echo(f"tunnel-webhook: {error}", err=True)
        return 2


async def _run(container: Container, command: Callable[[Container], Awaitable[int]]) -> int:
    async with container.lifetime():
        return await command(container)
