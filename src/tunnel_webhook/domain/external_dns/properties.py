"""Provider-specific properties: an annotation `webhook-<name>` reaches us as the property `webhook/<name>`.

Besides those of this module, every option of `cloudflared.origin_request` is a property. Two more are ours to write and
never desired: `webhook/invalid` holds the reason why an endpoint cannot be published, `webhook/drift` how a published
one differs from what it should be.
"""

from __future__ import annotations

from collections.abc import Mapping

from tunnel_webhook.domain.cloudflared.origin_request import ORIGIN_OPTIONS
from tunnel_webhook.domain.errors import InvalidEndpoint, Reason
from tunnel_webhook.domain.external_dns.endpoint import Endpoint
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.external_dns.typing_errors import within_edits
from tunnel_webhook.domain.memo import MIB, Memo, weight_of_texts
from tunnel_webhook.domain.quotation import quoted, shortened

PREFIX = "webhook/"
SERVICE, PORT, SCHEME = "webhook/service", "webhook/port", "webhook/scheme"
PATH, PATH_MATCH = "webhook/path", "webhook/path-match"
TUNNEL, ADOPT = "webhook/tunnel", "webhook/adopt"
ACCESS, NO_ACCESS = "webhook/access", "none"
INVALID, DRIFT = "webhook/invalid", "webhook/drift"

ROUTE_PROPERTIES: Mapping[str, str] = {
    SERVICE: "the origin, such as `http://app.prod:8080`",
    PORT: "port of the Service, or of the target, that the endpoint comes from",
    SCHEME: "its scheme, `http` by default",
    PATH: "a path of the hostname; several resources may share a hostname, each with its own path",
    PATH_MATCH: "`prefix` (default), `exact` or `regex` (RE2)",
    TUNNEL: "a configured tunnel, by name or id; the first one by default",
    ADOPT: "`true` takes over what was made by hand and says something else, where the operator allows it",
    ACCESS: "`none` publishes without Access what had it before; leaving the Access annotations out does not",
}
"""The properties that say where a hostname leads, and the documentation of their values."""

ORIGIN_PROPERTIES: Mapping[str, str] = {PREFIX + option: option for option in ORIGIN_OPTIONS}
"""The properties that say how cloudflared talks to the origin, and the option of each."""

CORRUPTED = (
    "a property without a name proves that external-dns lost others of the same resource: keep webhook annotations"
    " apart from those of other providers, or give each hostname its own resource"
)
# 63 audience tags of Access; cloudflared sends every value along with each change of the document.
_MAX_LENGTH = 4096
_KNOWN = frozenset({*ROUTE_PROPERTIES, *ORIGIN_PROPERTIES, INVALID})
_FAMILIES = (
    *("access", "path", "tunnel", "origin", "proxy", "notls", "tls", "keepalive", "tcpkeep", "httphost", "http2"),
    *("iprule", "capool", "bastion", "connecttimeout", "matchsni", "disablechunked", "nohappy", "adopt"),
)
"""The first letters of the names that are ours, whatever follows."""

_SHORT = 4
_CA_POOL, _BASTION_MODE = "ca-pool", "bastion-mode"
_ACCESS_REQUIRED, _TEAM, _AUD = "access-required", "access-team-name", "access-aud-tag"


def properties_of(endpoint: Endpoint) -> dict[str, str]:
    """Return the `webhook/` properties by name; raise InvalidEndpoint for one that is unknown, empty or ambiguous.

    Properties of other providers are dropped, as external-dns itself does from v0.21 on, and so are those of another
    webhook (`ignored_in`).
    """
    properties: dict[str, str] = {}
    for name, text in sorted(endpoint.properties):
        if not name:
            raise InvalidEndpoint(Reason.CORRUPTED_PROPERTIES, CORRUPTED)
        if name == DRIFT or not name.startswith(PREFIX) or (name not in _KNOWN and not is_meant_for_us(name)):
            continue
        fault = _fault(name, text, properties.setdefault(name, text))
        if fault:
            raise _invalid(fault)
    return properties


def ignored_in(endpoint: Endpoint) -> frozenset[str]:
    """Return the names of `webhook/` properties that are not ours, but those of another webhook in the cluster."""
    return frozenset(
        name
        for name, _ in endpoint.properties
        if name.startswith(PREFIX) and name not in _KNOWN and name != DRIFT and not is_meant_for_us(name)
    )


