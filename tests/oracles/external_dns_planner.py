"""external-dns' side of the loop, ported from its packages plan, endpoint, registry/noop and registry/txt.

What it does not compare, and what it filters by owner, decides whether a provider is asked for the same change forever.
`tests/property/test_external_dns_planner.py` holds `calculate` to the genuine package.
"""

import functools
import ipaddress
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import idna

from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.plan import Rejection
from tunnel_webhook.ports import ChangesNotApplied, WebhookAPI

MANAGED_TYPES = ("A", "AAAA", "CNAME")


@dataclass(slots=True)
class Row:
    """The current and the desired endpoints of one name and set identifier."""

    current: list[Endpoint] = field(default_factory=list[Endpoint])
    candidates: list[Endpoint] = field(default_factory=list[Endpoint])

    def of_type(self, record_type: str) -> tuple[Endpoint | None, list[Endpoint]]:
        """Return the current endpoint and the candidates of a type; CNAMEs lose against candidates of other types."""
        types = {endpoint.record_type for endpoint in self.candidates}
        current = next((endpoint for endpoint in reversed(self.current) if endpoint.record_type == record_type), None)
        loses = record_type == "CNAME" and len(types) > 1
        return current, [] if loses else [each for each in self.candidates if each.record_type == record_type]


def calculate(
    current: Iterable[Endpoint],
    desired: Iterable[Endpoint],
    *,
    owner_id: str = "",
    policy: str = "sync",
    managed: Sequence[str] = MANAGED_TYPES,
    matches: Callable[[str], bool] = lambda _: True,
) -> Changes:
    """Return what external-dns asks for under a policy; the noop registry has no owner id, and owns everything."""
    rows: defaultdict[tuple[str, str], Row] = defaultdict(Row)
    for endpoint in current:
        if endpoint.record_type in managed and matches(endpoint.dns_name):
            rows[_key(endpoint)].current.append(endpoint)
    for endpoint in desired:
        if endpoint.record_type in managed and matches(endpoint.dns_name):
            rows[_key(endpoint)].candidates.append(endpoint)
    changes = [change for row in rows.values() for change in _changes_of(row, owner_id)]
    updates = [(old, new) for old, new in changes if old and new and _is_owned(old, owner_id)]
    if policy == "create-only":
        updates = []
    return Changes(
        create=tuple(new for old, new in changes if new and not old),
        update_old=tuple(old for old, _ in updates),
        update_new=tuple(new for _, new in updates),
        delete=_deletions([old for old, new in changes if old and not new], owner_id) if policy == "sync" else (),
    )


def _changes_of(row: Row, owner_id: str) -> Iterator[tuple[Endpoint | None, Endpoint | None]]:
    """Yield the changes of a row as old and new endpoint; a creation has no old one, a deletion no new one."""
    if not row.candidates:
        yield from ((endpoint, None) for endpoint in row.current)
        return
    may_create = all(_is_owned(endpoint, owner_id) for endpoint in row.current)
    for record_type in dict.fromkeys(endpoint.record_type for endpoint in (*row.current, *row.candidates)):
        old, candidates = row.of_type(record_type)
        if old and not candidates:
            yield old, None
        elif old and _differs(new := _same_resource_first(old, candidates), old):
            yield old, replace(new, labels={**new.labels, "owner": old.owner})
        elif candidates and not old and may_create:
            yield None, _first(candidates)


def _deletions(endpoints: Iterable[Endpoint], owner_id: str) -> tuple[Endpoint, ...]:
    """Return the endpoints that an owner may delete; an owner deletes no name, type and set identifier twice."""
    if not owner_id:
        return tuple(endpoints)
    keyed = {
        (endpoint.dns_name, endpoint.record_type, endpoint.set_identifier): endpoint
        for endpoint in reversed(list(endpoints))
        if _is_owned(endpoint, owner_id)
    }
    return tuple(reversed(keyed.values()))


class ExternalDns:
    """The control loop (controller/controller.go): records, adjust, plan, apply."""

    def __init__(self, api: WebhookAPI, owner_id: str = "", policy: str = "sync") -> None:
        """Take the provider; with an owner id the registry is txt, without one noop."""
        self._api = api
        self._owner_id = owner_id
        self._policy = policy

    async def plan(self, sources: Iterable[Endpoint]) -> Changes:
        """Return the changes that publish these endpoints."""
        current = await self._api.records()
        desired = await self._api.adjust_endpoints(tuple(sources))
        matches = self._api.domain_filter().matches
        changes = calculate(
            current,
            desired,
            owner_id=self._owner_id,
            policy=self._policy,
            matches=lambda name: matches(Hostname(name.lower())),
        )
        return with_txt(changes, self._owner_id) if self._owner_id else changes

    async def sync(self, sources: Iterable[Endpoint]) -> tuple[Rejection, ...]:
        """Go through the loop once; return what the provider rejected."""
        changes = await self.plan(sources)
        try:
            await self._api.apply_changes(changes)
        except ChangesNotApplied as answer:
            return answer.rejections
        return ()


