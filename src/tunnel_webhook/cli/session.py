"""One command, from opening the container to closing it.

| the command                                                   | exit code                  |
|---------------------------------------------------------------|----------------------------|
| returns                                                       | what it returns            |
| raises a failure of a driven port                             | 1, and one line            |
| raises MalformedBody (`--changes`), InvalidEndpoint (a name)  | 2, and one line            |
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable

import rich_click as click

from tunnel_webhook.adapters.http.last_changes import LastChanges
from tunnel_webhook.adapters.http.wire import MalformedBody
from tunnel_webhook.cli.running_webhook import NotReached, last_changes
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


def ask_webhook(url: str | None, settings: Settings) -> LastChanges | None:
    """Return the last change set of the webhook at a URL, None without a URL; end the process if it does not answer."""
    if url is None:
        return None
    try:
        return last_changes(url, settings.password.reveal())
    except (NotReached, MalformedBody) as error:
        click.echo(f"tunnel-webhook: {error}", err=True)
        sys.exit(1)


async def _run(container: Container, command: Callable[[Container], Awaitable[int]]) -> int:
    async with container.lifetime():
        return await command(container)
