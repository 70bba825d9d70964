"""Routes: where a hostname leads, between an endpoint as external-dns spells it and a rule as a tunnel holds it.

Everything rests on one law (contract, 3.3): `records` reports exactly the endpoint that `adjust` returned, once it is
applied, and `adjust` does not change its own results. Otherwise external-dns would plan the same change for ever. So
both directions meet in a Route, and an endpoint is written in one place only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tunnel_webhook.domain.cloudflared.ingress import IngressRule
from tunnel_webhook.domain.cloudflared.origin_request import options_of, origin_request_of
from tunnel_webhook.domain.errors import InvalidEndpoint, Reason
from tunnel_webhook.domain.external_dns.endpoint import Endpoint
from tunnel_webhook.domain.external_dns.origin import origin_of
from tunnel_webhook.domain.external_dns.path import PREFIX_MATCH, REGEX_MATCH, path_expression
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.external_dns.properties import (
    ADOPT,
    ORIGIN_PROPERTIES,
    PATH,
    PATH_MATCH,
    TUNNEL,
    options_in,
    parse_boolean,
    properties_of,
)
from tunnel_webhook.domain.external_dns.set_identifier import identifier_of
from tunnel_webhook.domain.hostname import Hostname

ADOPT_LABEL = "tunnel-webhook-adopt"
"""`webhook/adopt` travels on as a label: external-dns compares properties with what is stored, but not labels."""

_PROPERTIES = {option: name for name, option in ORIGIN_PROPERTIES.items()}


@dataclass(frozen=True, slots=True)
class Route:
    """A path of a hostname, and the service behind it in one tunnel.

    `path` is an RE2 expression or empty; `options` are those of the origin request, in canonical form, sorted.
    """

    hostname: Hostname
    path: str
    service: str
    tunnel: str
    options: tuple[tuple[str, str], ...] = ()
    owner: str = ""
    resource: str = ""
    adopt: bool = False

    @property
    def rule(self) -> IngressRule:
        """The ingress rule that publishes the route."""
        return IngressRule.make(self.hostname, self.path, self.service, origin_request_of(dict(self.options)))


def route_of_endpoint(endpoint: Endpoint, policy: Policy) -> Route:
    """Return the route that an endpoint asks for; raise InvalidEndpoint when it cannot be published."""
    properties = properties_of(endpoint)
    hostname = Hostname.parse(endpoint.dns_name)
    if PATH_MATCH in properties and PATH not in properties:
        raise InvalidEndpoint(Reason.INVALID_PROPERTY, f"{PATH_MATCH} of {hostname} has no effect without {PATH}")
    path = path_expression(properties[PATH], properties.get(PATH_MATCH, PREFIX_MATCH)) if PATH in properties else ""
    tunnel = policy.tunnel(properties[TUNNEL]) if TUNNEL in properties else policy.default_tunnel
    options = options_in(properties, policy)
    adopted = endpoint.labels.get(ADOPT_LABEL) == "true"
    return Route(
        hostname=hostname,
        path=path,
        service=origin_of(endpoint, properties, policy),
        tunnel=tunnel.id,
        options=tuple(sorted(options.items())),
        owner=policy.owner_of(endpoint),
        resource=endpoint.resource,
        adopt=parse_boolean(ADOPT, properties[ADOPT]) if ADOPT in properties else adopted,
    )


def route_of_rule(rule: IngressRule, hostname: Hostname, tunnel: str) -> Route:
    """Return the route of an existing rule of a managed hostname, however the rule spells it, in a tunnel."""
    return Route(hostname, rule.path, rule.service, tunnel, tuple(sorted(options_of(rule.origin_request).items())))


def endpoint_of_route(route: Route, labels: Mapping[str, str], policy: Policy, digest: str = "") -> Endpoint:
    """Return the one endpoint of a route: a CNAME whose target is the service; `digest` is that of its namespace."""
    properties = [(_PROPERTIES[option], text) for option, text in route.options]
    if route.path:
        properties += [(PATH, route.path), (PATH_MATCH, REGEX_MATCH)]
    if route.tunnel != policy.default_tunnel.id:
        properties.append((TUNNEL, policy.tunnel_label(route.tunnel)))
    return Endpoint(
        dns_name=route.hostname,
        targets=(route.service,),
        set_identifier=identifier_of(route.path, digest if policy.binds_namespaces(route.hostname) else ""),
        labels={**labels, ADOPT_LABEL: "true"} if route.adopt else labels,
        properties=tuple(sorted(properties)),
    )
