"""Endpoints as external-dns spells them, and routes as a tunnel holds them: one canonical form, both ways.

The law that everything rests on (contract, 3.3): what `adjust` returns is what `records` will say once it is applied, and
`adjust` changes nothing that it returned itself. Otherwise external-dns would plan the same change for ever.

| property               | value                                                                                      |
|------------------------|--------------------------------------------------------------------------------------------|
| `webhook/service`      | the origin, such as `http://app.prod:8080` (the forms are those of `service`)               |
| `webhook/port`         | the port of the Kubernetes Service, or of the target, that the endpoint comes from          |
| `webhook/scheme`       | its scheme; `http` when not given                                                           |
| `webhook/path`         | a path of the hostname; several endpoints may share a hostname                              |
| `webhook/path-match`   | `prefix` (default), `exact` or `regex`                                                      |
| `webhook/tunnel`       | a configured tunnel, by name or id; the first one when not given                            |
| `webhook/adopt`        | `true` takes over a rule that was made by hand and says something else                      |

and every key of `origin_request`. Two more are ours to write and never to be desired: `webhook/invalid` carries the reason
why an endpoint cannot be published, `webhook/drift` what is amiss with a published one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from tunnel_webhook.domain.document import Json
from tunnel_webhook.domain.endpoint import TUNNELLED_TYPES, Endpoint
from tunnel_webhook.domain.errors import (
    CorruptedProperties,
    InvalidEndpoint,
    InvalidHostname,
    InvalidOwner,
    InvalidPath,
    InvalidProperty,
    InvalidService,
    UnknownTunnel,
)
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.ingress import IngressRule
from tunnel_webhook.domain.origin import PORT, SCHEME, SERVICE, origin_of
from tunnel_webhook.domain.origin_request import (
    ACCESS_KEYS,
    ORIGIN_KEYS,
    PREFIX,
    canonical_value,
    origin_request_of,
    properties_of,
)
from tunnel_webhook.domain.path import PREFIX_MATCH, REGEX_MATCH, path_expression
from tunnel_webhook.domain.policy import Policy, Tunnel

PATH, PATH_MATCH = "webhook/path", "webhook/path-match"
TUNNEL, ADOPT = "webhook/tunnel", "webhook/adopt"
INVALID, DRIFT = "webhook/invalid", "webhook/drift"
ADOPT_LABEL = "tunnel-webhook-adopt"
"""`webhook/adopt` travels on as a label: external-dns compares properties with what is stored, but not labels."""

UNKNOWN_PATH = "?"
"""Begins the set identifier of an endpoint whose path cannot be told; no RE2 expression begins so.

Without it, external-dns would weigh the endpoint against the one that has no path, might pass it over, and would then delete
the path that it had without anybody here to reject that.
"""

OWN_PROPERTIES = (SERVICE, PORT, SCHEME, PATH, PATH_MATCH, TUNNEL, ADOPT)
_KNOWN = frozenset({*OWN_PROPERTIES, INVALID, DRIFT, *ORIGIN_KEYS, *ACCESS_KEYS})
_REASONS: Mapping[str, type[InvalidEndpoint]] = {
    reason.code: reason
    for reason in (
        InvalidHostname,
        InvalidService,
        InvalidPath,
        InvalidProperty,
        InvalidOwner,
        UnknownTunnel,
        CorruptedProperties,
    )
}
_CORRUPTED = (
    "a property without a name came with it, which proves that external-dns lost others of the same resource: keep webhook"
    " annotations apart from those of other providers, or give each hostname a resource of its own"
)
_ACCESS_REQUIRED, _TEAM, _AUD = "webhook/access-required", "webhook/access-team-name", "webhook/access-aud-tag"


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint that can be published: proven, canonical, and ready to become a rule and a claim."""

    hostname: Hostname
    path: str
    service: str
    tunnel: str
    properties: tuple[tuple[str, str], ...] = ()
    owner: str = ""
    resource: str = ""
    adopt: bool = False

    @property
    def rule(self) -> IngressRule:
        """The ingress rule that publishes it."""
        origin: dict[str, Json] = origin_request_of(dict(self.properties))
        return IngressRule.make(self.hostname, self.path, self.service, origin)


def marked(endpoint: Endpoint, reason: InvalidEndpoint) -> Endpoint:
    """Return an endpoint that cannot be published, as canonical as it gets, with the reason as a property."""
    kept = {(name, text) for name, text in endpoint.properties if name.startswith(PREFIX) and name not in {INVALID, DRIFT}}
    path = _path_of_marked(dict(sorted(kept)), reason)
    if path and not path.startswith(UNKNOWN_PATH):
        kept = {(name, text) for name, text in kept if name not in {PATH, PATH_MATCH}} | {(PATH, path), (PATH_MATCH, REGEX_MATCH)}
    try:
        name: str = Hostname.parse(endpoint.dns_name)
    except InvalidHostname:
        name = endpoint.dns_name
    return replace(
        endpoint,
        dns_name=name,
        record_type=TUNNELLED_TYPES[0],
        ttl=0,
        set_identifier=path,
        properties=tuple(sorted(kept | {(INVALID, reason.code)})),
    )


def _path_of_marked(named: Mapping[str, str], reason: InvalidEndpoint) -> str:
    if PATH in named:
        try:
            return path_expression(named[PATH], named.get(PATH_MATCH, PREFIX_MATCH))
        except InvalidPath:
            return UNKNOWN_PATH + named[PATH]
    return UNKNOWN_PATH if PATH_MATCH in named or isinstance(reason, CorruptedProperties) else ""


