"""How cloudflared talks to an origin: the one table of `originRequest` keys, and what is done with it.

The table serves translation (a property's text to JSON and back), validation (the types that cloudflared decodes),
merging (which keys are ours to write) and the documentation. Sources: Cloudflare, "Origin configuration parameters";
cloudflared, config/configuration.go; the defaults, ingress/config.go.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass

from tunnel_webhook.domain.cloudflared.go_json import GoType, fold_key, fold_members, fold_pointers, object_of
from tunnel_webhook.domain.cloudflared.json_text import Json
from tunnel_webhook.domain.cloudflared.origin_values import (
    AUDIENCES,
    BOOL,
    COUNT,
    ENVIRONMENT,
    HOST,
    IP_RULES,
    PORT_NUMBER,
    PROXY_TYPE,
    SECONDS,
    TEAM,
    TEXT,
    Kind,
)

ACCESS = "access"


@dataclass(frozen=True, slots=True)
class OriginKey:
    """One key: its name in the JSON, its name as an option, its kind, and the documentation of its value.

    `default` is what cloudflared takes where neither the rule nor its document sets it, as the text of the option. A
    key of the `access` member has `is_access`.
    """

    name: str
    option: str
    kind: Kind
    meaning: str
    default: str = ""
    is_access: bool = False

    @property
    def path(self) -> str:
        """The name as it is found from the `originRequest`, such as `noTLSVerify` or `access.required`."""
        return f"{ACCESS}.{self.name}" if self.is_access else self.name


ORIGIN_KEYS = (
    OriginKey("connectTimeout", "connect-timeout", SECONDS, "seconds, or a duration such as `1m30s`", "30"),
    OriginKey("tlsTimeout", "tls-timeout", SECONDS, "seconds, or a duration", "10"),
    OriginKey("tcpKeepAlive", "tcp-keep-alive", SECONDS, "seconds, or a duration", "30"),
    OriginKey("keepAliveTimeout", "keep-alive-timeout", SECONDS, "seconds, or a duration", "90"),
    OriginKey("keepAliveConnections", "keep-alive-connections", COUNT, "a whole number up to 1000", "100"),
    OriginKey("noHappyEyeballs", "no-happy-eyeballs", BOOL, "`true` or `false`", "false"),
    OriginKey("httpHostHeader", "http-host-header", HOST, "a host, with or without a port"),
    OriginKey("originServerName", "origin-server-name", HOST, "a host"),
    OriginKey("matchSNItoHost", "match-sni-to-host", BOOL, "`true` or `false`", "false"),
    OriginKey("caPool", "ca-pool", TEXT, "a path on the host of every connector; needs `ALLOW_CA_POOL`"),
    OriginKey("noTLSVerify", "no-tls-verify", BOOL, "`true` or `false`", "false"),
    OriginKey("http2Origin", "http2-origin", BOOL, "`true` or `false`", "false"),
    OriginKey("disableChunkedEncoding", "disable-chunked-encoding", BOOL, "`true` or `false`", "false"),
    OriginKey("proxyType", "proxy-type", PROXY_TYPE, "`socks`"),
    OriginKey("proxyAddress", "proxy-address", TEXT, "text", "127.0.0.1"),
    OriginKey("proxyPort", "proxy-port", PORT_NUMBER, "a port", "0"),
    OriginKey("bastionMode", "bastion-mode", BOOL, "`true` or `false`; needs `bastion` in `ALLOWED_SERVICES`", "false"),
    OriginKey("ipRules", "ip-rules", IP_RULES, "`allow 10.0.0.0/8 80 443, deny ::/0`: the first match wins"),
    OriginKey(
        "required",
        "access-required",
        BOOL,
        "`true` makes cloudflared verify the Access token; needs the team name and the audience tags",
        "false",
        is_access=True,
    ),
    OriginKey(
        "teamName",
        "access-team-name",
        TEAM,
        "the name of the team, such as `acme` for `acme.cloudflareaccess.com`",
        is_access=True,
    ),
    OriginKey(
        "audTag",
        "access-aud-tag",
        AUDIENCES,
        "comma-separated audience tags, of 64 hexadecimal digits each",
        is_access=True,
    ),
    OriginKey("environment", "access-environment", ENVIRONMENT, "`fed`, for a FedRAMP account", is_access=True),
)
"""Every key of `originRequest`, those of its `access` member last."""

ORIGIN_OPTIONS: Mapping[str, OriginKey] = {key.option: key for key in ORIGIN_KEYS}

_TOP = {fold_key(key.name): key for key in ORIGIN_KEYS if not key.is_access}
_UNDER_ACCESS = {fold_key(key.name): key for key in ORIGIN_KEYS if key.is_access}

ORIGIN_REQUEST_TYPE: GoType = object_of(
    {
        **{name: key.kind.go_type for name, key in _TOP.items()},
        ACCESS: object_of({name: key.kind.go_type for name, key in _UNDER_ACCESS.items()}),
    }
)
"""The struct that cloudflared decodes an `originRequest` into."""


def origin_request_of(options: Mapping[str, str]) -> dict[str, Json]:
    """Return the `originRequest` of canonical options."""
    origin: dict[str, Json] = {}
    access: dict[str, Json] = {}
    for option, text in sorted(options.items()):
        key = ORIGIN_OPTIONS[option]
        (access if key.is_access else origin)[key.name] = key.kind.parse(text)
    return {**origin, ACCESS: access} if access else origin


def options_of(origin_request: Mapping[str, Json]) -> dict[str, str]:
    """Return the canonical options of an `originRequest`; keys that we do not know are left out."""
    members = fold_pointers(origin_request)
    return _known(members, _TOP) | _known(fold_members(members.get(ACCESS)), _UNDER_ACCESS)


def _known(members: Mapping[str, Json], keys: Mapping[str, OriginKey]) -> dict[str, str]:
    return {keys[name].option: keys[name].kind.format(value) for name, value in members.items() if name in keys}


def merge_origin_request(existing: Mapping[str, Json], desired: Mapping[str, Json]) -> dict[str, Json]:
    """Return what is desired, and every key of the existing `originRequest` that we do not know."""
    merged = _unknown(existing, {*_TOP, ACCESS}) | dict(desired)
    access = desired.get(ACCESS)
    unknown = _unknown(fold_members(existing).get(ACCESS), _UNDER_ACCESS)
    if unknown:
        merged[ACCESS] = unknown | (access if isinstance(access, dict) else {})
    return merged


def _unknown(value: Json | Mapping[str, Json], known: Container[str]) -> dict[str, Json]:
    members = value if isinstance(value, Mapping) else {}
    return {key: member for key, member in members.items() if fold_key(key) not in known}


def same_origin_request(one: Mapping[str, Json], other: Mapping[str, Json]) -> bool:
    """Whether two say the same to cloudflared, as far as we know its keys."""
    return one == other or options_of(one) == options_of(other)
