"""How we prove to Cloudflare who we are: one scheme a process, read when a request is sent, shown nowhere."""

from __future__ import annotations

import re
from collections.abc import Generator
from pathlib import Path

import httpx

from tunnel_webhook.ports import PermanentFailure

_SENDABLE = re.compile(r"[\x21-\x7e]+")


class ApiToken(httpx.Auth):
    """An API token, of a user or of an account."""

    def __init__(self, token: str) -> None:
        """Keep the token; PermanentFailure where no header can carry it."""
        self._token = _checked(token, "CLOUDFLARE_API_TOKEN")

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the token."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


class ApiTokenFile(httpx.Auth):
    """An API token in a file, read again whenever the file has changed, so that a token is rotated without a restart.

    Kubernetes exchanges a mounted Secret by turning a symbolic link: another inode, perhaps with an older modification time.
    """

    def __init__(self, path: Path) -> None:
        """Keep the path; the file is read with the first request."""
        self._path = path
        self._token = ""
        self._stamp: tuple[int, ...] | None = None

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the token that the file holds now, or the last one while the file says nothing; PermanentFailure without any."""
        request.headers["Authorization"] = f"Bearer {self._current()}"
        yield request

    def _current(self) -> str:
        try:
            status = self._path.stat()
            stamp = (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size)
            if stamp != self._stamp:
                self._token = _checked(self._path.read_text(), "CLOUDFLARE_API_TOKEN_FILE")
                self._stamp = stamp
        except (OSError, UnicodeDecodeError, PermanentFailure) as error:
            if not self._token:
                message = f"CLOUDFLARE_API_TOKEN_FILE: no token can be read from {self._path} ({type(error).__name__})"
                raise PermanentFailure(message) from error
        return self._token


class ApiKey(httpx.Auth):
    """The Global API Key of a user, with all that user's permissions."""

    def __init__(self, key: str, email: str) -> None:
        """Keep the key; PermanentFailure where no header can carry it."""
        self._key = _checked(key, "CLOUDFLARE_API_KEY")
        self._email = _checked(email, "CLOUDFLARE_API_EMAIL")

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the key and whose it is."""
        request.headers["X-Auth-Key"] = self._key
        request.headers["X-Auth-Email"] = self._email
        yield request


def _checked(text: str, variable: str) -> str:
    secret = text.strip()
    if not _SENDABLE.fullmatch(secret):
        message = f"{variable} is empty, or has a space, a line break or a letter outside ASCII within"
        raise PermanentFailure(message)
    return secret
