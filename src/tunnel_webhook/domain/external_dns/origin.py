"""Where the requests for an endpoint go: the service that its targets, labels and properties name."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from tunnel_webhook.domain.dns import TUNNEL_DOMAIN
from tunnel_webhook.domain.errors import InvalidEndpoint, Reason
from tunnel_webhook.domain.external_dns.endpoint import Endpoint
from tunnel_webhook.domain.external_dns.origin_service import (
    DEFAULT_PORTS,
    URL_SCHEMES,
    OriginService,
    looks_like_a_service,
)
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.external_dns.properties import PORT, SCHEME, SERVICE
from tunnel_webhook.domain.quotation import listed, quoted, shortened


def origin_of(endpoint: Endpoint, properties: Mapping[str, str], policy: Policy) -> OriginService:
    """Return the service of an endpoint, from the first of these that applies.

    | from                                                                   | service                                 |
    |------------------------------------------------------------------------|-----------------------------------------|
    | `webhook/service`                                                      | its value                               |
    | a target that is a service                                             | that target                             |
    | resource `service/ns/name`, with a port, a scheme, or an IP as target  | `http://name.ns.svc.cluster.local:80`   |
    | `DEFAULT_ORIGIN`, for an endpoint that has a target                    | its value                               |
    | any target                                                             | `http://` and the first in order        |

    Port 443 without a scheme is `https`. A name with a `_` label needs one of the first two.
    """
    allowed = policy.allowed_services
    named = properties.get(SERVICE, "")
    services = [target for target in endpoint.targets if looks_like_a_service(target)]
    if not named and len(services) > 1:
        sentence = (
            f"{shortened(endpoint.dns_name)} has {len(services)} services as targets ({listed(services)});"
            " a rule can have only one"
        )
        raise InvalidEndpoint(Reason.INVALID_SERVICE, sentence)
    explicit = named or next(iter(services), "")
    if explicit:
        _check_unused(properties, explicit)
        return OriginService.parse(explicit, allowed)
    _check_is_published(endpoint)
    targets = sorted(target.removesuffix(".") for target in endpoint.targets)
    wants_port = PORT in properties or SCHEME in properties
    kind, _, rest = endpoint.resource.partition("/")
    namespace, _, name = rest.partition("/")
    if kind == "service" and name and (wants_port or any(map(_is_ip, targets))):
        return _composed(f"{name}.{namespace}.svc.{policy.cluster_domain}", properties, policy, port_needed=True)
    if policy.default_origin and targets:
        _check_unused(properties, policy.default_origin)
        return OriginService.parse(policy.default_origin, allowed)
    hosts = [target for target in targets if not target.lower().endswith(TUNNEL_DOMAIN)]
    if not hosts:
        sentence = (
            f"{shortened(endpoint.dns_name)} names no origin: set webhook/service to one such as http://app.prod:8080,"
            " or DEFAULT_ORIGIN for all that have a target and name none"
        )
        raise InvalidEndpoint(Reason.INVALID_SERVICE, sentence)
    host = f"[{hosts[0]}]" if ":" in hosts[0] and _is_ip(hosts[0]) else hosts[0]
    return _composed(host, properties, policy, port_needed=False)


def _check_is_published(endpoint: Endpoint) -> None:
    """Raise InvalidEndpoint for a name with a `_` label: such records prove something to DNS clients.

    `_acme-challenge`, `_domainkey` and the like validate certificates and mail with their target, and a proxied CNAME
    to a tunnel would break what they are for.
    """
    label = next((label for label in endpoint.dns_name.split(".") if label.strip().startswith("_")), "")
    if label:
        sentence = (
            f"{shortened(endpoint.dns_name)} has the label {quoted(label)}, as names have that validate certificates or"
            " mail: it is published only where its origin is set as a service, with webhook/service or a target such as"
            " http://app.prod:8080; else exclude it from external-dns"
        )
        raise InvalidEndpoint(Reason.INVALID_SERVICE, sentence)


def _check_unused(properties: Mapping[str, str], service: str) -> None:
    for name in (PORT, SCHEME):
        if name in properties:
            sentence = f"{name} has no effect, since the whole service is set: {shortened(service)}"
            raise InvalidEndpoint(Reason.INVALID_PROPERTY, sentence)


def _composed(host: str, properties: Mapping[str, str], policy: Policy, *, port_needed: bool) -> OriginService:
    port = properties.get(PORT, "")
    scheme = properties.get(SCHEME, "https" if port == str(DEFAULT_PORTS["https"]) else "http").lower()
    if scheme not in URL_SCHEMES:
        sentence = f"{SCHEME} is {quoted(scheme)}: accepted are {', '.join(URL_SCHEMES)}"
        raise InvalidEndpoint(Reason.INVALID_PROPERTY, sentence)
    if port_needed and not port:
        if scheme not in DEFAULT_PORTS:
            sentence = f"{SCHEME} {quoted(scheme)} has no default port: set {PORT} as well"
            raise InvalidEndpoint(Reason.INVALID_PROPERTY, sentence)
        port = str(DEFAULT_PORTS[scheme])
    return OriginService.parse(f"{scheme}://{host}:{port}" if port else f"{scheme}://{host}", policy.allowed_services)


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
