"""A random history, which its seed determines: three processes of two owners, a person, bad weather; then quiet.

| slot   | owner | what it is                                                                   |
|--------|-------|------------------------------------------------------------------------------|
| `us-1` | us    | a process                                                                    |
| `us-2` | us    | another one of the same owner, as while a deployment is rolled out           |
| `them` | them  | a process of another owner on the same tunnels and zones                     |
"""

from __future__ import annotations

import asyncio
import gc
import logging
import random
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

from chaos.account import Account, owned
from chaos.laws import laws_of_quiet
from chaos.names import NAMES, ZONES, Owner, Wishes
from chaos.person import Person
from chaos.process import Notices, Process, paused_callbacks, task_of_process
from chaos.weather import LATEST, LongLie, Weather
from doubles.emulator import BLUE, GREEN, State, seed
from doubles.virtual_loop import START, LoopClock, VirtualLoop
from tunnel_webhook.domain.dns import target_of

Peril = Literal["lies", "long lies", "failures", "late calls", "kills", "pauses", "a person", "at once"]
PERILS: frozenset[Peril] = frozenset(get_args(Peril))

SLOTS: dict[str, Owner] = {"us-1": "us", "us-2": "us", "them": "them"}
STEPS = 25
MOST_CALLS = 150
"""How many calls one sync may make, whatever befalls them."""

_PAUSES = (0.0, 0.0, 1.0, 10.0, 30.0, 60.0, 150.0, 700.0)
_LONGEST_PAUSE, _OVERTAKEN = 300.0, 0.6
_QUIET_SYNCS, _QUIET_PAUSE = 9, 125.0
_LOCKS_REMOVED = 0.3
_OLD = 600.0
_DOCUMENT = (
    '{"x":1.50,"ingress":[{"note":1.50,"path":"^/admin","service":"http://by-hand:80","hostname":"hand.example.com"},'
    '{"service":"http://by-hand:81","hostname":"*.example.com"},{"service":"http_status:404"}]}'
)


@dataclass(slots=True)
class History:
    """One history with these perils; settings that it does not give are drawn.

    `log` says what happened, `faults` what no history may show.
    """

    seed: int
    perils: AbstractSet[Peril] = PERILS
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    log: list[str] = field(default_factory=list[str])
    faults: list[str] = field(default_factory=list[str])

    def run(self) -> History:
        """Run to the end, or to the first fault, and return the history."""
        random.seed(self.seed)  # the product draws its jitter there
        handler = Notices()
        logger = logging.getLogger("tunnel_webhook")
        logger.addHandler(handler)
        try:
            with asyncio.Runner(loop_factory=VirtualLoop) as runner:
                loop = runner.get_loop()
                assert isinstance(loop, VirtualLoop)
                runner.run(_Run(self, loop).to_the_end())
        finally:
            logger.removeHandler(handler)
        return self

    def __str__(self) -> str:
        """Return what happened, and what was wrong."""
        return "\n".join([f"seed {self.seed}", *self.log, *(f"WRONG: {fault}" for fault in self.faults)])


