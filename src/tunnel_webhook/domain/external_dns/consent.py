"""Consent: whether the operator's policy allows what one endpoint asks for.

Everything that an endpoint could mean is judged. external-dns merges the targets of endpoints that differ only in
their resource (endpoint/utils.go, MergeEndpoints), so one of several targets may be another tenant's: each that could
become the origin must be allowed. An adjusted endpoint is judged like the one that it was made from: a path that says
no more than a prefix or exact one counts as such, although it is an expression by then.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from tunnel_webhook.domain.errors import InvalidEndpoint, Reason
from tunnel_webhook.domain.external_dns.endpoint import Endpoint
from tunnel_webhook.domain.external_dns.namespace import namespace_of
from tunnel_webhook.domain.external_dns.origin import origin_of
from tunnel_webhook.domain.external_dns.origin_address import OriginAddress
from tunnel_webhook.domain.external_dns.origin_service import looks_like_a_service
from tunnel_webhook.domain.external_dns.permissions import Ask
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.external_dns.properties import (
    ADOPT,
    PATH,
    PATH_MATCH,
    PREFIX,
    SERVICE,
    TUNNEL,
    properties_of,
)
from tunnel_webhook.domain.external_dns.property_groups import PATH_REGEX
from tunnel_webhook.domain.external_dns.route import Route

_ACCESS_REQUIRED = "access-required"
_LITERAL_PATH = re.compile(r"\^/(?:[^\\.+*?()|\[\]{}^$]|\\[\\.+*?()|\[\]{}^$])*(?:\(/\|\$\)|\$)")


def check_consent(endpoint: Endpoint, route: Route, policy: Policy) -> None:
    """Raise InvalidEndpoint for a route of an endpoint that the policy does not allow."""
    objection = policy.objection(ask_of(endpoint, route, policy))
    if objection:
        sentence = f"the operator's policy does not allow {route.hostname} -> {route.service}: {objection}"
        raise InvalidEndpoint(Reason.NOT_ALLOWED, sentence)


def ask_of(endpoint: Endpoint, route: Route, policy: Policy) -> Ask:
    """Return what an endpoint asks for, given its route."""
    properties = properties_of(endpoint)
    return Ask(
        namespace=namespace_of(endpoint.resource),
        hostname=route.hostname,
        origins=tuple(dict.fromkeys((route.service, *_other_origins(endpoint, properties, route, policy)))),
        tunnel=policy.names_of(route.tunnel),
        properties=frozenset(_asked(properties, route.path)),
        requires_access=dict(route.options).get(_ACCESS_REQUIRED) == "true",
    )


def _other_origins(endpoint: Endpoint, properties: Mapping[str, str], route: Route, policy: Policy) -> Iterator[str]:
    """Yield the origins that an endpoint would have with each one of its targets, where targets decide."""
    if SERVICE in properties or len(endpoint.targets) == 1 or any(map(looks_like_a_service, endpoint.targets)):
        return
    address = OriginAddress.of(route.service)
    hosts = {target.lower().removesuffix(".") for target in endpoint.targets}
    if address and address.host in hosts:
        for target in endpoint.targets:
            yield origin_of(replace(endpoint, targets=(target,)), properties, policy)


def _asked(properties: Mapping[str, str], path: str) -> Iterator[str]:
    """Yield the names of properties as a policy file has them."""
    for name in properties.keys() - {ADOPT, TUNNEL, PATH_MATCH}:
        if name == PATH and path and not is_literal_path(path):
            yield PATH_REGEX
        else:
            yield name.removeprefix(PREFIX)


def is_literal_path(expression: str) -> bool:
    """Whether an expression matches one path, or one path and what is below it, and nothing else."""
    return _LITERAL_PATH.fullmatch(expression) is not None
