"""How Cloudflare stores one record that it is sent, and when it refuses it, before it looks at any other record.

| field     | stored as                                                  | refused                                     |
|-----------|------------------------------------------------------------|---------------------------------------------|
| `name`    | lower case, A-labels, no last dot; `@` is the zone's name, | names that DNS cannot hold: 9000            |
|           | which is appended to a name outside the zone               |                                             |
| `type`    | upper case                                                 | unknown: 9004                               |
| `content` | for a CNAME: lower case, no last dot                       | 9005, 9006, 9007, 9039 (its own name), 9207 |
| `ttl`     | 1 if proxied                                               | 9021                                        |
| `proxied` |                                                            | unless A, AAAA or CNAME: 9041               |
| `comment` |                                                            | longer than the plan allows: 9313           |
| `tags`    |                                                            | more than the plan allows: 9300             |
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping

import idna

from doubles.emulator.plans import Plan
from doubles.emulator.problems import (
    CNAME_TO_ITSELF,
    COMMENT_TOO_LONG,
    INVALID_A,
    INVALID_AAAA,
    INVALID_BODY,
    INVALID_CNAME,
    INVALID_NAME,
    INVALID_TTL,
    INVALID_TXT,
    INVALID_TYPE,
    NOT_PROXIABLE,
    TOO_MANY_TAGS,
    Problem,
    Refused,
)
from doubles.emulator.values import Record

PROXIABLE = frozenset({"A", "AAAA", "CNAME"})
_OTHER_TYPES = "CAA CERT DNSKEY DS HTTPS LOC MX NAPTR NS OPENPGPKEY PTR SMIMEA SRV SSHFP SVCB TLSA TXT URI"
_TYPES = PROXIABLE | frozenset(_OTHER_TYPES.split())
_LABEL = re.compile(r"[a-z0-9_*](?:[a-z0-9_*-]{0,61}[a-z0-9_*])?")
_HOSTNAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"(?:\s+"(?:[^"\\]|\\.)*")*')
_MAX_NAME, _MAX_TXT, _MAX_TTL = 255, 2048, 86_400


def full_name(name: str, zone: str) -> str:
    """Return a record's name as it is stored; raise Refused for a name that DNS cannot hold."""
    bare = name.strip().removesuffix(".")
    labels = [] if bare in {"@", ""} else [_a_label(label) for label in bare.split(".")]
    written = ".".join(labels)
    full = written if written == zone or written.endswith(f".{zone}") else ".".join([*labels, zone])
    if not name or len(full) > _MAX_NAME or not all(_LABEL.fullmatch(label) for label in full.split(".")):
        raise Refused(INVALID_NAME)
    return full


def _a_label(label: str) -> str:
    if label.isascii():
        return label.lower()
    try:
        return idna.encode(label, uts46=True).decode()
    except idna.IDNAError as error:
        raise Refused(INVALID_NAME) from error


def stored_content(kind: str, content: str) -> str:
    """Return a content as it is stored."""
    return content.strip().lower().removesuffix(".") if kind == "CNAME" else content


def check_record(record: Record, plan: Plan) -> None:
    """Raise Refused, with the first fault, for a record that Cloudflare would not store."""
    if record.type not in _TYPES:
        raise Refused(INVALID_TYPE)
    is_valid, problem = _CONTENTS.get(record.type, (bool, INVALID_BODY))
    if not is_valid(record.content):
        raise Refused(problem)
    if record.type == "CNAME" and record.content == record.name:
        raise Refused(CNAME_TO_ITSELF)
    if record.proxied and record.type not in PROXIABLE:
        raise Refused(NOT_PROXIABLE)
    if record.ttl != 1 and not plan.least_ttl <= record.ttl <= _MAX_TTL:
        raise Refused(INVALID_TTL.about(plan.least_ttl))
    _check_notes(record, plan)


def _check_notes(record: Record, plan: Plan) -> None:
    comment = record.comment or ""
    if "\n" in comment or "\r" in comment:
        raise Refused(INVALID_BODY)
    if len(comment) > plan.comment:
        raise Refused(COMMENT_TOO_LONG.about(plan.comment))
    if len(record.tags) > plan.tags:
        raise Refused(TOO_MANY_TAGS.about(len(record.tags), plan.tags))


def _is_address(version: int) -> Callable[[str], bool]:
    def is_address(content: str) -> bool:
        try:
            return ipaddress.ip_address(content).version == version
        except ValueError:
            return False

    return is_address


def _is_text(content: str) -> bool:
    """Whether a TXT content is a series of quoted strings, or has no quotes at all."""
    return 0 < len(content) <= _MAX_TXT and ('"' not in content or _QUOTED.fullmatch(content) is not None)


def _is_hostname(content: str) -> bool:
    return (
        len(content) <= _MAX_NAME
        and "." in content
        and _HOSTNAME.fullmatch(content) is not None
        and not _is_ipv4(content)
    )


_is_ipv4 = _is_address(4)
_CONTENTS: Mapping[str, tuple[Callable[[str], bool], Problem]] = {
    "A": (_is_ipv4, INVALID_A),
    "AAAA": (_is_address(6), INVALID_AAAA),
    "CNAME": (_is_hostname, INVALID_CNAME),
    "TXT": (_is_text, INVALID_TXT),
}
