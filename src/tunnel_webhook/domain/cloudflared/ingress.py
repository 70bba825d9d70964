"""A tunnel's configuration document: ordered rules; the first match wins, and the last rule matches everything.

Cloudflare replaces the document only as a whole and cloudflared accepts it only as a whole, so both halves of our
promise live here: a rule keeps its exact text, and matches as it does in cloudflared (ingress/ingress.go, rule.go).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Self, cast

from tunnel_webhook.domain.cloudflared.alias import alias_of
from tunnel_webhook.domain.cloudflared.go_json import fold_key, fold_members, fold_pointers
from tunnel_webhook.domain.cloudflared.json_text import (
    Json,
    elements,
    join_elements,
    join_members,
    members,
    parse_json,
    to_text,
)
from tunnel_webhook.domain.cloudflared.origin_request import merge_origin_request, same_origin_request
from tunnel_webhook.domain.cloudflared.re2_syntax import compile_re2
from tunnel_webhook.domain.errors import InvalidConfiguration
from tunnel_webhook.domain.memo import MIB, Memo, weight_of_texts

INGRESS = "ingress"
# RE2 needs more than Go for the same expression: with this, whatever Go compiles can be matched here.
_MATCHING_MEMORY = 1024 * 1024 * 1024
_RULE_KEYS = frozenset({"hostname", "path", "service", "originrequest"})
_HOST_AND_PORT = re.compile(r"(?:\[(?P<address>[^\[\]]*)\]|(?P<name>[^:\[\]]*)):[^:\[\]]*")
_NOTHING: Mapping[str, Json] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class IngressRule:
    """One rule and its JSON text; two rules are equal if their texts are.

    `hostname` is empty for a rule without one, `path` is an RE2 expression or empty. Members are found as cloudflared
    finds them, in any case; one of the wrong type counts as absent: `validation` judges the whole document.
    """

    text: str
    hostname: str = field(compare=False)
    path: str = field(compare=False)
    service: str = field(compare=False)
    origin_request: Mapping[str, Json] = field(compare=False, repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the rule of a JSON text; raise InvalidConfiguration when it is not JSON."""
        return cls.from_value(text, parse_json(text))

    @classmethod
    def from_value(cls, text: str, value: Json) -> Self:
        """Return the rule of a JSON text, given its value."""
        rule = fold_members(value)
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
        """Return a new rule, written as Cloudflare writes one: empty members are left out."""
        parts: dict[str, Json] = {
            "hostname": hostname,
            "path": path,
            "service": service,
            "originRequest": dict(origin_request),
        }
        text = to_text({key: value for key, value in parts.items() if value})
        return cls(text, hostname, path, service, MappingProxyType(dict(origin_request)))

    def revised(self, desired: IngressRule) -> IngressRule:
        """Return the rule that replaces this one: itself if it already says the same, else with its unknown keys."""
        if self.is_equivalent_to(desired):
            return self
        origin = merge_origin_request(self.origin_request, desired.origin_request)
        known = IngressRule.make(desired.hostname, desired.path, desired.service, origin)
        unknown = (member for key, member in members(self.text) if fold_key(key) not in _RULE_KEYS)
        return replace(known, text=join_members((*(member for _, member in members(known.text)), *unknown)))

    def is_equivalent_to(self, other: IngressRule) -> bool:
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
    def canonical_hostname(self) -> str:
        """The rule's hostname as lower-case A-labels, where Go knows it as such: the name that a claim has."""
        return alias_of(self.hostname) or self.hostname

    def covers(self, host: str) -> bool:
        """Whether the hostname covers a request's host, under its own spelling or as A-labels, whatever the path."""
        if self.matches_every_host or match_host(self.hostname, host):
            return True
        alias = alias_of(self.hostname)
        return bool(alias) and match_host(alias, host)

    def matches(self, host: str, path: str) -> bool:
        """Whether cloudflared routes a request for this host and (decoded) URL path here."""
        if not self.covers(host):
            return False
        return not self.path or compile_re2(self.path, _MATCHING_MEMORY).search(path) is not None


