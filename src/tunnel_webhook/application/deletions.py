"""The deletions of the last ten minutes, which the guard counts together with those of a new plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.guard import WINDOW

_MAX = 10_000


@dataclass(slots=True)
class Deletions:
    """Hostnames whose deletion began within ten minutes, at most the last 10,000; `clock` is monotonic, in seconds."""

    clock: Callable[[], float]
    _begun: dict[Hostname, float] = field(default_factory=dict[Hostname, float])

    def remember(self, hostnames: Iterable[Hostname]) -> None:
        """Remember deletions that begin now, whether or not they succeed."""
        for hostname in hostnames:
            self._begun.pop(hostname, None)
            self._begun[hostname] = self.clock()
        while len(self._begun) > _MAX:
            del self._begun[next(iter(self._begun))]

    def recent(self) -> frozenset[Hostname]:
        """Return the hostnames."""
        since = self.clock() - WINDOW
        self._begun = {hostname: at for hostname, at in self._begun.items() if at > since}
        return frozenset(self._begun)
