"""Parsers of the texts of variables, one per kind of value.

Each returns a value or raises ValueError (or a DomainError) with a sentence that says what is expected. The text of a
variable that is not set is empty, unless it has a default.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import urlsplit

from tunnel_webhook.domain.errors import DomainError
from tunnel_webhook.domain.external_dns.domain_filter import DomainFilter
from tunnel_webhook.domain.external_dns.hostname_pattern import HostnamePattern
from tunnel_webhook.domain.external_dns.origin_pattern import OriginPattern
from tunnel_webhook.domain.external_dns.origin_service import ALL_SERVICES
from tunnel_webhook.domain.external_dns.policy import Tunnel
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.marker import Marker

SHORTEST_RELEASE_DELAY = 60
"""Seconds; an apply begins no write after 45."""

_FLAGS = {
    "true": True,
    "t": True,
    "1": True,
    "yes": True,
    "on": True,
    "false": False,
    "f": False,
    "0": False,
    "no": False,
    "off": False,
}
_HEXADECIMAL_ID = re.compile(r"[0-9a-f]{32}")
_TUNNEL = re.compile(
    r"(?:(?P<name>[a-z0-9-]+)=)?(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.ASCII | re.IGNORECASE
)
_EXPORTERS = frozenset({"otlp", "none", "console", "prometheus", "zipkin"})
_HTTP_URL = re.compile(r"https?://(?:\[[0-9A-Fa-f:.]+\]|[^\s/?#@:\[\]]+)(?::[0-9]{1,5})?(?:/[^\s?#@]*)?")


def choice(**choices: str) -> Callable[[str], str]:
    """Return a parser of a choice, in any case; a keyword is a spelling, its value the choice."""

    def parse(text: str) -> str:
        try:
            return choices[text.lower()]
        except KeyError as error:
            message = f"one of {', '.join(sorted(set(choices.values())))} is expected"
            raise ValueError(message) from error

    return parse


def flag(text: str) -> bool:
    """Return a truth value, in any spelling that Go or YAML accepts."""
    try:
        return _FLAGS[text.lower()]
    except KeyError as error:
        message = "true or false is expected"
        raise ValueError(message) from error


def whole_number(minimum: int, maximum: int | None = None) -> Callable[[str], int]:
    """Return a parser of a whole number within limits, both included."""
    limits = f"of at least {minimum}" if maximum is None else f"from {minimum} to {maximum}"

    def parse(text: str) -> int:
        number = int(text) if re.fullmatch(r"[0-9]{1,9}", text) else -1
        if number < minimum or (maximum is not None and number > maximum):
            message = f"a whole number {limits} is expected"
            raise ValueError(message)
        return number

    return parse


def ratio(text: str) -> float:
    """Return a number from 0 to 1."""
    return _number(text, "a number from 0 to 1", lambda number: 0 <= number <= 1)


def seconds(maximum: float) -> Callable[[str], float]:
    """Return a parser of a duration in seconds, above 0 and up to a maximum."""
    expected = f"a number of seconds above 0 and up to {maximum:g}"
    return lambda text: _number(text, expected, lambda number: 0 < number <= maximum)


def _number(text: str, expected: str, accepts: Callable[[float], bool]) -> float:
    message = f"{expected} is expected"
    try:
        number = float(text)
    except ValueError as error:
        raise ValueError(message) from error
    if not accepts(number):
        raise ValueError(message)
    return number


def release_delay(text: str) -> int:
    """Return a duration in seconds: 0, or longer than an apply may write."""
    number = whole_number(0, 3600)(text)
    if 0 < number < SHORTEST_RELEASE_DELAY:
        message = f"0, or a number of seconds from {SHORTEST_RELEASE_DELAY} to 3600 is expected"
        raise ValueError(message)
    return number


def write_lock(text: str) -> str:
    """Return `off`, `dns`, or `dns:` and the canonical name of a zone."""
    kind, separator, zone = text.partition(":")
    if kind.lower() == "dns":
        return f"dns:{Hostname.parse(zone)}" if separator else "dns"
    if text.lower() == "off":
        return "off"
    message = "off, dns, or dns: and the name of a zone is expected"
    raise ValueError(message)


def words(text: str) -> tuple[str, ...]:
    """Return the texts between commas, without the empty ones; a text of nothing but commas is not an empty list."""
    found = tuple(word.strip() for word in text.split(",") if word.strip())
    if text and not found:
        message = "something between the commas is expected; unset the variable for nothing"
        raise ValueError(message)
    return found


def hosts(text: str) -> tuple[str, ...]:
    """Return the hosts between commas: names in lower case, and addresses as `ipaddress` writes them."""
    return tuple(_host(word) for word in words(text))


def _host(word: str) -> str:
    with suppress(ValueError):
        return str(ip_address(word.removeprefix("[").removesuffix("]")))
    with suppress(DomainError):
        if not word.startswith("*"):
            return Hostname.parse(word)
    message = f"{word!r} is neither a name nor an IP address; scheme, port and wildcards are not part of a host"
    raise ValueError(message)


def address(text: str) -> str:
    """Return an IP address; `localhost` is 127.0.0.1."""
    try:
        return str(ip_address("127.0.0.1" if text == "localhost" else text))
    except ValueError as error:
        message = (
            "an IP address of this machine is expected, 127.0.0.1 for loopback only or 0.0.0.0 for every interface"
        )
        raise ValueError(message) from error


def url(text: str) -> str:
    """Return an http or https URL without its trailing slash."""
    if not _HTTP_URL.fullmatch(text) or not _has_port(text):
        message = "an http or https URL without query and credentials is expected"
        raise ValueError(message)
    return text.rstrip("/")


def collector(text: str) -> str:
    """Return the URL of a collector, as it is, or an empty text; it may hold credentials."""
    without_credentials = re.sub(r"(?<=//)[^/?#@]*@", "", text, count=1)
    if text and (not _HTTP_URL.fullmatch(without_credentials) or not _has_port(without_credentials)):
        message = "an http or https URL is expected"
        raise ValueError(message)
    return text


def _has_port(text: str) -> bool:
    """Whether the port of a URL exists, or is left out, and its host is not a broken address."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    return parts.hostname is not None and port != 0


