"""TunnelRepository whose answers are false for a while, as those of a cache or of a failing replica may be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.cloudflared.sameness import is_same_document
from tunnel_webhook.ports import Superseded, TunnelMissing, TunnelRepository

Lie = Literal["nothing", "empty", "missing", "stale"]
LIES: tuple[Lie, ...] = ("nothing", "empty", "missing", "stale")
"""No document, the true version without rules, no such tunnel, and the document before the last write."""


@dataclass(slots=True)
class LyingTunnels:
    """Gives the answer `lie` with the next `left` reads, after `skipped` true ones.

    `save` reads twice before it writes, as the adapter does.
    """

    inner: TunnelRepository
    lie: Lie = "nothing"
    left: int = 0
    skipped: int = 0
    _last: dict[str, TunnelConfiguration] = field(default_factory=dict)
    _before: dict[str, TunnelConfiguration] = field(default_factory=dict)

    async def load(self, tunnel: str, /) -> TunnelConfiguration:
        true = await self.inner.load(tunnel)
        last = self._last.get(tunnel, true)
        if true.version > last.version:
            self._before[tunnel] = last
        self._last[tunnel] = true
        if self.skipped:
            self.skipped -= 1
        elif self.left:
            self.left -= 1
            return self._false(tunnel, true)
        return true

    async def save(
        self,
        tunnel: str,
        base: TunnelConfiguration,
        configuration: TunnelConfiguration,
        may_write: Callable[[], bool],
        /,
    ) -> int | Superseded:
        one, other = await self.load(tunnel), await self.load(tunnel)
        if not (_is_same(one, base) and _is_same(other, base)):
            return Superseded((one, other))
        # Cloudflare itself replaces whatever is there.
        return await self.inner.save(tunnel, await self.inner.load(tunnel), configuration, may_write)

    def _false(self, tunnel: str, true: TunnelConfiguration) -> TunnelConfiguration:
        match self.lie:
            case "nothing":
                return TunnelConfiguration()
            case "empty":
                return replace(TunnelConfiguration(), version=true.version)
            case "stale":
                return self._before.get(tunnel, true)
            case "missing":
                message = f"tunnel {tunnel} was deleted"
                raise TunnelMissing(message)


def _is_same(one: TunnelConfiguration, other: TunnelConfiguration) -> bool:
    return one.version == other.version and is_same_document(one.text, other.text)
