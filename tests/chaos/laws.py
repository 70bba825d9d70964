"""What must be so once nothing has happened for a while: exactly what is wanted is live, and nothing is left over."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from chaos.account import hostname_of, owned
from chaos.names import PATHS, ZONES, Owner, Wish, Wishes, owner_of
from doubles.emulator import BLUE, GREEN, State
from doubles.emulator.log import LoggedCall
from oracles import naive
from tunnel_webhook.domain.dns import target_of

TUNNELS = {"blue": BLUE, "green": GREEN}
MOST_CALLS = 30
"""How many calls three syncs make at most when there is nothing to do."""


def laws_of_quiet(state: State, wishes: Mapping[Owner, Wishes], calls: Sequence[LoggedCall]) -> list[str]:
    """Return what is wrong with a state after a long time of quiet, and with the calls of three syncs in it."""
    return [
        *_claims(state, wishes),
        *_rules(state, wishes),
        *(f"an endless repair: {call.line}" for call in calls if call.method != "GET"),
        *([f"{len(calls)} calls when there is nothing to do"] if len(calls) > MOST_CALLS else []),
        *(
            f"cloudflared refuses {tunnel[:4]}: {fault}"
            for tunnel in state.tunnels
            if (fault := naive.fault(state.document(tunnel)))
        ),
    ]


def _claims(state: State, wishes: Mapping[Owner, Wishes]) -> Iterator[str]:
    found = Counter(
        (zone.name, owner, record.name, record.content, record.proxied)
        for zone in state.zones.values()
        for record in zone.records.values()
        if (owner := owned(record))
    )
    wanted = Counter(
        (_zone_of(name), owner, name, target_of(TUNNELS[wish.tunnel]), True)
        for owner, each in wishes.items()
        for name, wish in each.wanted.items()
    )
    yield from (f"not claimed: {claim}" for claim in wanted - found)
    yield from (f"left over: the claim {claim}" for claim in found - wanted)


def _zone_of(name: str) -> str:
    return max((zone for zone in ZONES if name.endswith(f".{zone}")), key=len)


def _rules(state: State, wishes: Mapping[Owner, Wishes]) -> Iterator[str]:
    wanted: Counter[tuple[str, str, str, str]] = Counter(
        (TUNNELS[wish.tunnel], name, PATHS[path], wish.service(path))
        for each in wishes.values()
        for name, wish in each.wanted.items()
        for path in wish.ports
    )
    found: Counter[tuple[str, str, str, str]] = Counter()
    for tunnel in state.tunnels:
        for text in naive.rule_texts(state.document(tunnel)):
            if owner_of(hostname_of(text)):
                rule = json.loads(text)
                found[tunnel, rule["hostname"], rule.get("path", ""), rule["service"]] += 1
    yield from (f"not published: {rule}" for rule in wanted - found)
    yield from (f"an orphan, or twice: {rule}" for rule in found - wanted)
    if wanted == found:
        for owner, each in wishes.items():
            for name, wish in each.wanted.items():
                yield from _unreached(state, owner, name, wish)


def _unreached(state: State, owner: Owner, name: str, wish: Wish) -> Iterator[str]:
    """Request a hostname as a browser would."""
    rules = [json.loads(text) for text in naive.rule_texts(state.document(TUNNELS[wish.tunnel]))]
    host = name.replace("*", "any")
    for path, request in (("", "/"), ("/v1", "/v1/x")):
        if path in wish.ports:
            answering = rules[naive.answers(rules, host, request)]
            if answering["service"] != wish.service(path):
                yield f"{host}{request} of {owner} is answered by {answering}"
