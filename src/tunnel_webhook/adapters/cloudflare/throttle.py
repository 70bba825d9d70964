"""How fast Cloudflare may be asked: a token bucket below its limit, and the memory of a block.

Cloudflare allows a user 1,200 requests in 5 minutes, counted over all tokens and the dashboard, and answers everything
with 429 for the next 5 minutes once that is exceeded (fundamentals/api/reference/limits). A burst of 200 followed by 3
requests per second is at most 1,100 in any 5 minutes.
"""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_BLOCK = 300.0
"""The longest block that Cloudflare imposes, in seconds; a header that says more is not believed."""


@dataclass(slots=True)
class Throttle:
    """Says when the next request may go; `rate` in requests per second, times in seconds on one monotonic clock."""

    burst: float = 200.0
    rate: float = 3.0
    _spent: float = 0.0
    _at: float = 0.0
    _blocked_until: float = 0.0

    def delay(self, now: float, longest: float) -> float:
        """Return how long the next request has to wait, and take its turn if that is less than `longest`."""
        self._spent = max(0.0, self._spent - (now - self._at) * self.rate)
        self._at = now
        wait = max(0.0, (self._spent + 1.0 - self.burst) / self.rate)
        if wait < longest:
            self._spent += 1.0
        return wait

    def block(self, now: float, seconds: float) -> None:
        """Remember that Cloudflare answers nothing for so many seconds."""
        self._blocked_until = max(self._blocked_until, now + min(seconds, LONGEST_BLOCK))

    def blocked(self, now: float) -> float:
        """Return for how many seconds Cloudflare still answers nothing."""
        return max(0.0, self._blocked_until - now)
