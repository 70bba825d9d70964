"""Whether cloudflared takes a document, in its own words (ingress/ingress.go `validateIngress`, config/configuration.go).

One bad rule and cloudflared refuses the whole document, Cloudflare with code 1056. The checks, in their order:

| check                                                    | said by                                   |
|----------------------------------------------------------|-------------------------------------------|
| every known member has its type, durations are integers  | Go's JSON decoder, keys in any case       |
| there is at least one rule                               | the API                                   |
| the service is one that cloudflared knows                | per rule, first                           |
| `access` with audience tags has a team name              | per rule, if required                     |
| the hostname has no port and at most one leading `*`     | per rule                                  |
| the last rule, and only the last, matches everything     | per rule                                  |
| the path is RE2                                          | per rule, last                            |
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import cast

from tunnel_webhook.domain.document import Json, fold_key, folded, parse_json
from tunnel_webhook.domain.errors import InvalidConfiguration
from tunnel_webhook.domain.ingress import INGRESS, TunnelConfiguration, without_port
from tunnel_webhook.domain.regex import compile_re2
from tunnel_webhook.domain.url import parse_url

_INT64 = range(-(2**63), 2**63)
_UINT64 = range(2**64)
_STATUS = re.compile(r"[+-]?[0-9]{1,4000}")
_MAX_PORT = 65_535

Shape = Callable[[Json], bool]


def _boolean(value: Json) -> bool:
    return isinstance(value, bool)


def _string(value: Json) -> bool:
    return isinstance(value, str)


def _int64(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value in _INT64


def _uint64(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value in _UINT64


def _list_of(shape: Shape) -> Shape:
    return lambda value: isinstance(value, list) and all(item is None or shape(item) for item in value)


def _object_of(shapes: Mapping[str, Shape]) -> Shape:
    return lambda value: isinstance(value, dict) and not _misfit(value, shapes)


_ACCESS: Mapping[str, Shape] = {"required": _boolean, "teamname": _string, "audtag": _list_of(_string), "environment": _string}
_IP_RULE: Mapping[str, Shape] = {"prefix": _string, "ports": _list_of(_int64), "allow": _boolean}
_ORIGIN: Mapping[str, Shape] = {
    "connecttimeout": _int64,
    "tlstimeout": _int64,
    "tcpkeepalive": _int64,
    "nohappyeyeballs": _boolean,
    "keepaliveconnections": _int64,
    "keepalivetimeout": _int64,
    "httphostheader": _string,
    "originservername": _string,
    "matchsnitohost": _boolean,
    "capool": _string,
    "notlsverify": _boolean,
    "disablechunkedencoding": _boolean,
    "bastionmode": _boolean,
    "proxyaddress": _string,
    "proxyport": _uint64,
    "proxytype": _string,
    "iprules": _list_of(_object_of(_IP_RULE)),
    "http2origin": _boolean,
    "access": _object_of(_ACCESS),
}
_RULE: Mapping[str, Shape] = {"hostname": _string, "path": _string, "service": _string, "originrequest": _object_of(_ORIGIN)}
_DOCUMENT: Mapping[str, Shape] = {
    "originrequest": _object_of(_ORIGIN),
    INGRESS: _list_of(_object_of(_RULE)),
    "warp-routing": _object_of({"connecttimeout": _int64, "maxactiveflows": _uint64, "tcpkeepalive": _int64}),
}


def _misfit(values: Mapping[str, Json], shapes: Mapping[str, Shape]) -> str:
    """Return the first member that Go could not decode, or nothing; unknown members and nulls are passed over."""
    for key, value in values.items():
        shape = shapes.get(fold_key(key))
        if shape is not None and value is not None and not shape(value):
            return key
    return ""


def check(configuration: TunnelConfiguration) -> None:
    """Raise InvalidConfiguration, in cloudflared's words, when cloudflared would refuse the document."""
    document = cast("dict[str, Json]", parse_json(configuration.text))
    misfit = _misfit(document, _DOCUMENT)
    if misfit:
        where = _misfit_rule(document) if fold_key(misfit) == INGRESS else ""
        message = f"json: cannot unmarshal {misfit}{where}: a member has the wrong type (durations are whole seconds)"
        raise InvalidConfiguration(message)
    seen = folded(document)
    rules = [folded(rule) for rule in cast("list[Json]", seen.get(INGRESS, []))]
    if not rules:
        message = "The config file doesn't contain any ingress rules"
        raise InvalidConfiguration(message)
    bastion = folded(seen.get("originrequest")).get("bastionmode") is True
    for index, rule in enumerate(rules):
        fault = (
            _service_fault(rule, bastion=bastion)
            or _access_fault(rule)
            or _hostname_fault(rule, index, is_last=index == len(rules) - 1)
            or _path_fault(rule, index)
        )
        if fault:
            raise InvalidConfiguration(fault)


def _misfit_rule(document: dict[str, Json]) -> str:
    shape = _object_of(_RULE)
    rules = folded(document).get(INGRESS)
    numbered = enumerate(rules if isinstance(rules, list) else [], start=1)
    return next((f" (rule #{number})" for number, rule in numbered if rule is not None and not shape(rule)), "")


def _text(rule: Mapping[str, Json], key: str) -> str:
    return cast("str", rule.get(key, ""))


def _service_fault(rule: Mapping[str, Json], *, bastion: bool) -> str:
    service = _text(rule, "service")
    origin = folded(rule.get("originrequest"))
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
    if int(code) not in _INT64:
        return f'invalid HTTP status code: strconv.Atoi: parsing "{code}": value out of range'
    return "" if 100 <= int(code) <= 999 else f"invalid HTTP status code: {int(code)}"  # noqa: PLR2004 -- cloudflared's own bounds


def _url_fault(service: str) -> str:
    try:
        url = parse_url(service)
    except ValueError as error:
        return f'parse "{service}": {error}'
    if not url.scheme or not url.hostname:
        return f"{service} is an invalid address, please make sure it has a scheme and a hostname"
    if url.path:
        return (
            f"{service} is an invalid address, ingress rules don't support proxying to a different path on the origin service."
            " The path will be the same as the eyeball request's path"
        )
    return ""


def _ip_rules_fault(rules: list[Json]) -> str:
    for rule in map(folded, rules):
        prefix = _text(rule, "prefix")
        if not prefix:
            return "unable to create ip rule for socks-proxy: no prefix provided"
        if "/" not in prefix or not _is_cidr(prefix):
            return f"unable to create ip rule for socks-proxy: unable to parse cidr: {prefix}"
        for port in cast("list[int]", rule.get("ports", [])):
            if not 1 <= (port or 0) <= _MAX_PORT:
                return f"unable to create ip rule for socks-proxy: invalid port {port or 0}, needs to be between 1 and 65535"
    return ""


def _is_cidr(prefix: str) -> bool:
    address, _, bits = prefix.partition("/")
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return bits.isascii() and bits.isdigit() and len(bits) <= len("128") and int(bits) <= parsed.max_prefixlen


def _access_fault(rule: Mapping[str, Json]) -> str:
    access = folded(folded(rule.get("originrequest")).get("access"))
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
    path = _text(rule, "path")
    try:
        compile_re2(path)
    except ValueError as error:
        return f"Rule #{index + 1} has an invalid regex: error parsing regexp: {error}"
    return ""
