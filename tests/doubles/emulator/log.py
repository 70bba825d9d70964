"""What was asked, call by call: enough for a test to count, to compare bytes, and to know where to stop a client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlencode

from doubles.emulator.envelope import Request


@dataclass(slots=True)
class LoggedCall:
    """One call; `number` counts from 1, `status` is None until it is answered, `token` is a fingerprint."""

    number: int
    method: str
    path: str
    query: str
    token: str
    body: str
    started: float
    status: int | None = None
    outcome: str = "under way"
    """Then `answered`, `dropped` (no answer), or `given up` (the client stopped waiting)."""

    changed_state: bool = False
    struck_by: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """The call as `GET /zones?page=1`."""
        return f"{self.method} {self.path}" + (f"?{self.query}" if self.query else "")


def logged(request: Request, number: int, now: float) -> LoggedCall:
    """Return the entry of a call that begins."""
    return LoggedCall(
        number=number,
        method=request.method,
        path=request.path.removeprefix("/client/v4"),
        query=urlencode(request.query, safe=":*,=@"),
        token=fingerprint(request.headers),
        body=request.body.decode(errors="replace"),
        started=now,
    )


def fingerprint(headers: Mapping[str, str]) -> str:
    """Return eight digits that tell one credential from another and give none away; nothing where there is none."""
    credential = headers.get("authorization", "") or headers.get("x-auth-key", "")
    return sha256(credential.removeprefix("Bearer ").encode()).hexdigest()[:8] if credential else ""
