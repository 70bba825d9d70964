"""A person at the dashboard, who edits what people made, and now and then resets a document to its catch-all."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from operator import methodcaller

from msgspec.structs import replace

from chaos.account import Account, hostname_of, is_lock, owned
from chaos.names import HAND_NAMES, ZONES, owner_of
from doubles.emulator import BLUE, GREEN, Record, State
from doubles.emulator.values import stamp
from oracles import naive

CATCH_ALL = '{"service":"http_status:404"}'
_RESETS, _FREE = 0.06, "holder=no%20one"


@dataclass(slots=True)
class Person:
    """Edits an account at random."""

    rng: random.Random
    account: Account

    def edit(self) -> str:
        """Make one edit, and return what it was."""
        tunnel, zone = self.rng.choice((BLUE, GREEN)), self.rng.choice(ZONES)
        if self.rng.random() < _RESETS:
            self.account.by_hand(lambda state: self._written(state, tunnel, [CATCH_ALL], []))
            return f"reset {tunnel[:4]}"
        if self.rng.random() < 0.3:
            self.account.by_hand(lambda state: self._with_edited_records(state, zone))
            return f"records of {zone}"
        self.account.by_hand(lambda state: self._with_edited_rules(state, tunnel))
        return f"rules of {tunnel[:4]}"

    def remove_held_lock(self) -> bool:
        """Remove the lock of a tunnel that a process holds, and return whether there was one."""
        locks = [
            (zone, record)
            for zone in self.account.state.zones.values()
            for record in zone.records.values()
            if is_lock(record) and not str(record.comment).endswith(_FREE)
        ]
        for zone, lock in locks[:1]:
            kept = {key: record for key, record in zone.records.items() if key != lock.id}
            changed = replace(zone, records=kept)
            self.account.by_hand(methodcaller("with_zone", changed))
        return bool(locks)

    def _with_edited_rules(self, state: State, tunnel: str) -> State:
        """Add, change, remove or move a rule of people, or change another member; all other text stays."""
        *rules, catch_all = naive.rule_texts(state.document(tunnel)) or [CATCH_ALL]
        members = dict(naive.other_members(state.document(tunnel)))
        places = [place for place, rule in enumerate(rules) if owner_of(hostname_of(rule)) is None]
        kind = self.rng.choice(("add", "add", "change", "remove", "move", "member"))
        if kind == "member":
            members[self.rng.choice("xyz")] = f"{self.rng.random():.3f}0"
        elif kind == "add" or not places:
            rules.insert(self.rng.randint(0, len(rules)), self._rule())
        elif kind == "change":
            rules[self.rng.choice(places)] = self._rule()
        else:
            rule = rules.pop(self.rng.choice(places))
            if kind == "move":
                rules.insert(self.rng.randint(0, len(rules)), rule)
        return self._written(state, tunnel, [*rules, catch_all], list(members.items()))

    def _written(self, state: State, tunnel: str, rules: list[str], members: list[tuple[str, str]]) -> State:
        texts = [f"{json.dumps(key)}:{text}" for key, text in members]
        document = "{" + ",".join([*texts, f'"ingress":[{",".join(rules)}]']) + "}"
        return state.with_document(tunnel, document, at=stamp(self.account.clock.now()))

    def _rule(self) -> str:
        name, number = self.rng.choice(HAND_NAMES), self.rng.randrange(10**6)
        path = self.rng.choice(('"path":"^/admin",', ""))
        return f'{{"note":{number}.50,{path}"service":"http://by-hand:80","hostname":"{name}"}}'

    def _with_edited_records(self, state: State, zone: str) -> State:
        """Add, change or remove a record of people."""
        stored = state.zone(zone)
        ours = [record for record in stored.records.values() if owned(record) is None and not is_lock(record)]
        kind = self.rng.choice(("add", "change", "remove"))
        if kind == "add" or not ours:
            content = f"v={self.rng.randrange(10**6)}"
            return state.with_records(zone, Record(f"_dmarc.{zone}", "TXT", content, comment="by hand"))
        chosen = self.rng.choice(ours)
        if kind == "remove":
            kept = {key: record for key, record in stored.records.items() if key != chosen.id}
            return state.with_zone(replace(stored, records=kept))
        changed = replace(chosen, content=f"v={self.rng.randrange(10**6)}")
        return state.with_zone(replace(stored, records={**stored.records, chosen.id: changed}))
