"""What the text of a variable may be, kind by kind.

Each kind turns a text into a value or raises ValueError (or one of the domain's errors) with a sentence that says what is
expected. A variable that is not set is the empty text, unless it has a default.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path

from tunnel_webhook.domain.claim import Marker
from tunnel_webhook.domain.external_dns.domain_filter import DomainFilter
from tunnel_webhook.domain.external_dns.origin_service import ALL_SERVICES
from tunnel_webhook.domain.external_dns.policy import Tunnel
from tunnel_webhook.domain.hostname import Hostname

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
_HTTP_URL = re.compile(r"https?://[^\s/?#@]+(?:/[^\s?#]*)?")


class Secret:
    """A text that is not shown by `repr`, `str`, `format` or any encoder; `reveal` is the only way to it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        """Take the text; a header cannot carry one with spaces or line ends in it (ValueError)."""
        if text.split() not in ([], [text]) or not text.isascii():
            message = (
                "a secret of visible ASCII characters is expected, without spaces, quotes or line ends around or in it"
            )
            raise ValueError(message)
        self._text = text

    def reveal(self) -> str:
        """Return the text."""
        return self._text

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self._text)

    def __repr__(self) -> str:
        """Return stars, or nothing where there is no text."""
        return "***" if self._text else ""


def one_of(**choices: str) -> Callable[[str], str]:
    """Return the kind of a choice, in any case; a keyword is what may be written, its value what it means."""

    def parse(text: str) -> str:
        try:
            return choices[text.lower()]
        except KeyError as error:
            message = f"{', '.join(sorted(set(choices.values())))} are the choices"
            raise ValueError(message) from error

    return parse


def flag(text: str) -> bool:
    """Return a truth value, in any spelling that Go or YAML knows."""
    try:
        return _FLAGS[text.lower()]
    except KeyError as error:
        message = "true or false is expected"
        raise ValueError(message) from error


def whole(least: int, most: int | None = None) -> Callable[[str], int]:
    """Return the kind of a whole number within limits, both allowed."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < least or (most is not None and int(text) > most):
            message = (
                f"a whole number of at least {least} is expected"
                if most is None
                else f"a whole number from {least} to {most} is expected"
            )
            raise ValueError(message)
        return int(text)

    return parse


def ratio(text: str) -> float:
    """Return a number from 0 to 1."""
    return _number(text, "a number from 0 to 1 is expected", lambda number: 0 <= number <= 1)


def seconds(most: float) -> Callable[[str], float]:
    """Return the kind of a duration in seconds, above 0 and at most this long."""
    return lambda text: _number(
        text, f"seconds above 0 and up to {most:g} are expected", lambda number: 0 < number <= most
    )


def _number(text: str, fault: str, is_right: Callable[[float], bool]) -> float:
    try:
        number = float(text)
    except ValueError as error:
        raise ValueError(fault) from error
    if not is_right(number):
        raise ValueError(fault)
    return number


def words(text: str) -> tuple[str, ...]:
    """Return what stands between the commas; what is empty is left out."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


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
    """Return an http or https URL without its last slash."""
    if not _HTTP_URL.fullmatch(text):
        message = "an http or https URL without query and credentials is expected"
        raise ValueError(message)
    return text.rstrip("/")


def readable_file(text: str) -> str:
    """Return the path of a file that can be read and says something."""
    if text:
        try:
            filled = Path(text).read_bytes().strip()
        except OSError as error:
            message = f"the file cannot be read ({error.strerror})"
            raise ValueError(message) from error
        if not filled:
            message = "the file is empty"
            raise ValueError(message)
    return text


def cloudflare_id(text: str) -> str:
    """Return the id of an account or a zone, or nothing."""
    if text and not _HEXADECIMAL_ID.fullmatch(text.lower()):
        message = "an id of 32 hexadecimal digits is expected, as the dashboard's overview page shows it"
        raise ValueError(message)
    return text.lower()


def cloudflare_ids(text: str) -> tuple[str, ...]:
    """Return ids between commas."""
    return tuple(cloudflare_id(word) for word in words(text))


def tunnels(text: str) -> tuple[Tunnel, ...]:
    """Return one tunnel by its id, or several as `name=id` between commas; no name and no id comes twice."""
    found = [_tunnel(word) for word in words(text)]
    if len(found) > 1 and not all(tunnel.name for tunnel in found):
        message = "several tunnels need a name each, as in blue=<id>,green=<id>"
        raise ValueError(message)
    if len({tunnel.name for tunnel in found}) < len(found) or len({tunnel.id for tunnel in found}) < len(found):
        message = "a name or an id is there twice"
        raise ValueError(message)
    return tuple(found)


def _tunnel(word: str) -> Tunnel:
    match = _TUNNEL.fullmatch(word)
    if match is None or (match["name"] or "") != (match["name"] or "").lower():
        message = f"{word!r} is neither the UUID of a tunnel nor name=UUID with a name of a-z, 0-9 and '-'"
        raise ValueError(message)
    return Tunnel(match["id"].lower(), match["name"] or "")


def services(text: str) -> frozenset[str]:
    """Return kinds of services between commas."""
    unknown = sorted(set(words(text)) - ALL_SERVICES)
    if unknown:
        message = f"{unknown[0]!r} is no kind of service: {', '.join(sorted(ALL_SERVICES))} are the choices"
        raise ValueError(message)
    return frozenset(words(text))


def included(text: str) -> tuple[str, ...]:
    """Return the names of a domain filter."""
    return DomainFilter.parse(include=words(text)).include


def expression(text: str) -> str:
    """Return a regular expression that RE2 accepts."""
    return DomainFilter.parse(regex_include=text).regex_include


def hostname(text: str) -> str:
    """Return a hostname in its one form."""
    return Hostname.parse(text)


def owner(text: str) -> str:
    """Return an owner that fits into a record's comment, or nothing."""
    return text and Marker(text).comment and text
