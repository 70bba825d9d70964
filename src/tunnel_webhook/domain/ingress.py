"""A tunnel's configuration document: ordered rules, the first match wins, the last matches everything.

Cloudflare replaces the document only as a whole and cloudflared takes it only as a whole, so both halves of our promise live
here: a rule keeps the very text in which it stood, and matching is what cloudflared's is (ingress/ingress.go, rule.go).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Self

from tunnel_webhook.domain.document import (
    Json,
    elements,
    fold_key,
    folded,
    join_elements,
    join_members,
    members,
    parse_json,
    to_text,
)
from tunnel_webhook.domain.errors import InvalidConfiguration
from tunnel_webhook.domain.hostname import alias_of
from tunnel_webhook.domain.origin_request import merge_origin_request, same_origin_request
from tunnel_webhook.domain.regex import compile_re2

INGRESS = "ingress"
_RULE_KEYS = frozenset({"hostname", "path", "service", "originrequest"})
_HOST_AND_PORT = re.compile(r"(?:\[(?P<address>[^\[\]]*)\]|(?P<name>[^:\[\]]*)):[^:\[\]]*")
_NOTHING: Mapping[str, Json] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class IngressRule:
    """One rule, and the JSON text in which it stands; two rules are equal when their texts are.

    `hostname` is empty for a rule without one, `path` is an RE2 expression or empty. Members are found as cloudflared finds them,
    in any case; one of the wrong type reads as absent: whether cloudflared would take the rule is the question of `validity`.
    """

    text: str
    hostname: str = field(compare=False)
    path: str = field(compare=False)
    service: str = field(compare=False)
    origin_request: Mapping[str, Json] = field(compare=False, repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the rule that stands in a JSON text; raise InvalidConfiguration when it is not JSON."""
        return cls.from_value(text, parse_json(text))

    @classmethod
    def from_value(cls, text: str, value: Json) -> Self:
        """Return the rule of a JSON text that is already read."""
        rule = folded(value)
        origin = rule.get("originrequest")
        return cls(
            text=text,
            hostname=_string(rule, "hostname"),
            path=_string(rule, "path"),
            service=_string(rule, "service"),
            origin_request=MappingProxyType(origin) if isinstance(origin, dict) else _NOTHING,
        )

    @classmethod
    def make(cls, hostname: str, path: str, service: str, origin_request: Mapping[str, Json] = _NOTHING) -> Self:
        """Return a new rule, written as Cloudflare writes one: what is empty is left out."""
        parts: dict[str, Json] = {"hostname": hostname, "path": path, "service": service, "originRequest": dict(origin_request)}
        kept: dict[str, Json] = {key: value for key, value in parts.items() if value}
        return cls.from_value(to_text(kept), kept)

    def revised(self, wanted: IngressRule) -> IngressRule:
        """Return what is wanted in the place of this rule: itself when it already says so, else with its unknown keys kept."""
        if self.asks_the_same_as(wanted):
            return self
        origin = merge_origin_request(self.origin_request, wanted.origin_request)
        known = IngressRule.make(wanted.hostname, wanted.path, wanted.service, origin)
        unknown = (member for key, member in members(self.text) if fold_key(key) not in _RULE_KEYS)
        return IngressRule.parse(join_members((*(member for _, member in members(known.text)), *unknown)))

    def asks_the_same_as(self, other: IngressRule) -> bool:
        """Whether both route the same requests to the same service in the same way, as far as we know the keys."""
        return (
            self.hostname == other.hostname
            and self.path == other.path
            and self.service == other.service
            and same_origin_request(self.origin_request, other.origin_request)
        )

    @property
    def is_catch_all(self) -> bool:
        """Whether the rule matches every request."""
        return self.matches_every_host and not self.path

    @property
    def matches_every_host(self) -> bool:
        """Whether the rule has no hostname, or only `*`."""
        return self.hostname in {"", "*"}

    @property
    def belongs_to(self) -> str:
        """The hostname that owns the rule where that is claimed: its A-labels in lower case."""
        return alias_of(self.hostname) or self.hostname

    def covers(self, host: str) -> bool:
        """Whether the hostname covers a request's host, under its own spelling or as A-labels, whatever the path."""
        if self.matches_every_host or match_host(self.hostname, host):
            return True
        alias = alias_of(self.hostname)
        return bool(alias) and match_host(alias, host)

    def matches(self, host: str, path: str) -> bool:
        """Whether cloudflared routes a request for this host and (decoded) URL path here."""
        return self.covers(host) and (not self.path or compile_re2(self.path).search(path) is not None)


