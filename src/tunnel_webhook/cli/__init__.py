"""The command line.

| exit code | meaning                                                                             |
|-----------|-------------------------------------------------------------------------------------|
| 0         | done; `serve`: ended by a signal                                                    |
| 1         | `serve`: a port cannot be opened, or a server stopped by itself                     |
|           | `check`: there is a problem; `plan`: something would be rejected or withheld, or a  |
|           | hostname has lost its rule; `explain`: the hostname does not work; any of these:    |
|           | Cloudflare or the webhook of `--from` does not answer, or refuses                   |
| 2         | a setting or an argument is wrong: one line says which                              |
| 130, 143  | ended by SIGINT or SIGTERM; `serve`: while it starts, or by a second signal         |
"""

from __future__ import annotations

import json
import os
import platform
import sys
from importlib.metadata import version as version_of
from typing import BinaryIO

import rich_click as click

from tunnel_webhook.settings import InvalidSetting, Settings, from_environment

VERSION = version_of("external-dns-cloudflare-tunnel-webhook")


def _examples(*commands: str, closing: str = "") -> str:
    """Return the end of a page of help: examples, one a line, and a last sentence."""
    return "\n\n".join(filter(None, ("Examples:", *commands, closing)))


_output = click.option(  # pyright: ignore[reportUnknownMemberType] -- rich-click leaves a parameter open
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Text for people, JSON for programs.",
)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_examples(
        "BACKEND=memory tunnel-webhook serve",
        "tunnel-webhook check",
        "tunnel-webhook COMMAND -h",
        closing="All settings are environment variables; docs/settings.md lists them.",
    ),
)
@click.version_option(VERSION)  # pyright: ignore[reportUnknownMemberType] -- rich-click leaves a parameter open
def main() -> None:
    """Publish hostnames through Cloudflare Tunnel for external-dns."""


@main.command(epilog=_examples("tunnel-webhook version --output json"))
@_output
def version(output: str) -> None:
    """Print the version; as JSON, with that of Python and the platform."""
    facts = {"version": VERSION, "python": platform.python_version(), "platform": platform.platform(terse=True)}
    click.echo(json.dumps(facts) if output == "json" else VERSION)


@main.command(epilog=_examples("BACKEND=memory DOMAIN_FILTER=example.com LOG_FORMAT=text tunnel-webhook serve"))
def serve() -> None:
    """Serve the webhook API to external-dns, and health and metrics to the cluster."""
    settings = _settings()
    # The servers take half a second to import, which the other commands need not wait for.
    from tunnel_webhook.cli.serve_command import run_serve  # noqa: PLC0415 -- see above

    code = run_serve(settings, VERSION)
    # A granian thread that is still running when the interpreter shuts down aborts the process, so skip the shutdown.
    os._exit(code)


@main.command(epilog=_examples("tunnel-webhook check", "tunnel-webhook check --output json"))
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


_from = click.option(  # pyright: ignore[reportUnknownMemberType] -- as above
    "--from",
    "webhook",
    metavar="URL",
    help="Take the last change set that the running webhook at this URL received, such as http://127.0.0.1:8888.",
)


@main.command(
    epilog=_examples(
        "tunnel-webhook plan",
        "tunnel-webhook plan --from http://127.0.0.1:8888",
        "tunnel-webhook plan --changes changes.json --output json",
    )
)
@click.option(  # pyright: ignore[reportUnknownMemberType] -- rich-click leaves a parameter open
    "--changes",
    type=click.File("rb"),
    metavar="FILE",
    help="A body that external-dns would POST to /records; - reads standard input.",
)
@_from
@_output
def plan(changes: BinaryIO | None, webhook: str | None, output: str) -> None:
    """Show what would change, like a diff. Nothing is written.

    Without --changes and --from, show what has drifted and can be repaired.

    Exits with 1 if something would be rejected or withheld, or if a hostname has lost its rule.
    """
    if changes and webhook:
        message = "--changes and --from exclude each other"
        raise click.UsageError(message)
    settings = _settings()
    from tunnel_webhook.cli.plan_command import run_plan  # noqa: PLC0415 -- as above
    from tunnel_webhook.cli.session import ask_webhook, run_command  # noqa: PLC0415 -- as above

    policy, as_text, last = settings.policy, output == "text", ask_webhook(webhook, settings)
    sys.exit(
        run_command(
            settings, VERSION, lambda container: run_plan(container.operator(), policy, changes, last, as_text=as_text)
        )
    )


@main.command(
    epilog=_examples(
        "tunnel-webhook explain app.example.com",
        "tunnel-webhook explain https://app.example.com/api/users",
        "tunnel-webhook explain --from http://127.0.0.1:8888 app.example.com",
    )
)
@click.argument("address", metavar="HOSTNAME[/PATH] or URL")  # pyright: ignore[reportUnknownMemberType] -- rich-click leaves a parameter open
@_from
@_output
def explain(address: str, webhook: str | None, output: str) -> None:
    """Explain where a request for a hostname and path goes, and why. Nothing is written.

    With --from, also say why what external-dns asked for last is rejected.

    Exits with 1 if the hostname does not work.
    """
    settings = _settings()
    from tunnel_webhook.cli.explain_command import run_explain  # noqa: PLC0415 -- as above
    from tunnel_webhook.cli.session import ask_webhook, run_command  # noqa: PLC0415 -- as above

    policy, as_text, last = settings.policy, output == "text", ask_webhook(webhook, settings)
    asked = last.changes if last else None
    sys.exit(
        run_command(
            settings,
            VERSION,
            lambda container: run_explain(container.operator(), policy, address, asked, as_text=as_text),
        )
    )


def _settings() -> Settings:
    try:
        return from_environment()
    except InvalidSetting as error:
        click.echo(f"tunnel-webhook: {error}", err=True)
        sys.exit(2)
