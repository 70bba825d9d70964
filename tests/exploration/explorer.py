"""Every order of the calls of some processes, with a bounded number of disturbances at every place.

A history is replayed for each step that continues it, since a coroutine cannot be copied. Two histories that leave the
account and everything that the processes have seen the same have the same future, so only one of them is continued.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from doubles.emulator import ACCOUNT, BLUE, State
from exploration.board import Board, BoardAPI, Call
from tunnel_webhook.adapters.cloudflare.directory import ZoneDirectory
from tunnel_webhook.adapters.cloudflare.lock import DnsLock
from tunnel_webhook.adapters.cloudflare.tunnels import CloudflareTunnels
from tunnel_webhook.adapters.cloudflare.zones import CloudflareZones
from tunnel_webhook.adapters.memory import NoLock
from tunnel_webhook.application import TunnelService
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.ports import ChangesNotApplied, Failure, WriteLock
from vocabulary.builders import service

RELEASE_DELAY = 120.0

Step = tuple[str, str]
"""What happens, and to which process."""

Script = Callable[[TunnelService], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """What two processes do at once, from a state of the account on; a person may write a document meanwhile."""

    state: State
    scripts: Mapping[str, Script]
    policies: Mapping[str, Policy]
    by_hand: str = ""
    jump: float = 0.0
    """Seconds that may pass at any place, once."""

    disturbances: int = 1
    is_locked: bool = False
    only: frozenset[str] = frozenset()
    """The kinds of disturbances (the first word of a step), or empty for all."""

    def allows(self, step: Step) -> bool:
        """Whether a disturbance is among those that are explored."""
        return not self.only or step[0].split()[0].removesuffix(":") in self.only


@dataclass(slots=True)
class Process:
    """One process: its service, and its script while it runs."""

    name: str
    service: TunnelService
    task: asyncio.Task[None] | None = None


@dataclass(slots=True)
class History:
    """A replayed history, in a running event loop."""

    scenario: Scenario
    board: Board
    processes: dict[str, Process] = field(default_factory=dict)
    disturbances: int = 0
    by_hand_version: int = 0
    has_jumped: bool = False
    calls: list[str] = field(default_factory=list)

    @classmethod
    async def replay(cls, scenario: Scenario, steps: tuple[Step, ...]) -> History:
        """Return the history after these steps, when every process waits for an answer or is done."""
        history = cls(scenario, Board(scenario.state))
        for name, script in scenario.scripts.items():
            process = history.start(name)
            process.task = asyncio.create_task(_run(script, process.service))
        await history.settle()
        for step in steps:
            history.take(step)
            await history.settle()
        return history

    def start(self, name: str) -> Process:
        """Start a process with an empty memory."""
        board, policy = self.board, self.scenario.policies[name]
        api = BoardAPI(board, name)
        directory = ZoneDirectory(api, board.clock, board.sleep, ACCOUNT)
        tunnels = CloudflareTunnels(api, directory, board.clock)
        zones = CloudflareZones(api, directory, board.clock, board.sleep, policy.domain_filter)
        started = service(
            tunnels, zones, policy, release_delay=RELEASE_DELAY, lock=self.lock(api, directory), clock=board.clock
        )
        self.processes[name] = Process(name, started)
        return self.processes[name]

    def lock(self, api: BoardAPI, directory: ZoneDirectory) -> WriteLock:
        """Return the lock of a process."""
        if not self.scenario.is_locked:
            return NoLock()
        board = self.board
        nonce = partial(next, board.nonces)
        return DnsLock(api, directory, "", "us", board.clock, board.sleep, lambda: 0.5, lambda: f"{nonce():032x}")

    async def settle(self) -> None:
        """Let every process go on until it waits for an answer or is done."""
        for _ in range(200):
            await asyncio.sleep(0)
            running = [process for process in self.processes.values() if process.task and not process.task.done()]
            if all(self.board.waiting.get(process.name) for process in running):
                # A second call of a process may follow in the same turn of the loop, or in the next ones.
                for _ in range(6):
                    await asyncio.sleep(0)
                return
        message = "a process neither waits for an answer nor ends"
        raise AssertionError(message)

    def steps(self) -> Iterator[Step]:
        """Yield every step that may be next."""
        waiting = {name: calls[0] for name, calls in self.board.waiting.items() if calls}
        yield from (("serve", name) for name in waiting)
        if self.board.late:
            yield ("land", "")
        if self.disturbances < self.scenario.disturbances:
            yield from (step for step in self._disturbing(waiting) if self.scenario.allows(step))

    def _disturbing(self, waiting: Mapping[str, Call]) -> Iterator[Step]:
        for name, call in waiting.items():
            yield from ((way, name) for way in (*call.ways[1:], "crash"))
        if self.scenario.by_hand and not self.by_hand_version:
            yield ("person", "")
        # A write on its way lands within RELEASE_DELAY; nothing could save a rule that comes back later than that.
        is_writing = any(call.is_document and call.request.method == "PUT" for call in waiting.values())
        if self.scenario.jump and not self.has_jumped and not self.board.late and not is_writing:
            yield ("jump", "")

    def take(self, step: Step) -> None:
        """Let a step happen."""
        what, name = step
        self.disturbances += is_disturbance(step)
        match what:
            case "land":
                self.board.land()
            case "person":
                self.by_hand_version = self.board.write_document(
                    BLUE, with_rule(self.board.state, self.scenario.by_hand)
                )
            case "jump":
                self.has_jumped = True
                self.board.now += self.scenario.jump
            case "crash":
                # It never gets another answer.
                self.board.waiting[name].clear()
                del self.processes[name]
            case _:
                call = self.board.waiting[name][0]
                self.calls.append(f"{name}: {call.request.method} {call.operation.name} ({what})")
                self.board.give(name, what)

    def key(self) -> str:
        """Return what decides the future, as one text."""
        return f"{self.board.key()} {sorted(self.processes)} {self.by_hand_version} {self.has_jumped}"

    async def end(self) -> None:
        """Wait for the scripts, all of whose calls were answered."""
        await asyncio.gather(*(process.task for process in self.processes.values() if process.task))
        for process in self.processes.values():
            await process.service.turns.finish()

    async def quiet(self, sync: Callable[[TunnelService, str], Awaitable[object]], rounds: int, seconds: float) -> None:
        """Let every process sync some times without a disturbance; one that crashed starts again."""
        while self.board.late:
            self.board.land()
        self.board.is_open = True
        for name in self.scenario.scripts:
            if name not in self.processes:
                self.start(name)
        for _ in range(rounds):
            self.board.now += seconds
            for name, process in sorted(self.processes.items()):
                with suppress(Failure, ChangesNotApplied):
                    await sync(process.service, name)
                await process.service.turns.finish()


async def _run(script: Script, api: TunnelService) -> None:
    with suppress(Failure, ChangesNotApplied):
        await script(api)


def with_rule(state: State, text: str) -> str:
    """Return the document of the tunnel with a rule before the first one."""
    return state.document(BLUE).replace('"ingress":[', f'"ingress":[{text},', 1)


def explore(scenario: Scenario, check: Callable[[History], Awaitable[None]]) -> int:
    """Check the end of every history, and return how many different situations there were."""
    seen: set[str] = set()
    # Situations with fewer disturbances come first: whatever may follow one with more of them follows from those too.
    pending: list[deque[tuple[Step, ...]]] = [deque() for _ in range(scenario.disturbances + 1)]
    pending[0].append(())
    with asyncio.Runner() as runner:
        for disturbances, histories in enumerate(pending):
            while histories:
                steps = histories.pop()
                for step in runner.run(_visit(scenario, steps, seen, check)):
                    pending[disturbances + is_disturbance(step)].append((*steps, step))
    return len(seen)


def is_disturbance(step: Step) -> bool:
    """Whether a step is none of those that happen anyway."""
    return step[0] not in {"serve", "land"}


async def _visit(
    scenario: Scenario, steps: tuple[Step, ...], seen: set[str], check: Callable[[History], Awaitable[None]]
) -> list[Step]:
    history = await History.replay(scenario, steps)
    try:
        key = history.key()
        if key in seen:
            return []
        seen.add(key)
        following = list(history.steps())
        if not any(what in {"serve", "land"} for what, _ in following):
            await history.end()
            try:
                await check(history)
            except AssertionError as error:
                error.add_note("\n".join([*map(str, steps), *history.calls]))
                raise
        return following
    finally:
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
