"""Parsers of the texts of variables, one per kind of value.

Each returns a value or raises ValueError (or a DomainError) with a sentence that says what is expected. The text of a
variable that is not set is empty, unless it has a default.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

from tunnel_webhook.domain.errors import DomainError
from tunnel_webhook.domain.external_dns.domain_filter import DomainFilter
from tunnel_webhook.domain.external_dns.origin_service import ALL_SERVICES
from tunnel_webhook.domain.external_dns.policy import Tunnel
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.marker import Marker
from tunnel_webhook.settings.secret import Secret

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
_TUNNEL = re.compile(r"(?:(?P<name>[a-z0-9-]+)=)?(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.IGNORECASE)
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
    """Return the texts between commas, without the empty ones."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


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
    if not _HTTP_URL.fullmatch(text):
        message = "an http or https URL without query and credentials is expected"
        raise ValueError(message)
    return text.rstrip("/")


def readable_file(text: str) -> str:
    """Return the path of a file that can be read and is not empty."""
    if text:
        try:
            content = Path(text).read_bytes().strip()
        except OSError as error:
            message = f"the file cannot be read ({error.strerror})"
            raise ValueError(message) from error
        if not content:
            message = "the file is empty"
            raise ValueError(message)
    return text


def secret_in_file(text: str) -> Secret:
    """Return the secret that a file holds, without the spaces and line breaks around it."""
    return Secret(Path(readable_file(text)).read_text("latin-1").strip()) if text else Secret("")


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
    if len({tunnel.name for tunnel in parsed}) < len(parsed) or len({tunnel.id for tunnel in parsed}) < len(parsed):
        message = "a name or an id is listed twice"
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
    """Return the domains between commas, as a domain filter has them."""
    return DomainFilter.parse(include=words(text)).include


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
