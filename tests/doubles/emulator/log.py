"""The calls so far: enough for a test to count them, to compare bytes, and to know where to stop a client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlencode

from doubles.emulator.envelope import Request


@dataclass(slots=True)
class LoggedCall:
    """One call, without its credentials; `number` counts from 1, `status` is None until it is answered."""

    number: int
    method: str
    path: str
    query: str
    body: str
    status: int | None = None
    outcome: str = "under way"
    """Then `answered`, `dropped` (no answer), or `given up` (the client stopped waiting)."""

    struck_by: tuple[str, ...] = ()
    """The kinds of the faults that struck it."""

    @property
    def line(self) -> str:
        """The call as `GET /zones?page=1`."""
        return f"{self.method} {self.path}" + (f"?{self.query}" if self.query else "")


def logged(request: Request, number: int) -> LoggedCall:
    """Return the entry of a call that begins."""
    return LoggedCall(
        number=number,
        method=request.method,
        path=request.path.removeprefix("/client/v4"),
        query=urlencode(request.query, safe=":*,=@"),
        body=request.body.decode(errors="replace"),
    )


def fingerprint(headers: Mapping[str, str]) -> str:
    """Return eight digits that distinguish credentials without revealing them; nothing without credentials."""
    credential = headers.get("authorization", "") or headers.get("x-auth-key", "")
    return sha256(credential.removeprefix("Bearer ").encode()).hexdigest()[:8] if credential else ""