def _string(rule: Mapping[str, Json], key: str) -> str:
    value = rule.get(key)
    return value if isinstance(value, str) else ""


def without_port(host: str) -> str | None:
    """Return what stands before the port, as Go's `net.SplitHostPort` splits; None where there is no port."""
    match = _HOST_AND_PORT.fullmatch(host)
    return match and (match["address"] or match["name"] or "")


def match_host(pattern: str, host: str) -> bool:
    """Whether a rule's hostname covers a request's host: equal, or below a leading `*.` at any depth."""
    return pattern == host or (pattern.startswith("*.") and host.endswith(pattern[1:]))


CATCH_ALL = IngressRule.make("", "", "http_status:404")
"""What is added where a document has no catch-all."""


@dataclass(frozen=True, slots=True)
class TunnelConfiguration:
    """The rules of one tunnel in their order, and every other member of the document as text.

    `version` counts the writes, as Cloudflare does: 0 for a tunnel that was never written. A document without rules is legal
    here (a new tunnel has none); whether cloudflared takes one is the question of `validity`.
    """

    rules: tuple[IngressRule, ...] = ()
    version: int = field(default=0, compare=False)
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str, version: int = 0) -> Self:
        """Return the document of a JSON text, `null` being an empty one.

        Raises InvalidConfiguration when it is no object, or its ingress is no list or stands there twice.
        """
        value = parse_json(text)
        if value is None:
            return cls(version=version)
        if not isinstance(value, dict):
            message = f"the tunnel's configuration is not a JSON object but {type(value).__name__}"
            raise InvalidConfiguration(message)
        ingress = folded(value).get(INGRESS, [])
        if not isinstance(ingress, list):
            message = f"the tunnel's ingress is not a list but {type(ingress).__name__}"
            raise InvalidConfiguration(message)
        parts = members(text)
        places = [place for place, (key, _) in enumerate(parts) if fold_key(key) == INGRESS]
        if len(places) > 1:
            message = "the tunnel's configuration has more than one ingress, of which cloudflared would make one: remove the others"
            raise InvalidConfiguration(message)
        texts = tuple(member for _, member in parts)
        if not places:
            return cls(version=version, after=texts)
        before, member, after = texts[: places[0]], texts[places[0]], texts[places[0] + 1 :]
        found = elements(member[member.index("[") :]) if ingress else ()
        return cls(tuple(IngressRule.from_value(text, value) for text, value in found), version, before, after)

    @property
    def text(self) -> str:
        """The document as JSON, every part that was not replaced in the characters in which it came."""
        rules = join_elements(rule.text for rule in self.rules)
        return join_members((*self.before, f'"{INGRESS}":{rules}', *self.after))

    def with_rules(self, rules: tuple[IngressRule, ...]) -> Self:
        """Return this document with other rules."""
        return replace(self, rules=rules)

    def match(self, host: str, path: str) -> IngressRule | None:
        """Return the rule that answers a request; None only where there is no rule at all.

        A `:port` after the host means nothing, and where no rule matches the last one answers, as in cloudflared.
        """
        host = without_port(host) or host
        for rule in self.rules:
            if rule.matches(host, path):
                return rule
        return self.rules[-1] if self.rules else None
