"""Credentials in variables that are not secrets as a whole: user information in URLs, headers of OpenTelemetry.

| variable                                           | holds                                        |
|----------------------------------------------------|----------------------------------------------|
| `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, any case | a URL that may have user information         |
| `OTEL_EXPORTER_OTLP_…ENDPOINT`                     | the same                                     |
| `OTEL_EXPORTER_OTLP_…HEADERS`                      | `name=value` pairs, in which a value is one  |
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote

MASK = "***"

_URLS = re.compile(r"(?:HTTPS?|ALL)_PROXY|OTEL_EXPORTER_OTLP_(?:\w+_)?ENDPOINT", re.IGNORECASE)
_HEADERS = re.compile(r"OTEL_EXPORTER_OTLP_(?:\w+_)?HEADERS")


def credentials_in(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield the credentials in an environment, each as it is spelt and decoded."""
    for name, text in environment.items():
        if _URLS.fullmatch(name):
            credentials = [user := user_information(text), user.partition(":")[2]]
        elif _HEADERS.fullmatch(name):
            credentials = [pair.partition("=")[2].strip() for pair in text.split(",")]
        else:
            continue
        yield from {spelling for credential in credentials for spelling in (credential, unquote(credential))} - {""}


def user_information(url: str) -> str:
    """Return what stands between the scheme and the last `@` of a URL, however unescaped it is."""
    return _authority(url).rpartition("@")[0]


def without_user_information(url: str) -> str:
    """Return a URL, or any other text, with a mask in place of user information."""
    user = user_information(url)
    return url.replace(f"{user}@", f"{MASK}@", 1) if user else url


def _authority(url: str) -> str:
    scheme, separator, rest = url.partition("//")
    return rest if separator else scheme