def _string(rule: Mapping[str, Json], key: str) -> str:
    value = rule.get(key)
    return value if isinstance(value, str) else ""


def without_port(host: str) -> str | None:
    """Return the host before a port, as Go's `net.SplitHostPort` splits them; None where there is no port."""
    match = _HOST_AND_PORT.fullmatch(host)
    return match and (match["address"] or match["name"] or "")


def match_host(pattern: str, host: str) -> bool:
    """Whether a rule's hostname covers a request's host: equal, or below a leading `*.` at any depth."""
    return pattern == host or (pattern.startswith("*.") and host.endswith(pattern[1:]))


CATCH_ALL = IngressRule.make("", "", "http_status:404")
"""The catch-all that is added to a document without one."""


@dataclass(frozen=True, slots=True)
class TunnelConfiguration:
    """The rules of one tunnel in their order, and every other member of the document as text.

    `version` counts the writes, as Cloudflare does: 0 for a tunnel that was never written. A document without rules is
    legal here, since a new tunnel has none.
    """

    rules: tuple[IngressRule, ...] = ()
    version: int = field(default=0, compare=False)
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str, version: int = 0) -> Self:
        """Return the document of a JSON text; `null` is an empty one.

        Raises InvalidConfiguration when it is not an object, or its ingress is not a list or occurs twice.
        """
        value = parse_json(text)
        if value is None:
            return cls(version=version)
        if not isinstance(value, dict):
            message = f"the tunnel's configuration is not a JSON object but {type(value).__name__}"
            raise InvalidConfiguration(message)
        ingress = fold_members(value).get(INGRESS, [])
        if not isinstance(ingress, list):
            message = f"the tunnel's ingress is not a list but {type(ingress).__name__}"
            raise InvalidConfiguration(message)
        parts = members(text)
        indexes = [index for index, (key, _) in enumerate(parts) if fold_key(key) == INGRESS]
        if len(indexes) > 1:
            message = "the tunnel's configuration has more than one ingress, and cloudflared would merge them: keep one"
            raise InvalidConfiguration(message)
        texts = tuple(member for _, member in parts)
        if not indexes:
            return cls(version=version, after=texts)
        before, member, after = texts[: indexes[0]], texts[indexes[0]], texts[indexes[0] + 1 :]
        pairs = elements(member[member.index("[") :]) if ingress else ()
        return cls(tuple(IngressRule.from_value(text, value) for text, value in pairs), version, before, after)

    @property
    def text(self) -> str:
        """The document as JSON; every part that was not replaced has its original characters."""
        rules = join_elements(rule.text for rule in self.rules)
        return join_members((*self.before, f'"{INGRESS}":{rules}', *self.after))

    @property
    def origin_request(self) -> Mapping[str, Json]:
        """The document's own `originRequest`, which its rules inherit; empty where it has none."""
        return _origin_requests[self.before + self.after]

    def with_rules(self, rules: tuple[IngressRule, ...]) -> Self:
        """Return this document with other rules."""
        return replace(self, rules=rules)

    def match(self, host: str, path: str) -> IngressRule | None:
        """Return the rule that answers a request; None only where there is no rule at all.

        A `:port` after the host is ignored, and where no rule matches the last one answers, as in cloudflared.
        """
        host = without_port(host) or host
        for rule in self.rules:
            if rule.matches(host, path):
                return rule
        return self.rules[-1] if self.rules else None


def _origin_request_among(texts: tuple[str, ...]) -> Mapping[str, Json]:
    document = cast("dict[str, Json]", parse_json(join_members(texts)))
    origin = fold_pointers(document).get("originrequest")
    return MappingProxyType(origin) if isinstance(origin, dict) else _NOTHING


def _weigh(texts: tuple[str, ...], _: Mapping[str, Json]) -> int:
    return 2 * weight_of_texts(texts, "")


_origin_requests = Memo(_origin_request_among, _weigh, MIB)