class _Run:
    def __init__(self, history: History, loop: VirtualLoop) -> None:
        self.history = history
        self.rng = _random(str(history.seed))
        self.weather = Weather(_random(f"weather {history.seed}"), report=self._say)
        self.settings = {"WRITE_LOCK": self.rng.choice(("off", "dns")), **history.settings}
        is_locked = self.settings["WRITE_LOCK"] == "dns"
        self.account = Account(_beginning(self.rng), LoopClock(loop), self.weather, is_locked=is_locked)
        self.person = Person(_random(f"person {history.seed}"), self.account)
        self.registry = self.rng.choice(("noop", "txt"))
        self.wishes = {owner: Wishes(names) for owner, names in NAMES.items()}
        self.processes: dict[str, Process] = {}
        self.loop = loop
        loop.paused = paused_callbacks
        loop.set_task_factory(task_of_process)
        loop.set_exception_handler(self._unheard)

    async def to_the_end(self) -> None:
        for slot in SLOTS:
            self._start(slot)
        for number in range(STEPS):
            await self._step(number)
            if self._has_failed():
                break
        else:
            await self._become_quiet()
        for process in self.processes.values():
            await process.kill()
        gc.collect()  # a task whose exception was never retrieved says so only then
        self._has_failed()

    def _start(self, slot: str) -> None:
        process = Process(slot, SLOTS[slot], self.registry, self.account, **self.settings)
        process.pace = self.rng.choice((0.02, 0.1, 0.1, 0.5, 2.0))
        self.processes[slot] = process

    async def _step(self, number: int) -> None:
        rng = self.rng
        perils = self.history.perils
        self.weather.change(perils)
        if "long lies" in perils:
            self._begin_or_end_a_long_lie()
        for _ in range(rng.choice((0, 1, 1, 2, 3))):
            owner = SLOTS[rng.choice(sorted(SLOTS))]
            self._say(f"{owner} wants: {self.wishes[owner].change(rng)}")
        slots = [slot for slot in sorted(SLOTS) if not self.processes[slot].is_paused]
        await self._overtake_some(slots)
        slots = rng.sample(slots, min(len(slots), rng.choice((1, 1, 2, 2, 3)) if "at once" in perils else 1))
        if not slots:
            await asyncio.sleep(rng.choice(_PAUSES))
            return
        width = rng.choice((0.0, 0.1, 0.5, 3.0))
        acts = [self._sync(slot, rng.uniform(0, width)) for slot in slots]
        if rng.random() < 0.5 and "a person" in perils:
            acts.append(self._edit(rng.uniform(0, 2 * width)))
        if rng.random() < 0.15 and "pauses" in perils:
            self._pause_one("us-2" if "us-2" in slots else rng.choice(slots))
        if rng.random() < 0.2 and "kills" in perils:
            acts.append(self._kill(rng.choice(slots), rng.uniform(0, 20 * self.processes[slots[0]].pace)))
        self._say(f"step {number}: {', '.join(slots)}; {self.weather}")
        await asyncio.gather(*acts)
        await asyncio.sleep(rng.choice(_PAUSES))

    def _pause_one(self, slot: str) -> None:
        self.processes[slot].pauses_next_for = self.rng.uniform(1, _LONGEST_PAUSE)
        self._say(f"{slot} will pause for {self.processes[slot].pauses_next_for:.0f} s")

    def _to_overtake(self, slots: list[str]) -> Iterator[tuple[str, str]]:
        """Yield a slot, and a hostname that a paused process or a late write is about to publish or to release."""
        if "us-1" in slots and self.processes["us-2"].is_paused and self.wishes["us"].last in self.wishes["us"].wanted:
            yield "us-1", self.wishes["us"].last
        for slot in slots:
            wanted = self.wishes[SLOTS[slot]].wanted
            late = [name for name in sorted(wanted) if any(f'"{name}"' in body for body in self.account.late_documents)]
            late += [name for name in self.account.late_deletions if name in NAMES[SLOTS[slot]] and name not in wanted]
            if late:
                yield slot, self.rng.choice(late)

    async def _overtake_some(self, slots: list[str]) -> None:
        for slot, name in self._to_overtake(slots):
            if self.rng.random() < _OVERTAKEN:
                await self._overtake(slot, name)

    async def _overtake(self, slot: str, name: str) -> None:
        """Want the opposite for a hostname, and let its owner finish that."""
        owner = SLOTS[slot]
        self._say(f"{owner} wants, before it is overtaken: {self.wishes[owner].overtake(name, self.rng)}")
        for _ in range(2):
            await self._sync(slot, 0.0)
            await asyncio.sleep(self.rng.choice((1.0, 2.0, 125.0)))

    async def _sync(self, slot: str, delay: float) -> None:
        process = self.processes[slot]
        sources = self.wishes[process.owner].endpoints()
        task = process.start(self._begin_sync(process, sources, delay))
        task.add_done_callback(lambda done: self._end_sync(slot, process, done))
        while not (task.done() or process.is_paused):
            await asyncio.wait([task], timeout=1.0)

    def _end_sync(self, slot: str, process: Process, task: asyncio.Task[str]) -> None:
        if not task.cancelled():
            self._say(f"{slot}: {task.result()[:160]} ({process.last_calls} calls)")
            if process.last_calls > MOST_CALLS:
                self.history.faults.append(f"a sync made {process.last_calls} calls")

    async def _begin_sync(self, process: Process, sources: Any, delay: float) -> str:
        await asyncio.sleep(delay)
        return await process.sync(sources)

    async def _edit(self, delay: float) -> None:
        await asyncio.sleep(delay)
        if self.account.is_locked and self.rng.random() < _LOCKS_REMOVED:
            for _ in range(100):
                if self.person.remove_held_lock():
                    self._say("a person removes a lock that is held")
                    return
                await asyncio.sleep(0.05)
        self._say(f"a person edits: {self.person.edit()}")

    async def _kill(self, slot: str, delay: float) -> None:
        await asyncio.sleep(delay)
        await self.processes[slot].kill()
        self._say(f"{slot} is killed")
        self._keep_faults(self.processes[slot])
        self._start(slot)

    def _begin_or_end_a_long_lie(self) -> None:
        now = self.account.clock.now()
        lie = self.weather.long_lie
        if lie and not (now < lie.until and self._is_known_to_be_in_use(lie.tunnel)):
            self.weather.long_lie = None
        tunnel = self.rng.choice((BLUE, GREEN))
        was_told = any(tunnel in process.lied_to_about for process in self.processes.values())
        can_begin = self.weather.long_lie is None and not was_told and self._is_known_to_be_in_use(tunnel)
        if self.rng.random() < 0.15 and can_begin:
            lie = LongLie(tunnel, self.weather.empty(), now + self.rng.uniform(20, 500))
            self.weather.long_lie = lie
            self._say(f"for {lie.until - now:.0f} s every read of {tunnel[:4]} says {lie.lie.tells}")

    def _is_known_to_be_in_use(self, tunnel: str) -> bool:
        """Whether a claim of more than ten minutes points at a tunnel."""
        now, target = self.account.clock.now(), target_of(tunnel)
        return any(
            record.content == target and _age(record.created_on, now) > _OLD
            for zone in self.account.state.zones.values()
            for record in zone.records.values()
            if owned(record)
        )

    async def _become_quiet(self) -> None:
        """Let nothing happen but syncs, until every delay is over; then the laws of quiet must hold."""
        self.weather.calm()
        await asyncio.sleep(LATEST + _LONGEST_PAUSE)
        for number in range(_QUIET_SYNCS):
            self._say(f"quiet {number}")
            for slot in SLOTS:
                await self._sync(slot, 0.0)
            await asyncio.sleep(_QUIET_PAUSE)
        self.account.land()
        if not self._has_failed():
            begun = len(self.account.log)
            for slot in SLOTS:
                await self._sync(slot, 0.0)
            calls = self.account.log[begun:]
            self.history.faults += laws_of_quiet(self.account.state, self.wishes, calls)

    def _has_failed(self) -> bool:
        for process in self.processes.values():
            self._keep_faults(process)
        self.history.faults += self.account.violations
        self.account.violations.clear()
        return bool(self.history.faults)

    def _keep_faults(self, process: Process) -> None:
        self.history.faults += process.faults
        process.faults.clear()
        losses = [
            loss for loss in self.account.losses if loss.process is process and loss.number in self.account.answered
        ]
        if process.notices < len(losses) and not process.tasks:
            self.history.faults.append(f"{process.name} noticed {process.notices} of {losses}")

    def _say(self, what: str) -> None:
        self.history.log.append(f"{self.account.clock.now() - START:9.3f} {what}")

    def _unheard(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.history.faults.append(f"{context['message']}: {context.get('exception')!r}")


def _random(seed: str) -> random.Random:
    return random.Random(seed)  # noqa: S311 -- it has to be repeatable


def _beginning(rng: random.Random) -> State:
    return seed(ZONES, document=_DOCUMENT).with_behaviour(
        rate_quota=10**9, key_order=rng.choice(("as sent", "by length"))
    )


def _age(created_on: str, now: float) -> float:
    return now - datetime.fromisoformat(created_on).timestamp()
