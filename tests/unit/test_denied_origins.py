"""Built-in denials (threats.md, H4): origins that nothing but their exact name in the operator's hand allows."""

import pytest

from tunnel_webhook.domain.errors import InvalidEndpoint
from tunnel_webhook.domain.external_dns.denied_origins import denial_of
from tunnel_webhook.domain.external_dns.origin_service import ALL_SERVICES, OriginService


def spelt(host: str) -> str:
    return OriginService.parse(f"http://{host}:8080", ALL_SERVICES)


@pytest.mark.parametrize(
    ("host", "denial"),
    [
        pytest.param("127.0.0.1", "a loopback address", id="loopback"),
        pytest.param("127.255.0.1.", "a loopback address", id="all of loopback, with a trailing dot"),
        pytest.param("[::1]", "a loopback address", id="loopback of IPv6"),
        pytest.param("[::ffff:127.0.0.1]", "a loopback address", id="IPv4-mapped"),
        pytest.param("[::127.0.0.1]", "a loopback address", id="IPv4-compatible"),
        pytest.param("LOCALHOST", "the connector itself", id="localhost"),
        pytest.param("x.localhost", "the connector itself", id="below localhost"),
        pytest.param("localhost.localdomain", "the connector itself", id="another name of localhost"),
        pytest.param("0.0.0.1", "an unspecified address", id="unspecified"),
        pytest.param("[::]", "an unspecified address", id="unspecified of IPv6"),
        pytest.param("169.254.169.254", "a metadata service of the cloud", id="metadata"),
        pytest.param("[::ffff:169.254.169.254]", "a metadata service of the cloud", id="metadata, IPv4-mapped"),
        pytest.param("[64:ff9b::a9fe:a9fe]", "a metadata service of the cloud", id="metadata behind NAT64"),
        pytest.param("[64:ff9b:1::a9fe:a9fe]", "a metadata service of the cloud", id="metadata behind a local NAT64"),
        pytest.param("[2002:a9fe:a9fe::1]", "a metadata service of the cloud", id="metadata behind 6to4"),
        pytest.param("[2001:0:a9fe:a9fe::]", "a metadata service of the cloud", id="metadata behind Teredo"),
        pytest.param("[fd00:ec2::254]", "a metadata service of the cloud", id="metadata of AWS over IPv6"),
        pytest.param("100.100.100.200", "a metadata service of the cloud", id="metadata of Alibaba"),
        pytest.param("metadata", "a metadata service of the cloud", id="metadata by a short name"),
        pytest.param("Metadata.Google.Internal.", "a metadata service of the cloud", id="metadata by its name"),
        pytest.param("169.254.1.1", "a link-local address", id="link-local"),
        pytest.param("[fe80::1]", "a link-local address", id="link-local of IPv6"),
        pytest.param("224.0.0.1", "a multicast address", id="multicast"),
        pytest.param("[ff02::1]", "a multicast address", id="multicast of IPv6"),
        pytest.param("255.255.255.255", "the broadcast address", id="broadcast"),
        pytest.param("kubernetes", "the Kubernetes API", id="the API by its short name"),
        pytest.param("kubernetes.default", "the Kubernetes API", id="the API in its namespace"),
        pytest.param("kubernetes.default.svc", "the Kubernetes API", id="the API as a Service"),
        pytest.param("kubernetes.default.svc.example.org", "the Kubernetes API", id="the API in any cluster domain"),
        pytest.param(
            "169-254-169-254.default.pod.cluster.local", "a metadata service of the cloud", id="a dashed address"
        ),
        pytest.param("0--ffff-7f00-1.x.pod", "a loopback address", id="a dashed IPv4-mapped address"),
        pytest.param("127-0-0-1.x.pod", "a loopback address", id="a dashed address below pod"),
        pytest.param(
            "fd00-ec2--254.x.pod.cluster.local", "a metadata service of the cloud", id="a dashed IPv6 address"
        ),
        pytest.param("a.127.0.0.1.nip.io", "a loopback address", id="nip.io"),
        pytest.param("a-127-0-0-1.nip.io", "a loopback address", id="nip.io with dashes"),
        pytest.param("7f000001.nip.io", "a loopback address", id="nip.io in hexadecimal digits"),
        pytest.param("0--1.sslip.io", "a loopback address", id="sslip.io"),
        pytest.param("10.0.0.1", "", id="a private address"),
        pytest.param("[fd00::1]", "", id="a private address of IPv6"),
        pytest.param("app.prod.svc.cluster.local", "", id="a Service"),
        pytest.param("kubernetes.team-a.svc", "", id="another Service of that name"),
        pytest.param("10-0-0-1.default.pod.cluster.local", "", id="a Pod"),
        pytest.param("127-0-0-1.pod", "", id="dashes that no cluster resolves"),
        pytest.param("localhost.example.com", "", id="a name that begins with localhost"),
        pytest.param("a.10.0.0.1.nip.io", "", id="nip.io with a private address"),
        pytest.param("x.nip.io", "", id="nip.io without an address"),
    ],
)
def test_h4_a_host_is_denied_however_it_is_spelt(host: str, denial: str) -> None:
    assert denial_of(spelt(host)) == denial


@pytest.mark.parametrize(
    ("service", "denial"),
    [
        pytest.param("unix:/var/run/docker.sock", "a socket on the connector", id="a socket"),
        pytest.param("unix+tls:/run/a.sock", "a socket on the connector", id="a socket with TLS"),
        pytest.param("http_status:404", "", id="a status"),
        pytest.param("hello_world", "", id="the test server"),
        pytest.param("bastion", "", id="a jump host, which needs a setting of its own"),
        pytest.param("tcp://127.0.0.1", "a loopback address", id="a scheme without a port of its own"),
    ],
)
def test_h4_a_service_that_is_no_http_url_is_judged_too(service: str, denial: str) -> None:
    assert denial_of(OriginService.parse(service, ALL_SERVICES)) == denial


@pytest.mark.parametrize(
    "host",
    [
        "127.1",
        "0177.0.0.1",
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "127.0.0.1.1",
        "a.1",
        "10.0.0.256",
        "127.0.0.0x1",
        "0x",
    ],
)
def test_h4_a_host_that_ends_in_a_number_and_is_no_dotted_quad_is_invalid(host: str) -> None:
    with pytest.raises(InvalidEndpoint, match="has a host that ends in a number and is not an address"):
        spelt(host)


@pytest.mark.parametrize("host", ["a..b", "a..10.0.0.1"])
def test_h4_a_host_with_an_empty_label_is_invalid(host: str) -> None:
    with pytest.raises(InvalidEndpoint, match="has a host with an empty label"):
        spelt(host)
