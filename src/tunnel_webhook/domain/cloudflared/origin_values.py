"""The kinds of values in `originRequest`: as a person writes them, as JSON, and as the type that cloudflared decodes.

Durations are whole seconds on the wire: a float or a string there makes cloudflared refuse the whole document
(cloudflared, config/configuration.go).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from tunnel_webhook.domain.cloudflared.go_json import (
    GoType,
    is_bool,
    is_int64,
    is_string,
    is_uint64,
    list_of,
    object_of,
)
from tunnel_webhook.domain.cloudflared.json_text import Json
from tunnel_webhook.domain.quotation import has_user_information

_MAX_SECONDS = 86_400
# A connector holds that many idle connections to one origin, and has tens of thousands of file descriptors in all.
_MAX_COUNT = 1_000
_MAX_PORT = 65_535
_DURATION = re.compile(r"(?=.)(?:(\d{1,5})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s)?")
_TEXT = re.compile(r"[\x20-\x7e\u00a0-\U0010ffff]{1,1024}")
# cloudflared puts a team into a URL as it is, and trusts the keys that it finds there (middleware/jwtvalidator.go).
_TEAM = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_AUDIENCE = re.compile(r"[0-9a-f]{64}")
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9_]([A-Za-z0-9._-]{0,251}[A-Za-z0-9_])?)(:[0-9]{1,5})?")
_BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value.

    `parse` makes JSON of a person's text, or raises ValueError with what is accepted; `format` makes the one text of
    JSON; `go_type` is the type that cloudflared decodes.
    """

    parse: Callable[[str], Json]
    format: Callable[[Json], str]
    go_type: GoType


def _parse_bool(text: str) -> Json:
    value = _BOOLEANS.get(text.lower())
    if value is None:
        message = "accepted are true and false"
        raise ValueError(message)
    return value


def _parse_seconds(text: str) -> Json:
    if text.isascii() and text.isdigit() and len(text) <= len(str(_MAX_SECONDS)):
        seconds = int(text)
    elif match := _DURATION.fullmatch(text):
        hours, minutes, rest = (int(part or 0) for part in match.groups())
        seconds = hours * 3600 + minutes * 60 + rest
    else:
        seconds = _MAX_SECONDS + 1
    if seconds > _MAX_SECONDS:
        message = f"accepted are whole seconds up to {_MAX_SECONDS}, or a duration such as 1m30s"
        raise ValueError(message)
    return seconds


def _parse_whole(most: int) -> Callable[[str], Json]:
    def parse(text: str) -> Json:
        if not (text.isascii() and text.isdigit()) or len(text) > len(str(most)) or int(text) > most:
            message = f"accepted are whole numbers up to {most}"
            raise ValueError(message)
        return int(text)

    return parse


def _parse_text(text: str) -> Json:
    if _TEXT.fullmatch(text) is None or has_user_information(text):
        message = "accepted is text of up to 1024 characters without control characters and user information"
        raise ValueError(message)
    return text


def _parse_host(text: str) -> Json:
    if _HOST.fullmatch(text) is None:
        message = "accepted is a host such as app.internal, with or without a port"
        raise ValueError(message)
    return text


def _parse_team(text: str) -> Json:
    if _TEAM.fullmatch(text.lower()) is None:
        message = "accepted is the name of a team, one DNS label: acme for acme.cloudflareaccess.com"
        raise ValueError(message)
    return text.lower()


def _parse_environment(text: str) -> Json:
    if text.lower() != "fed":
        message = "accepted is fed, for a FedRAMP account"
        raise ValueError(message)
    return "fed"


def _parse_audiences(text: str) -> Json:
    items = sorted({item.strip().lower() for item in text.split(",")} - {""})
    if not items or not all(map(_AUDIENCE.fullmatch, items)):
        message = "accepted are audience tags of 64 hexadecimal digits, separated by commas"
        raise ValueError(message)
    return list[Json](items)


def _parse_proxy_type(text: str) -> Json:
    if text.lower() != "socks":
        message = "accepted is socks"
        raise ValueError(message)
    return "socks"


def _parse_ip_rules(text: str) -> Json:
    return [_parse_ip_rule(rule) for rule in text.split(",")]


def _parse_ip_rule(text: str) -> Json:
    verb, _, rest = " ".join(text.split()).partition(" ")
    prefix, *ports = rest.split(" ")
    try:
        network = ipaddress.ip_network(prefix, strict=False)
        numbers = sorted({int(port) for port in ports})
        allow = {"allow": True, "deny": False}[verb]
        if not all(1 <= number <= _MAX_PORT for number in numbers):
            raise ValueError(ports)  # noqa: TRY301 -- one sentence for whatever is wrong with the rule
    except (ValueError, KeyError) as error:
        message = "accepted are rules such as: allow 10.0.0.0/8 80 443, deny ::/0"
        raise ValueError(message) from error
    return {"prefix": str(network), "ports": list[Json](numbers), "allow": allow}


def _format_bool(value: Json) -> str:
    return "true" if value else "false"


def _format_list(value: Json) -> str:
    return ",".join(sorted(str(item) for item in cast("list[Json]", value or [])))


def _format_ip_rules(value: Json) -> str:
    rules = cast("list[dict[str, Json] | None]", value or [])
    return ",".join(_format_ip_rule(rule or {}) for rule in rules)


def _format_ip_rule(rule: Mapping[str, Json]) -> str:
    verb = "allow" if rule.get("allow") else "deny"
    ports = cast("list[Json]", rule.get("ports") or [])
    return " ".join([verb, str(rule.get("prefix") or ""), *(str(port) for port in ports)])


_IP_RULE = object_of({"prefix": is_string, "ports": list_of(is_int64), "allow": is_bool})

BOOL = Kind(_parse_bool, _format_bool, is_bool)
SECONDS = Kind(_parse_seconds, str, is_int64)
COUNT = Kind(_parse_whole(_MAX_COUNT), str, is_int64)
PORT_NUMBER = Kind(_parse_whole(_MAX_PORT), str, is_uint64)
TEXT = Kind(_parse_text, str, is_string)
PROXY_TYPE = Kind(_parse_proxy_type, str, is_string)
HOST = Kind(_parse_host, str, is_string)
TEAM = Kind(_parse_team, str, is_string)
ENVIRONMENT = Kind(_parse_environment, str, is_string)
AUDIENCES = Kind(_parse_audiences, _format_list, list_of(is_string))
IP_RULES = Kind(_parse_ip_rules, _format_ip_rules, list_of(_IP_RULE))
