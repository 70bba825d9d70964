"""Credentials for Cloudflare: one scheme per process, read when a request is sent, and never shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from pathlib import Path

import httpx

from tunnel_webhook.ports import PermanentFailure

_SENDABLE = re.compile(r"(?!')[!#-\[\]-~]+(?<!')")


def choose_credentials(
    *,
    token: str = "",
    token_file: str = "",
    key: str = "",
    email: str = "",
    learn: Callable[[str], object],
) -> httpx.Auth:
    """Return the scheme of the first value that is set: token, file, key with email.

    `learn` is called with each token of a file before it is sent. Raises PermanentFailure if a header cannot carry the
    value.
    """
    if token:
        return ApiToken(token)
    if token_file:
        return ApiTokenFile(Path(token_file), learn)
    return ApiKey(key, email)


class ApiToken(httpx.Auth):
    """An API token, owned by a user or by an account."""

    def __init__(self, token: str) -> None:
        """Keep the token; raise PermanentFailure if a header cannot carry it."""
        self._token = _checked(token, "CLOUDFLARE_API_TOKEN")

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the token."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


class ApiTokenFile(httpx.Auth):
    """An API token in a file, read again whenever the file has changed, so that rotating it needs no restart.

    Kubernetes replaces a mounted Secret by switching a symbolic link: the inode changes, and the new file may carry an
    older modification time.
    """

    def __init__(self, path: Path, learn: Callable[[str], object] = str) -> None:
        """Keep the path; the file is read with the first request. `learn` is called with each token in it."""
        self._path = path
        self._learn = learn
        self._token = ""
        self._stamp: tuple[int, ...] | None = None

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the token of the file, or the last one while it has none; PermanentFailure if there never was one."""
        request.headers["Authorization"] = f"Bearer {self._current()}"
        yield request

    def _current(self) -> str:
        try:
            status = self._path.stat()
            stamp = (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size)
            if stamp != self._stamp:
                self._token = _checked(self._path.read_text(), "CLOUDFLARE_API_TOKEN_FILE")
                self._learn(self._token)
                self._stamp = stamp
        except (OSError, UnicodeDecodeError, PermanentFailure) as error:
            if not self._token:
                message = f"CLOUDFLARE_API_TOKEN_FILE: no token can be read from {self._path} ({type(error).__name__})"
                raise PermanentFailure(message) from error
        return self._token


class ApiKey(httpx.Auth):
    """The Global API Key of a user, with all permissions of that user."""

    def __init__(self, key: str, email: str) -> None:
        """Keep both; raise PermanentFailure if a header cannot carry one of them."""
        self._key = _checked(key, "CLOUDFLARE_API_KEY")
        self._email = _checked(email, "CLOUDFLARE_API_EMAIL")

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the key and the email of its user."""
        request.headers["X-Auth-Key"] = self._key
        request.headers["X-Auth-Email"] = self._email
        yield request


def _checked(text: str, variable: str) -> str:
    secret = text.strip()
    if not _SENDABLE.fullmatch(secret):
        message = f"{variable} is empty, or contains a space, a line break, a quote or a character outside ASCII"
        raise PermanentFailure(message)
    return secret
