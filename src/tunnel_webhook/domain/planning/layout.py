"""The order of rules: where managed rules go among bystanders, so that each is reached and no bystander is rerouted.

Pattern A is *broader* than B when A's hosts strictly contain B's: hostless > shorter wildcard > longer wildcard >
exact. Bystanders keep their order and the catch-all its last place. A bystander is *dead* when an earlier path-less
bystander has the same or a broader pattern. A managed rule goes directly before the first bystander that is broader,
after the last live bystander that is narrower; else before the catch-all.

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
from collections.abc import Container, Iterable, Iterator, Mapping

from tunnel_webhook.domain.cloudflared.alias import alias_of
from tunnel_webhook.domain.cloudflared.ingress import CATCH_ALL, IngressRule, TunnelConfiguration
from tunnel_webhook.domain.hostname import Hostname

_EVERY_HOST = "*"


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
        at[places.index_for(rule.canonical_hostname)].append(rule)
    laid = [rule for index, other in enumerate(others) for rule in (*at[index], other)]
    return (*laid, *at[len(others)], catch_all)


def lay_out(
    base: TunnelConfiguration, replaced: Mapping[Hostname, Iterable[IngressRule]], managed: Container[str]
) -> TunnelConfiguration:
    """Return a document in which some hostnames have other rules, and every managed rule is in its place.

    `replaced` holds all new rules of the hostnames that change, which may be none; `managed` every claimed hostname
    of any owner, so that two instances agree on one order. The rest is untouched.
    """
    bystanders = (
        rule
        for rule in base.rules
        if rule.canonical_hostname not in managed and rule.canonical_hostname not in replaced
    )
    kept = (
        rule for rule in base.rules if rule.canonical_hostname in managed and rule.canonical_hostname not in replaced
    )
    new = (rule for rules in replaced.values() for rule in rules)
    return base.with_rules(arrange(bystanders, (*kept, *new)))


def shadowed(rules: Iterable[IngressRule], managed: Container[str]) -> frozenset[str]:
    """Return the managed hostnames that lose requests which they would have if their rules were in their places."""
    standing = tuple(rules)
    laid = lay_out(TunnelConfiguration(standing), {}, managed).rules
    if laid == standing:
        return frozenset()
    now, then = _ahead(standing, managed), _ahead(laid, managed)
    return frozenset(hostname for hostname, ahead in now.items() if ahead != then[hostname])


def _ahead(rules: tuple[IngressRule, ...], managed: Container[str]) -> dict[str, list[IngressRule | int]]:
    """Return, for each managed hostname, the broader rules before its last one, and the path lengths of its own."""
    at: defaultdict[str, list[int]] = defaultdict(list)
    for index, rule in enumerate(rules):
        for pattern in _patterns(rule):
            at[pattern].append(index)
    found: dict[str, list[IngressRule | int]] = {}
    for hostname in {rule.canonical_hostname for rule in rules if rule.canonical_hostname in managed}:
        places = sorted(place for pattern in (hostname, *_broader(hostname)) for place in at.get(pattern, ()))
        ahead = (rules[place] for place in places if place <= at[hostname][-1])
        found[hostname] = [len(rule.path) if rule.canonical_hostname == hostname else rule for rule in ahead]
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
        self._last_narrower: dict[str, int] = {}
        pathless: set[str] = set()
        for index, rule in enumerate(bystanders):
            patterns = _patterns(rule)
            for pattern in patterns:
                self._at[pattern].append(index)
            dead = all(not pathless.isdisjoint((pattern, *_broader(pattern))) for pattern in patterns)
            if not dead:
                for pattern in patterns:
                    for broader in _broader(pattern):
                        self._last_narrower[broader] = index
            if not rule.path:
                pathless.update(patterns)

    def index_for(self, hostname: str) -> int:
        """Return the index of the bystander before which the rules of a hostname go; their number for the end."""
        low = self._last_narrower.get(hostname, -1) + 1
        return min((self._first_from(low, pattern) for pattern in _broader(hostname)), default=self._size)

    def _first_from(self, low: int, pattern: str) -> int:
        places = self._at.get(pattern, [])
        index = bisect_left(places, low)
        return places[index] if index < len(places) else self._size
