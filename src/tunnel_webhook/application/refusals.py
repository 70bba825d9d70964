"""Rules that Cloudflare refused: asking again changes nothing until something else is asked, or some minutes pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.plan import RuleChange
from tunnel_webhook.ports import Unacceptable

_SECONDS = 600.0
_MAX = 1000


@dataclass(slots=True)
class Refusals:
    """The changes that were refused within the last ten minutes, at most 1,000; `clock` is monotonic, in seconds."""

    clock: Callable[[], float]
    _refused: dict[tuple[Hostname, RuleChange], tuple[float, Unacceptable]] = field(
        default_factory=dict[tuple[Hostname, RuleChange], tuple[float, Unacceptable]]
    )

    def remember(self, changes: Mapping[Hostname, RuleChange], refusal: Unacceptable) -> None:
        """Remember that these changes were refused."""
        until = self.clock() + _SECONDS
        for hostname, change in list(changes.items())[:_MAX]:
            self._refused[hostname, change] = (until, refusal)
        while len(self._refused) > _MAX:
            del self._refused[next(iter(self._refused))]

    def among(self, changes: Mapping[Hostname, RuleChange]) -> Mapping[Hostname, Unacceptable]:
        """Return why each of the changes that were refused before was."""
        now = self.clock()
        self._refused = {change: refused for change, refused in self._refused.items() if refused[0] > now}
        return {
            hostname: self._refused[hostname, change][1]
            for hostname, change in changes.items()
            if (hostname, change) in self._refused
        }
