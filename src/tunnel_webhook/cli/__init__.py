"""The command line.

| exit code | says                                                      |
|-----------|-----------------------------------------------------------|
| 0         | done; `serve` ended because it was told to                |
| 1         | a port cannot be listened on, or a server ended by itself |
| 2         | a setting or an argument is wrong: one line says which    |
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import version as version_of

import rich_click as click

from tunnel_webhook.settings import InvalidSetting, Settings, from_environment

VERSION = version_of("external-dns-cloudflare-tunnel-webhook")


@click.group(epilog="Everything is set by environment variables; the README lists them.")
@click.version_option(VERSION)  # pyright: ignore[reportUnknownMemberType] -- rich-click leaves a parameter open
def main() -> None:
    """Publish hostnames through Cloudflare Tunnel for external-dns."""


@main.command()
def version() -> None:
    """Say which version this is."""
    click.echo(VERSION)


@main.command()
def serve() -> None:
    """Serve the webhook API to external-dns, and health and metrics to the cluster."""
    settings = _settings()
    # What serves takes half a second to load, which no other command should spend.
    from tunnel_webhook.cli.serving import run  # noqa: PLC0415 -- see above

    code = run(settings, VERSION)
    # A thread of granian that still runs while the interpreter is torn down aborts the process, so that it is not torn down.
    sys.stderr.flush()
    os._exit(code)


def _settings() -> Settings:
    try:
        return from_environment()
    except InvalidSetting as error:
        click.echo(f"tunnel-webhook: {error}", err=True)
        sys.exit(2)