def translate(endpoint: Endpoint, policy: Policy) -> Route:
    """Return the route that an endpoint asks for; raise InvalidEndpoint with the reason when it cannot be published."""
    marks = sorted(text for name, text in endpoint.properties if name == INVALID)
    if marks:
        raise _reason_again(endpoint, marks[0], policy)
    properties = _properties(endpoint)
    hostname = Hostname.parse(endpoint.dns_name)
    path = path_expression(properties[PATH], properties.get(PATH_MATCH, PREFIX_MATCH)) if PATH in properties else ""
    if PATH_MATCH in properties and PATH not in properties:
        message = f"{PATH_MATCH} of {hostname} has no effect without {PATH}"
        raise InvalidProperty(message)
    tunnel = policy.tunnel(properties[TUNNEL]) if TUNNEL in properties else policy.default_tunnel
    origin = {name: canonical_value(name, text) for name, text in properties.items() if name in ORIGIN_KEYS or name in ACCESS_KEYS}
    _check_origin(origin, policy)
    return Route(
        hostname=hostname,
        path=path,
        service=origin_of(endpoint, properties, policy),
        tunnel=tunnel.id,
        properties=tuple(sorted(origin.items())),
        owner=policy.owner_of(endpoint),
        resource=endpoint.resource,
        adopt=_boolean(ADOPT, properties[ADOPT]) if ADOPT in properties else endpoint.labels.get(ADOPT_LABEL) == "true",
    )


def _reason_again(endpoint: Endpoint, code: str, policy: Policy) -> InvalidEndpoint:
    """Return why an endpoint was marked: the sentence is found by looking at it once more."""
    unmarked = replace(endpoint, properties=tuple(pair for pair in endpoint.properties if pair[0] != INVALID))
    try:
        translate(unmarked, policy)
    except InvalidEndpoint as reason:
        sentence = str(reason)
    else:
        sentence = _CORRUPTED if code == CorruptedProperties.code else f"it is marked with {INVALID}={code}"
    return _REASONS.get(code, InvalidProperty)(sentence)


def _properties(endpoint: Endpoint) -> dict[str, str]:
    """Return the `webhook/` properties; those of other providers are dropped, as external-dns itself does from v0.21 on."""
    found: dict[str, str] = {}
    for name, text in sorted(endpoint.properties):
        if not name:
            raise CorruptedProperties(_CORRUPTED)
        if name == DRIFT or not name.startswith(PREFIX):
            continue
        if name not in _KNOWN:
            message = f"{name} is not a property: see the README for those there are, it may be misspelt"
            raise InvalidProperty(message)
        if not text:
            message = f"{name} has no value"
            raise InvalidProperty(message)
        if found.setdefault(name, text) != text:
            message = f"{name} is given twice, as {found[name]!r} and {text!r}"
            raise InvalidProperty(message)
    return found


def _check_origin(origin: Mapping[str, str], policy: Policy) -> None:
    if "webhook/ca-pool" in origin and not policy.allow_ca_pool:
        message = (
            "webhook/ca-pool is not allowed here: a file that one connector cannot read makes it refuse the whole document;"
            " ALLOW_CA_POOL=true accepts that"
        )
        raise InvalidProperty(message)
    if origin.get("webhook/bastion-mode") == "true" and "bastion" not in policy.allowed_services:
        message = "webhook/bastion-mode is not allowed here: ALLOWED_SERVICES does not list bastion"
        raise InvalidProperty(message)
    if any(name in origin for name in ACCESS_KEYS):
        if _ACCESS_REQUIRED not in origin:
            message = f"Access settings have no effect without {_ACCESS_REQUIRED}: say true to enforce them"
            raise InvalidProperty(message)
        if origin[_ACCESS_REQUIRED] == "true" and not (_TEAM in origin and _AUD in origin):
            message = f"{_ACCESS_REQUIRED} needs {_TEAM} and {_AUD} beside it"
            raise InvalidProperty(message)


def _boolean(name: str, text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        message = f"{name} is {text!r}: accepted are true and false"
        raise InvalidProperty(message)
    return text.lower() == "true"


def endpoint_of(route: Route, labels: Mapping[str, str], policy: Policy) -> Endpoint:
    """Return the one form of a published route: a CNAME whose target is the service."""
    if route.adopt:
        labels = {**labels, ADOPT_LABEL: "true"}
    return Endpoint(
        dns_name=route.hostname,
        targets=(route.service,),
        set_identifier=route.path,
        labels=labels,
        properties=_published(route.properties, route.path, route.tunnel, policy),
    )


def _published(
    origin: Iterable[tuple[str, str]], path: str, tunnel: str, policy: Policy, drift: str = ""
) -> tuple[tuple[str, str], ...]:
    found = list(origin)
    if path:
        found += [(PATH, path), (PATH_MATCH, REGEX_MATCH)]
    if tunnel != policy.default_tunnel.id:
        found.append((TUNNEL, policy.tunnel_label(tunnel)))
    if drift:
        found.append((DRIFT, drift))
    return tuple(sorted(found))


def endpoint_of_rule(
    rule: IngressRule, hostname: Hostname, tunnel: Tunnel, labels: Mapping[str, str], policy: Policy, drift: str = ""
) -> Endpoint:
    """Return the endpoint that an existing rule of a managed hostname is, with what is amiss as a property."""
    return Endpoint(
        dns_name=hostname,
        targets=(rule.service,),
        set_identifier=rule.path,
        labels=labels,
        properties=_published(properties_of(rule.origin_request).items(), rule.path, tunnel.id, policy, drift),
    )
