"""Cloudflare as a history sees it: an emulator that knows who calls, draws the weather, and judges every write.

| a write of ours changes                        | judged                                                            |
|------------------------------------------------|-------------------------------------------------------------------|
| a document                                     | what is not its owner's must be what Cloudflare last truly        |
|                                                | answered to this process before it sent the write                 |
| the same, and someone wrote since that answer  | allowed, since nothing could prevent it, but it must be noticed   |
| the same, but a lie hid that from a later look | never allowed                                                     |
| the same, and that was a process with the lock | never allowed, unless one of both writes arrived late             |
| DNS records                                    | every record that is not marked as its owner's is as it was       |
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from chaos.names import NAMES, Owner, owner_of
from chaos.process import CALLER, Process
from chaos.weather import Weather
from doubles.clock import Clock
from doubles.emulator import Distort, Emulator, Lie, Record, Respond, State
from doubles.emulator.envelope import Request, Response
from doubles.emulator.faults import Armed
from doubles.emulator.visit import Visit
from oracles import naive
from tunnel_webhook.domain.marker import HERITAGE

_CONFIGURATION = re.compile("/cfd_tunnel/([^/]+)/configurations$")
_DEFAULTS = ('"warp-routing":{"enabled":false}', '{"service":"http_status:404"}')
_LATE = 30.0
"""Seconds from sending a call to its effect after which the lease of the lock may have ended."""

_HOSTNAME = re.compile(r'"hostname":"([^"]*)"')


@dataclass(frozen=True, slots=True)
class Loss:
    """A write of a process that overwrote what someone else wrote after its last look."""

    process: Process
    number: int
    tunnel: str


@dataclass(frozen=True, slots=True)
class Look:
    """An answer about a document: when it was asked for, was true, and came; `version` is None for a lie."""

    sent: float
    effect: float
    answered: float
    version: int | None


@dataclass(frozen=True, slots=True)
class Foreign:
    """What of a document is not an owner's: other members, people's rules in order, and other owners' rules."""

    members: tuple[str, ...]
    by_hand: tuple[str, ...]
    others: tuple[str, ...]


def foreign(document: str, owner: Owner | None) -> Foreign:
    """Return what of a document is not an owner's; without an owner, `others` holds the rules of all of them."""
    rules = naive.rule_texts(document)
    by_hand = [rule for rule in rules if owner_of(hostname_of(rule)) is None]
    if len(by_hand) == 1:
        by_hand = [rule for rule in by_hand if rule != _DEFAULTS[1]]
    members = [f'"{key}":{text}' for key, text in naive.other_members(document)]
    return Foreign(
        members=tuple(sorted(member for member in members if member != _DEFAULTS[0])),
        by_hand=tuple(by_hand),
        others=tuple(sorted(rule for rule in rules if owner_of(hostname_of(rule)) not in {None, owner})),
    )


def hostname_of(rule: str) -> str:
    """Return the hostname of a rule's text; nothing without one."""
    match = _HOSTNAME.search(rule)
    return match[1] if match else ""


