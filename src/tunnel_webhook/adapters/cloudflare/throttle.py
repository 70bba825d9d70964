"""How fast Cloudflare may be asked: a token bucket below its limit, and the memory of a block.

Cloudflare allows 1,200 requests in 5 minutes to a user, over all its tokens and the dashboard, and answers everything with 429
for the next 5 minutes once that is exceeded (fundamentals/api/reference/limits). A burst of 200 and then 3 a second is at most
1,100 in any 5 minutes.
"""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_BLOCK = 300.0
"""No block that Cloudflare imposes lasts longer, in seconds; so neither does our memory of one, whatever a header says."""


@dataclass(slots=True)
class Throttle:
    """Tells when the next request may go; `rate` in requests a second, times in seconds on one monotonic clock."""

    burst: float = 200.0
    rate: float = 3.0
    _spent: float = 0.0
    _at: float = 0.0
    _blocked_until: float = 0.0

    def delay(self, now: float, longest: float) -> float:
        """Return how long the next request has to wait, and reserve its turn if that is less than `longest`."""
        self._spent = max(0.0, self._spent - (now - self._at) * self.rate)
        self._at = now
        wait = max(0.0, (self._spent + 1.0 - self.burst) / self.rate)
        if wait < longest:
            self._spent += 1.0
        return wait

    def block(self, now: float, seconds: float) -> None:
        """Remember that nothing will be answered for so many seconds."""
        self._blocked_until = max(self._blocked_until, now + min(seconds, LONGEST_BLOCK))

    def blocked(self, now: float) -> float:
        """Return for how many seconds nothing will be answered."""
        return max(0.0, self._blocked_until - now)
