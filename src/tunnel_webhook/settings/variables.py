"""The variables: one table, in which each field is named after its variable, in lower case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import TypeVar, cast

from tunnel_webhook.domain.external_dns.origin_service import DEFAULT_SERVICES
from tunnel_webhook.domain.external_dns.policy import Tunnel
from tunnel_webhook.settings import parsers
from tunnel_webhook.settings.secret import Secret

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable: what it decides, an example, the text that an unset one counts as, and the parser of its text."""

    description: str
    example: str
    default: str
    parse: Callable[[str], object]


def _variable(parse: Callable[[str], _T], description: str, *, example: str, default: str = "") -> _T:
    variable = Variable(description, example, default, parse)
    return cast("_T", field(metadata={"variable": variable}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Variables:
    """The values of all variables, each parsed, none compared with another."""

    backend: str = _variable(
        parsers.choice(cloudflare="cloudflare", memory="memory"),
        "Where tunnels and records are kept: `cloudflare`, or `memory` for a demo, which loses everything when "
        "the process ends.",
        default="cloudflare",
        example="memory",
    )
    cloudflare_api_token: Secret = _variable(  # noqa: RUF009 -- returns a dataclasses.field
        Secret,
        "API token with Zone:Read, DNS:Edit and Cloudflare Tunnel:Edit. Set exactly one of CLOUDFLARE_API_TOKEN, "
        "CLOUDFLARE_API_TOKEN_FILE, and CLOUDFLARE_API_KEY with CLOUDFLARE_API_EMAIL.",
        example="<token>",
    )
    cloudflare_api_token_file: str = _variable(
        parsers.readable_file,
        "File that contains the API token. It is read again when it changes, so rotating the Secret needs no restart.",
        example="/run/secrets/cloudflare/token",
    )
    cloudflare_api_key: Secret = _variable(  # noqa: RUF009 -- returns a dataclasses.field
        Secret,
        "Global API key, which can do anything in the account; prefer a token. Requires CLOUDFLARE_API_EMAIL.",
        example="<key>",
    )
    cloudflare_api_email: Secret = _variable(  # noqa: RUF009 -- returns a dataclasses.field
        Secret, "Email address of the global API key.", example="ops@example.com"
    )
    cloudflare_account_id: str = _variable(
        parsers.cloudflare_id,
        "Account of the tunnels. If unset, the account of the zones.",
        example="0123456789abcdef0123456789abcdef",
    )
    cloudflare_tunnel_id: tuple[Tunnel, ...] = _variable(
        parsers.tunnels,
        "Remotely managed tunnels to publish through: one id, or comma-separated `name=id` pairs. The first is "
        "the default; `webhook/tunnel` selects another.",
        example="5456b9ca-8b73-4b44-93df-67ad7acc8e2c",
    )
    cloudflare_zone_ids: tuple[str, ...] = _variable(
        parsers.cloudflare_ids,
        "Ids of the zones to use, comma-separated. If unset, every zone that the credentials can read.",
        example="023e105f4ecef8ad9ca31a8372d0c353",
    )
    cloudflare_api_url: str = _variable(
        parsers.url,
        "Base URL of Cloudflare's API. Change it only for tests and proxies.",
        default="https://api.cloudflare.com/client/v4",
        example="https://api.cloudflare.com/client/v4",
    )
    domain_filter: tuple[str, ...] = _variable(
        parsers.domains,
        "Domains to publish names in, comma-separated. `example.com` stands for itself and all names below it, "
        "`.example.com` only for the names below it. If unset, all names. With `BACKEND=memory`, also the zones.",
        example="example.com,.example.org",
    )
    exclude_domains: tuple[str, ...] = _variable(
        parsers.domains,
        "Domains to publish no names in, in the same form as DOMAIN_FILTER.",
        example="internal.example.com",
    )
    regex_domain_filter: str = _variable(
        parsers.expression,
        "RE2 expression that a name must match, instead of DOMAIN_FILTER.",
        example=r"\.example\.(com|org)$",
    )
    regex_domain_exclusion: str = _variable(
        parsers.expression,
        "RE2 expression that a name must not match, instead of EXCLUDE_DOMAINS.",
        example=r"^internal\.",
    )
    owner_id: str = _variable(
        parsers.owner,
        "Owner whose hostnames this instance manages; it ignores those of other owners. With a registry, the same "
        "as external-dns' --txt-owner-id. If unset, hostnames of all owners are managed, and new ones get the "
        "owner `default`.",
        example="home",
    )
    default_origin: str = _variable(
        str,
        "Service of an endpoint that names none, for example an ingress controller. If unset, its first target.",
        example="https://ingress-nginx-controller.ingress-nginx.svc.cluster.local:443",
    )
    cluster_domain: str = _variable(
        parsers.hostname,
        "DNS domain of the cluster, for origins that are derived from Kubernetes Services.",
        default="cluster.local",
        example="cluster.local",
    )
    allowed_services: frozenset[str] = _variable(
        parsers.services,
        "Kinds of services that may be published, comma-separated. `bastion` and `socks-proxy` are not in the "
        "default, since they let a client reach every host that cloudflared can reach.",
        default=",".join(sorted(DEFAULT_SERVICES)),
        example="http,https,http_status",
    )
    allow_ca_pool: bool = _variable(
        parsers.flag,
        "Whether `webhook/ca-pool` may be used. It names a file on cloudflared's host, and the rule does not work "
        "if that is missing.",
        default="false",
        example="true",
    )
    dry_run: bool = _variable(
        parsers.flag,
        "Whether changes are planned and logged, but not applied. external-dns' own --dry-run does not reach a "
        "webhook.",
        default="false",
        example="true",
    )
    on_rejection: str = _variable(
        parsers.choice(fail="fail", report="report"),
        "The answer when some endpoints were rejected and all other changes applied: `report` is 204, and our log "
        "and metrics show the rejections; `fail` is 500, which external-dns counts as an error. What Cloudflare "
        "refuses, and deletions that are withheld, are a 500 in any case.",
        default="report",
        example="fail",
    )
    release_delay: int = _variable(
        parsers.release_delay,
        "Seconds for which the record of a deleted hostname is kept after its rule is gone, so that a late or "
        "simultaneous write that brings the rule back is noticed. 0 deletes it at once; else at least 60.",
        default="120",
        example="300",
    )
    write_lock: str = _variable(
        parsers.write_lock,
        "Whether instances that share a tunnel write one after the other: `off`, or `dns`, which keeps a lock in a "
        "record of the first zone, or of the zone in `dns:example.com`. All of them need the same value.",
        default="off",
        example="dns:example.com",
    )
    max_deletes_floor: int = _variable(
        parsers.whole_number(0),
        "Number of hostnames that may be deleted within ten minutes, whatever their share, but never all of three or "
        "more. MAX_DELETE_RATIO limits larger numbers.",
        default="5",
        example="20",
    )
    max_delete_ratio: float = _variable(
        parsers.ratio,
        "Share of the managed hostnames that may be deleted within ten minutes, from 0 to 1, but never all of three or "
        "more. Further deletions are withheld, so that a failing source cannot empty a tunnel. 1 removes every limit.",
        default="0.5",
        example="0.2",
    )
    request_deadline: float = _variable(
        parsers.seconds(14),
        "Seconds until a request is answered with 503; its work goes on. external-dns exits if it waits longer "
        "than 15 s.",
        default="12",
        example="12",
    )
    host: str = _variable(
        parsers.address,
        "Address of the webhook API. Only the pod itself should be able to reach it; another address than loopback "
        "requires ALLOWED_HOSTS, and should have a WEBHOOK_PASSWORD.",
        default="127.0.0.1",
        example="127.0.0.1",
    )
    port: int = _variable(
        parsers.whole_number(0, 65535),
        "TCP port of the webhook API; 0 picks a free one.",
        default="8888",
        example="8888",
    )
    allowed_hosts: tuple[str, ...] = _variable(
        parsers.hosts,
        "Names and IP addresses, beside loopback, under which the webhook API may be requested, comma-separated and "
        "without a port: the host in external-dns' --webhook-provider-url. A request with any other Host is refused.",
        example="tunnel-webhook.external-dns.svc",
    )
    webhook_password: Secret = _variable(  # noqa: RUF009 -- returns a dataclasses.field
        Secret,
        "Password of the webhook API. If set, external-dns needs it in its URL, after any user name: "
        "--webhook-provider-url=http://any:PASSWORD@HOST:8888.",
        example="<password>",
    )
    webhook_password_file: Secret = _variable(  # noqa: RUF009 -- returns a dataclasses.field
        parsers.secret_in_file,
        "File that contains the password of the webhook API, instead of WEBHOOK_PASSWORD. It is read once.",
        example="/run/secrets/tunnel-webhook/password",
    )
    exposed_host: str = _variable(
        parsers.address,
        "Address of /healthz, /readyz and /metrics.",
        default="0.0.0.0",  # noqa: S104 -- the kubelet probes from outside the pod
        example="10.0.0.1",
    )
    exposed_port: int = _variable(
        parsers.whole_number(0, 65535),
        "TCP port of /healthz, /readyz and /metrics; 0 picks a free one.",
        default="8080",
        example="8080",
    )
    log_level: str = _variable(
        parsers.choice(
            trace="debug", debug="debug", info="info", warn="warning", warning="warning", error="error", fatal="error"
        ),
        "The lowest level that is logged.",
        default="info",
        example="debug",
    )
    log_format: str = _variable(
        parsers.choice(json="json", text="text"),
        "`json` for machines, `text` for people.",
        default="json",
        example="text",
    )
    otel_exporter_otlp_endpoint: str = _variable(
        str,
        "OTLP/HTTP collector of traces and metrics. If unset, there are no traces, and metrics are only on "
        "/metrics. OpenTelemetry's SDK reads this and every other OTEL_* variable itself.",
        example="http://otel-collector.monitoring:4318",
    )
    otel_exporter_otlp_traces_endpoint: str = _variable(
        str, "OTLP/HTTP collector of traces only, path included.", example="http://tempo.monitoring:4318/v1/traces"
    )
    otel_exporter_otlp_metrics_endpoint: str = _variable(
        str, "OTLP/HTTP collector of metrics only, path included.", example="http://mimir.monitoring:4318/v1/metrics"
    )
    otel_traces_exporter: str = _variable(
        str, "`none` disables the export of traces, even if a collector is set.", default="otlp", example="none"
    )
    otel_metrics_exporter: str = _variable(
        str,
        "`none` disables the export of metrics, even if a collector is set; /metrics stays.",
        default="otlp",
        example="none",
    )


VARIABLES: Mapping[str, Variable] = {
    variable.name.upper(): variable.metadata["variable"] for variable in fields(Variables)
}
