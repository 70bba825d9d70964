"""The order of rules: where managed rules go among bystanders, so that each is reached and no bystander is rerouted.

A rule is managed if its hostname is claimed, by any owner, and the claim names its path; every other is a bystander.
Pattern A is *broader* than B when A's hosts strictly contain B's: hostless > shorter wildcard > longer wildcard >
exact. Bystanders keep their order and the catch-all its last place. A bystander is *dead* when an earlier path-less
bystander has the same or a broader pattern. A managed rule goes directly before the first bystander that is broader,
after the last live bystander that is narrower; else before the catch-all. Of the bystanders of its own hostname, one
with a path counts as narrower, so that a person's rule is reached first, and one without a path as broader than a
managed rule with one.

| managed rules in one place          | come                |
|-------------------------------------|---------------------|
| exact hostname / wildcard           | exact first         |
| more labels / fewer labels          | more labels first   |
| hostnames                           | in order            |
| with a path / without one           | with a path first   |
| longer path / shorter path          | longer first        |
| paths                               | in order            |
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from tunnel_webhook.domain.claimed_paths import ClaimedPaths
from tunnel_webhook.domain.cloudflared.alias import alias_of
from tunnel_webhook.domain.cloudflared.ingress import CATCH_ALL, IngressRule, TunnelConfiguration
from tunnel_webhook.domain.hostname import Hostname

_EVERY_HOST = "*"

Named: TypeAlias = Mapping[str, ClaimedPaths]
"""By claimed hostname, of any owner so that two instances agree on one order, the paths whose rules are managed."""


@dataclass(frozen=True, slots=True)
class Displaced:
    """The claimed hostnames of one tunnel whose rules are not in their places.

    Those of `shadowed` lose requests to the rules before theirs; those of `hiding` take requests from a rule that a
    person added to the hostname.
    """

    shadowed: frozenset[str] = frozenset()
    hiding: frozenset[str] = frozenset()

    @property
    def is_any(self) -> bool:
        """Whether there are any."""
        return bool(self.shadowed or self.hiding)


def arrange(bystanders: Iterable[IngressRule], managed: Iterable[IngressRule]) -> tuple[IngressRule, ...]:
    """Return the rules in their order: bystanders as they were, managed rules in their places, the catch-all last.

    A missing catch-all is added as `http_status:404`; an existing one is not changed. The order of `managed` does not
    matter.
    """
    standing = tuple(bystanders)
    has_catch_all = bool(standing) and standing[-1].is_catch_all
    others, catch_all = (standing[:-1], standing[-1]) if has_catch_all else (standing, CATCH_ALL)
    places = _Bystanders(others)
    at: defaultdict[int, list[IngressRule]] = defaultdict(list)
    for rule in sorted(managed, key=_rank):
        at[places.index_for(rule)].append(rule)
    laid = [rule for index, other in enumerate(others) for rule in (*at[index], other)]
    return (*laid, *at[len(others)], catch_all)


def lay_out(
    base: TunnelConfiguration, replaced: Mapping[Hostname, Iterable[IngressRule]], named: Named
) -> TunnelConfiguration:
    """Return a document in which some hostnames have other managed rules, and every managed rule is in its place.

    `replaced` holds all new managed rules of the hostnames that change, which may be none. The rest is untouched.
    """
    bystanders: list[IngressRule] = []
    kept: list[IngressRule] = []
    for rule in base.rules:
        if not _is_managed(rule, named):
            bystanders.append(rule)
        elif rule.canonical_hostname not in replaced:
            kept.append(rule)
    new = (rule for rules in replaced.values() for rule in rules)
    return base.with_rules(arrange(bystanders, (*kept, *new)))


def displaced(rules: Iterable[IngressRule], named: Named) -> Displaced:
    """Return which claimed hostnames would be reached by other requests if their rules were in their places."""
    standing = tuple(rules)
    laid = lay_out(TunnelConfiguration(standing), {}, named).rules
    if laid == standing:
        return Displaced()
    now, then = _ahead(standing, named), _ahead(laid, named)
    return Displaced(
        shadowed=frozenset(hostname for hostname, ahead in now.items() if ahead.broader != then[hostname].broader),
        hiding=frozenset(hostname for hostname, ahead in now.items() if ahead.own != then[hostname].own),
    )


def _is_managed(rule: IngressRule, named: Named) -> bool:
    hostname = rule.canonical_hostname
    return hostname in named and rule.path in named[hostname]


@dataclass(frozen=True, slots=True)
class _Ahead:
    """What comes before what, as far as a hostname is concerned.

    `broader` holds the broader rules before its last managed rule, and the path lengths of its managed rules; `own` the
    narrower ones of the hostname, a person's rules with a path, each with the paths of the managed rules before it.
    """

    broader: tuple[IngressRule | int, ...]
    own: tuple[tuple[IngressRule, frozenset[str]], ...]


def _ahead(rules: tuple[IngressRule, ...], named: Named) -> dict[str, _Ahead]:
    at: defaultdict[str, list[int]] = defaultdict(list)
    for index, rule in enumerate(rules):
        for pattern in _patterns(rule):
            at[pattern].append(index)
    found: dict[str, _Ahead] = {}
    for hostname in {rule.canonical_hostname for rule in rules if _is_managed(rule, named)}:
        managed = {place for place in at[hostname] if _is_managed(rules[place], named)}
        last = max(managed)
        patterns = (hostname, *_broader(hostname))
        others = {place for pattern in patterns for place in at.get(pattern, ()) if place < last} - managed
        narrower = {place for place in at[hostname] if rules[place].path} - managed
        found[hostname] = _Ahead(
            tuple(
                len(rules[place].path) if place in managed else rules[place]
                for place in sorted((others - narrower) | managed)
            ),
            tuple(
                (rules[place], frozenset(rules[before].path for before in managed if before < place))
                for place in sorted(narrower)
            ),
        )
    return found


def _rank(rule: IngressRule) -> tuple[bool, int, str, bool, int, str, str]:
    return (
        rule.canonical_hostname.startswith("*."),
        -rule.canonical_hostname.count("."),
        rule.canonical_hostname,
        not rule.path,
        -len(rule.path),
        rule.path,
        rule.text,
    )


def _broader(pattern: str) -> Iterator[str]:
    """Yield every pattern that strictly contains one: each wildcard above it, then every host."""
    if pattern == _EVERY_HOST:
        return
    name = pattern.removeprefix("*.")
    while "." in name:
        name = name.partition(".")[2]
        yield "*." + name
    yield _EVERY_HOST


def _patterns(rule: IngressRule) -> tuple[str, ...]:
    """Return the patterns of a rule: two where cloudflared also knows it under an alias."""
    if rule.matches_every_host:
        return (_EVERY_HOST,)
    alias = alias_of(rule.hostname)
    return (rule.hostname, alias) if alias else (rule.hostname,)


class _Bystanders:
    """The bystanders, indexed so that finding a place takes a few look-ups, whatever their number."""

    def __init__(self, bystanders: tuple[IngressRule, ...]) -> None:
        self._size = len(bystanders)
        self._at: defaultdict[str, list[int]] = defaultdict(list)
        self._pathless_at: defaultdict[str, list[int]] = defaultdict(list)
        self._last_narrower: dict[str, int] = {}
        for index, rule in enumerate(bystanders):
            patterns = _patterns(rule)
            dead = all(any(map(self._pathless_at.get, (pattern, *_broader(pattern)))) for pattern in patterns)
            for pattern in patterns:
                self._at[pattern].append(index)
                if not rule.path:
                    self._pathless_at[pattern].append(index)
                if not dead:
                    self._last_narrower.update(dict.fromkeys(_broader(pattern), index))
                    if rule.path:
                        self._last_narrower[pattern] = index

    def index_for(self, rule: IngressRule) -> int:
        """Return the index of the bystander before which a managed rule goes; their number for the end."""
        hostname = rule.canonical_hostname
        low = self._last_narrower.get(hostname, -1) + 1
        broader = [self._at[pattern] for pattern in _broader(hostname) if pattern in self._at]
        if rule.path and hostname in self._pathless_at:
            broader.append(self._pathless_at[hostname])
        return min((self._first_from(low, places) for places in broader), default=self._size)

    def _first_from(self, low: int, places: list[int]) -> int:
        index = bisect_left(places, low)
        return places[index] if index < len(places) else self._size
