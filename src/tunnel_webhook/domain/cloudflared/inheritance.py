"""What a rule comes to in its document: cloudflared merges the document's own `originRequest` into that of each rule.

A rule's own keys win, then those of the document count, then cloudflared's defaults (cloudflared, ingress/config.go,
`setConfig`; ingress/ingress.go, `validateIngress`):

| key of the document | a rule without it                                                                            |
|---------------------|----------------------------------------------------------------------------------------------|
| `access`            | inherits nothing: cloudflared verifies tokens only for the block of the rule itself          |
| `ipRules`           | inherits nothing: `socks-proxy` reads only those of the rule itself                          |
| `bastionMode`       | becomes a jump host if its service is a URL, so our rules say `false`, unless that was asked |
| `proxyType`         | becomes a SOCKS proxy if it is a jump host or neither HTTP nor WebSocket; ours say nothing   |
| any other           | inherits it                                                                                  |
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tunnel_webhook.domain.cloudflared.ingress import IngressRule, TunnelConfiguration
from tunnel_webhook.domain.cloudflared.json_text import Json
from tunnel_webhook.domain.cloudflared.origin_request import ORIGIN_KEYS, ORIGIN_OPTIONS, options_of

BASTION = "bastion"
BASTION_MODE, PROXY_TYPE, ACCESS_REQUIRED = "bastion-mode", "proxy-type", "access-required"
SWITCHED_OFF: Mapping[str, Json] = MappingProxyType({BASTION_MODE: False, PROXY_TYPE: ""})
"""The options that a rule of ours does not inherit, and the value that switches each off."""

_NOT_INHERITED = frozenset({"ip-rules", *(key.option for key in ORIGIN_KEYS if key.is_access)})
_NO_JUMP_HOST = re.compile(r"unix:|unix\+tls:|http_status:|(?:hello[_-]world|socks-proxy)\Z")
_HTTP = re.compile(r"https?://|wss?://", re.IGNORECASE)
_ACCESS = frozenset(key.option for key in ORIGIN_KEYS if key.is_access)


@dataclass(frozen=True, slots=True)
class Base:
    """The options of a rule that sets none: those that its document sets, and cloudflared's defaults for all others.

    `options` are those of the document that rules inherit and that are not the defaults, sorted.
    """

    options: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, document: TunnelConfiguration) -> Base:
        """Return what the rules of a document are based on."""
        origin_request = document.origin_request
        if not origin_request:
            return DEFAULTS
        options = options_of(origin_request).items()
        inherited = (pair for pair in options if pair[0] not in _NOT_INHERITED and not _is_default(*pair))
        return cls(tuple(sorted(inherited)))

    def text_of(self, option: str) -> str:
        """Return the option of a rule that does not set it, after what we switch off."""
        default = ORIGIN_OPTIONS[option].default
        return default if option in SWITCHED_OFF else dict(self.options).get(option, default)

    def dangers(self, service: str, own: Mapping[str, str]) -> dict[str, str]:
        """Return what would turn a rule with these options into a jump host or a SOCKS proxy that it is not by itself.

        The result has the options that the rule inherits, and is empty nearly always.
        """
        inherited = {option: text for option, text in self.options if option in SWITCHED_OFF}
        if not inherited:
            return {}
        is_url = _NO_JUMP_HOST.match(service) is None and service != BASTION
        is_jump_host = service == BASTION or (is_url and {**inherited, **own}.get(BASTION_MODE) == "true")
        is_stream = is_jump_host or (is_url and _HTTP.match(service) is None)
        applies = {BASTION_MODE: is_url, PROXY_TYPE: is_stream}
        return {option: text for option, text in inherited.items() if applies[option] and option not in own}


DEFAULTS = Base()
"""What a rule is based on where its document sets nothing."""


def inherited_by(rule: IngressRule, document: TunnelConfiguration) -> Mapping[str, str]:
    """Return the options that a rule takes from its document, as canonical texts; the defaults are left out."""
    base, own = Base.of(document), options_of(rule.origin_request)
    dangers = base.dangers(rule.service, own)
    return {
        option: text
        for option, text in base.options
        if option not in own and (option not in SWITCHED_OFF or option in dangers)
    }


def stated_options(own: Mapping[str, str], base: Base = DEFAULTS) -> dict[str, str]:
    """Return what the options of a rule say beyond its base.

    An option that equals what the rule would have without it is left out, and so are those of Access where it is not
    required.
    """
    verified = own.get(ACCESS_REQUIRED) == "true"
    return {
        option: text
        for option, text in own.items()
        if text != base.text_of(option) and (verified or option not in _ACCESS)
    }


def mean_the_same(one: IngressRule, other: IngressRule, base: Base = DEFAULTS) -> bool:
    """Whether two rules of one document route the same requests in the same way, as far as we know the keys."""
    routes = ((rule.hostname, rule.path, rule.service) for rule in (one, other))
    if len(set(routes)) > 1:
        return False
    return one.origin_request == other.origin_request or _stated(one, base) == _stated(other, base)


def differences(one: IngressRule, other: IngressRule, base: Base = DEFAULTS) -> tuple[tuple[str, str, str], ...]:
    """Return the keys in which two rules of one hostname and path differ, with the value of each, in the table's order.

    A key is named as in the JSON, and its value is the one in effect.
    """
    services = (("service", one.service, other.service),) if one.service != other.service else ()
    ours, theirs = _stated(one, base), _stated(other, base)
    return services + tuple(
        (key.path, ours.get(key.option, base.text_of(key.option)), theirs.get(key.option, base.text_of(key.option)))
        for key in ORIGIN_KEYS
        if ours.get(key.option) != theirs.get(key.option)
    )


def taken_away(standing: IngressRule, desired: IngressRule, base: Base = DEFAULTS) -> tuple[str, ...]:
    """Return the keys that a rule loses when another takes its place, as the JSON names them, in the table's order."""
    before, after = _stated(standing, base), _stated(desired, base)
    return tuple(key.path for key in ORIGIN_KEYS if key.option in before and key.option not in after)


def requires_access(rule: IngressRule) -> bool:
    """Whether cloudflared refuses requests without a valid Access token; what the document says does not count."""
    return options_of(rule.origin_request).get(ACCESS_REQUIRED) == "true"


def options_on(rule: IngressRule, base: Base) -> dict[str, str]:
    """Return the options of a rule, and among them a bastion mode or a proxy type that it inherits and should not."""
    own = options_of(rule.origin_request)
    return own | base.dangers(rule.service, own) if base.options else own


def _stated(rule: IngressRule, base: Base) -> Mapping[str, str]:
    return stated_options(options_on(rule, base), base)


def _is_default(option: str, text: str) -> bool:
    return text == ORIGIN_OPTIONS[option].default
