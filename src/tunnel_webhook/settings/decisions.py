"""The decisions that the values of the variables stand for."""

from __future__ import annotations

from dataclasses import dataclass, field

from tunnel_webhook.domain.external_dns.domain_filter import DomainFilter
from tunnel_webhook.domain.external_dns.policy import Policy, Tunnel
from tunnel_webhook.domain.planning.guard import Guard
from tunnel_webhook.settings.proxies import Proxy
from tunnel_webhook.settings.secret import Secret
from tunnel_webhook.settings.variables import Variables

DEMO_TUNNEL = Tunnel("00000000-0000-4000-8000-000000000000")
DEMO_ZONE = "example.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Variables):
    """Every decision of the operator, made by `load_settings`.

    `notices` are warnings about doubtful variables; `hidden` are credentials in variables of others; `proxy` leads to
    Cloudflare's API.
    """

    notices: tuple[str, ...] = ()
    proxy: Proxy | None = None
    hidden: tuple[str, ...] = field(default=(), repr=False)

    @property
    def policy(self) -> Policy:
        """The settings that translation and planning read."""
        return Policy(
            tunnels=self._tunnels,
            owner_id=self.owner_id,
            domain_filter=DomainFilter(
                self.domain_filter, self.exclude_domains, self.regex_domain_filter, self.regex_domain_exclusion
            ),
            default_origin=self.default_origin,
            cluster_domain=self.cluster_domain,
            allowed_services=self.allowed_services,
            allow_ca_pool=self.allow_ca_pool,
            permissions=self.policy_file.permissions,
            adopt_hostnames=self.adopt_hostnames,
            allowed_origins=self.allowed_origins,
        )

    @property
    def guard(self) -> Guard:
        """The limit on deletions."""
        return Guard(self.max_deletes_floor, self.max_delete_ratio)

    @property
    def lock_zone(self) -> str:
        """The zone of the write lock, or nothing for the first one."""
        return self.write_lock.partition(":")[2]

    @property
    def lock_kind(self) -> str:
        """`off` or `dns`; the memory backend has no other writers."""
        return "off" if self.backend == "memory" else self.write_lock.partition(":")[0]

    @property
    def tunnel_ids(self) -> tuple[str, ...]:
        """The ids of the tunnels, the default one first."""
        return tuple(tunnel.id for tunnel in self._tunnels)

    @property
    def demo_zones(self) -> tuple[str, ...]:
        """The names of the zones of the memory backend, sorted."""
        names = {name.removeprefix(".").removeprefix("*.") for name in self.domain_filter}
        return tuple(sorted(names)) or (DEMO_ZONE,)

    @property
    def fails_on_rejection(self) -> bool:
        """Whether a rejected endpoint makes the answer an error."""
        return self.on_rejection == "fail"

    @property
    def exports_traces(self) -> bool:
        """Whether spans are recorded and sent to a collector."""
        endpoint = self.otel_exporter_otlp_traces_endpoint or self.otel_exporter_otlp_endpoint
        return bool(endpoint) and "otlp" in self.otel_traces_exporter.split(",")

    @property
    def exports_metrics(self) -> bool:
        """Whether metrics are sent to a collector."""
        endpoint = self.otel_exporter_otlp_metrics_endpoint or self.otel_exporter_otlp_endpoint
        return bool(endpoint) and "otlp" in self.otel_metrics_exporter.split(",")

    @property
    def proxy_url(self) -> str:
        """The URL of the proxy to Cloudflare's API, without user information; empty for none."""
        return self.proxy.url if self.proxy else ""

    @property
    def proxy_credentials(self) -> tuple[str, str] | None:
        """The user and the password for that proxy, if there are any."""
        return self.proxy.credentials if self.proxy else None

    @property
    def password(self) -> Secret:
        """The password of the webhook API, empty for none."""
        return self.webhook_password or self.webhook_password_file

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts that must not appear in any output."""
        ours = (self.cloudflare_api_token, self.cloudflare_api_key, self.cloudflare_api_email, self.password)
        return (*(secret.reveal() for secret in ours if secret), *self.hidden)

    @property
    def _tunnels(self) -> tuple[Tunnel, ...]:
        return self.cloudflare_tunnel_id or (DEMO_TUNNEL,)