class Account(Emulator):
    """An emulator in a history; `violations` are what no write may do, `losses` what a write could not avoid."""

    def __init__(self, state: State, clock: Clock, weather: Weather, *, is_locked: bool) -> None:
        """Start with a state; `is_locked` says whether the processes take the lock."""
        super().__init__(state, clock)
        self.weather, self.is_locked = weather, is_locked
        self.violations: list[str] = []
        self.losses: list[Loss] = []
        self.answered: set[int] = set()
        self.documents: dict[tuple[str, int], tuple[str, float]] = {}
        """Each version of each document, and since when it was there."""

        self._callers: dict[int, Process] = {}
        self._looks: dict[int, list[Look]] = {}
        """The answers that a process had about a document when it sent a write."""

        self._reads: dict[int, tuple[float, int]] = {}
        self._sent: dict[int, float] = {}
        self._written: dict[tuple[str, int], int] = {}
        """The call that wrote a version of a document; none where a person did."""

        self._late_calls: set[int] = set()
        self._remember()

    def by_hand(self, change: Callable[[State], State]) -> None:
        """Change the state as a person does."""
        self._land()
        self.state = change(self.state)
        self._remember()

    @property
    def late_documents(self) -> list[str]:
        """The documents that were sent, and are not stored yet although their senders stopped waiting."""
        return [visit.entry.body for _, visit in self._late if visit.entry.method == "PUT"]

    @property
    def late_deletions(self) -> list[str]:
        """The names of the records whose deletion was sent, but is not done although its sender stopped waiting."""
        bodies = [json.loads(visit.entry.body) for _, visit in self._late if visit.entry.method == "POST"]
        deleted = {each["id"] for body in bodies for each in body["deletes"]}
        zones = self.state.zones.values()
        return [record.name for zone in zones for record in zone.records.values() if record.id in deleted]

    def land(self) -> None:
        """Let the late calls have their effects that are due."""
        self._land()

    async def handle(self, request: Request, patience: float | None = None) -> Response:
        """Return the answer to a call of a process, in this weather."""
        process = CALLER.get()
        assert process is not None
        self._land()
        is_news = self._is_news(process, _tunnel_of(request.path))
        faults = self.weather.draw(request, process, self.clock.now(), is_news=is_news)
        self.script = tuple(map(Armed, faults))
        number = len(self.log) + 1
        self._callers[number] = process
        self._sent[number] = self.clock.now()
        if request.method == "PUT":
            self._looks[number] = list(process.looks.get(_tunnel_of(request.path), ()))
        response = await super().handle(request, patience)
        is_true = response.status == 200 and not any(isinstance(fault, Lie | Respond | Distort) for fault in faults)
        if is_true:
            self.answered.add(number)
        if number in self._reads:
            self._remember_look(process, number, _tunnel_of(request.path), is_true=is_true)
        return response

    def _is_news(self, process: Process, tunnel: str) -> bool:
        """Whether a process was answered an older version of a document than there is."""
        looks = process.looks.get(tunnel, [])
        return bool(looks) and looks[-1].version not in {None, self.state.version(tunnel)}

    def _remember_look(self, process: Process, number: int, tunnel: str, *, is_true: bool) -> None:
        effect, version = self._reads[number]
        look = Look(self._sent[number], effect, self.clock.now(), version if is_true else None)
        process.looks.setdefault(tunnel, []).append(look)
        if is_true:
            process.lied_to_about.discard(tunnel)

    def _effect(self, visit: Visit) -> Response:
        before, path, number = self.state, visit.entry.path, visit.entry.number
        if self.clock.now() - self._sent[number] > _LATE:
            self._late_calls.add(number)
        response = super()._effect(visit)
        self._remember()
        if visit.entry.method == "GET" and _CONFIGURATION.search(path):
            self._reads[number] = (self.clock.now(), before.version(_tunnel_of(path)))
        elif self.state is not before:
            judge = self._judge_document if visit.entry.method == "PUT" else self._judge_records
            judge(visit, before, self._callers[number])
        return response

    def _judge_document(self, visit: Visit, before: State, process: Process) -> None:
        number, tunnel = visit.entry.number, _tunnel_of(visit.entry.path)
        self._written[tunnel, self.state.version(tunnel)] = number
        looks = self._looks[number]
        truth = next((look for look in reversed(looks) if look.version is not None), None)
        base = truth.version if truth else None
        after, stored = (foreign(state.document(tunnel), process.owner) for state in (self.state, before))
        based = stored if base is None else foreign(self.documents[tunnel, base][0], process.owner)
        if after != based:
            self.violations.append(
                f"call {number} of {process.name}, on version {base} of {tunnel[:4]}, lost {_difference(based, after)}"
            )
        if truth is None or base is None:
            return
        if after != stored:
            self.losses.append(Loss(process, number, tunnel))
            changed = self.documents[tunnel, base + 1][1]
            later = looks[looks.index(truth) + 1 :]
            if any(truth.answered <= lie.sent and changed <= lie.effect for lie in later):
                self.violations.append(f"call {number} of {process.name} lost {_difference(stored, after)} to a lie")
        if self.is_locked:
            self._judge_lock(number, tunnel, range(base + 1, before.version(tunnel) + 1))

    def _judge_lock(self, number: int, tunnel: str, overwritten: range) -> None:
        """Check that a call overwrote no version that another process wrote, unless one of both calls was late."""
        numbers = [self._written[tunnel, version] for version in overwritten if (tunnel, version) in self._written]
        others = [other for other in numbers if self._callers[other] is not self._callers[number]]
        if others and number not in self._late_calls and self._late_calls.isdisjoint(others):
            self.violations.append(f"call {number} overwrote what calls {others} wrote, in spite of the lock")

    def _judge_records(self, visit: Visit, before: State, process: Process) -> None:
        for zone, held in self.state.zones.items():
            others, were = (
                _foreign_records(records, process.owner) for records in (held.records, before.zones[zone].records)
            )
            if others != were:
                self.violations.append(f"call {visit.entry.number} of {process.name} changed records of others")

    def _remember(self) -> None:
        for tunnel in self.state.tunnels:
            version = self.state.version(tunnel)
            self.documents.setdefault((tunnel, version), (self.state.document(tunnel), self.clock.now()))


def _tunnel_of(path: str) -> str:
    match = _CONFIGURATION.search(path)
    return match[1] if match else ""


def _foreign_records(records: dict[str, Record], owner: Owner) -> dict[str, Record]:
    others: Owner = "them" if owner == "us" else "us"
    return {
        key: record
        for key, record in records.items()
        if not is_lock(record) and (record.name in NAMES[others] or not (record.comment or "").startswith(HERITAGE))
    }


def _difference(before: Foreign, after: Foreign) -> str:
    lost = Counter((*before.members, *before.by_hand, *before.others))
    kept = Counter((*after.members, *after.by_hand, *after.others))
    return f"{sorted((lost - kept).elements())}, made {sorted((kept - lost).elements())}, or changed the order"


def is_lock(record: Record) -> bool:
    """Whether a record is the lock of a tunnel."""
    return record.name.startswith("_tunnel-lock-")


def owned(record: Record) -> Owner | None:
    """Return the owner that a claim names; None for other records."""
    match = re.match(rf"{HERITAGE},owner=(\w+)", record.comment or "")
    return next((owner for owner in NAMES if match and match[1] == owner), None)
