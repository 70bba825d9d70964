"""Whether cloudflared accepts a document, in its own words (ingress/ingress.go, config/configuration.go).

For one bad rule cloudflared refuses the whole document, and Cloudflare answers code 1056. The checks, in their order:

| check                                                    | made                                      |
|----------------------------------------------------------|-------------------------------------------|
| every known member has its type, durations are integers  | by Go's JSON decoder, keys in any case    |
| there is at least one rule                               | by the API                                |
| the service is one that cloudflared knows                | per rule, first                           |
| `access` with audience tags has a team name              | per rule, if required                     |
| the hostname has no port and at most one leading `*`     | per rule                                  |
| the last rule, and only the last, matches everything     | per rule                                  |
| the path is RE2                                          | per rule, last                            |
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import cast

from tunnel_webhook.domain.cloudflared.go_json import (
    fold_key,
    fold_members,
    is_int64,
    is_string,
    is_uint64,
    list_of,
    mistyped_member,
    object_of,
)
from tunnel_webhook.domain.cloudflared.ingress import INGRESS, TunnelConfiguration, without_port
from tunnel_webhook.domain.cloudflared.json_text import Json, parse_json
from tunnel_webhook.domain.cloudflared.origin_request import ORIGIN_REQUEST_TYPE
from tunnel_webhook.domain.cloudflared.re2_syntax import TOO_LARGE, re2_fault
from tunnel_webhook.domain.cloudflared.url import parse_url
from tunnel_webhook.domain.errors import InvalidConfiguration

_STATUS = re.compile(r"[+-]?[0-9]{1,4000}")
_STATUS_CODES = range(100, 1000)
_MAX_PORT = 65_535
_RULE = object_of(
    {"hostname": is_string, "path": is_string, "service": is_string, "originrequest": ORIGIN_REQUEST_TYPE}
)
_WARP_ROUTING = object_of({"connecttimeout": is_int64, "maxactiveflows": is_uint64, "tcpkeepalive": is_int64})
_DOCUMENT = {"originrequest": ORIGIN_REQUEST_TYPE, INGRESS: list_of(_RULE), "warp-routing": _WARP_ROUTING}


def check_configuration(configuration: TunnelConfiguration) -> None:
    """Raise InvalidConfiguration, in cloudflared's words, when cloudflared would refuse the document."""
    document = cast("dict[str, Json]", parse_json(configuration.text))
    mistyped = mistyped_member(document, _DOCUMENT)
    if mistyped:
        where = _mistyped_rule(document) if fold_key(mistyped) == INGRESS else ""
        message = f"json: cannot unmarshal {mistyped}{where}: a member has the wrong type (durations are whole seconds)"
        raise InvalidConfiguration(message)
    members = fold_members(document)
    rules = [fold_members(rule) for rule in cast("list[Json]", members.get(INGRESS, []))]
    if not rules:
        message = "The config file doesn't contain any ingress rules"
        raise InvalidConfiguration(message)
    bastion = fold_members(members.get("originrequest")).get("bastionmode") is True
    for index, rule in enumerate(rules):
        fault = (
            _service_fault(rule, bastion=bastion)
            or _access_fault(rule)
            or _hostname_fault(rule, index, is_last=index == len(rules) - 1)
            or _path_fault(rule, index)
        )
        if fault:
            raise InvalidConfiguration(fault)


def _mistyped_rule(document: dict[str, Json]) -> str:
    rules = fold_members(document).get(INGRESS)
    numbered = enumerate(rules if isinstance(rules, list) else [], start=1)
    return next((f" (rule #{number})" for number, rule in numbered if rule is not None and not _RULE(rule)), "")


def _text(rule: Mapping[str, Json], key: str) -> str:
    return cast("str", rule.get(key, ""))


def _service_fault(rule: Mapping[str, Json], *, bastion: bool) -> str:
    service = _text(rule, "service")
    origin = fold_members(rule.get("originrequest"))
    if service.startswith(("unix:", "unix+tls:")) or service in {"hello_world", "hello-world"}:
        return ""
    if service.startswith("http_status:"):
        return _status_fault(service.removeprefix("http_status:"))
    if service == "socks-proxy":
        return _ip_rules_fault(cast("list[Json]", origin.get("iprules", [])))
    if service == "bastion" or origin.get("bastionmode", bastion):
        return ""
    return _url_fault(service)


def _status_fault(code: str) -> str:
    if _STATUS.fullmatch(code) is None:
        return f'invalid HTTP status code: strconv.Atoi: parsing "{code}": invalid syntax'
    if not is_int64(int(code)):
        return f'invalid HTTP status code: strconv.Atoi: parsing "{code}": value out of range'
    return "" if int(code) in _STATUS_CODES else f"invalid HTTP status code: {int(code)}"


def _url_fault(service: str) -> str:
    try:
        url = parse_url(service)
    except ValueError as error:
        return f'parse "{service}": {error}'
    if not url.scheme or not url.hostname:
        return f"{service} is an invalid address, please make sure it has a scheme and a hostname"
    if url.path:
        return (
            f"{service} is an invalid address, ingress rules don't support proxying to a different path on the origin"
            " service. The path will be the same as the eyeball request's path"
        )
    return ""


def _ip_rules_fault(rules: list[Json]) -> str:
    for rule in map(fold_members, rules):
        prefix = _text(rule, "prefix")
        if not prefix:
            return "unable to create ip rule for socks-proxy: no prefix provided"
        if "/" not in prefix or not _is_cidr(prefix):
            return f"unable to create ip rule for socks-proxy: unable to parse cidr: {prefix}"
        for port in cast("list[int]", rule.get("ports", [])):
            if not 1 <= (port or 0) <= _MAX_PORT:
                fault = f"invalid port {port or 0}, needs to be between 1 and 65535"
                return f"unable to create ip rule for socks-proxy: {fault}"
    return ""


def _is_cidr(prefix: str) -> bool:
    address, _, bits = prefix.partition("/")
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return bits.isascii() and bits.isdigit() and len(bits) <= len("128") and int(bits) <= parsed.max_prefixlen


def _access_fault(rule: Mapping[str, Json]) -> str:
    access = fold_members(fold_members(rule.get("originrequest")).get("access"))
    if access.get("required") is True and not access.get("teamname") and access.get("audtag"):
        return "access.TeamName cannot be blank when access.audTags are present"
    return ""


def _hostname_fault(rule: Mapping[str, Json], index: int, *, is_last: bool) -> str:
    hostname, path = _text(rule, "hostname"), _text(rule, "path")
    if without_port(hostname) is not None:
        return "Hostname cannot contain a port"
    if hostname.rfind("*") > 0:
        return (
            'Hostname patterns can have at most one wildcard character ("*") and it can only be used for subdomains,'
            ' e.g. "*.example.com"'
        )
    catch_all = hostname in {"", "*"} and not path
    if is_last and not catch_all:
        return "The last ingress rule must match all URLs (i.e. it should not have a hostname or path filter)"
    if catch_all and not is_last:
        return (
            f"Rule #{index + 1} is matching the hostname '{hostname}', but this will match every hostname,"
            " meaning the rules which follow it will never be triggered."
        )
    return ""


def _path_fault(rule: Mapping[str, Json], index: int) -> str:
    fault = re2_fault(_text(rule, "path"))
    # Go takes a far larger program than we judge; we write no such path, and what is stored was accepted already.
    if fault in {"", TOO_LARGE}:
        return ""
    return f"Rule #{index + 1} has an invalid regex: error parsing regexp: {fault}"
