"""How cloudflared talks to an origin: every `originRequest` key, its kind, and its external-dns property.

| property                            | key                      | value                                                   |
|-------------------------------------|--------------------------|---------------------------------------------------------|
| `webhook/connect-timeout`           | `connectTimeout`         | seconds, or a duration such as `1m30s`                  |
| `webhook/tls-timeout`               | `tlsTimeout`             | seconds, or a duration                                  |
| `webhook/tcp-keep-alive`            | `tcpKeepAlive`           | seconds, or a duration                                  |
| `webhook/keep-alive-timeout`        | `keepAliveTimeout`       | seconds, or a duration                                  |
| `webhook/keep-alive-connections`    | `keepAliveConnections`   | a whole number                                          |
| `webhook/no-happy-eyeballs`         | `noHappyEyeballs`        | `true` or `false`                                       |
| `webhook/http-host-header`          | `httpHostHeader`         | text                                                    |
| `webhook/origin-server-name`        | `originServerName`       | text                                                    |
| `webhook/match-sni-to-host`         | `matchSNItoHost`         | `true` or `false`                                       |
| `webhook/ca-pool`                   | `caPool`                 | a path on every connector's host; needs `ALLOW_CA_POOL` |
| `webhook/no-tls-verify`             | `noTLSVerify`            | `true` or `false`                                       |
| `webhook/http2-origin`              | `http2Origin`            | `true` or `false`                                       |
| `webhook/disable-chunked-encoding`  | `disableChunkedEncoding` | `true` or `false`                                       |
| `webhook/proxy-type`                | `proxyType`              | `socks`                                                 |
| `webhook/proxy-address`             | `proxyAddress`           | text                                                    |
| `webhook/proxy-port`                | `proxyPort`              | a port                                                  |
| `webhook/bastion-mode`              | `bastionMode`            | `true` or `false`; needs `bastion` in `ALLOWED_SERVICES` |
| `webhook/ip-rules`                  | `ipRules`                | `allow 10.0.0.0/8 80 443, deny ::/0`: first match wins  |
| `webhook/access-required`           | `access.required`        | `true` or `false`                                       |
| `webhook/access-team-name`          | `access.teamName`        | text                                                    |
| `webhook/access-aud-tag`            | `access.audTag`          | comma-separated                                         |
| `webhook/access-environment`        | `access.environment`     | text                                                    |

Cloudflare, "Origin configuration parameters"; cloudflared, config/configuration.go. Durations are whole seconds on the wire:
a float or a string there makes cloudflared refuse the whole document.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from tunnel_webhook.domain.document import Json, fold_key, folded
from tunnel_webhook.domain.errors import InvalidProperty

PREFIX = "webhook/"
_MAX_SECONDS = 86_400
_MAX_COUNT = 2**31 - 1
_MAX_PORT = 65_535
_DURATION = re.compile(r"(?=.)(?:(\d{1,5})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s)?")
_TEXT = re.compile(r"[\x20-\x7e\u00a0-\U0010ffff]{1,1024}")
_BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value: from a property's text to JSON (raises ValueError with what is accepted), and back."""

    parse: Callable[[str], Json]
    format: Callable[[Json], str]


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
    if _TEXT.fullmatch(text) is None:
        message = "accepted is text of up to 1024 characters without control characters"
        raise ValueError(message)
    return text


def _parse_proxy_type(text: str) -> Json:
    if text.lower() != "socks":
        message = "accepted is socks"
        raise ValueError(message)
    return "socks"


def _parse_list(text: str) -> Json:
    items = sorted({item.strip() for item in text.split(",")} - {""})
    if not items:
        message = "accepted is a comma-separated list"
        raise ValueError(message)
    return [_parse_text(item) for item in items]


def _parse_ip_rules(text: str) -> Json:
    return [_parse_ip_rule(rule) for rule in text.split(",")]


def _parse_ip_rule(text: str) -> Json:
    verb, _, rest = " ".join(text.split()).partition(" ")
    prefix, *ports = rest.split(" ")
    try:
        network = ipaddress.ip_network(prefix, strict=False)
        numbers = sorted({int(port) for port in ports})
        known = {"allow": True, "deny": False}[verb]
        if not all(1 <= number <= _MAX_PORT for number in numbers):
            raise ValueError(ports)  # noqa: TRY301 -- one sentence for whatever is wrong with the rule
    except (ValueError, KeyError) as error:
        message = "accepted are rules such as: allow 10.0.0.0/8 80 443, deny ::/0"
        raise ValueError(message) from error
    return {"prefix": str(network), "ports": list[Json](numbers), "allow": known}


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


BOOL = Kind(_parse_bool, _format_bool)
SECONDS = Kind(_parse_seconds, str)
COUNT = Kind(_parse_whole(_MAX_COUNT), str)
PORT = Kind(_parse_whole(_MAX_PORT), str)
TEXT = Kind(_parse_text, str)
PROXY_TYPE = Kind(_parse_proxy_type, str)
LIST = Kind(_parse_list, _format_list)
IP_RULES = Kind(_parse_ip_rules, _format_ip_rules)

