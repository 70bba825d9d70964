"""Origins: from which of an endpoint's targets, labels and properties its service comes."""

from dataclasses import replace

import pytest

from tunnel_webhook.domain.dns import target_of
from tunnel_webhook.domain.errors import InvalidEndpoint
from tunnel_webhook.domain.external_dns.endpoint import Endpoint
from tunnel_webhook.domain.external_dns.origin import origin_of
from vocabulary.builders import POLICY, TUNNEL, endpoint

RESOURCE = "service/prod/app"


def origin(asked: Endpoint, default_origin: str = "", cluster_domain: str = "cluster.local") -> str:
    policy = replace(POLICY, default_origin=default_origin, cluster_domain=cluster_domain)
    return origin_of(asked, dict(asked.properties), policy)


def targets(*found: str, resource: str = "", **properties: str) -> Endpoint:
    return replace(endpoint(target="", resource=resource, **properties), targets=found)


@pytest.mark.parametrize(
    ("asked", "default_origin", "expected"),
    [
        pytest.param(targets("http://b", service="http://a"), "http://c", "http://a", id="webhook/service"),
        pytest.param(targets("x", "HTTP://b/"), "http://c", "http://b", id="a target that is a service"),
        pytest.param(targets("unix:/a"), "", "unix:/a", id="a target that is a socket"),
        pytest.param(
            targets("10.0.0.1", resource=RESOURCE),
            "http://c",
            "http://app.prod.svc.cluster.local:80",
            id="resource and an IP",
        ),
        pytest.param(
            targets("fd00::1", resource=RESOURCE), "", "http://app.prod.svc.cluster.local:80", id="resource and an IPv6"
        ),
        pytest.param(
            targets("lb.example.net", resource=RESOURCE, port="8080"),
            "http://c",
            "http://app.prod.svc.cluster.local:8080",
            id="resource and webhook/port",
        ),
        pytest.param(
            targets(resource=RESOURCE, scheme="HTTPS"),
            "",
            "https://app.prod.svc.cluster.local:443",
            id="resource and webhook/scheme",
        ),
        pytest.param(
            targets(resource=RESOURCE, scheme="tcp", port="5432"),
            "",
            "tcp://app.prod.svc.cluster.local:5432",
            id="resource and both",
        ),
        pytest.param(targets("lb.example.net", resource=RESOURCE), "http://c", "http://c", id="resource and a host"),
        pytest.param(targets("10.0.0.1", resource="ingress/prod/app"), "http://c", "http://c", id="another resource"),
        pytest.param(
            targets("10.0.0.1", resource="service/prod"), "http://c", "http://c", id="a resource without a name"
        ),
        pytest.param(targets(), "http://c", "http://c", id="DEFAULT_ORIGIN"),
        pytest.param(targets("b", "a."), "", "http://a", id="the first target in order"),
        pytest.param(
            targets("a", port="8080", scheme="https"), "", "https://a:8080", id="a target with webhook/port and scheme"
        ),
        pytest.param(targets("fd00::1"), "", "http://[fd00::1]", id="a target that is IPv6"),
        pytest.param(targets("10.0.0.1"), "", "http://10.0.0.1", id="a target that is IPv4"),
        pytest.param(targets(target_of(TUNNEL), "z"), "", "http://z", id="a tunnel is not its own origin"),
    ],
)
def test_the_service_is_the_first_that_applies(asked: Endpoint, default_origin: str, expected: str) -> None:
    assert origin(asked, default_origin) == expected


@pytest.mark.parametrize(
    ("scheme", "port"),
    [("http", 80), ("ws", 80), ("https", 443), ("wss", 443), ("ssh", 22), ("rdp", 3389), ("smb", 445)],
)
def test_a_scheme_brings_its_port_to_a_service_of_the_cluster(scheme: str, port: int) -> None:
    assert origin(targets(resource=RESOURCE, scheme=scheme)) == f"{scheme}://app.prod.svc.cluster.local:{port}"


def test_the_domain_of_the_cluster_is_a_setting() -> None:
    asked = targets("10.0.0.1", resource=RESOURCE)
    assert origin(asked, cluster_domain="k8s.internal") == "http://app.prod.svc.k8s.internal:80"


def test_several_services_as_targets_are_refused_and_not_cut_to_the_first() -> None:
    with pytest.raises(
        InvalidEndpoint, match=r"has 2 services as targets \(http://a, http://b\); a rule can have only one"
    ):
        origin(targets("http://b", "http://a"))


def test_a_service_as_property_decides_between_several_services_as_targets() -> None:
    assert origin(targets("http://b", "http://a", service="http://c")) == "http://c"


@pytest.mark.parametrize("asked", [targets(), targets(target_of(TUNNEL)), targets(target_of(TUNNEL) + ".")])
def test_an_endpoint_without_an_origin_is_refused_with_what_to_set(asked: Endpoint) -> None:
    with pytest.raises(InvalidEndpoint, match=r"app\.example\.com names no origin: set webhook/service"):
        origin(asked)


@pytest.mark.parametrize("extra", [{"port": "80"}, {"scheme": "https"}])
@pytest.mark.parametrize(
    ("asked", "default_origin"),
    [(("http://a",), ""), (("a",), "http://c")],
    ids=["a target that is a service", "DEFAULT_ORIGIN"],
)
def test_a_port_or_scheme_without_effect_is_refused(
    extra: dict[str, str], asked: tuple[str, ...], default_origin: str
) -> None:
    with pytest.raises(InvalidEndpoint, match=r"has no effect, since the whole service is set: http://"):
        origin(targets(*asked, **extra), default_origin)


def test_a_scheme_without_a_port_of_its_own_needs_one() -> None:
    with pytest.raises(InvalidEndpoint, match="webhook/scheme 'tcp' has no default port: set webhook/port as well"):
        origin(targets(resource=RESOURCE, scheme="tcp"))


@pytest.mark.parametrize("scheme", ["ftp", "unix", "unix:", "http://evil"])
def test_a_scheme_that_no_service_has_is_refused(scheme: str) -> None:
    with pytest.raises(
        InvalidEndpoint, match=r"webhook/scheme is .*: accepted are http, https, ws, wss, tcp, ssh, rdp, smb"
    ):
        origin(targets("a", scheme=scheme, port="80"))


@pytest.mark.parametrize("properties", [{"port": "0"}, {"port": "http"}, {"port": "65536"}])
def test_a_composed_service_is_held_to_the_same_rules(properties: dict[str, str]) -> None:
    with pytest.raises(InvalidEndpoint):
        origin(targets("a", **properties))


def test_a_default_origin_is_held_to_what_is_allowed() -> None:
    with pytest.raises(InvalidEndpoint, match="ALLOWED_SERVICES does not list bastion"):
        origin(targets(), "bastion")