def with_txt(changes: Changes, owner_id: str) -> Changes:
    """Return the changes as the txt registry sends them: endpoints have an owner, and each a TXT record beside it."""

    def owned(endpoints: Sequence[Endpoint]) -> tuple[Endpoint, ...]:
        labelled = [replace(endpoint, labels={**endpoint.labels, "owner": owner_id}) for endpoint in endpoints]
        return (*labelled, *map(_heritage, labelled))

    return Changes(owned(changes.create), owned(changes.update_old), owned(changes.update_new), owned(changes.delete))


def is_empty(changes: Changes) -> bool:
    """Whether external-dns would not even send these changes."""
    return not (changes.create or changes.delete) and changes.update_old == changes.update_new


def _heritage(endpoint: Endpoint) -> Endpoint:
    labels = sorted((key, text) for key, text in endpoint.labels.items() if text)
    content = ",".join(["heritage=external-dns", *(f"external-dns/{key}={text}" for key, text in labels)])
    return replace(
        endpoint,
        dns_name=f"{endpoint.record_type.lower()}-{endpoint.dns_name}",
        record_type="TXT",
        targets=(f'"{content}"',),
        ttl=0,
        labels={"ownedRecord": endpoint.dns_name},
    )


def _key(endpoint: Endpoint) -> tuple[str, str]:
    name = endpoint.dns_name.strip()
    try:
        name = idna.encode(name, uts46=True).decode()
    except idna.IDNAError:
        name = name.lower()
    return name.removesuffix(".") + ".", endpoint.set_identifier


def _is_owned(endpoint: Endpoint, owner_id: str) -> bool:
    return owner_id in {"", endpoint.owner}


def _differs(new: Endpoint, old: Endpoint) -> bool:
    ttl = new.ttl > 0 and new.ttl != old.ttl
    named_twice = len(dict(old.properties)) < len(old.properties)
    return ttl or not _same_targets(new, old) or named_twice or dict(new.properties) != dict(old.properties)


def _same_targets(new: Endpoint, old: Endpoint) -> bool:
    """Whether Targets.Same takes the targets for the same: it stops at the first pair of spellings that differ."""
    pairs = zip(_sorted_targets(new), _sorted_targets(old), strict=False)
    one, other = next((pair for pair in pairs if _fold(pair[0]) != _fold(pair[1])), ("", ""))
    return len(new.targets) == len(old.targets) and (one == other or (_ip(one) is not None and _ip(one) == _ip(other)))


def _fold(target: str) -> str:
    """Return a text in the simple case folding of Go's strings.EqualFold, letter by letter."""
    return "".join(letter.upper().lower() if len(letter.upper()) == 1 else letter.lower() for letter in target)


def _same_resource_first(old: Endpoint, candidates: Sequence[Endpoint]) -> Endpoint:
    return _first([each for each in candidates if each.resource == old.resource] or candidates)


def _first(candidates: Sequence[Endpoint]) -> Endpoint:
    return min(candidates, key=functools.cmp_to_key(_compare))


def _compare(one: Endpoint, other: Endpoint) -> int:
    """Return the order of two endpoints by Targets.IsLess: fewer targets first, then the first pair that differs."""
    if len(one.targets) != len(other.targets):
        return len(one.targets) - len(other.targets)
    pairs = zip(_sorted_targets(one), _sorted_targets(other), strict=True)
    a, b = next((pair for pair in pairs if pair[0] != pair[1]), ("", ""))
    ip_a, ip_b = _ip(a), _ip(b)
    rank_a = (ip_a is None, (ip_a.version, int(ip_a)) if ip_a else a)
    rank_b = (ip_b is None, (ip_b.version, int(ip_b)) if ip_b else b)
    if rank_a == rank_b:
        return 0
    return -1 if rank_a < rank_b else 1


def _sorted_targets(endpoint: Endpoint) -> list[str]:
    """Return the targets in the order of Targets.Less: by text, addresses in their shortest form among themselves."""

    def compare(one: str, other: str) -> int:
        if _ip(one) and _ip(other):
            one, other = str(_ip(one)), str(_ip(other))
        return (one > other) - (one < other)

    return sorted(endpoint.targets, key=functools.cmp_to_key(compare))


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
