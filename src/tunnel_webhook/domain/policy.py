"""What an operator decided, as far as the decisions of the domain depend on it."""

from __future__ import annotations

from dataclasses import dataclass, field

from tunnel_webhook.domain.endpoint import Endpoint
from tunnel_webhook.domain.errors import UnknownTunnel
from tunnel_webhook.domain.hostname import DomainFilter
from tunnel_webhook.domain.service import DEFAULT_SERVICES

DEFAULT_OWNER = "default"


@dataclass(frozen=True, slots=True)
class Tunnel:
    """A tunnel that is ours to write: its id, and the name that `webhook/tunnel` may use for it."""

    id: str
    name: str = ""

    @property
    def label(self) -> str:
        """The name, or the id of a tunnel without one."""
        return self.name or self.id


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings that planning and translating read; `tunnels` holds at least one, the first is the default."""

    tunnels: tuple[Tunnel, ...]
    owner_id: str = ""
    domain_filter: DomainFilter = field(default_factory=DomainFilter)
    default_origin: str = ""
    cluster_domain: str = "cluster.local"
    allowed_services: frozenset[str] = DEFAULT_SERVICES
    allow_ca_pool: bool = False

    @property
    def default_tunnel(self) -> Tunnel:
        """The tunnel of an endpoint that names none."""
        return self.tunnels[0]

    def tunnel(self, text: str) -> Tunnel:
        """Return the tunnel of this name or id; raise UnknownTunnel, listing those there are."""
        for tunnel in self.tunnels:
            if text == tunnel.name or text.lower() == tunnel.id.lower():
                return tunnel
        known = ", ".join(tunnel.label for tunnel in self.tunnels)
        message = f"tunnel {text!r} is not configured: CLOUDFLARE_TUNNEL_ID names {known}"
        raise UnknownTunnel(message)

    def tunnel_label(self, tunnel_id: str) -> str:
        """Return how the tunnel of an id is called."""
        return next((tunnel.label for tunnel in self.tunnels if tunnel.id == tunnel_id), tunnel_id)

    def owner_of(self, endpoint: Endpoint) -> str:
        """Return whose an endpoint is: the registry's label, else this instance's id, else `default`."""
        return endpoint.owner or self.owner_id or DEFAULT_OWNER

    def sees(self, owner: str) -> bool:
        """Whether what this owner claimed is visible to this instance."""
        return not self.owner_id or owner == self.owner_id