def is_meant_for_us(name: str) -> bool:
    """Whether an unknown `webhook/` property is one of ours, misspelt: a typo must not publish an unprotected service.

    | name                                                          | meant for us |
    |---------------------------------------------------------------|--------------|
    | begins like a family of ours: `webhook/access-requierd`       | yes          |
    | is at most two typing errors from one of ours: `webhook/sevice` | yes        |
    | any other: `webhook/mikrotik-comment`                         | no           |

    Hyphens, other separators and case do not count, so that `webhook/noTLSVerify` is meant for us too. Of a name of up
    to four letters, one error is enough to be another.
    """
    letters = _letters(name)
    if letters.startswith(_FAMILIES):
        return True
    return any(within_edits(letters, known, 2 if len(known) > _SHORT else 1) for known in _OURS)


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name.removeprefix(PREFIX).lower()))


def _fault(name: str, text: str, first: str) -> str:
    """Return what is wrong with a property, given its first value, or nothing."""
    if name not in _KNOWN:
        return f"{shortened(name)} is not a property: check its spelling; docs/annotations.md lists them all"
    if not text:
        return f"{name} has no value"
    if len(text) > _MAX_LENGTH:
        return f"{name} is {quoted(text)}: at most {_MAX_LENGTH} characters are accepted"
    return "" if text == first else f"{name} is set twice, to {quoted(first)} and {quoted(text)}"


def options_in(properties: Mapping[str, str], policy: Policy) -> dict[str, str]:
    """Return the options of the origin request, canonical; raise InvalidEndpoint for those that are not allowed."""
    options = {
        ORIGIN_PROPERTIES[name]: _values[name, text] for name, text in properties.items() if name in ORIGIN_PROPERTIES
    }
    fault = _disallowed(options, policy) or _ineffective_access(options)
    if fault:
        raise _invalid(fault)
    return options


def parse_boolean(name: str, text: str) -> bool:
    """Return the value of a property that is `true` or `false`; raise InvalidEndpoint for any other text."""
    if text.lower() not in {"true", "false"}:
        sentence = f"{name} is {quoted(text)}: accepted are true and false"
        raise _invalid(sentence)
    return text.lower() == "true"


def waives_access(properties: Mapping[str, str]) -> bool:
    """Return whether an endpoint consents to the loss of Access; raise InvalidEndpoint for another value."""
    value = properties.get(ACCESS, "")
    if value and value.lower() != NO_ACCESS:
        sentence = (
            f"{ACCESS} is {quoted(value)}: accepted is none, for a hostname that anyone may open;"
            f" {PREFIX}{_ACCESS_REQUIRED}, {PREFIX}{_TEAM} and {PREFIX}{_AUD} protect one"
        )
        raise _invalid(sentence)
    if value and properties.get(PREFIX + _ACCESS_REQUIRED, "").lower() == "true":
        sentence = f"{ACCESS} is none and {PREFIX}{_ACCESS_REQUIRED} is true: remove one of them"
        raise _invalid(sentence)
    return bool(value)


def _canonical(named: tuple[str, str]) -> str:
    name, text = named
    kind = ORIGIN_OPTIONS[ORIGIN_PROPERTIES[name]].kind
    try:
        return kind.format(kind.parse(text.strip()))
    except ValueError as error:
        sentence = f"{name} is {quoted(text)}: {error}"
        raise _invalid(sentence) from error


_values = Memo(_canonical, weight_of_texts, MIB)


def _disallowed(options: Mapping[str, str], policy: Policy) -> str:
    if _CA_POOL in options and not policy.allow_ca_pool:
        return (
            f"{PREFIX}{_CA_POOL} is not allowed here: a connector that cannot read the file refuses the whole document;"
            " ALLOW_CA_POOL=true accepts that"
        )
    if options.get(_BASTION_MODE) == "true" and "bastion" not in policy.allowed_services:
        return f"{PREFIX}{_BASTION_MODE} is not allowed here: ALLOWED_SERVICES does not list bastion"
    return ""


def _ineffective_access(options: Mapping[str, str]) -> str:
    required = options.get(_ACCESS_REQUIRED) == "true"
    if not required and any(ORIGIN_OPTIONS[option].is_access for option in options if option != _ACCESS_REQUIRED):
        return f"Access settings have no effect without {PREFIX}{_ACCESS_REQUIRED}: set it to true to enforce them"
    if required and not (_TEAM in options and _AUD in options):
        return f"{PREFIX}{_ACCESS_REQUIRED} also needs {PREFIX}{_TEAM} and {PREFIX}{_AUD}"
    return ""


_OURS = sorted(map(_letters, _KNOWN))


def _invalid(sentence: str) -> InvalidEndpoint:
    return InvalidEndpoint(Reason.INVALID_PROPERTY, sentence)
