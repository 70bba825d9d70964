"""Everything that can be set: one table, in which a field is its variable in lower case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import TypeVar, cast

from tunnel_webhook.domain.external_dns.domain_filter import DomainFilter
from tunnel_webhook.domain.external_dns.origin_service import DEFAULT_SERVICES
from tunnel_webhook.domain.external_dns.policy import Policy, Tunnel
from tunnel_webhook.domain.planning.guard import Guard
from tunnel_webhook.settings import kinds
from tunnel_webhook.settings.kinds import Secret

DEMO_TUNNEL = Tunnel("00000000-0000-4000-8000-000000000000")
DEMO_ZONE = "example.com"

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable: what it decides (why, in which unit), an example, the text it stands for when unset, and its kind."""

    description: str
    example: str
    default: str
    parse: Callable[[str], object]


def _variable(parse: Callable[[str], _T], description: str, *, example: str, default: str = "") -> _T:
    variable = Variable(description, example, default, parse)
    return cast("_T", field(metadata={"variable": variable}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every decision of the operator; a field is its variable in lower case. `load_settings` is the way to one."""

    backend: str = _variable(
        kinds.one_of(cloudflare="cloudflare", memory="memory"),
        "Where tunnels and records are kept: `cloudflare`, or `memory` for a demo that forgets all when it ends.",
        default="cloudflare",
        example="memory",
    )
    cloudflare_api_token: Secret = _variable(  # noqa: RUF009 -- it is a field, as dataclasses.field is
        Secret,
        "API token with Zone:Read, DNS:Edit and Cloudflare Tunnel:Edit. One of token, token file, or key with email is needed.",
        example="<token>",
    )
    cloudflare_api_token_file: str = _variable(
        kinds.readable_file,
        "File that holds the API token; read again when it changes, so that a rotated Secret needs no restart.",
        example="/run/secrets/cloudflare/token",
    )
    cloudflare_api_key: Secret = _variable(  # noqa: RUF009 -- it is a field, as dataclasses.field is
        Secret,
        "Global API key, which may do anything in the account: prefer a token. Needs the email.",
        example="<key>",
    )
    cloudflare_api_email: str = _variable(
        str, "Email address that belongs to the global API key.", example="ops@example.com"
    )
    cloudflare_account_id: str = _variable(
        kinds.cloudflare_id,
        "Account that holds the tunnels. Unset: the account of the zones.",
        example="0123456789abcdef0123456789abcdef",
    )
    cloudflare_tunnel_id: tuple[Tunnel, ...] = _variable(
        kinds.tunnels,
        "Remotely-managed tunnels to publish through: one id, or `name=id` pairs between commas. The first is the default one,"
        " `webhook/tunnel` picks another.",
        example="5456b9ca-8b73-4b44-93df-67ad7acc8e2c",
    )
    cloudflare_zone_ids: tuple[str, ...] = _variable(
        kinds.cloudflare_ids,
        "Zones to use, by id between commas. Unset: every zone that the credentials see.",
        example="023e105f4ecef8ad9ca31a8372d0c353",
    )
    cloudflare_api_url: str = _variable(
        kinds.url,
        "Base of Cloudflare's API; another one only for tests and proxies.",
        default="https://api.cloudflare.com/client/v4",
        example="https://api.cloudflare.com/client/v4",
    )
    domain_filter: tuple[str, ...] = _variable(
        kinds.included,
        "Names that may be published, each with all names below it; with a leading dot only those below. Between commas;"
        " unset: every name. In memory they are the zones.",
        example="example.com,.example.org",
    )
    exclude_domains: tuple[str, ...] = _variable(
        kinds.included, "Names that are never published, in the form of DOMAIN_FILTER.", example="internal.example.com"
    )
    regex_domain_filter: str = _variable(
        kinds.expression,
        "RE2 expression that a name must match, instead of DOMAIN_FILTER.",
        example=r"\.example\.(com|org)$",
    )
    regex_domain_exclusion: str = _variable(
        kinds.expression,
        "RE2 expression that a name must not match, instead of EXCLUDE_DOMAINS.",
        example=r"^internal\.",
    )
    owner_id: str = _variable(
        kinds.owner,
        "Whose hostnames this instance manages; only those are visible to it. external-dns' --txt-owner-id where a registry is"
        " used. Unset: everybody's are visible, and new ones belong to `default`.",
        example="home",
    )
    default_origin: str = _variable(
        str,
        "Service of an endpoint that tells none, such as an ingress controller in front of everything. Unset: its first target.",
        example="https://ingress-nginx-controller.ingress-nginx.svc.cluster.local:443",
    )
    cluster_domain: str = _variable(
        kinds.hostname,
        "DNS domain of the cluster, for the origins that are made from Services.",
        default="cluster.local",
        example="cluster.local",
    )
    allowed_services: frozenset[str] = _variable(
        kinds.services,
        "Kinds of services that may be published, between commas, in place of the default. `bastion` and `socks-proxy` let"
        " a client reach any host that cloudflared reaches, so that they are not among it.",
        default=",".join(sorted(DEFAULT_SERVICES)),
        example="http,https,http_status",
    )
    allow_ca_pool: bool = _variable(
        kinds.flag,
        "Whether `webhook/ca-pool` may name a file: the file is read on cloudflared's side, and a missing one breaks the rule.",
        default="false",
        example="true",
    )
    dry_run: bool = _variable(
        kinds.flag,
        "Whether changes are planned and logged only. external-dns' own --dry-run does not reach a webhook.",
        default="false",
        example="true",
    )
    on_rejection: str = _variable(
        kinds.one_of(fail="fail", report="report"),
        "What external-dns hears when endpoints were rejected and all else was applied: `fail` answers 500, so that its own"
        " error metrics tell; `report` answers 204 and leaves it to our log and metrics.",
        default="fail",
        example="report",
    )
    max_deletes_floor: int = _variable(
        kinds.whole(0),
        "Hostnames that one sync may always delete, however few there are; beyond that MAX_DELETE_RATIO decides.",
        default="5",
        example="20",
    )
    max_delete_ratio: float = _variable(
        kinds.ratio,
        "Share of the managed hostnames that one sync may delete, 0 to 1. More is withheld: a source that fails must not empty"
        " a tunnel. 1 lets everything pass.",
        default="0.5",
        example="0.2",
    )
    request_deadline: float = _variable(
        kinds.seconds(14),
        "Seconds after which a request is answered 503 while its work goes on. external-dns ends itself after 15 s of waiting.",
        default="12",
        example="12",
    )
    host: str = _variable(
        kinds.address,
        "Address of the webhook API. It asks nobody for a password, so that only the pod itself should reach it.",
        default="127.0.0.1",
        example="127.0.0.1",
    )
    port: int = _variable(
        kinds.whole(0, 65535), "TCP port of the webhook API; 0: any free one.", default="8888", example="8888"
    )
    exposed_host: str = _variable(
        kinds.address,
        "Address of /healthz, /readyz and /metrics.",
        default="0.0.0.0",  # noqa: S104 -- the kubelet probes from outside the pod
        example="10.0.0.1",
    )
    exposed_port: int = _variable(
        kinds.whole(0, 65535),
        "TCP port of /healthz, /readyz and /metrics; 0: any free one.",
        default="8080",
        example="8080",
    )
    log_level: str = _variable(
        kinds.one_of(
            trace="debug", debug="debug", info="info", warn="warning", warning="warning", error="error", fatal="error"
        ),
        "Least severity of a line in the log.",
        default="info",
        example="debug",
    )
    log_format: str = _variable(
        kinds.one_of(json="json", text="text"),
        "`json` for machines, `text` for people.",
        default="json",
        example="text",
    )
    otel_exporter_otlp_endpoint: str = _variable(
        str,
        "OTLP/HTTP collector for traces and metrics. Unset: no traces, and metrics only on /metrics. OpenTelemetry's SDK reads"
        " this and every other OTEL_* variable itself.",
        example="http://otel-collector.monitoring:4318",
    )
    otel_exporter_otlp_traces_endpoint: str = _variable(
        str, "The same for traces alone, path included.", example="http://tempo.monitoring:4318/v1/traces"
    )
    otel_exporter_otlp_metrics_endpoint: str = _variable(
        str, "The same for metrics alone, path included.", example="http://mimir.monitoring:4318/v1/metrics"
    )
    otel_traces_exporter: str = _variable(
        str, "`none` keeps traces here in spite of an endpoint.", default="otlp", example="none"
    )
    otel_metrics_exporter: str = _variable(
        str, "`none` keeps metrics on /metrics alone in spite of an endpoint.", default="otlp", example="none"
    )
    notices: tuple[str, ...] = ()

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
        )

    @property
    def guard(self) -> Guard:
        """The limits on deletions."""
        return Guard(self.max_deletes_floor, self.max_delete_ratio)

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
        """Whether spans are made and sent to a collector."""
        endpoint = self.otel_exporter_otlp_traces_endpoint or self.otel_exporter_otlp_endpoint
        return bool(endpoint) and self.otel_traces_exporter != "none"

    @property
    def exports_metrics(self) -> bool:
        """Whether metrics are sent to a collector."""
        endpoint = self.otel_exporter_otlp_metrics_endpoint or self.otel_exporter_otlp_endpoint
        return bool(endpoint) and self.otel_metrics_exporter != "none"

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts that must not appear in any output."""
        return tuple(secret.reveal() for secret in (self.cloudflare_api_token, self.cloudflare_api_key) if secret)

    @property
    def _tunnels(self) -> tuple[Tunnel, ...]:
        return self.cloudflare_tunnel_id or (DEMO_TUNNEL,)


VARIABLES: Mapping[str, Variable] = {
    each.name.upper(): each.metadata["variable"] for each in fields(Settings) if "variable" in each.metadata
}
