"""The command line.

| exit code | meaning                                                                             |
|-----------|-------------------------------------------------------------------------------------|
| 0         | done; `serve`: ended by a signal                                                    |
| 1         | `serve`: a port cannot be opened, or a server stopped by itself                     |
|           | `check`: there is a problem; `plan`: something would be rejected or withheld;       |
|           | `explain`: no rule answers; any of these: Cloudflare does not answer, or refuses    |
| 2         | a setting or an argument is wrong: one line says which                              |
| 130, 143  | ended by SIGINT or SIGTERM; `serve`: while it starts, or by a second signal         |
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import version as version_of
from typing import BinaryIO

import rich_click as click

from tunnel_webhook.settings import InvalidSetting, Settings, from_environment

VERSION = version_of("external-dns-cloudflare-tunnel-webhook")


@click.group(epilog="All settings are environment variables; docs/settings.md lists them.")
@click.version_option(VERSION)  # pyright: ignore[reportUnknownMemberType] -- rich-click leaves a parameter open
def main() -> None:
    """Publish hostnames through Cloudflare Tunnel for external-dns."""


@main.command()
def version() -> None:
    """Print the version."""
    click.echo(VERSION)


@main.command()
def serve() -> None:
    """Serve the webhook API to external-dns, and health and metrics to the cluster."""
    settings = _settings()
    # The servers take half a second to import, which the other commands need not wait for.
    from tunnel_webhook.cli.serve_command import run_serve  # noqa: PLC0415 -- see above

    code = run_serve(settings, VERSION)
    # A granian thread that is still running when the interpreter shuts down aborts the process, so skip the shutdown.
    os._exit(code)


_output = click.option(  # pyright: ignore[reportUnknownMemberType] -- rich-click leaves a parameter open
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Text for people, JSON for programs.",
)


@main.command()
@_output
def check(output: str) -> None:
    """Check every precondition, and say how to fix what is wrong. Nothing is written.

    Exits with 1 if there is a problem; warnings do not count.
    """
    settings = _settings()
    from tunnel_webhook.cli.check_command import run_check  # noqa: PLC0415 -- as above
    from tunnel_webhook.cli.session import run_command  # noqa: PLC0415 -- as above

    as_text = output == "text"
    sys.exit(
        run_command(
            settings,
            VERSION,
            lambda container: run_check(container.inspection(), container.operator(), settings, as_text=as_text),
        )
    )


@main.command()
@click.option(  # pyright: ignore[reportUnknownMemberType] -- rich-click leaves a parameter open
    "--changes",
    type=click.File("rb"),
    metavar="FILE",
    help="A body that external-dns would POST to /records; - reads standard input.",
)
@_output
def plan(changes: BinaryIO | None, output: str) -> None:
    """Show what would change, like a diff. Nothing is written.

    Without --changes, show what has drifted and can be repaired.

    Exits with 1 if something would be rejected or withheld.
    """
    settings = _settings()
    from tunnel_webhook.cli.plan_command import run_plan  # noqa: PLC0415 -- as above
    from tunnel_webhook.cli.session import run_command  # noqa: PLC0415 -- as above

    policy, as_text = settings.policy, output == "text"
    sys.exit(
        run_command(
            settings, VERSION, lambda container: run_plan(container.operator(), policy, changes, as_text=as_text)
        )
    )


@main.command()
@click.argument("address", metavar="HOSTNAME[/PATH]")  # pyright: ignore[reportUnknownMemberType] -- rich-click leaves a parameter open
@_output
def explain(address: str, output: str) -> None:
    """Explain where a request for a hostname and path goes, and why. Nothing is written.

    Exits with 1 if no rule answers.
    """
    settings = _settings()
    from tunnel_webhook.cli.explain_command import run_explain  # noqa: PLC0415 -- as above
    from tunnel_webhook.cli.session import run_command  # noqa: PLC0415 -- as above

    policy, as_text = settings.policy, output == "text"
    sys.exit(
        run_command(
            settings, VERSION, lambda container: run_explain(container.operator(), policy, address, as_text=as_text)
        )
    )


def _settings() -> Settings:
    try:
        return from_environment()
    except InvalidSetting as error:
        click.echo(f"tunnel-webhook: {error}", err=True)
        sys.exit(2)
