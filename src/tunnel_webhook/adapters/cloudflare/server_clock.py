"""Cloudflare's clock: the same for every instance, whatever their own clocks say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime


@dataclass(slots=True)
class ServerClock:
    """The time of the last `Date` header and what has passed since; before the first one, the time of `wall`.

    `clock` is monotonic, `wall` in seconds since the epoch. The header has whole seconds, so the time may be up to a
    second behind.
    """

    clock: Callable[[], float]
    wall: Callable[[], float]
    _ahead: float | None = None

    def heed(self, headers: Mapping[str, str]) -> None:
        """Take the time of an answer that has just arrived."""
        try:
            date = parsedate_to_datetime(headers.get("date", ""))
        except (TypeError, ValueError):
            return
        self._ahead = date.timestamp() - self.clock()

    def now(self) -> float:
        """Return the time in seconds since the epoch."""
        return self.wall() if self._ahead is None else self.clock() + self._ahead
