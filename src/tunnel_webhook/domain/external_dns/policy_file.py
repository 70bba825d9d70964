"""The policy file: TOML, read strictly. One fault refuses the whole file, and its sentence names the table and field.

| in the file                                                     | outcome                         |
|-----------------------------------------------------------------|---------------------------------|
| not TOML                                                        | refused, with the line          |
| no `version`, or another one than 1                             | refused                         |
| an unknown key anywhere, or a value of another kind             | refused                         |
| no `[[allow]]`                                                  | refused: it would allow nothing |
| `namespaces` or `hostnames` missing in an `[[allow]]`, or empty | refused                         |
| a `[[deny]]` without a selector, or with an empty one           | refused: it would deny all      |
| a pattern of no known form                                      | refused                         |
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NoReturn, TypeVar, cast

from tunnel_webhook.domain.errors import DomainError
from tunnel_webhook.domain.external_dns.hostname_pattern import HostnamePattern
from tunnel_webhook.domain.external_dns.namespace import NamespacePattern
from tunnel_webhook.domain.external_dns.origin_pattern import OriginPattern
from tunnel_webhook.domain.external_dns.permissions import Allow, Deny, Permissions
from tunnel_webhook.domain.external_dns.property_groups import SAFE, properties_named
from tunnel_webhook.domain.quotation import quoted

VERSION = 1

_T = TypeVar("_T")
_TOP = ("version", "shared", "allow", "deny")
_ALLOW = ("namespaces", "hostnames", "except", "wildcards", "origins", "properties", "tunnels", "adopt", "access")
_DENY = ("namespaces", "hostnames", "origins", "properties")
_ACCESS = {"optional": False, "required": True}
_MOST_BYTES = 1024 * 1024


class InvalidPolicyFile(DomainError):
    """A policy file is refused; the message is one line."""


def parse_policy_file(text: str) -> Permissions:
    """Return what a policy file says. Raises InvalidPolicyFile."""
    if len(text) > _MOST_BYTES:
        message = f"the file has {len(text)} characters; at most {_MOST_BYTES} are read"
        raise InvalidPolicyFile(message)
    try:
        content = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        message = f"not TOML: {' '.join(str(error).split())}"
        raise InvalidPolicyFile(message) from error
    file = _Table("", content)
    file.check_keys(_TOP)
    if repr(content.get("version")) != repr(VERSION):
        file.refuse("version", f"must be {VERSION}")
    allow = tuple(_allow(number, table) for number, table in enumerate(file.tables("allow"), start=1))
    if not allow:
        file.refuse("allow", "is missing: without an [[allow]] table nothing may be published")
    deny = tuple(_deny(number, table) for number, table in enumerate(file.tables("deny"), start=1))
    return Permissions(allow, deny, file.values("shared", HostnamePattern.parse))


def _allow(number: int, table: _Table) -> Allow:
    table.check_keys(_ALLOW)
    access = table.text("access", "optional")
    if access not in _ACCESS:
        table.refuse("access", f"is {quoted(access)}: accepted are optional and required")
    defaults = Allow(number, (), ())
    return Allow(
        number=number,
        namespaces=table.required("namespaces", NamespacePattern),
        hostnames=table.required("hostnames", HostnamePattern.parse),
        excepted=table.values("except", HostnamePattern.parse),
        wildcards=table.flag("wildcards"),
        origins=table.some("origins", OriginPattern) or defaults.origins,
        properties=_joined(table.values("properties", properties_named, [SAFE])),
        tunnels=frozenset(table.some("tunnels", str)) or defaults.tunnels,
        adopt=table.flag("adopt"),
        requires_access=_ACCESS[access],
    )


def _deny(number: int, table: _Table) -> Deny:
    table.check_keys(_DENY)
    if not table.content:
        table.refuse("", f"has no selector, and would deny everything: give one of {', '.join(_DENY)}")
    properties = table.some("properties", properties_named)
    return Deny(
        number=number,
        namespaces=table.some("namespaces", NamespacePattern) or None,
        hostnames=table.some("hostnames", HostnamePattern.parse) or None,
        origins=table.some("origins", OriginPattern) or None,
        properties=_joined(properties) or None,
    )


def _joined(groups: tuple[frozenset[str], ...]) -> frozenset[str]:
    return frozenset(name for group in groups for name in group)


@dataclass(frozen=True, slots=True)
class _Table:
    """One table of the file; `name` is how a sentence calls it, empty for the top."""

    name: str
    content: Mapping[str, object]

    def refuse(self, field: str, fault: str, cause: Exception | None = None) -> NoReturn:
        message = " ".join(part for part in (self.name, field, fault) if part)
        raise InvalidPolicyFile(message) from cause

    def check_keys(self, known: tuple[str, ...]) -> None:
        unknown = sorted(self.content.keys() - set(known))
        if unknown:
            self.refuse(quoted(unknown[0]), f"is not a field: accepted are {', '.join(known)}")

    def tables(self, field: str) -> tuple[_Table, ...]:
        given = cast("list[dict[str, object]] | None", self._list(field, dict))
        if given is None:
            self.refuse(field, f"must be tables, each with the heading [[{field}]]")
        return tuple(_Table(f"[[{field}]] {number}", each) for number, each in enumerate(given, start=1))

    def flag(self, field: str) -> bool:
        given = self.content.get(field, False)
        if not isinstance(given, bool):
            self.refuse(field, "must be true or false")
        return given

    def text(self, field: str, default: str) -> str:
        given = self.content.get(field, default)
        if not isinstance(given, str):
            self.refuse(field, "must be a text in quotes")
        return given

    def values(self, field: str, parse: Callable[[str], _T], default: list[str] | None = None) -> tuple[_T, ...]:
        """Return a list of texts, each parsed."""
        given = self._list(field, str, default)
        if given is None:
            self.refuse(field, 'must be a list of texts, such as ["a", "b"]')
        try:
            return tuple(parse(each) for each in given)
        except (ValueError, DomainError) as error:
            self.refuse(field, f"is wrong: {error}", error)

    def some(self, field: str, parse: Callable[[str], _T]) -> tuple[_T, ...]:
        """Return a list that has at least one text where it is given."""
        if self.content.get(field) == []:
            self.refuse(field, "is an empty list: leave it out, or list something")
        return self.values(field, parse)

    def required(self, field: str, parse: Callable[[str], _T]) -> tuple[_T, ...]:
        """Return a list that must be given, and has at least one text."""
        if field not in self.content:
            self.refuse(field, "is missing")
        return self.some(field, parse)

    def _list(self, field: str, kind: type[_T], default: list[_T] | None = None) -> list[_T] | None:
        """Return a list of one kind of values; None where something else is given."""
        given = self.content.get(field, default or [])
        if not isinstance(given, list):
            return None
        values = cast("list[object]", given)
        return (
            [each for each in values if isinstance(each, kind)]
            if all(isinstance(each, kind) for each in values)
            else None
        )