def exporter(text: str) -> str:
    """Return `none` or the name of an exporter, or of several between commas."""
    names = words(text.lower())
    if unknown := sorted(set(names) - _EXPORTERS):
        message = f"{unknown[0]!r} is not an exporter; choose from {', '.join(sorted(_EXPORTERS))}"
        raise ValueError(message)
    return ",".join(names)


def hostname_patterns(text: str) -> tuple[HostnamePattern, ...]:
    """Return the patterns of hostnames between commas."""
    return tuple(map(HostnamePattern.parse, words(text)))


def origins(text: str) -> tuple[str, ...]:
    """Return the origins between commas, each named exactly."""
    named = words(text)
    for word in named:
        if not OriginPattern(word).is_literal:
            message = f"{word!r} is a pattern: only an origin that is named exactly is accepted"
            raise ValueError(message)
    return named


def cloudflare_id(text: str) -> str:
    """Return the id of an account or a zone, or an empty text."""
    if text and not _HEXADECIMAL_ID.fullmatch(text.lower()):
        message = "an id of 32 hexadecimal digits is expected, as the dashboard's overview page shows it"
        raise ValueError(message)
    return text.lower()


def cloudflare_ids(text: str) -> tuple[str, ...]:
    """Return the ids between commas."""
    return tuple(cloudflare_id(word) for word in words(text))


def tunnels(text: str) -> tuple[Tunnel, ...]:
    """Return one tunnel by its id, or several as `name=id` between commas; names and ids are unique."""
    parsed = [_tunnel(word) for word in words(text)]
    if len(parsed) > 1 and not all(tunnel.name for tunnel in parsed):
        message = "each of several tunnels needs a name, as in blue=<id>,green=<id>"
        raise ValueError(message)
    for kind, texts in (("name", [tunnel.name for tunnel in parsed]), ("id", [tunnel.id for tunnel in parsed])):
        if twice := sorted(text for text in set(texts) if texts.count(text) > 1):
            message = f"the {kind} {twice[0]} is listed twice: each tunnel has one name and one id"
            raise ValueError(message)
    return tuple(parsed)


def _tunnel(word: str) -> Tunnel:
    match = _TUNNEL.fullmatch(word)
    if match is None or (match["name"] or "") != (match["name"] or "").lower():
        message = f"{word!r} is neither the UUID of a tunnel nor name=UUID with a name of a-z, 0-9 and '-'"
        raise ValueError(message)
    return Tunnel(match["id"].lower(), match["name"] or "")


def services(text: str) -> frozenset[str]:
    """Return the kinds of services between commas."""
    kinds = frozenset(words(text))
    if unknown := sorted(kinds - ALL_SERVICES):
        message = f"{unknown[0]!r} is not a kind of service; choose from {', '.join(sorted(ALL_SERVICES))}"
        raise ValueError(message)
    return kinds


def domains(text: str) -> tuple[str, ...]:
    """Return the domains between commas, as a domain filter has them; `*.example.com` is `.example.com`.

    external-dns takes `*.` literally, so that `*.example.com` would select that one name, and no name below.
    """
    return DomainFilter.parse(include=(_domain(word) for word in words(text))).include


def _domain(word: str) -> str:
    domain = word.removeprefix("*") if word.startswith("*.") else word
    if "*" in domain:
        message = f"{word!r} is not a domain: '*' stands only before the first dot; unset the variable for all names"
        raise ValueError(message)
    return domain


def expression(text: str) -> str:
    """Return a regular expression that RE2 accepts."""
    return DomainFilter.parse(regex_include=text).regex_include


def hostname(text: str) -> str:
    """Return a hostname in canonical form."""
    return Hostname.parse(text)


def owner(text: str) -> str:
    """Return an owner that fits into a record's comment, or an empty text."""
    if text:
        Marker(text)
    return text
