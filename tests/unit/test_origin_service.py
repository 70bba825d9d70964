"""Services: every form that a rule may have, and why the others are refused."""

import pytest

from tunnel_webhook.domain.errors import InvalidEndpoint, Reason
from tunnel_webhook.domain.external_dns.origin_service import (
    ALL_SERVICES,
    URL_SCHEMES,
    OriginService,
    looks_like_a_service,
)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        *(pytest.param(f"{scheme}://app", f"{scheme}://app", id=f"{scheme} without a port") for scheme in URL_SCHEMES),
        *(
            pytest.param(f"{scheme}://app:8080", f"{scheme}://app:8080", id=f"{scheme} with a port")
            for scheme in URL_SCHEMES
        ),
        pytest.param("http://app:1", "http://app:1", id="the lowest port"),
        pytest.param("http://app:65535", "http://app:65535", id="the highest port"),
        pytest.param("http://app/", "http://app", id="a lone trailing slash"),
        pytest.param("http://app:80/", "http://app:80", id="a lone trailing slash after a port"),
        pytest.param("HTTP://App.Prod", "http://app.prod", id="upper case"),
        pytest.param("http://10.0.0.1:80", "http://10.0.0.1:80", id="an IPv4 address"),
        pytest.param("http://[FD00::1]:80", "http://[fd00::1]:80", id="an IPv6 address"),
        pytest.param("http://my_app:80", "http://my_app:80", id="an underscore"),
        pytest.param("http://app.prod.:80", "http://app.prod.:80", id="a trailing dot"),
        pytest.param("unix:/run/App.sock", "unix:/run/App.sock", id="a socket keeps its case"),
        pytest.param("unix+tls:/run/app.sock", "unix+tls:/run/app.sock", id="a socket with TLS"),
        pytest.param("http_status:100", "http_status:100", id="the lowest status"),
        pytest.param("http_status:999", "http_status:999", id="the highest status"),
        pytest.param("HTTP_STATUS:404", "http_status:404", id="a status in upper case"),
        pytest.param("hello_world", "hello_world", id="the test server"),
        pytest.param("hello-world", "hello_world", id="the test server by its alternative name"),
    ],
)
def test_a_service_has_one_form(text: str, canonical: str) -> None:
    assert OriginService.parse(text) == canonical
    assert OriginService(canonical) == canonical


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("HTTP://App/", id="upper case and a trailing slash"),
        pytest.param("http://App", id="upper case"),
        pytest.param("http://app/", id="a trailing slash"),
        pytest.param("HTTP_STATUS:404", id="a status in upper case"),
        pytest.param("hello-world", id="the alternative name of the test server"),
    ],
)
def test_a_service_that_is_not_canonical_cannot_exist(text: str) -> None:
    with pytest.raises(InvalidEndpoint, match=f"service '{text}' is not in its canonical form") as error:
        OriginService(text)
    assert error.value.reason is Reason.INVALID_SERVICE


@pytest.mark.parametrize("text", ["", "app", "ftp://app", "http://app/path"])
def test_an_invalid_service_cannot_exist(text: str) -> None:
    with pytest.raises(InvalidEndpoint, match="cannot be published: accepted are"):
        OriginService(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("app", id="only a host"),
        pytest.param("app:8080", id="no scheme"),
        pytest.param("http://", id="no host"),
        pytest.param("http://:80", id="only a port"),
        pytest.param("ftp://app", id="an unknown scheme"),
        pytest.param("htttp://app", id="a misspelt scheme, which cloudflared would accept"),
        pytest.param("http://app/path", id="a path"),
        pytest.param("http://app//", id="two slashes"),
        pytest.param("http://app?q", id="a query"),
        pytest.param("http://app#f", id="a fragment"),
        pytest.param("http://app:", id="an empty port"),
        pytest.param("http://app:http", id="a port of letters"),
        pytest.param("http://app:123456", id="a port of six digits"),
        pytest.param("http://-app", id="a leading hyphen"),
        pytest.param("http://bücher", id="a U-label"),
        pytest.param(" http://app", id="a leading space"),
        pytest.param("http://app\n", id="a trailing line break"),
        pytest.param("unix:", id="a socket without a path"),
        pytest.param("unix:/a b", id="a space in the path of a socket"),
        pytest.param("http_status:99", id="a status below 100"),
        pytest.param("http_status:1000", id="a status above 999"),
        pytest.param("http_status:", id="no status"),
        pytest.param("http_status:099", id="a status with a leading zero"),
    ],
)
def test_any_other_service_is_refused_with_the_accepted_forms(text: str) -> None:
    with pytest.raises(InvalidEndpoint, match=r"cannot be published: accepted are http, https,"):
        OriginService.parse(text)


@pytest.mark.parametrize("port", ["0", "65536", "99999"])
def test_a_port_out_of_range_is_refused(port: str) -> None:
    with pytest.raises(InvalidEndpoint, match=rf"has port {port}; ports are 1 to 65535"):
        OriginService.parse(f"http://app:{port}")


@pytest.mark.parametrize("address", ["::1::2", "1.2.3.4", ":", "12345::"])
def test_an_address_in_brackets_that_is_not_ipv6_is_refused(address: str) -> None:
    with pytest.raises(InvalidEndpoint, match="has an address that is not IPv6"):
        OriginService.parse(f"http://[{address}]")


@pytest.mark.parametrize("service", ["bastion", "socks-proxy"])
def test_a_service_that_reaches_any_host_needs_a_setting(service: str) -> None:
    with pytest.raises(InvalidEndpoint, match=rf"is not allowed here: ALLOWED_SERVICES does not list {service}"):
        OriginService.parse(service)
    assert OriginService.parse(service.upper(), ALL_SERVICES) == service


def test_a_setting_may_forbid_a_service() -> None:
    with pytest.raises(InvalidEndpoint, match="ALLOWED_SERVICES does not list ssh"):
        OriginService.parse("ssh://app", frozenset({"http"}))


@pytest.mark.parametrize(
    "target",
    [
        "http://app",
        "ftp://app/x",
        "HTTP://",
        "unix:",
        "unix+tls:/a",
        "http_status:x",
        "hello-world",
        "Bastion",
        "socks-proxy",
    ],
)
def test_a_target_that_is_meant_as_a_service_looks_like_one(target: str) -> None:
    assert looks_like_a_service(target)


@pytest.mark.parametrize("target", ["app", "app.example.com", "10.0.0.1", "fd00::1", "app:80", "", "hello", "unixes"])
def test_a_target_that_is_meant_as_a_host_does_not_look_like_a_service(target: str) -> None:
    assert not looks_like_a_service(target)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("http://" + "a" * 10_000, "a host has at most 253 characters", id="a text"),
        pytest.param("http://" + "a." * 127 + "example", "a host has at most 253 characters", id="a host"),
        pytest.param("unix:/" + "a" * 200, "the path of a socket has at most", id="a socket"),
    ],
)
def test_a_service_that_is_too_long_is_refused_in_a_short_sentence(text: str, words: str) -> None:
    with pytest.raises(InvalidEndpoint, match=words) as refused:
        OriginService.parse(text)
    assert refused.value.reason is Reason.INVALID_SERVICE
    assert len(str(refused.value)) < 300