ORIGIN_KEYS: Mapping[str, tuple[str, Kind]] = {
    "webhook/connect-timeout": ("connectTimeout", SECONDS),
    "webhook/tls-timeout": ("tlsTimeout", SECONDS),
    "webhook/tcp-keep-alive": ("tcpKeepAlive", SECONDS),
    "webhook/keep-alive-timeout": ("keepAliveTimeout", SECONDS),
    "webhook/keep-alive-connections": ("keepAliveConnections", COUNT),
    "webhook/no-happy-eyeballs": ("noHappyEyeballs", BOOL),
    "webhook/http-host-header": ("httpHostHeader", TEXT),
    "webhook/origin-server-name": ("originServerName", TEXT),
    "webhook/match-sni-to-host": ("matchSNItoHost", BOOL),
    "webhook/ca-pool": ("caPool", TEXT),
    "webhook/no-tls-verify": ("noTLSVerify", BOOL),
    "webhook/http2-origin": ("http2Origin", BOOL),
    "webhook/disable-chunked-encoding": ("disableChunkedEncoding", BOOL),
    "webhook/proxy-type": ("proxyType", PROXY_TYPE),
    "webhook/proxy-address": ("proxyAddress", TEXT),
    "webhook/proxy-port": ("proxyPort", PORT),
    "webhook/bastion-mode": ("bastionMode", BOOL),
    "webhook/ip-rules": ("ipRules", IP_RULES),
}
"""Every property and the key of `originRequest` that it sets."""

ACCESS_KEYS: Mapping[str, tuple[str, Kind]] = {
    "webhook/access-required": ("required", BOOL),
    "webhook/access-team-name": ("teamName", TEXT),
    "webhook/access-aud-tag": ("audTag", LIST),
    "webhook/access-environment": ("environment", TEXT),
}
"""Every property and the key of `originRequest.access` that it sets."""

_KINDS = {**ORIGIN_KEYS, **ACCESS_KEYS}
_KNOWN_KEYS = {fold_key(key): (name, kind) for name, (key, kind) in ORIGIN_KEYS.items()}
_KNOWN_ACCESS_KEYS = {fold_key(key): (name, kind) for name, (key, kind) in ACCESS_KEYS.items()}


@lru_cache(maxsize=16384)
def canonical_value(name: str, text: str) -> str:
    """Return the one form of a property's value; raise InvalidProperty, naming what is accepted."""
    kind = _KINDS[name][1]
    try:
        return kind.format(kind.parse(text.strip()))
    except ValueError as error:
        message = f"{name} is {text!r}: {error}"
        raise InvalidProperty(message) from error


def origin_request_of(properties: Mapping[str, str]) -> dict[str, Json]:
    """Return the `originRequest` that canonical properties ask for; names that mean nothing here are passed over."""
    origin: dict[str, Json] = {}
    access: dict[str, Json] = {}
    for name, text in sorted(properties.items()):
        if name in ORIGIN_KEYS:
            key, kind = ORIGIN_KEYS[name]
            origin[key] = kind.parse(text)
        elif name in ACCESS_KEYS:
            key, kind = ACCESS_KEYS[name]
            access[key] = kind.parse(text)
    if access:
        origin["access"] = access
    return origin


def properties_of(origin: Mapping[str, Json]) -> dict[str, str]:
    """Return the properties that an `originRequest` amounts to; keys that we do not know are passed over."""
    seen = folded(origin)
    return _read(seen, _KNOWN_KEYS) | _read(folded(seen.get("access")), _KNOWN_ACCESS_KEYS)


def _read(values: Mapping[str, Json], keys: Mapping[str, tuple[str, Kind]]) -> dict[str, str]:
    known = ((*keys[key], value) for key, value in values.items() if key in keys)
    return {name: kind.format(value) for name, kind, value in known}


def merge_origin_request(existing: Mapping[str, Json], asked: Mapping[str, Json]) -> dict[str, Json]:
    """Return what is asked for, beside every key of the existing one that we do not know."""
    merged = _unknown(existing, {*_KNOWN_KEYS, "access"}) | dict(asked)
    access = asked.get("access")
    kept = _unknown(folded(existing).get("access"), _KNOWN_ACCESS_KEYS)
    if kept:
        merged["access"] = kept | (access if isinstance(access, dict) else {})
    return merged


def _unknown(values: Json | Mapping[str, Json], known: Container[str]) -> dict[str, Json]:
    found = values if isinstance(values, Mapping) else {}
    return {key: value for key, value in found.items() if fold_key(key) not in known}


def same_origin_request(one: Mapping[str, Json], other: Mapping[str, Json]) -> bool:
    """Whether two ask the same of cloudflared, as far as we know its keys."""
    return one == other or properties_of(one) == properties_of(other)
