"""Parsers of the variables that name a file. Each returns a value or raises ValueError, as those of `parsers` do."""

from __future__ import annotations

from pathlib import Path

from tunnel_webhook.domain.external_dns.policy_file import parse_policy_file
from tunnel_webhook.settings.policy_text import PolicyText
from tunnel_webhook.settings.secret import Secret

_MOST_BYTES = 64 * 1024


def readable_file(text: str) -> str:
    """Return the path of a file that can be read and is not empty."""
    if text:
        try:
            content = _beginning(text).strip()
        except OSError as error:
            message = f"the file cannot be read ({error.strerror})"
            raise ValueError(message) from error
        if not content:
            message = "the file is empty"
            raise ValueError(message)
    return text


def secret_in_file(text: str) -> Secret:
    """Return the secret that a file holds, without the spaces and line breaks around it."""
    return Secret(_beginning(readable_file(text)).decode("latin-1").strip()) if text else Secret("")


def _beginning(path: str) -> bytes:
    """Return the content of a file; of one that never ends, such as a device, a part."""
    with Path(path).open("rb") as file:
        return file.read(_MOST_BYTES)


def policy_file(text: str) -> PolicyText:
    """Return what a policy file says, given its path, which may be empty."""
    if not text:
        return PolicyText()
    try:
        content = Path(readable_file(text)).read_text("utf-8")
    except UnicodeDecodeError as error:
        message = "the file is not UTF-8"
        raise ValueError(message) from error
    return PolicyText(text, content, parse_policy_file(content))
