"""Short words for the values of the domain."""

from collections.abc import Callable, Iterable, Mapping

from tunnel_webhook.adapters.memory import InMemoryTunnels, InMemoryZones, NoLock
from tunnel_webhook.application import (
    Contact,
    Deletions,
    Documents,
    Executor,
    Gathering,
    Refusals,
    SyncLog,
    TunnelService,
    Turns,
)
from tunnel_webhook.domain.claimed_paths import NO_PATHS, ClaimedPaths
from tunnel_webhook.domain.cloudflared.ingress import IngressRule, TunnelConfiguration
from tunnel_webhook.domain.cloudflared.json_text import Json, join_elements
from tunnel_webhook.domain.dns import DnsRecord, Zone, target_of
from tunnel_webhook.domain.external_dns.endpoint import Endpoint
from tunnel_webhook.domain.external_dns.policy import Policy, Tunnel
from tunnel_webhook.domain.marker import Marker
from tunnel_webhook.domain.planning.guard import Guard
from tunnel_webhook.ports import TunnelRepository, WriteLock, ZoneRepository

BLUE, GREEN = "5456b9ca-8b73-4b44-93df-67ad7acc8e2c", "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"
TUNNEL = BLUE
POLICY = Policy((Tunnel(BLUE, "blue"), Tunnel(GREEN, "green")))
ZONE = Zone("example.com", "zone-example.com")

EVERY_DEFAULT: dict[str, Json] = {
    "connectTimeout": 30,
    "tlsTimeout": 10,
    "tcpKeepAlive": 30,
    "keepAliveTimeout": 90,
    "keepAliveConnections": 100,
    "noHappyEyeballs": False,
    "httpHostHeader": "",
    "originServerName": "",
    "matchSNItoHost": False,
    "caPool": "",
    "noTLSVerify": False,
    "http2Origin": False,
    "disableChunkedEncoding": False,
    "proxyType": "",
    "proxyAddress": "127.0.0.1",
    "proxyPort": 0,
    "bastionMode": False,
    "ipRules": [],
    "access": {"required": False, "teamName": "", "audTag": [], "environment": ""},
}
"""What Terraform writes into a rule whose author set nothing."""


def rule(hostname: str = "", service: str = "http://by-hand:80", path: str = "", **origin: Json) -> IngressRule:
    """Return a rule; a keyword is a key of its originRequest."""
    return IngressRule.make(hostname, path, service, origin)


def configuration(*rules: IngressRule, catch_all: str = "http_status:404", version: int = 1) -> TunnelConfiguration:
    """Return a document of these rules and a catch-all."""
    texts = join_elements(each.text for each in (*rules, rule(service=catch_all)))
    return TunnelConfiguration.parse(f'{{"ingress":{texts},"warp-routing":{{"enabled":true}},"unknown":1.50}}', version)


def endpoint(
    name: str = "app.example.com",
    target: str = "http://app:8080",
    *,
    resource: str = "",
    owner: str = "",
    record_type: str = "CNAME",
    path: str = "",
    **properties: str,
) -> Endpoint:
    """Return an endpoint; a keyword `no_tls_verify` is the property `webhook/no-tls-verify`."""
    labels = {key: text for key, text in (("owner", owner), ("resource", resource)) if text}
    given = {f"webhook/{key.replace('_', '-')}": text for key, text in properties.items()}
    if path:
        given["webhook/path"] = path
    return Endpoint(
        name, record_type, (target,) if target else (), labels=labels, properties=tuple(sorted(given.items()))
    )


def record(
    name: str, content: str, kind: str = "CNAME", *, comment: str = "", proxied: bool = False, uid: str = ""
) -> DnsRecord:
    """Return a stored record."""
    return DnsRecord(name, kind, content, proxied, comment, uid or f"id-{kind}-{name}-{content}")


def marker(
    owner: str = "default",
    resource: str = "",
    *,
    paths: Iterable[str] = ("",),
    since: int | None = None,
    others: tuple[str, ...] = (),
    note: str = "",
) -> Marker:
    """Return the marker of a claim of these paths; with `since` they were all released then."""
    named = ClaimedPaths.of(paths)
    if since is None:
        return Marker(owner, resource, named, others=others, note=note)
    return Marker(owner, resource, NO_PATHS, leaving=named, since=since, others=others, note=note)


def claim(
    name: str, tunnel: str = TUNNEL, owner: str = "default", resource: str = "", *, paths: Iterable[str] = ("",)
) -> DnsRecord:
    """Return the stored record that claims these paths of a hostname."""
    comment = marker(owner, resource, paths=paths).comment
    return record(name, target_of(tunnel), comment=comment, proxied=True)


def memory(
    documents: Mapping[str, TunnelConfiguration] | None = None,
    records: Mapping[Zone, tuple[DnsRecord, ...]] | None = None,
) -> tuple[InMemoryTunnels, InMemoryZones]:
    """Return both driven ports in memory, holding these documents and records."""
    held = documents or {BLUE: configuration(), GREEN: configuration()}
    tunnels = InMemoryTunnels({tunnel: (document.text, document.version) for tunnel, document in held.items()})
    stored = {zone: {each.id: each for each in found} for zone, found in (records or {ZONE: ()}).items()}
    return tunnels, InMemoryZones(stored)


def service(
    tunnels: TunnelRepository,
    zones: ZoneRepository,
    policy: Policy = POLICY,
    *,
    release_delay: float = 0.0,
    lock: WriteLock | None = None,
    clock: Callable[[], float] = lambda: 0.0,
    **options: bool,
) -> TunnelService:
    """Return the service on these adapters, with a guard that lets everything pass; deletions are not delayed.

    A rejection is raised, so that a test sees it.
    """
    sync_log = SyncLog(policy, clock)
    documents = Documents(tunnels, lock or NoLock(), policy, clock, sync_log)
    return TunnelService(
        gathering=Gathering(documents, zones, policy),
        executor=Executor(documents, zones, Refusals(clock), clock, release_delay),
        turns=Turns(10.0),
        contact=Contact(lambda: 1_000_000.0),
        policy=policy,
        guard=Guard(ratio=1.0),
        deletions=Deletions(clock),
        sync_log=sync_log,
        **{"fail_on_rejection": True, **options},
    )
