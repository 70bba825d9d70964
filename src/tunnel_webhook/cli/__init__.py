"""The command line.

| exit code | says                                                                                |
|-----------|-------------------------------------------------------------------------------------|
| 0         | done; `serve` ended because it was told to                                          |
| 1         | `serve`: a port cannot be listened on, or a server ended by itself                  |
|           | `check`: there is a problem; `plan`: something would be rejected or withheld;       |
|           | `explain`: no rule answers; any of these: Cloudflare does not answer, or refuses    |
| 2         | a setting or an argument is wrong: one line says which                              |
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import version as version_of
from typing import BinaryIO

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


_output = click.option(  # pyright: ignore[reportUnknownMemberType] -- rich-click leaves a parameter open
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people, or for programs.",
)


@main.command()
@_output
def check(output: str) -> None:
    """Look whether everything is in place, and say what to do where it is not. Nothing is written.

    Exits with 1 if there is a problem; warnings are none.
    """
    settings = _settings()
    from tunnel_webhook.cli import asking, checking  # noqa: PLC0415 -- as above

    as_text = output == "text"
    sys.exit(
        asking.ask(
            settings, VERSION, lambda container: checking.check(container.inspection(), settings, as_text=as_text)
        )
    )


@main.command()
@click.option(  # pyright: ignore[reportUnknownMemberType] -- rich-click leaves a parameter open
    "--changes",
    type=click.File("rb"),
    metavar="FILE",
    help="What external-dns would post to /records; - for standard input.",
)
@_output
def plan(changes: BinaryIO | None, output: str) -> None:
    """Show what would change, like a diff. Nothing is written.

    Without --changes it is what has drifted and can be repaired. Exits with 1 if something would be rejected or withheld.
    """
    settings = _settings()
    from tunnel_webhook.cli import asking, inspecting  # noqa: PLC0415 -- as above

    policy, as_text = settings.policy, output == "text"
    sys.exit(
        asking.ask(
            settings, VERSION, lambda container: inspecting.plan(container.operator(), policy, changes, as_text=as_text)
        )
    )


@main.command()
@click.argument("address", metavar="HOSTNAME[/PATH]")  # pyright: ignore[reportUnknownMemberType] -- rich-click leaves a parameter open
@_output
def explain(address: str, output: str) -> None:
    """Explain why a request for a hostname and path goes where it goes. Nothing is written.

    Exits with 1 if no rule answers.
    """
    settings = _settings()
    from tunnel_webhook.cli import asking, inspecting  # noqa: PLC0415 -- as above

    policy, as_text = settings.policy, output == "text"
    sys.exit(
        asking.ask(
            settings,
            VERSION,
            lambda container: inspecting.explain(container.operator(), policy, address, as_text=as_text),
        )
    )


def _settings() -> Settings:
    try:
        return from_environment()
    except InvalidSetting as error:
        click.echo(f"tunnel-webhook: {error}", err=True)
        sys.exit(2)
