"""What a running webhook says over its API: the last change set that it received."""

from __future__ import annotations

from base64 import b64encode
from http.client import HTTPConnection, HTTPException
from urllib.parse import unquote, urlsplit

from tunnel_webhook.adapters.http.last_changes import LastChanges

_SECONDS = 10.0
_MOST_BYTES = 4 * 1024 * 1024


class NotReached(Exception):
    """A webhook does not answer, or refuses; the message is one line for the operator."""


def last_changes(url: str, password: str = "") -> LastChanges:
    """Return the last change set that the webhook at a URL received. Raises NotReached, and MalformedBody.

    The password is the one in the URL, else this one.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 80
    except ValueError:
        parts, host, port = urlsplit(""), "", 0
    if parts.scheme != "http" or not host:
        message = "--from is the URL of the webhook API, such as http://127.0.0.1:8888"
        raise NotReached(message)
    connection = HTTPConnection(host, port, timeout=_SECONDS)
    shown = f"http://{parts.netloc.rpartition('@')[2]}"
    try:
        connection.request("GET", "/changes", headers=_credentials(unquote(parts.password or "") or password))
        answer = connection.getresponse()
        body = answer.read(_MOST_BYTES)
    except (OSError, HTTPException) as error:
        message = f"no webhook answers at {shown} ({error or type(error).__name__}): is it running, and on this port?"
        raise NotReached(message) from error
    finally:
        connection.close()
    if answer.status != 200:  # noqa: PLR2004 -- HTTP's own
        message = (
            f"the webhook at {shown} answered {answer.status}: {' '.join(body[:300].decode(errors='replace').split())}"
        )
        raise NotReached(message)
    return LastChanges.decode(body)


def _credentials(password: str) -> dict[str, str]:
    encoded = b64encode(f"plan:{password}".encode()).decode()
    return {"Authorization": f"Basic {encoded}"} if password else {}
