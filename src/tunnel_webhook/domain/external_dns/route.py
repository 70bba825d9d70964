"""Routes: where a hostname leads, between an endpoint as external-dns spells it and a rule as a tunnel holds it.

Everything rests on one law (contract, 3.3): `records` reports exactly the endpoint that `adjust` returned, once it is
applied, and `adjust` does not change its own results. Otherwise external-dns would plan the same change for ever. So
both directions meet in a Route, and an endpoint is written in one place only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tunnel_webhook.domain.cloudflared.ingress import IngressRule
from tunnel_webhook.domain.cloudflared.inheritance import DEFAULTS, SWITCHED_OFF, Base, options_on, stated_options
from tunnel_webhook.domain.cloudflared.origin_request import ORIGIN_OPTIONS, origin_request_of
from tunnel_webhook.domain.errors import InvalidEndpoint, Reason
from tunnel_webhook.domain.external_dns.endpoint import Endpoint
from tunnel_webhook.domain.external_dns.origin import origin_of
from tunnel_webhook.domain.external_dns.path import PREFIX_MATCH, REGEX_MATCH, path_expression
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.external_dns.properties import (
    ADOPT,
    NO_ACCESS,
    ORIGIN_PROPERTIES,
    PATH,
    PATH_MATCH,
    TUNNEL,
    options_in,
    parse_boolean,
    properties_of,
    waives_access,
)
from tunnel_webhook.domain.external_dns.set_identifier import identifier_of
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.quotation import masked

ADOPT_LABEL = "tunnel-webhook-adopt"
"""`webhook/adopt` travels on as a label: external-dns compares properties with what is stored, but not labels."""

ACCESS_LABEL = "tunnel-webhook-access"
"""`webhook/access: none` travels on in the same way: a rule does not say that it has no Access."""

_PROPERTIES = {option: name for name, option in ORIGIN_PROPERTIES.items()}


@dataclass(frozen=True, slots=True)
class Route:
    """A path of a hostname, and the service behind it in one tunnel.

    `path` is an RE2 expression or empty; `options` are those of the origin request, in canonical form, sorted.
    `waives_access` is the consent to a rule without Access where one with Access is standing.
    """

    hostname: Hostname
    path: str
    service: str
    tunnel: str
    options: tuple[tuple[str, str], ...] = ()
    owner: str = ""
    resource: str = ""
    adopt: bool = False
    waives_access: bool = False

    @property
    def rule(self) -> IngressRule:
        """The ingress rule that publishes the route, where its document sets nothing for all rules."""
        return self.rule_on(DEFAULTS)

    def rule_on(self, base: Base) -> IngressRule:
        """Return the ingress rule that publishes the route, given what its document sets for all rules."""
        options = dict(self.options)
        off = {ORIGIN_OPTIONS[option].name: SWITCHED_OFF[option] for option in base.dangers(self.service, options)}
        return IngressRule.make(self.hostname, self.path, self.service, origin_request_of(options) | off)


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
        waives_access=waives_access(properties) or endpoint.labels.get(ACCESS_LABEL) == NO_ACCESS,
    )


def route_of_rule(rule: IngressRule, hostname: Hostname, tunnel: str, base: Base = DEFAULTS) -> Route:
    """Return the route of an existing rule of a managed hostname, however the rule spells it, in a tunnel."""
    return Route(hostname, rule.path, rule.service, tunnel, tuple(sorted(options_on(rule, base).items())))


def endpoint_of_route(
    route: Route, labels: Mapping[str, str], policy: Policy, *, digest: str = "", base: Base = DEFAULTS
) -> Endpoint:
    """Return the one endpoint of a route: a CNAME whose target is the service, without user information.

    `digest` is that of its namespace. Options that equal the base of the rule are left out: a rule that spells them out
    means the same without them.
    """
    options = stated_options(dict(route.options), base)
    properties = [(_PROPERTIES[option], text) for option, text in options.items()]
    if route.path:
        properties += [(PATH, route.path), (PATH_MATCH, REGEX_MATCH)]
    if route.tunnel != policy.default_tunnel.id:
        properties.append((TUNNEL, policy.tunnel_label(route.tunnel)))
    return Endpoint(
        dns_name=route.hostname,
        targets=(masked(route.service),),
        set_identifier=identifier_of(route.path, digest if policy.binds_namespaces(route.hostname) else ""),
        labels=_labels(route, labels),
        properties=tuple(sorted(properties)),
    )


def _labels(route: Route, labels: Mapping[str, str]) -> Mapping[str, str]:
    consent = {ADOPT_LABEL: "true"} if route.adopt else {}
    if route.waives_access:
        consent[ACCESS_LABEL] = NO_ACCESS
    return {**labels, **consent} if consent else labels
