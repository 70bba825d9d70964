"""One question to what the container holds, from opening it to closing it.

| comes                                             | exit code                             |
|---------------------------------------------------|---------------------------------------|
| an answer                                         | what the question makes of it         |
| a driven port that fails                          | 1, and one line                       |
| a body that external-dns would not send, a name   | 2, and one line                       |
| that is no hostname                               |                                       |
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
from tunnel_webhook.telemetry import open_telemetry


def ask(settings: Settings, version: str, question: Callable[[Container], Awaitable[int]]) -> int:
    """Return the exit code that a question comes to. Nothing is traced or exported meanwhile."""
    container = Container(settings=settings, telemetry=open_telemetry(version))
    try:
        return asyncio.run(_asked(container, question))
    except Failure as failure:
        click.echo(f"tunnel-webhook: {failure}", err=True)
        return 1
    except (MalformedBody, InvalidEndpoint) as error:
        click.echo(f"tunnel-webhook: {error}", err=True)
        return 2


async def _asked(container: Container, question: Callable[[Container], Awaitable[int]]) -> int:
    async with container.lifetime():
        return await question(container)
