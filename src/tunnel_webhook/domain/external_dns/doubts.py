"""Doubts: what is published as it is asked, although it probably does not do what was meant."""

from __future__ import annotations

from tunnel_webhook.domain.cloudflared.ingress import match_host
from tunnel_webhook.domain.cloudflared.url import parse_url
from tunnel_webhook.domain.external_dns.route import Route


def doubts_about(route: Route) -> tuple[str, ...]:
    """Return a sentence for each doubt.

    | route                                              | doubt                                           |
    |----------------------------------------------------|-------------------------------------------------|
    | its service has the host that it is published as   | requests may come back through the tunnel       |
    """
    host = parse_url(route.service).hostname.removesuffix(".") if "://" in route.service else ""
    if not match_host(route.hostname, host):
        return ()
    sentence = (
        f"{route.hostname} has itself as its origin, {route.service}: if cloudflared resolves that name to Cloudflare,"
        " each request comes back through the tunnel without end; set the origin with webhook/service"
    )
    return (sentence,)
