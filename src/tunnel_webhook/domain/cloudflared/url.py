"""URLs as Go's `url.Parse` parses them: cloudflared accepts exactly those as a service (net/url/url.go)."""

from __future__ import annotations

import ipaddress
import re
import string
from dataclasses import dataclass
from urllib.parse import unquote

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})?")
_PORT = re.compile(r":[0-9]*")
_HOST_CHARACTERS = frozenset(string.ascii_letters + string.digits + "-_.~!$&'()*+,;=:[]<>\"")
_ZONE_CHARACTERS = _HOST_CHARACTERS | {" "}
_USERINFO = re.compile(r"[A-Za-z0-9\-._:~!$&'()*+,;=%@]*")
_ASCII = 0x80
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Url:
    """The parts of a URL that decide whether cloudflared accepts it as a service."""

    scheme: str
    hostname: str
    path: str


def parse_url(text: str) -> Url:
    """Return the parts of a URL; raise ValueError with Go's reason when Go cannot parse it."""
    text, _, fragment = text.partition("#")
    url = _parse(text)
    _check_escapes(fragment)
    return url


def _parse(text: str) -> Url:
    if _CONTROL.search(text):
        message = "net/url: invalid control character in URL"
        raise ValueError(message)
    if text.startswith(":"):
        message = "missing protocol scheme"
        raise ValueError(message)
    scheme = match.group()[:-1] if (match := _SCHEME.match(text)) else ""
    rest = text[len(scheme) + 1 :] if scheme else text
    rest = rest.partition("?")[0]
    if not rest.startswith("/"):
        if scheme:
            return Url(scheme.lower(), "", "")
        if ":" in rest.partition("/")[0]:
            message = "first path segment in URL cannot contain colon"
            raise ValueError(message)
    host = ""
    if rest.startswith("//") and (scheme or not rest.startswith("///")):
        authority, slash, path = rest[2:].partition("/")
        host, rest = _parse_authority(scheme.lower(), authority), slash + path
    _check_escapes(rest)
    return Url(scheme.lower(), _strip_port(host), rest)


def _parse_authority(scheme: str, authority: str) -> str:
    userinfo, at, host = authority.rpartition("@")
    parsed = _parse_host(scheme, host)
    if at and _USERINFO.fullmatch(userinfo) is None:
        message = "net/url: invalid userinfo"
        raise ValueError(message)
    _check_escapes(userinfo)
    return parsed


def _parse_host(scheme: str, host: str) -> str:
    bracket = host.rfind("[")
    if bracket > 0:
        message = "invalid IP-literal"
        raise ValueError(message)
    if bracket == 0:
        return _parse_ip_literal(host)
    first = host.find(":")
    if first >= 0:
        colon = first if scheme in {"http", "https"} else host.rfind(":")
        _check_port(host[colon:])
    _check_host(host)
    return host


def _parse_ip_literal(host: str) -> str:
    end = host.rfind("]")
    if end < 0:
        message = "missing ']' in host"
        raise ValueError(message)
    _check_port(host[end + 1 :])
    address, percent, zone = host[1:end].partition("%25")
    _check_host(address)
    if percent:
        _check_zone(zone)
    try:
        ipaddress.IPv6Address(unquote(address))
    except ValueError as error:
        message = f"invalid host: {error}"
        raise ValueError(message) from error
    return host


def _check_port(colon_port: str) -> None:
    if colon_port and _PORT.fullmatch(colon_port) is None:
        message = f'invalid port "{colon_port}" after host'
        raise ValueError(message)


def _check_host(host: str) -> None:
    for escape in _ESCAPE.finditer(host):
        if escape[1] is None or (int(escape[1], 16) < _ASCII and escape[0] != "%25"):
            message = f'invalid URL escape "{host[escape.start() : escape.start() + 3]}"'
            raise ValueError(message)
    _check_characters(host)


def _check_zone(zone: str) -> None:
    if not zone:
        message = "invalid host: zone must be a non-empty string"
        raise ValueError(message)
    for escape in _ESCAPE.finditer(zone):
        if escape[1] is None or (escape[0] != "%25" and chr(int(escape[1], 16)) not in _ZONE_CHARACTERS):
            message = f'invalid URL escape "{zone[escape.start() : escape.start() + 3]}"'
            raise ValueError(message)
    _check_characters(zone)


def _check_characters(host: str) -> None:
    if _HOST_CHARACTERS.issuperset(host):
        return
    for character in _ESCAPE.sub("", host):
        if character.isascii() and character not in _HOST_CHARACTERS:
            message = f'invalid character "{character}" in host name'
            raise ValueError(message)


def _check_escapes(text: str) -> None:
    for escape in _ESCAPE.finditer(text):
        if escape[1] is None:
            message = f'invalid URL escape "{text[escape.start() : escape.start() + 3]}"'
            raise ValueError(message)


def _strip_port(host: str) -> str:
    head, colon, port = host.rpartition(":")
    if colon and _PORT.fullmatch(colon + port):
        host = head
    return host.removeprefix("[").removesuffix("]") if host.startswith("[") and host.endswith("]") else host
