"""Origins: the service of an endpoint, from its targets, labels, properties and the settings."""

from dataclasses import replace

import pytest

from tunnel_webhook.domain.dns import target_of
from tunnel_webhook.domain.errors import InvalidEndpoint
from tunnel_webhook.domain.external_dns.endpoint import Endpoint
from tunnel_webhook.domain.external_dns.origin import origin_of
from vocabulary.builders import POLICY, TUNNEL, endpoint

RESOURCE = "service/prod/app"


def origin(desired: Endpoint, default_origin: str = "", cluster_domain: str = "cluster.local") -> str:
    policy = replace(POLICY, default_origin=default_origin, cluster_domain=cluster_domain)
    return origin_of(desired, dict(desired.properties), policy)


def with_targets(*targets: str, resource: str = "", **properties: str) -> Endpoint:
    return replace(endpoint(target="", resource=resource, **properties), targets=targets)


@pytest.mark.parametrize(
    ("desired", "default_origin", "service"),
    [
        pytest.param(with_targets("http://b", service="http://a"), "http://c", "http://a", id="webhook/service"),
        pytest.param(with_targets("x", "HTTP://b/"), "http://c", "http://b", id="a target that is a service"),
        pytest.param(with_targets("unix:/a"), "", "unix:/a", id="a target that is a socket"),
        pytest.param(
            with_targets("10.0.0.1", resource=RESOURCE),
            "http://c",
            "http://app.prod.svc.cluster.local:80",
            id="a Service with an IPv4 target",
        ),
        pytest.param(
            with_targets("fd00::1", resource=RESOURCE),
            "",
            "http://app.prod.svc.cluster.local:80",
            id="a Service with an IPv6 target",
        ),
        pytest.param(
            with_targets("lb.example.net", resource=RESOURCE, port="8080"),
            "http://c",
            "http://app.prod.svc.cluster.local:8080",
            id="a Service with webhook/port",
        ),
        pytest.param(
            with_targets(resource=RESOURCE, scheme="HTTPS"),
            "",
            "https://app.prod.svc.cluster.local:443",
            id="a Service with webhook/scheme",
        ),
        pytest.param(
            with_targets(resource=RESOURCE, scheme="tcp", port="5432"),
            "",
            "tcp://app.prod.svc.cluster.local:5432",
            id="a Service with both",
        ),
        pytest.param(
            with_targets("lb.example.net", resource=RESOURCE),
            "http://c",
            "http://c",
            id="a Service with a host as target",
        ),
        pytest.param(
            with_targets("10.0.0.1", resource="ingress/prod/app"),
            "http://c",
            "http://c",
            id="a resource that is not a Service",
        ),
        pytest.param(
            with_targets("10.0.0.1", resource="service/prod"), "http://c", "http://c", id="a Service without a name"
        ),
        pytest.param(with_targets("a"), "http://c", "http://c", id="DEFAULT_ORIGIN"),
        pytest.param(with_targets("b", "a."), "", "http://a", id="the first target in order"),
        pytest.param(
            with_targets("a", port="8080", scheme="https"),
            "",
            "https://a:8080",
            id="a target with webhook/port and webhook/scheme",
        ),
        pytest.param(with_targets("fd00::1"), "", "http://[fd00::1]", id="a target that is IPv6"),
        pytest.param(with_targets("10.0.0.1"), "", "http://10.0.0.1", id="a target that is IPv4"),
        pytest.param(
            with_targets(target_of(TUNNEL), "z"), "", "http://z", id="a target that is a tunnel is not an origin"
        ),
    ],
)
def test_the_first_source_that_applies_gives_the_service(desired: Endpoint, default_origin: str, service: str) -> None:
    assert origin(desired, default_origin) == service


@pytest.mark.parametrize(
    ("scheme", "port"),
    [("http", 80), ("ws", 80), ("https", 443), ("wss", 443), ("ssh", 22), ("rdp", 3389), ("smb", 445)],
)
def test_a_service_of_the_cluster_has_the_default_port_of_its_scheme(scheme: str, port: int) -> None:
    assert origin(with_targets(resource=RESOURCE, scheme=scheme)) == f"{scheme}://app.prod.svc.cluster.local:{port}"


def test_the_cluster_domain_is_a_setting() -> None:
    desired = with_targets("10.0.0.1", resource=RESOURCE)
    assert origin(desired, cluster_domain="k8s.internal") == "http://app.prod.svc.k8s.internal:80"


def test_several_services_as_targets_are_refused() -> None:
    with pytest.raises(
        InvalidEndpoint, match=r"has 2 services as targets \(http://a, http://b\); a rule can have only one"
    ):
        origin(with_targets("http://b", "http://a"))


def test_the_property_decides_between_several_services_as_targets() -> None:
    assert origin(with_targets("http://b", "http://a", service="http://c")) == "http://c"


@pytest.mark.parametrize(
    "desired",
    [
        pytest.param(with_targets(), id="no target"),
        pytest.param(with_targets(target_of(TUNNEL)), id="a tunnel"),
        pytest.param(with_targets(target_of(TUNNEL) + "."), id="a tunnel with a trailing dot"),
    ],
)
def test_an_endpoint_without_an_origin_is_refused_with_the_settings_that_give_one(desired: Endpoint) -> None:
    with pytest.raises(InvalidEndpoint, match=r"app\.example\.com names no origin: set webhook/service"):
        origin(desired)


@pytest.mark.parametrize("extra", [{"port": "80"}, {"scheme": "https"}], ids=["port", "scheme"])
@pytest.mark.parametrize(
    ("targets", "default_origin"),
    [
        pytest.param(["http://a"], "", id="a target that is a service"),
        pytest.param(["a"], "http://c", id="DEFAULT_ORIGIN"),
    ],
)
def test_a_port_or_scheme_without_effect_is_refused(
    extra: dict[str, str], targets: list[str], default_origin: str
) -> None:
    with pytest.raises(InvalidEndpoint, match=r"has no effect, since the whole service is set: http://"):
        origin(with_targets(*targets, **extra), default_origin)


def test_a_scheme_without_a_default_port_needs_a_port() -> None:
    with pytest.raises(InvalidEndpoint, match="webhook/scheme 'tcp' has no default port: set webhook/port as well"):
        origin(with_targets(resource=RESOURCE, scheme="tcp"))


@pytest.mark.parametrize("scheme", ["ftp", "unix", "unix:", "http://evil"])
def test_an_unknown_scheme_is_refused(scheme: str) -> None:
    with pytest.raises(
        InvalidEndpoint, match=r"webhook/scheme is .*: accepted are http, https, ws, wss, tcp, ssh, rdp, smb"
    ):
        origin(with_targets("a", scheme=scheme, port="80"))


@pytest.mark.parametrize("port", ["0", "http", "65536"])
def test_an_invalid_port_is_refused(port: str) -> None:
    with pytest.raises(InvalidEndpoint, match=rf"service 'http://a:{port}'"):
        origin(with_targets("a", port=port))


def test_a_default_origin_needs_an_allowed_service() -> None:
    with pytest.raises(InvalidEndpoint, match="ALLOWED_SERVICES does not list bastion"):
        origin(with_targets("a"), "bastion")
