"""Origins that are never published unless the operator names exactly them: what only the connector itself should reach.

| kind                | which                                                                                   |
|---------------------|-----------------------------------------------------------------------------------------|
| loopback            | `127.0.0.0/8`, `::1`, `localhost` and names below it: cloudflared's own metrics, sidecars |
| unspecified         | `0.0.0.0/8`, `::`: the same, for most systems                                           |
| link-local          | `169.254.0.0/16`, `fe80::/10`: cloud metadata, the node                                 |
| multicast           | `224.0.0.0/4`, `ff00::/8`, and the broadcast address                                    |
| cloud metadata      | the addresses and names under which clouds hand out credentials                         |
| Kubernetes API      | `kubernetes`, `kubernetes.default`, and `kubernetes.default.svc` with anything after it |
| socket              | `unix:`, `unix+tls:`: files of the connector, such as the socket of a container runtime |

An address counts however it is spelt (`OriginAddress.addresses`). Sources: threats.md H4; AWS "IMDS" and "EKS Pod
Identity", Google "Metadata server", Azure "168.63.129.16", Alibaba and Oracle "Instance metadata".
"""

from __future__ import annotations

import ipaddress

from tunnel_webhook.domain.external_dns.origin_address import IPAddress, OriginAddress

_LOCAL_NAMES = frozenset(
    {"localhost", "localhost.localdomain", "localhost4", "localhost6", "ip6-localhost", "ip6-loopback"}
)
_METADATA_NAMES = frozenset(
    {
        "instance-data",
        "instance-data.ec2.internal",
        "metadata",
        "metadata.azure.com",
        "metadata.azure.internal",
        "metadata.goog",
        "metadata.google.internal",
        "metadata.oraclecloud.com",
        "metadata.packet.net",
        "metadata.platformequinix.com",
        "metadata.tencentyun.com",
    }
)
_METADATA_ADDRESSES = frozenset(
    map(
        ipaddress.ip_address,
        (
            "100.100.100.200",
            "168.63.129.16",
            "169.254.169.254",
            "192.0.0.192",
            "fd00:ec2::23",
            "fd00:ec2::254",
            "fd20:ce::254",
        ),
    )
)
_NETWORKS = {
    ipaddress.ip_network("127.0.0.0/8"): "a loopback address",
    ipaddress.ip_network("::1/128"): "a loopback address",
    ipaddress.ip_network("0.0.0.0/8"): "an unspecified address",
    ipaddress.ip_network("::/128"): "an unspecified address",
    ipaddress.ip_network("169.254.0.0/16"): "a link-local address",
    ipaddress.ip_network("fe80::/10"): "a link-local address",
    ipaddress.ip_network("224.0.0.0/4"): "a multicast address",
    ipaddress.ip_network("ff00::/8"): "a multicast address",
    ipaddress.ip_network("255.255.255.255/32"): "the broadcast address",
}


def denial_of(service: str) -> str:
    """Return what makes a canonical service one that is not published unasked, such as `a loopback address`; or ""."""
    if service.startswith(("unix:", "unix+tls:")):
        return "a socket on the connector"
    origin = OriginAddress.of(service)
    if origin is None:
        return ""
    denials = (_denial_of_name(origin.host), *map(_denial_of_address, origin.addresses))
    return next(filter(None, denials), "")


def _denial_of_name(host: str) -> str:
    if host in _LOCAL_NAMES or host.endswith(".localhost"):
        return "the connector itself"
    if host in _METADATA_NAMES:
        return "a metadata service of the cloud"
    labels = host.split(".")
    if labels[:3] == ["kubernetes", "default", "svc"][: len(labels)]:
        return "the Kubernetes API"
    return ""


def _denial_of_address(address: IPAddress) -> str:
    if address in _METADATA_ADDRESSES:
        return "a metadata service of the cloud"
    return next((denial for network, denial in _NETWORKS.items() if address in network), "")
