"""The operator's settings, as far as the decisions of the domain depend on them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tunnel_webhook.domain.errors import InvalidEndpoint, Reason
from tunnel_webhook.domain.external_dns.domain_filter import DomainFilter
from tunnel_webhook.domain.external_dns.endpoint import Endpoint
from tunnel_webhook.domain.external_dns.hostname_pattern import HostnamePattern
from tunnel_webhook.domain.external_dns.origin_pattern import OriginScope
from tunnel_webhook.domain.external_dns.origin_service import DEFAULT_SERVICES
from tunnel_webhook.domain.external_dns.permissions import DEFAULT_TUNNEL, Ask, Permissions, unnamed_denial
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.quotation import listed, quoted

DEFAULT_OWNER = "default"


@dataclass(frozen=True, slots=True)
class Tunnel:
    """A tunnel that we may write: its id, and the name that `webhook/tunnel` may use for it."""

    id: str
    name: str = ""

    @property
    def label(self) -> str:
        """The name, or the id of a tunnel without one."""
        return self.name or self.id


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings that planning and translating read; the first tunnel is the default one.

    `permissions` are those of the policy file, None without one; only then do `allowed_origins` count. Raises
    ValueError without a tunnel, or for two of one id.
    """

    tunnels: tuple[Tunnel, ...]
    owner_id: str = ""
    domain_filter: DomainFilter = field(default_factory=DomainFilter)
    default_origin: str = ""
    cluster_domain: str = "cluster.local"
    allowed_services: frozenset[str] = DEFAULT_SERVICES
    allow_ca_pool: bool = False
    permissions: Permissions | None = None
    adopt_hostnames: tuple[HostnamePattern, ...] = ()
    allowed_origins: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check that there is a default tunnel, and that each tunnel is configured once."""
        ids = {tunnel.id for tunnel in self.tunnels}
        if not ids or len(ids) < len(self.tunnels):
            message = f"a policy needs at least one tunnel, and each only once: {self.tunnels}"
            raise ValueError(message)

    @property
    def default_tunnel(self) -> Tunnel:
        """The tunnel of an endpoint that names none."""
        return self.tunnels[0]

    def tunnel(self, text: str) -> Tunnel:
        """Return the tunnel of this name or id; raise InvalidEndpoint, listing the configured ones."""
        for tunnel in self.tunnels:
            if text == tunnel.name or text.lower() == tunnel.id.lower():
                return tunnel
        known = listed([tunnel.label for tunnel in self.tunnels])
        sentence = f"tunnel {quoted(text)} is not configured: CLOUDFLARE_TUNNEL_ID names {known}"
        raise InvalidEndpoint(Reason.UNKNOWN_TUNNEL, sentence)

    def tunnel_label(self, tunnel_id: str) -> str:
        """Return the name of a tunnel, given its id; the id where it has no name or is not configured."""
        return next((tunnel.label for tunnel in self.tunnels if tunnel.id == tunnel_id), tunnel_id)

    def owner_of(self, endpoint: Endpoint) -> str:
        """Return the owner of an endpoint: the registry's label, else this instance's id, else `default`."""
        return endpoint.owner or self.owner_id or DEFAULT_OWNER

    def sees(self, owner: str) -> bool:
        """Whether this instance sees the hostnames of an owner."""
        return not self.owner_id or owner == self.owner_id

    def names_of(self, tunnel_id: str) -> frozenset[str]:
        """Return the names by which a policy file may mean a tunnel: its id, its name, and `default`."""
        default = {DEFAULT_TUNNEL} if tunnel_id == self.default_tunnel.id else set[str]()
        return frozenset({tunnel_id, self.tunnel_label(tunnel_id), *default})

    @property
    def fault(self) -> str:
        """What the policy file says that cannot be, since it names a tunnel that is not configured; or nothing."""
        known = {name for tunnel in self.tunnels for name in self.names_of(tunnel.id)}
        for table in self.permissions.allow if self.permissions else ():
            if unknown := table.tunnels - known:
                return f"{table.name} tunnels lists {quoted(min(unknown))}, which CLOUDFLARE_TUNNEL_ID does not name"
        return ""

    def may_adopt(self, hostname: Hostname, namespace: str) -> bool:
        """Whether what a person made for a hostname may be taken over for a namespace, which may be empty."""
        if any(pattern.covers(hostname) for pattern in self.adopt_hostnames):
            return True
        return self.permissions is not None and self.permissions.may_adopt(hostname, namespace)

    def binds_namespaces(self, hostname: str) -> bool:
        """Whether a hostname belongs to one namespace: with a policy file, unless that lists it in `shared`."""
        return self.permissions is not None and not self.permissions.is_shared(hostname)

    def without_permissions(self, origins: tuple[str, ...]) -> Policy:
        """Return the policy as it is for what was allowed before, from these origins."""
        return replace(self, permissions=None, allowed_origins=origins)

    def objection(self, ask: Ask) -> str:
        """Return why something may not be published, for the operator; nothing if it may."""
        if self.permissions is None:
            return unnamed_denial(ask.origins, (*self.allowed_origins, self.default_origin))
        scope = OriginScope(ask.namespace, self.cluster_domain, self.default_origin)
        return self.permissions.objection(ask, scope)
