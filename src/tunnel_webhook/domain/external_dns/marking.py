"""An endpoint that cannot be published passes through `adjust` with a mark: without it external-dns would delete it.

The property `webhook/invalid` holds the reason. It differs from whatever exists, so external-dns asks for the endpoint
in every sync, and the planner rejects it again with its sentence, while the last good rule stays.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

from tunnel_webhook.domain.errors import InvalidEndpoint, Reason
from tunnel_webhook.domain.external_dns.consent import check_consent
from tunnel_webhook.domain.external_dns.endpoint import TUNNELLED_TYPES, Endpoint
from tunnel_webhook.domain.external_dns.namespace import namespace_digest, namespace_of
from tunnel_webhook.domain.external_dns.path import PREFIX_MATCH, REGEX_MATCH, path_expression
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.external_dns.properties import CORRUPTED, DRIFT, INVALID, PATH, PATH_MATCH, PREFIX
from tunnel_webhook.domain.external_dns.route import Route, route_of_endpoint
from tunnel_webhook.domain.external_dns.set_identifier import identifier_of
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.quotation import masked, shortened

UNKNOWN_PATH = "?"
"""Begins the set identifier of an endpoint whose path is not known; no RE2 expression begins with it.

Without it, external-dns would compare the endpoint with the pathless one of its hostname, might drop it, and would then
delete the path that it had, and no rejection here would prevent that.
"""

_MAX_IDENTIFIER = 1024
_REASONS = {str(reason): reason for reason in Reason}


def translate(endpoint: Endpoint, policy: Policy) -> Route:
    """Return the route of an endpoint, which the policy allows.

    Raises InvalidEndpoint, for a marked one with the reason of its mark.
    """
    marks = sorted(text for name, text in endpoint.properties if name == INVALID)
    if marks:
        raise _explained(endpoint, marks[0], policy)
    return _translate(endpoint, policy)


def _translate(endpoint: Endpoint, policy: Policy) -> Route:
    route = route_of_endpoint(endpoint, policy)
    check_consent(endpoint, route, policy)
    return route


def _explained(endpoint: Endpoint, code: str, policy: Policy) -> InvalidEndpoint:
    """Return why an endpoint was marked; translating it without the mark yields the sentence."""
    unmarked = replace(endpoint, properties=tuple(pair for pair in endpoint.properties if pair[0] != INVALID))
    reason = _REASONS.get(code, Reason.INVALID_PROPERTY)
    try:
        _translate(unmarked, policy)
    except InvalidEndpoint as error:
        return InvalidEndpoint(reason, str(error))
    corrupted = reason is Reason.CORRUPTED_PROPERTIES
    return InvalidEndpoint(reason, CORRUPTED if corrupted else f"it is marked with {INVALID}={shortened(code)}")


def mark(endpoint: Endpoint, error: InvalidEndpoint, policy: Policy) -> Endpoint:
    """Return an endpoint that cannot be published, as canonical as possible, with the reason as a property."""
    properties = dict(
        sorted(
            (name, text)
            for name, text in endpoint.properties
            if name.startswith(PREFIX) and name not in {INVALID, DRIFT}
        )
    )
    kept = {(name, text) for name, text in endpoint.properties if name in properties}
    path = _path_of(properties, error.reason)
    if path and not path.startswith(UNKNOWN_PATH):
        kept = {(name, text) for name, text in kept if name not in {PATH, PATH_MATCH}}
        kept |= {(PATH, path), (PATH_MATCH, REGEX_MATCH)}
    name = _canonical_name(endpoint.dns_name)
    digest = namespace_digest(namespace_of(endpoint.resource)) if policy.binds_namespaces(name) else ""
    return replace(
        endpoint,
        dns_name=masked(name),
        targets=tuple(map(masked, endpoint.targets)),
        record_type=TUNNELLED_TYPES[0],
        ttl=0,
        set_identifier=identifier_of(masked(path), digest),
        properties=tuple(sorted({(name, masked(text)) for name, text in kept} | {(INVALID, error.reason.value)})),
    )


def _canonical_name(name: str) -> str:
    try:
        return Hostname.parse(name)
    except InvalidEndpoint:
        return name


def _path_of(properties: Mapping[str, str], reason: Reason) -> str:
    if PATH in properties:
        try:
            return path_expression(properties[PATH], properties.get(PATH_MATCH, PREFIX_MATCH))
        except InvalidEndpoint:
            return UNKNOWN_PATH + _identifier(properties[PATH])
    return UNKNOWN_PATH if PATH_MATCH in properties or reason is Reason.CORRUPTED_PROPERTIES else ""


def _identifier(path: str) -> str:
    """Return a path, or its digest where it is long: with the property, the answer would be twice the request."""
    if len(path) <= _MAX_IDENTIFIER:
        return path
    return hashlib.sha256(path.encode(errors="surrogatepass")).hexdigest()
