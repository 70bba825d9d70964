"""Where a service leads: its scheme, host and port, and the IP addresses that the host stands for by its spelling."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from tunnel_webhook.domain.external_dns.origin_service import DEFAULT_PORTS

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_URL = re.compile(r"(?P<scheme>[a-z0-9+.-]+)://(?P<host>\[[^\]]*\]|[^:]*)(?::(?P<port>[0-9]+))?")
_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
_COMPATIBLE = ipaddress.IPv6Network("::/96")
_ECHOING = (".nip.io", ".sslip.io", ".xip.io")
_QUAD = re.compile(r"(?<![0-9])[0-9]{1,3}(?:[.-][0-9]{1,3}){3}(?![0-9])")
_HEXADECIMAL = re.compile(r"(?<![0-9a-z])[0-9a-f]{8}(?![0-9a-z])")
_POD = "pod"
_POD_LABEL = 2


@dataclass(frozen=True, slots=True)
class OriginAddress:
    """The parts of a service that is a URL: `host` without brackets and trailing dot, `port` 0 where none is known."""

    scheme: str
    host: str
    port: int

    @staticmethod
    def of(service: str) -> OriginAddress | None:
        """Return the parts of a canonical service; None for one that is not a URL."""
        url = _URL.fullmatch(service)
        if url is None:
            return None
        port = int(url["port"] or DEFAULT_PORTS.get(url["scheme"], 0))
        return OriginAddress(url["scheme"], url["host"].strip("[]").removesuffix("."), port)

    @property
    def literal(self) -> IPAddress | None:
        """The address that the host is, an IPv4-mapped one as IPv4; None for a name."""
        return next(_parsed(self.host), None)

    @property
    def addresses(self) -> tuple[IPAddress, ...]:
        """Every address that the spelling of the host leads to.

        | host                                                | leads to                                |
        |-----------------------------------------------------|-----------------------------------------|
        | an IP address                                       | itself                                  |
        | IPv4-mapped or -compatible, 6to4, Teredo, NAT64     | the IPv4 address in it as well          |
        | `169-254-169-254.<namespace>.pod…`                  | that address (CoreDNS `pods insecure`)  |
        | a name below `nip.io`, `sslip.io`, `xip.io`         | any address in it                       |
        """
        literals = (self.literal,) if self.literal else tuple(_spelt(self.host))
        return tuple(found for literal in literals for found in (literal, *_within(literal)))


def _spelt(host: str) -> Iterator[IPAddress]:
    """Yield the addresses that a name spells out."""
    labels = host.split(".")
    if len(labels) > _POD_LABEL and labels[_POD_LABEL] == _POD:
        for separator in ".:":
            yield from _parsed(labels[0].replace("-", separator))
    if host.endswith(_ECHOING):
        for quad in _QUAD.findall(host):
            yield from _parsed(quad.replace("-", "."))
        for digits in _HEXADECIMAL.findall(host):
            yield ipaddress.IPv4Address(int(digits, 16))
        yield from _parsed(labels[-3].replace("-", ":"))


def _parsed(text: str) -> Iterator[IPAddress]:
    # Nearly every host is a name, for which the exception of `ip_address` takes most of the time.
    if ":" not in text and not text[-1:].isdigit():
        return
    with suppress(ValueError):
        address = ipaddress.ip_address(text)
        yield (address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None) or address


def _within(address: IPAddress) -> Iterator[ipaddress.IPv4Address]:
    """Yield the IPv4 addresses to which packets for an IPv6 address may be carried."""
    if isinstance(address, ipaddress.IPv4Address):
        return
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo
    if any(address in network for network in (*_NAT64, _COMPATIBLE)):
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
