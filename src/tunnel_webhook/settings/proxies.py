"""The proxy through which a URL is reached, from the variables that external-dns and most programs read.

| variable                     | value                                                                             |
|------------------------------|-----------------------------------------------------------------------------------|
| `HTTPS_PROXY`, `https_proxy` | `http://` or `https://` proxy of https URLs; a host alone means `http://`         |
| `HTTP_PROXY`, `http_proxy`   | the same of http URLs                                                             |
| `ALL_PROXY`, `all_proxy`     | the same where the one above is not set                                           |
| `NO_PROXY`, `no_proxy`       | hosts that are reached directly, comma-separated, each with `:port` or without:   |
|                              | `*` all; `example.com`, `.example.com` and `*.example.com` the name and below it; |
|                              | an address, or a range such as `10.0.0.0/8`                                       |

Upper case goes first. Loopback is always reached directly, as Go's programs do, so that a proxy for a cluster never
leads a pod to another pod's localhost.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from urllib.parse import unquote, urlsplit

_PORTS = {"http": 80, "https": 443}
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_AUTHORITY = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")
_HIGHEST_PORT = 65535


class InvalidProxy(ValueError):
    """A variable names no proxy that can be used; the message says what is expected."""

    def __init__(self, variable: str) -> None:
        """Keep the variable."""
        super().__init__("an http or https URL with a host and a port is expected")
        self.variable = variable


@dataclass(frozen=True, slots=True)
class Proxy:
    """The URL of a proxy without its user information, that information decoded, and the variable that names it."""

    url: str
    variable: str
    credentials: tuple[str, str] | None = field(default=None, repr=False)


def proxy_for(url: str, environment: Mapping[str, str]) -> Proxy | None:
    """Return the proxy for an http or https URL, None for a direct connection. Raises InvalidProxy."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    if _is_loopback(host) or any(_covers(entry, host, port) for entry in _read(environment, "NO_PROXY")[1].split(",")):
        return None
    for name in (f"{parts.scheme}_proxy".upper(), "ALL_PROXY"):
        variable, text = _read(environment, name)
        if text:
            return _parse(variable, text)
    return None


def _read(environment: Mapping[str, str], name: str) -> tuple[str, str]:
    return next(
        ((each, text) for each in (name, name.lower()) if (text := environment.get(each, "").strip())), (name, "")
    )


def _parse(variable: str, text: str) -> Proxy:
    scheme, rest = text.split("://", 1) if _SCHEME.match(text) else ("http", text)
    information, _, authority = rest.rstrip("/").rpartition("@")
    port = authority.rpartition(":")[2] if re.search(r":[0-9]+\Z", authority) else "0"
    if scheme.lower() not in _PORTS or not _AUTHORITY.fullmatch(authority) or int(port) > _HIGHEST_PORT:
        raise InvalidProxy(variable)
    user, _, password = information.partition(":")
    credentials = (unquote(user), unquote(password)) if information else None
    return Proxy(f"{scheme.lower()}://{authority}", variable, credentials)


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"


def _covers(entry: str, host: str, port: int) -> bool:
    """Whether an entry of NO_PROXY covers a host in lower case."""
    entry = entry.strip().lower()
    with suppress(ValueError):
        return ip_address(host) in ip_network(entry.strip("[]"), strict=False)
    name, colon, its_port = entry.rpartition(":")
    if colon and its_port.isdigit():
        return int(its_port) == port and _covers(name, host, port)
    domain = entry.removeprefix("*").removeprefix(".")
    return entry == "*" or (bool(domain) and (host == domain or host.endswith(f".{domain}")))
