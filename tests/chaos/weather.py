"""What befalls each call: how long it takes, whether it fails before or after its effect, whether its answer lies.

A process is lied to at most once in a sync, and is given three true answers about a resource after a lie about it: the
promise is about single false answers. A long lie, beside which there is no other, says that a tunnel has no document.
It is only used while a claim of more than ten minutes points at the tunnel, and after every process was given a true
answer since the last one: no other could be distinguished from a document that is gone.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from chaos.process import Process
from doubles.emulator import BLUE, GREEN, HTML, Distort, Drop, Fault, Lie, Respond, Slow
from doubles.emulator.envelope import Request
from doubles.emulator.faults import Falsehood

STATUSES = (400, 401, 403, 404, 408, 409, 429, 500, 502, 503, 504, 520, 522, 530)
LATEST = 50.0
"""How many seconds after it was sent a call has its effect at the latest."""
SOON = 4.0

_TRUTHS_AFTER_A_LIE = 3
_NEWS_HIDDEN = 0.4
_EMPTY: tuple[Falsehood, ...] = ("refusal", "null", "blank", "no ingress", "no rules", "no result")


@dataclass(frozen=True, slots=True)
class LongLie:
    """What every process is report about the document of a tunnel until a time."""

    tunnel: str
    lie: Lie
    until: float


@dataclass(slots=True)
class Weather:
    """The weather of a step: the shares of calls that fail, of reads that are lied to, and of writes that are late."""

    rng: random.Random
    failing: float = 0.0
    lying: float = 0.0
    delaying: float = 0.0
    latest: float = LATEST
    long_lie: LongLie | None = None
    report: Callable[[str], None] = print
    """Called with each lie."""

    def __str__(self) -> str:
        """Return the shares."""
        return f"failing {self.failing}, lying {self.lying}, delaying {self.delaying}"

    def change(self, perils: AbstractSet[str]) -> None:
        """Draw the weather of the next step, with these perils."""
        kind = self.rng.choice(("calm", "lies", "lies", "faults", "both", "late"))
        self.lying = self.rng.choice((0.05, 0.2)) if kind in {"lies", "both"} and "lies" in perils else 0.0
        self.failing = self.rng.choice((0.05, 0.3)) if kind in {"faults", "both"} and "failures" in perils else 0.0
        self.delaying = 0.4 if kind == "late" and "late calls" in perils else 0.0
        self.latest = LATEST if "late calls" in perils else SOON

    def calm(self) -> None:
        """Let nothing fail, and every answer be true."""
        self.lying = self.failing = self.delaying = 0.0
        self.long_lie = None

    def draw(self, request: Request, process: Process, now: float, *, is_news: bool) -> tuple[Fault, ...]:
        """Return what befalls a call of a process; `is_news` says that the process does not know the truth yet."""
        pace = process.pace
        faults: list[Fault] = [
            Slow(seconds=pace * self.rng.random()),
            Slow(seconds=pace * self.rng.random(), when="after"),
        ]
        if request.method != "GET" and self.rng.random() < self.delaying:
            faults.append(Slow(seconds=self.rng.uniform(1, self.latest)))
        elif self.rng.random() < self.failing:
            faults += self._failure()
        elif lie := self._lie(request, process, now, is_news=is_news):
            faults.append(lie)
            self.report(f"{process.name} asks {request.path[-60:]} and is answered {lie.tells}")
        return tuple(faults)

    def _failure(self) -> list[Fault]:
        match self.rng.choice(("status", "status", "drop", "late", "slow", "distort")):
            case "status":
                status, effect = self.rng.choice(STATUSES), self.rng.random() < 0.5
                headers = {"retry-after": "1"} if status == 429 and self.rng.random() < 0.5 else {}
                return [Respond(status=status, body=_body(status), effect=effect, headers=headers)]
            case "drop":
                return [
                    Drop(when=self.rng.choice(("before", "after")), how=self.rng.choice(("reset", "close", "refuse")))
                ]
            case "late":
                return [Slow(seconds=self.rng.uniform(1, self.latest))]
            case "slow":
                return [Slow(seconds=self.rng.uniform(3, 15), when="after")]
            case _:
                return [
                    self.rng.choice((Distort(cut=20), Distort(keep=9), Distort(body=HTML, content_type="text/html")))
                ]

    def _lie(self, request: Request, process: Process, now: float, *, is_news: bool) -> Lie | None:
        path = request.path
        if request.method != "GET":
            return None
        if self.long_lie and f"/{self.long_lie.tunnel}/configurations" in path and now < self.long_lie.until:
            process.lied_to_about.add(self.long_lie.tunnel)
            return self.long_lie.lie
        if process.truths_due.get(path, 0) > 0:
            process.truths_due[path] -= 1
            return None
        share = _NEWS_HIDDEN if is_news and self.lying else self.lying
        if self.long_lie or not process.may_be_lied_to or self.rng.random() >= share:
            return None
        process.may_be_lied_to = False
        process.truths_due[path] = _TRUTHS_AFTER_A_LIE
        process.lied_to_about.update(tunnel for tunnel in (BLUE, GREEN) if tunnel in path)
        return Lie(tells="stale") if is_news else self.lie_about(path)

    def lie_about(self, path: str) -> Lie:
        """Return any lie about a path."""
        rng = self.rng
        stale = Lie(tells="stale", behind=rng.randint(1, 3))
        aged = Lie(tells="stale", age=rng.choice((1.0, 10.0, 60.0, 300.0)))
        partial = Lie(tells="partial", keep=tuple(place for place in range(12) if rng.random() < 0.6))
        if path.endswith("/configurations"):
            others = (self.empty(), self.empty(), Lie(tells="another tunnel"))
            version = Lie(tells="version", version=rng.randint(1, 40))
            return rng.choice((*others, stale, stale, aged, partial, version))
        if path.endswith(("/zones", "/dns_records")):
            return rng.choice((stale, aged, partial, Lie(tells="empty"), Lie(tells="total"), self.refusal()))
        return rng.choice((stale, Lie(tells="deleted"), Lie(tells="no result"), self.refusal()))

    def empty(self) -> Lie:
        """Return a lie that makes a document seem empty."""
        tells = self.rng.choice(_EMPTY)
        version = self.rng.choice((None, None, 0, 1, 9))
        return self.refusal() if tells == "refusal" else Lie(tells=tells, version=version)

    def refusal(self) -> Lie:
        """Return a refusal with a code that Cloudflare uses for what it does not find."""
        status, code = self.rng.choice(((404, 1055), (404, 1003), (404, 7003), (404, None), (403, 1055)))
        return Lie(tells="refusal", status=status, code=code)


def _body(status: int) -> str:
    return (
        HTML
        if status >= 500
        else '{"success":false,"errors":[{"code":10000,"message":"no"}],"messages":[],"result":null}'
    )
