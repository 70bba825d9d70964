"""external-dns' side of the loop, ported: plan/plan.go, plan/conflict.go, endpoint/endpoint.go, registry/noop and registry/txt.

What it does not compare, and what it filters by owner, decides whether a provider is asked for the same change for ever.
"""

import ipaddress
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import idna

from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.plan import Rejection
from tunnel_webhook.ports import ChangesNotApplied, WebhookAPI

MANAGED_TYPES = ("A", "AAAA", "CNAME")


@dataclass(slots=True)
class Row:
    """What is there and what is wanted under one name and set identifier, by record type."""

    current: list[Endpoint] = field(default_factory=list[Endpoint])
    candidates: list[Endpoint] = field(default_factory=list[Endpoint])

    def of_type(self, kind: str) -> tuple[Endpoint | None, list[Endpoint]]:
        """Return the current endpoint and the candidates of a type; candidates that are CNAMEs lose against any others."""
        kinds = {each.record_type for each in self.candidates}
        current = next((each for each in reversed(self.current) if each.record_type == kind), None)
        lost = kind == "CNAME" and len(kinds) > 1
        return current, [] if lost else [each for each in self.candidates if each.record_type == kind]


def calculate(
    current: Iterable[Endpoint],
    desired: Iterable[Endpoint],
    *,
    owner_id: str = "",
    policy: str = "sync",
    matches: Callable[[str], bool] = lambda _: True,
) -> Changes:
    """Return what external-dns asks for under policy sync or upsert-only; noop has no owner id, and owns all."""
    rows: defaultdict[tuple[str, str], Row] = defaultdict(Row)
    for each in _relevant(current, matches):
        rows[_key(each)].current.append(each)
    for each in _relevant(desired, matches):
        rows[_key(each)].candidates.append(each)
    create: list[Endpoint] = []
    updates: list[tuple[Endpoint, Endpoint]] = []
    delete: list[Endpoint] = []
    for row in rows.values():
        for kind in dict.fromkeys(each.record_type for each in (*row.current, *row.candidates)):
            old, candidates = row.of_type(kind)
            if old and not candidates:
                delete.append(old)
            elif old and _differs(new := _same_resource_first(old, candidates), old):
                updates.append((old, replace(new, labels={**new.labels, "owner": old.owner})))
            elif candidates and not old and all(_owned(each, owner_id) for each in row.current):
                create.append(min(candidates, key=_rank))
    owned = [(old, new) for old, new in updates if _owned(old, owner_id)]
    return Changes(
        create=tuple(create),
        update_old=tuple(old for old, _ in owned),
        update_new=tuple(new for _, new in owned),
        delete=tuple(each for each in delete if _owned(each, owner_id)) if policy == "sync" else (),
    )


class ExternalDns:
    """The control loop (controller/controller.go): records, adjust, plan, apply."""

    def __init__(self, api: WebhookAPI, owner_id: str = "", policy: str = "sync") -> None:
        """Take the provider; an owner id chooses the txt registry, none the noop registry."""
        self._api = api
        self._owner_id = owner_id
        self._policy = policy

    async def plan(self, sources: Iterable[Endpoint]) -> Changes:
        """Return what would be asked for, so that these endpoints be published."""
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
    """Return what the txt registry makes of changes: what is created gets its owner, and everything a TXT record beside it."""

    def owned(endpoints: Sequence[Endpoint]) -> tuple[Endpoint, ...]:
        named = [replace(each, labels={**each.labels, "owner": owner_id}) for each in endpoints]
        return (*named, *map(_heritage, named))

    return Changes(owned(changes.create), owned(changes.update_old), owned(changes.update_new), owned(changes.delete))


def is_empty(changes: Changes) -> bool:
    """Whether external-dns would not even send these changes."""
    return not (changes.create or changes.delete) and changes.update_old == changes.update_new


def _heritage(endpoint: Endpoint) -> Endpoint:
    kept = sorted((key, text) for key, text in endpoint.labels.items() if text)
    content = ",".join(["heritage=external-dns", *(f"external-dns/{key}={text}" for key, text in kept)])
    return replace(
        endpoint,
        dns_name=f"{endpoint.record_type.lower()}-{endpoint.dns_name}",
        record_type="TXT",
        targets=(f'"{content}"',),
        ttl=0,
        labels={"ownedRecord": endpoint.dns_name},
    )


def _relevant(endpoints: Iterable[Endpoint], matches: Callable[[str], bool]) -> Iterable[Endpoint]:
    return (each for each in endpoints if each.record_type in MANAGED_TYPES and matches(each.dns_name))


def _key(endpoint: Endpoint) -> tuple[str, str]:
    name = endpoint.dns_name.strip()
    try:
        name = idna.encode(name, uts46=True).decode()
    except idna.IDNAError:
        name = name.lower()
    return name.removesuffix(".") + ".", endpoint.set_identifier


def _owned(endpoint: Endpoint, owner_id: str) -> bool:
    return owner_id in {"", endpoint.owner}


def _differs(new: Endpoint, old: Endpoint) -> bool:
    ttl = new.ttl > 0 and new.ttl != old.ttl
    targets = list(map(_same_target, sorted(new.targets))) != list(map(_same_target, sorted(old.targets)))
    named_twice = len(dict(old.properties)) < len(old.properties)
    return ttl or targets or named_twice or dict(new.properties) != dict(old.properties)


def _same_target(target: str) -> str:
    return str(ipaddress.ip_address(target)) if _is_ip(target) else target.casefold()


def _same_resource_first(old: Endpoint, candidates: list[Endpoint]) -> Endpoint:
    ranked = sorted(candidates, key=_rank)
    return next((each for each in ranked if each.resource == old.resource), ranked[0])


def _rank(endpoint: Endpoint) -> tuple[int, list[tuple[bool, str]]]:
    return len(endpoint.targets), [(not _is_ip(target), target) for target in sorted(endpoint.targets)]


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
