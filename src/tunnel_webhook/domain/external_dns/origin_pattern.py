"""Patterns of origins, in a policy file and in `ALLOWED_ORIGINS`: compared parsed, never as text.

| pattern                               | accepts                                                                     |
|---------------------------------------|-----------------------------------------------------------------------------|
| `same-namespace`                      | `<service>.<namespace>.svc[.<CLUSTER_DOMAIN>]` and `<pod>.<service>.…` of   |
|                                       | the endpoint's own namespace, any scheme and port; `http_status:*`          |
| `default-origin`                      | exactly `DEFAULT_ORIGIN`                                                    |
| `any`                                 | every origin                                                                |
| `http://app.prod.svc.cluster.local`   | that host on the scheme's own port; `:8080` names one, `:*` stands for all  |
| `http://*.prod.svc.cluster.local:*`   | every host below it                                                         |
| `http://10.0.0.0/8:*`, `…[fd00::/8]`  | every address in it; a name is not one                                      |
| `http_status:404`, `unix:/run/a.sock` | exactly that service; `http_status:*` every status                          |
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import cached_property

from tunnel_webhook.domain.errors import InvalidEndpoint
from tunnel_webhook.domain.external_dns.origin_address import OriginAddress
from tunnel_webhook.domain.external_dns.origin_service import ALL_SERVICES, DEFAULT_PORTS, URL_SCHEMES, OriginService
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.quotation import quoted

SAME_NAMESPACE, DEFAULT_ORIGIN, ANY = "same-namespace", "default-origin", "any"
ANY_STATUS = "http_status:*"

_KEYWORDS = (SAME_NAMESPACE, DEFAULT_ORIGIN, ANY, ANY_STATUS)
_STATUS = "http_status:"
_URL = re.compile(r"(?P<scheme>[a-z]+)://(?P<host>\[[0-9a-f:./]+\]|[^:\[\]]+?)(?::(?P<port>\*|[0-9]{1,5}))?/?")
_SUBDOMAIN = "*."
_POD_LABELS = (1, 2)


@dataclass(frozen=True, slots=True)
class OriginScope:
    """What a pattern depends on besides the origin: who asks, where the cluster is, and the operator's own origin."""

    namespace: str = ""
    cluster_domain: str = "cluster.local"
    default_origin: str = ""


@dataclass(frozen=True)
class OriginPattern:
    """Which origins are meant; raises ValueError for a text of another form."""

    text: str

    def __post_init__(self) -> None:
        """Parse the text once, to check it."""
        _ = self._url

    @property
    def is_literal(self) -> bool:
        """Whether one origin is named exactly; only such a pattern lifts a built-in denial."""
        if self.text in _KEYWORDS:
            return False
        return self._url is None or self._url.is_literal

    def accepts(self, service: str, scope: OriginScope) -> bool:
        """Whether an origin, a canonical service, is meant."""
        return self._matches(service, scope, widely=False)

    def touches(self, service: str, scope: OriginScope) -> bool:
        """Whether an origin is meant in any of the ways in which its host can be understood."""
        return self._matches(service, scope, widely=True)

    def _matches(self, service: str, scope: OriginScope, *, widely: bool) -> bool:
        address = OriginAddress.of(service)
        if self._url is not None:
            return address is not None and self._url.matches(address, widely=widely)
        if self.text == SAME_NAMESPACE:
            return service.startswith(_STATUS) or (address is not None and _is_in_namespace(address.host, scope))
        if self.text == DEFAULT_ORIGIN:
            return bool(scope.default_origin) and _is_same(service, scope.default_origin)
        if self.text == ANY_STATUS:
            return service.startswith(_STATUS)
        return self.text in {ANY, service}

    @cached_property
    def _url(self) -> _UrlPattern | None:
        """The pattern as a URL; None for a keyword and for a service that is not a URL."""
        if self.text in _KEYWORDS:
            return None
        url = _URL.fullmatch(self.text)
        try:
            if url is None or url["scheme"] not in URL_SCHEMES:
                OriginService(self.text)
                return None
            return _UrlPattern.of(url)
        except (InvalidEndpoint, ValueError) as error:
            raise _invalid(self.text) from error


@dataclass(frozen=True, slots=True)
class _UrlPattern:
    """A pattern that is a URL: of `suffix`, `network` and `host` one is set; a `port` of None stands for all."""

    scheme: str
    port: int | None
    host: str = ""
    suffix: str = ""
    network: ipaddress.IPv4Network | ipaddress.IPv6Network | None = None

    @classmethod
    def of(cls, url: re.Match[str]) -> _UrlPattern:
        scheme, host, port = url["scheme"], url["host"].lower(), url["port"]
        number = None if port == "*" else int(port or DEFAULT_PORTS.get(scheme, 0))
        if "/" in host:
            return cls(scheme, number, network=ipaddress.ip_network(host.strip("[]")))
        if host.startswith(_SUBDOMAIN):
            return cls(scheme, number, suffix="." + Hostname.parse(host.removeprefix(_SUBDOMAIN)))
        OriginService.parse(f"{scheme}://{host}:{port if port and number is not None else 1}", ALL_SERVICES)
        return cls(scheme, number, host=host.strip("[]").removesuffix("."))

    @property
    def is_literal(self) -> bool:
        return bool(self.host) and self.port is not None

    def matches(self, address: OriginAddress, *, widely: bool) -> bool:
        if address.scheme != self.scheme or self.port not in {None, address.port}:
            return False
        literals = address.addresses if widely else (address.literal,)
        if self.network is not None:
            network = self.network
            return any(literal in network for literal in literals if literal)
        if self.suffix:
            return address.literal is None and address.host.endswith(self.suffix)
        literal = OriginAddress(self.scheme, self.host, 0).literal
        return literal in literals if literal else address.host == self.host


def _is_in_namespace(host: str, scope: OriginScope) -> bool:
    for suffix in (f".{scope.namespace}.svc.{scope.cluster_domain}", f".{scope.namespace}.svc"):
        if scope.namespace and host.endswith(suffix):
            return host.removesuffix(suffix).count(".") + 1 in _POD_LABELS
    return False


def _is_same(service: str, other: str) -> bool:
    return service == other or (
        (address := OriginAddress.of(service)) is not None and address == OriginAddress.of(other)
    )


def _invalid(text: str) -> ValueError:
    accepted = (
        "accepted are same-namespace, default-origin, any, and origins such as http://app.prod.svc.cluster.local:80,"
        " http://*.prod.svc.cluster.local:*, http://10.0.0.0/8:8080, http_status:404 and unix:/run/app.sock"
    )
    return ValueError(f"{quoted(text)} is not a pattern of origins: {accepted}")
