"""The service of a rule: which origins we publish, a subset of those that cloudflared accepts."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Set as AbstractSet
from typing import Self, cast

from tunnel_webhook.domain.errors import InvalidEndpoint, Reason
from tunnel_webhook.domain.memo import MIB, Memo, weight_of_texts
from tunnel_webhook.domain.quotation import quoted

URL_SCHEMES = ("http", "https", "ws", "wss", "tcp", "ssh", "rdp", "smb")
SOCKET_SCHEMES = ("unix", "unix+tls")
DEFAULT_SERVICES = frozenset({*URL_SCHEMES, *SOCKET_SCHEMES, "http_status", "hello_world"})
"""The kinds accepted by default; `bastion` and `socks-proxy` reach any host, so they need `ALLOWED_SERVICES`."""

ALL_SERVICES = DEFAULT_SERVICES | {"bastion", "socks-proxy"}
DEFAULT_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443, "ssh": 22, "rdp": 3389, "smb": 445}

_ACCEPTED = (
    "accepted are http, https, ws, wss, tcp, ssh, rdp and smb URLs with a host and no path (http://app.prod:8080),"
    " unix:/path, unix+tls:/path, http_status:404 and hello_world"
)
_URL = re.compile(
    r"(?P<scheme>[a-z0-9+.-]+)://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?\.?)(?::(?P<port>[0-9]{1,5}))?/?"
)
_STATUS = re.compile(r"http_status:([1-9][0-9]{2})")
_SOCKET = re.compile(r"(unix|unix\+tls):([^\s\x00-\x20\x7f]+)")
_LOOKS_LIKE = re.compile(r"[a-z][a-z0-9+._-]*://|unix(\+tls)?:|http_status:", re.IGNORECASE)
_NAMED = {
    "hello_world": "hello_world",
    "hello-world": "hello_world",
    "bastion": "bastion",
    "socks-proxy": "socks-proxy",
}
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_MAX_PORT = 65535
_MAX_HOST = 253
# unix(7): `sun_path` has 108 bytes, the last of which is null; cloudflared could never connect to a longer one.
_MAX_SOCKET = 107
_MAX_LENGTH = len("https://") + _MAX_HOST + len(".:65535/")


class OriginService(str):
    """A service in its one form: scheme and host in lower case, no trailing slash.

    It is a string, so it sorts, hashes and compares as one.
    """

    __slots__ = ()

    def __new__(cls, service: str) -> Self:
        """Accept a service that is in its one form already; raise InvalidEndpoint for any other text."""
        return cast("Self", _services[service])

    @classmethod
    def parse(cls, text: str, allowed: AbstractSet[str] = DEFAULT_SERVICES) -> Self:
        """Return the one form of a service; raise InvalidEndpoint when it has none or is not allowed.

        | service                                        | accepted as                                         |
        |------------------------------------------------|-----------------------------------------------------|
        | `http https ws wss tcp ssh rdp smb` `://host`  | with an optional port 1..65535, nothing after it    |
        | the same with a lone trailing `/`              | without it                                          |
        | `unix:PATH`, `unix+tls:PATH`                   | as it is                                            |
        | `http_status:100` .. `http_status:999`         | as it is                                            |
        | `hello_world`, `hello-world`                   | `hello_world`                                       |
        | `bastion`, `socks-proxy`                       | only where `ALLOWED_SERVICES` lists them            |
        """
        kind, service = _canonical(text)
        if kind not in allowed:
            sentence = f"service {quoted(text)} is not allowed here: ALLOWED_SERVICES does not list {kind}"
            raise InvalidEndpoint(Reason.INVALID_SERVICE, sentence)
        return super().__new__(cls, service)


def looks_like_a_service(text: str) -> bool:
    """Whether a target is meant as a service, well-formed or not, rather than as a plain host or address."""
    return _LOOKS_LIKE.match(text) is not None or text.lower() in _NAMED


def _checked(service: str) -> OriginService:
    canonical = OriginService.parse(service, ALL_SERVICES)
    if canonical != service:
        sentence = f"service {quoted(service)} is not in its canonical form"
        raise InvalidEndpoint(Reason.INVALID_SERVICE, sentence)
    return canonical


def _canonical(text: str) -> tuple[str, str]:
    """Return the kind (as ALLOWED_SERVICES spells it) and the canonical text."""
    if len(text) > _MAX_LENGTH:
        sentence = f"service {quoted(text)} is too long: a host has at most {_MAX_HOST} characters"
        raise InvalidEndpoint(Reason.INVALID_SERVICE, sentence)
    if socket := _SOCKET.fullmatch(text):
        if len(socket[2].encode(errors="replace")) > _MAX_SOCKET:
            sentence = f"service {quoted(text)} is too long: the path of a socket has at most {_MAX_SOCKET} bytes"
            raise InvalidEndpoint(Reason.INVALID_SERVICE, sentence)
        return socket[1], text
    lower = text.lower()
    if named := _NAMED.get(lower):
        return named, named
    if _STATUS.fullmatch(lower):
        return "http_status", lower
    url = _URL.fullmatch(lower)
    if url is None or url["scheme"] not in URL_SCHEMES:
        sentence = f"service {quoted(text)} cannot be published: {_ACCEPTED}"
        raise InvalidEndpoint(Reason.INVALID_SERVICE, sentence)
    _check_address(text, url["host"], url["port"])
    return url["scheme"], lower.removesuffix("/")


_services = Memo(_checked, weight_of_texts, 3 * MIB)


def _check_address(text: str, host: str, port: str | None) -> None:
    if len(host.removesuffix(".")) > _MAX_HOST:
        sentence = f"service {quoted(text)} is too long: a host has at most {_MAX_HOST} characters"
        raise InvalidEndpoint(Reason.INVALID_SERVICE, sentence)
    if port is not None and not 1 <= int(port) <= _MAX_PORT:
        sentence = f"service {quoted(text)} has port {port}; ports are 1 to {_MAX_PORT}"
        raise InvalidEndpoint(Reason.INVALID_SERVICE, sentence)
    if host.startswith("["):
        try:
            ipaddress.IPv6Address(host[1:-1])
        except ValueError as error:
            sentence = f"service {quoted(text)} has an address that is not IPv6"
            raise InvalidEndpoint(Reason.INVALID_SERVICE, sentence) from error
        return
    labels = host.removesuffix(".").split(".")
    if not all(labels):
        sentence = f"service {quoted(text)} has a host with an empty label"
        raise InvalidEndpoint(Reason.INVALID_SERVICE, sentence)
    if _NUMBER.fullmatch(labels[-1]) and not _is_dotted_quad(labels):
        sentence = f"service {quoted(text)} has a host that ends in a number and is not an address such as 10.0.0.1"
        raise InvalidEndpoint(Reason.INVALID_SERVICE, sentence)


def _is_dotted_quad(labels: list[str]) -> bool:
    """Whether labels are the one spelling of an IPv4 address; some resolvers read `127.1` and `0x7f.1` as one too."""
    try:
        ipaddress.IPv4Address(".".join(labels))
    except ValueError:
        return False
    return True
