"""What is said of an error that no command expected: one line, and its traceback only where LOG_LEVEL asks for it."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator, Mapping

from tunnel_webhook.settings.foreign_credentials import MASK, credentials_in
from tunnel_webhook.settings.secret import Secret
from tunnel_webhook.settings.variables import VARIABLES

_SHORTEST = 4
_MOST_CHARACTERS = 300
_VERBOSE = frozenset({"debug", "trace"})


def crash_report(error: Exception, environment: Mapping[str, str] | None = None) -> str:
    """Return what to print about an error, without any secret of the environment, which is that of this process."""
    variables = os.environ if environment is None else environment  # noqa: TID251 -- the settings may be what is wrong
    is_verbose = variables.get("LOG_LEVEL", "").strip().lower() in _VERBOSE
    words = " ".join(str(error).split())[:_MOST_CHARACTERS]
    sentence = f"{type(error).__name__}: {words}" if words else type(error).__name__
    hint = "" if is_verbose else "; LOG_LEVEL=debug shows where"
    shown = "".join(traceback.format_exception(error)) if is_verbose else ""
    report = f"{shown}tunnel-webhook: an unexpected error ended it: {sentence}{hint}\n"
    for secret in sorted(_secrets(variables), key=len, reverse=True):
        report = report.replace(secret, MASK)
    return report.encode(errors="backslashreplace").decode()


def _secrets(environment: Mapping[str, str]) -> Iterator[str]:
    held = (environment.get(name, "").strip() for name, variable in VARIABLES.items() if variable.parse is Secret)
    yield from (secret for secret in (*held, *credentials_in(environment)) if len(secret) >= _SHORTEST)
