"""Permissions: who may publish which hostname, to which origin, and how.

They are what a policy file says. The decision about one endpoint:

| an endpoint                                                              | is                       |
|--------------------------------------------------------------------------|--------------------------|
| any `deny` matches                                                       | denied                   |
| a table that covers its namespace and hostname says `access = "required"`, | denied                 |
| and it does not require Access                                           |                          |
| one `allow` table accepts all of it                                      | allowed                  |
| else                                                                     | denied                   |

So the order of tables means nothing, an added deny never allows, and an added allow never takes back a `required`.
A wildcard hostname is allowed only where every name below it is, and denied where any of them is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from tunnel_webhook.domain.external_dns.denied_origins import denial_of
from tunnel_webhook.domain.external_dns.hostname_pattern import HostnamePattern
from tunnel_webhook.domain.external_dns.namespace import NamespacePattern
from tunnel_webhook.domain.external_dns.origin_pattern import OriginPattern, OriginScope
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.quotation import listed, shortened

DEFAULT_TUNNEL = "default"
ANY_TUNNEL = "*"


@dataclass(frozen=True, slots=True)
class Ask:
    """What one endpoint asks for, as far as permissions decide about it.

    `origins` are all services that could be its origin; `tunnel` the names by which a table may mean its tunnel;
    `properties` their names without `webhook/`, `path-regex` for a path that is neither a prefix nor exact.
    """

    namespace: str
    hostname: Hostname
    origins: tuple[str, ...]
    tunnel: frozenset[str]
    properties: frozenset[str]
    requires_access: bool

    @property
    def asker(self) -> str:
        """The namespace, for a sentence."""
        return f"namespace {self.namespace}" if self.namespace else "an endpoint that names no namespace"


@dataclass(frozen=True, slots=True)
class Allow:
    """One `[[allow]]` table; `number` is its place among them, from 1."""

    number: int
    namespaces: tuple[NamespacePattern, ...]
    hostnames: tuple[HostnamePattern, ...]
    excepted: tuple[HostnamePattern, ...] = ()
    wildcards: bool = False
    origins: tuple[OriginPattern, ...] = (OriginPattern("same-namespace"), OriginPattern("default-origin"))
    properties: frozenset[str] = frozenset()
    tunnels: frozenset[str] = frozenset({DEFAULT_TUNNEL})
    adopt: bool = False
    requires_access: bool = False

    @property
    def name(self) -> str:
        """The table as the operator finds it in the file."""
        return f"[[allow]] {self.number}"

    def covers(self, namespace: str, hostname: Hostname) -> bool:
        """Whether the table allows a namespace the whole of a hostname."""
        return (
            _any_matches(self.namespaces, namespace)
            and any(pattern.covers(hostname) for pattern in self.hostnames)
            and not any(pattern.touches(hostname) for pattern in self.excepted)
            and (self.wildcards or not hostname.startswith("*."))
        )

    def concerns(self, namespace: str, hostname: Hostname) -> bool:
        """Whether the table is about any name that a namespace would serve with a hostname."""
        return (
            _any_matches(self.namespaces, namespace)
            and any(pattern.touches(hostname) for pattern in self.hostnames)
            and not any(pattern.covers(hostname) for pattern in self.excepted)
        )

    def objections(self, ask: Ask, scope: OriginScope) -> tuple[tuple[str, str], ...]:
        """Return what the table does not accept: each field in the order in which it is read, and the fault."""
        hostname = ask.hostname
        wildcard = hostname.startswith("*.") and not self.wildcards
        covered = any(pattern.covers(hostname) for pattern in self.hostnames)
        excepted = any(pattern.touches(hostname) for pattern in self.excepted)
        refused = next((origin for origin in ask.origins if not _is_accepted(origin, self.origins, scope)), "")
        denial = denial_of(refused)
        unnamed = ask.properties - self.properties
        checks = (
            ("namespaces", "" if _any_matches(self.namespaces, ask.namespace) else f"does not name {ask.asker}"),
            ("hostnames", "" if covered else f"does not cover {hostname}"),
            ("except", f"takes {hostname} out" if excepted else ""),
            ("wildcards", f"is false, and {hostname} is a wildcard" if wildcard else ""),
            ("tunnels", "" if ask.tunnel & self.tunnels else f"does not list {min(ask.tunnel)}"),
            ("origins", _origin_fault(refused, denial)),
            ("properties", f"does not list {listed(unnamed)}" if unnamed else ""),
        )
        return tuple((field, fault) for field, fault in checks if fault)


@dataclass(frozen=True, slots=True)
class Deny:
    """One `[[deny]]` table; a selector of None matches everything, and `number` is its place among them, from 1."""

    number: int
    namespaces: tuple[NamespacePattern, ...] | None = None
    hostnames: tuple[HostnamePattern, ...] | None = None
    origins: tuple[OriginPattern, ...] | None = None
    properties: frozenset[str] | None = None

    @property
    def name(self) -> str:
        """The table as the operator finds it in the file."""
        return f"[[deny]] {self.number}"

    def matches(self, ask: Ask, scope: OriginScope) -> bool:
        """Whether every selector matches something that is asked."""
        return (
            (self.namespaces is None or _any_matches(self.namespaces, ask.namespace))
            and (self.hostnames is None or any(pattern.touches(ask.hostname) for pattern in self.hostnames))
            and (
                self.origins is None
                or any(pattern.touches(origin, scope) for pattern in self.origins for origin in ask.origins)
            )
            and (self.properties is None or bool(self.properties & ask.properties))
        )


@dataclass(frozen=True, slots=True)
class Permissions:
    """The tables of a policy file, and the hostnames that several namespaces may share."""

    allow: tuple[Allow, ...]
    deny: tuple[Deny, ...] = ()
    shared: tuple[HostnamePattern, ...] = ()

    def objection(self, ask: Ask, scope: OriginScope) -> str:
        """Return why an endpoint is denied, naming the nearest table and its field; nothing if it is allowed."""
        return next(self._objections(ask, scope), "")

    def may_adopt(self, hostname: Hostname, namespace: str) -> bool:
        """Whether a namespace may take over what a person made for a hostname."""
        return any(table.adopt and table.covers(namespace, hostname) for table in self.allow)

    def is_shared(self, hostname: str) -> bool:
        """Whether several namespaces may have a path each of a hostname."""
        return any(pattern.covers(hostname) for pattern in self.shared)

    def _objections(self, ask: Ask, scope: OriginScope) -> Iterator[str]:
        for denying in self.deny:
            if denying.matches(ask, scope):
                yield f"{denying.name} denies {ask.hostname} to {ask.asker}"
        for table in self.allow:
            if table.requires_access and not ask.requires_access and table.concerns(ask.namespace, ask.hostname):
                yield f"{table.name}: access is required for {ask.hostname}, and the endpoint does not require Access"
        objections = [(table, table.objections(ask, scope)) for table in self.allow]
        if all(faults for _, faults in objections):
            table, (field, fault) = _nearest(objections)
            yield f"the nearest table is {table.name}, and its {field} {fault}"


def _nearest(objections: Iterable[tuple[Allow, tuple[tuple[str, str], ...]]]) -> tuple[Allow, tuple[str, str]]:
    """Return the table whose first objection comes last, and that objection."""
    order = ("namespaces", "hostnames", "except", "wildcards", "tunnels", "origins", "properties")
    table, faults = max(objections, key=lambda found: (order.index(found[1][0][0]), -len(found[1]), -found[0].number))
    return table, faults[0]


def unnamed_denial(origins: Iterable[str], named: Collection[str]) -> str:
    """Return why origins are denied where no policy file decides: one that is denied unless it is named; or nothing."""
    for origin in origins:
        denial = denial_of(origin)
        if denial and not any(_lifts(OriginPattern(text), origin) for text in named if text):
            return f"origin {shortened(origin)} is {denial}; only ALLOWED_ORIGINS can allow it, by naming exactly it"
    return ""


def _lifts(pattern: OriginPattern, origin: str) -> bool:
    """Whether a pattern names exactly this origin."""
    return pattern.is_literal and pattern.accepts(origin, OriginScope())


def _any_matches(patterns: Iterable[NamespacePattern], namespace: str) -> bool:
    return any(pattern.matches(namespace) for pattern in patterns)


def _is_accepted(origin: str, patterns: Iterable[OriginPattern], scope: OriginScope) -> bool:
    accepting = [pattern for pattern in patterns if pattern.accepts(origin, scope)]
    return any(pattern.is_literal or pattern.text == "default-origin" for pattern in accepting) or (
        bool(accepting) and not denial_of(origin)
    )


def _origin_fault(refused: str, denial: str) -> str:
    if not refused:
        return ""
    if denial:
        return f"does not name exactly {shortened(refused)}, which is {denial}"
    return f"does not list {shortened(refused)}"
