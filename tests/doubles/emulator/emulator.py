"""The emulator itself: the one mutable object, which takes each call through the faults, the limits and the routes.

Its faces are the httpx transport (`transport.py`) and the process (`server.py`).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from wsgiref.handlers import format_date_time

from doubles.clock import Clock, VirtualClock
from doubles.emulator.envelope import Request, Response, refuse
from doubles.emulator.faults import (
    Armed,
    Distort,
    Fault,
    ForeignWrite,
    Intervention,
    Lie,
    Pause,
    Respond,
    When,
    distorted,
    scripted,
    strike,
)
from doubles.emulator.lies import Past, false_answer
from doubles.emulator.limits import Bucket, headers_of, spend
from doubles.emulator.log import LoggedCall, fingerprint, logged
from doubles.emulator.problems import RATE_LIMITED
from doubles.emulator.routes import answer
from doubles.emulator.state import State
from doubles.emulator.values import stamp
from doubles.emulator.visit import Dropped, GaveUp, Held, Visit

_REMEMBERED = 100


class Emulator:
    """An emulated Cloudflare; tests read `state`, `script` and `log`, and may replace `state`.

    `past` holds the last 100 states, the present one included, each with when it began.
    """

    def __init__(self, state: State, clock: Clock | None = None) -> None:
        """Start with a state; without a clock, in virtual time."""
        self.clock = clock or VirtualClock()
        self.past: deque[Past] = deque(maxlen=_REMEMBERED)
        self.state = state
        self.script: tuple[Armed, ...] = ()
        self.log: list[LoggedCall] = []
        self.held: dict[int, Held] = {}
        self._seed = state
        self._buckets: dict[str, Bucket] = {}
        self._late: list[tuple[float, Visit]] = []
        self._call_held = asyncio.Event()

    @property
    def state(self) -> State:
        """What is stored now."""
        return self.past[-1].state

    @state.setter
    def state(self, state: State) -> None:
        if not self.past or state is not self.state:
            self.past.append(Past(self.clock.now(), state))

    def seed(self, state: State) -> None:
        """Replace the state, and let `reset` return to it."""
        self._seed = self.state = state

    def reset(self) -> None:
        """Return to the seed, with an empty script, an empty log and a full rate limit."""
        self.past.clear()
        self.state, self.script = self._seed, ()
        self.log.clear()
        self._buckets.clear()
        self._late.clear()
        self.release(proceed=False)

    def arm(self, *faults: Fault) -> None:
        """Add faults to the script; each counts the calls from now on."""
        self.script += tuple(Armed(fault) for fault in faults)

    @property
    def idle(self) -> tuple[Fault, ...]:
        """The faults that have struck nothing yet: a test that expects all of them to strike compares this with ()."""
        return tuple(armed.fault for armed in self.script if not armed.struck)

    def write_foreign(self, tunnel: str, document: str) -> None:
        """Replace a tunnel's document as another writer would, unchecked and character for character."""
        self.state = self.state.with_document(tunnel, document, at=stamp(self.clock.now()))

    async def until_held(self, seconds: float) -> tuple[LoggedCall, ...]:
        """Return the calls that are held, waiting up to this many (real) seconds for the first one."""
        try:
            async with asyncio.timeout(seconds):
                while not self.held:
                    self._call_held.clear()
                    await self._call_held.wait()
        except TimeoutError:
            return ()
        return tuple(held.entry for held in self.held.values())

    def release(self, *, proceed: bool = True) -> None:
        """Let the held calls go on, or end them there: a call that had no effect yet then has none."""
        for held in self.held.values():
            held.proceed = proceed
            held.released.set()

    async def settle(self) -> None:
        """Wait for the pending effects of calls whose clients stopped waiting."""
        if self._late:
            await self.clock.sleep(max(due for due, _ in self._late) - self.clock.now())
            self._land()

    async def handle(self, request: Request, patience: float | None = None) -> Response:
        """Return the answer to a call; raise Dropped, or GaveUp if it takes longer than `patience` seconds."""
        self._land()
        entry = logged(request, len(self.log) + 1)
        self.log.append(entry)
        self.script, faults = strike(self.script, request, self.clock.now())
        entry.struck_by = tuple(type(fault).__name__ for fault in faults)
        try:
            response = await self._answer(Visit(request, entry, faults, patience))
        except Dropped:
            entry.outcome = "dropped"
            raise
        except (GaveUp, asyncio.CancelledError):
            entry.outcome = "given up"
            raise
        entry.status, entry.outcome = response.status, "answered"
        return response

    async def _answer(self, visit: Visit) -> Response:
        drop = visit.drop
        if drop and drop.how == "refuse":
            raise Dropped(how="refuse")
        await self._delay_effect(visit)
        if drop and drop.when == "before":
            raise Dropped(how=drop.how)
        response = self._effect(visit) if visit.takes_effect else None
        await self._delay(visit, "after")
        if drop:
            raise Dropped(how=drop.how)
        if response is None or visit.response:
            response = scripted(visit.response or Respond())
        for fault in visit.faults:
            response = distorted(response, fault) if isinstance(fault, Distort) else response
        return replace(response, headers={"date": format_date_time(self.clock.now()), **response.headers})

    async def _delay_effect(self, visit: Visit) -> None:
        """Wait before the effect; if the client stops waiting, the effect still comes at its time."""
        due = self.clock.now() + self._seconds(visit, "before")
        try:
            await self._delay(visit, "before")
        except (GaveUp, asyncio.CancelledError):
            if visit.takes_effect:
                self._late.append((due, visit))
            raise

    async def _delay(self, visit: Visit, when: When) -> None:
        for fault in visit.faults:
            if isinstance(fault, Pause) and fault.when == when:
                await self._hold(visit.entry, when)
        seconds = self._seconds(visit, when)
        if visit.patience is not None and seconds > visit.patience:
            await self.clock.sleep(visit.patience)
            raise GaveUp
        if seconds:
            await self.clock.sleep(seconds)
            visit.patience = None if visit.patience is None else visit.patience - seconds

    def _seconds(self, visit: Visit, when: When) -> float:
        return visit.seconds(when) + (self.state.behaviour.latency if when == "before" else 0.0)

    async def _hold(self, entry: LoggedCall, when: When) -> None:
        held = self.held[entry.number] = Held(entry, when)
        self._call_held.set()
        try:
            await held.released.wait()
        finally:
            del self.held[entry.number]
        if not held.proceed:
            raise Dropped(how="close")

    def _land(self) -> None:
        """Apply the effects that are due of calls whose clients stopped waiting."""
        now = self.clock.now()
        landing = [visit for due, visit in self._late if due <= now]
        self._late = [(due, visit) for due, visit in self._late if due > now]
        for visit in landing:
            self._effect(visit)

    def _effect(self, visit: Visit) -> Response:
        """Apply the call to the state, after what the script does directly before it."""
        for fault in visit.faults:
            if isinstance(fault, ForeignWrite):
                self.write_foreign(fault.tunnel, fault.document)
            elif isinstance(fault, Intervention):
                self.state = fault.change(self.state)
        limits = self._spend(visit.request)
        if "retry-after" in limits:
            response = refuse(RATE_LIMITED)
        else:
            self.state, response = answer(self.state, visit.request, self.clock.now())
            for fault in visit.faults:
                if isinstance(fault, Lie):
                    response = false_answer(fault, visit.request, self.past, self.clock.now())
        return replace(response, headers={**response.headers, **limits})

    def _spend(self, request: Request) -> Mapping[str, str]:
        now, caller, quota = self.clock.now(), fingerprint(request.headers), self.state.behaviour.rate_quota
        self._buckets[caller] = bucket = spend(self._buckets.get(caller, Bucket(now)), now, quota)
        return headers_of(bucket, now, quota)
