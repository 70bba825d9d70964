"""Which proxy leads to a URL."""

from collections.abc import Mapping

import pytest

from tunnel_webhook.settings import InvalidSetting, Proxy, load_settings
from tunnel_webhook.settings.proxies import proxy_for

API = "https://api.cloudflare.com/client/v4"
PROXY = "http://proxy.example.com:3128"
CLOUDFLARE = {"CLOUDFLARE_API_TOKEN": "token", "CLOUDFLARE_TUNNEL_ID": "5456b9ca-8b73-4b44-93df-67ad7acc8e2c"}


def url_of(environment: Mapping[str, str], url: str = API) -> str:
    proxy = proxy_for(url, environment)
    return proxy.url if proxy else "direct"


@pytest.mark.parametrize(
    ("environment", "url", "expected"),
    [
        pytest.param({}, API, "direct", id="none set"),
        pytest.param({"HTTPS_PROXY": PROXY}, API, PROXY, id="of https"),
        pytest.param({"https_proxy": PROXY}, API, PROXY, id="in lower case"),
        pytest.param({"HTTPS_PROXY": PROXY, "https_proxy": "http://other:1"}, API, PROXY, id="upper case first"),
        pytest.param({"HTTPS_PROXY": " ", "https_proxy": PROXY}, API, PROXY, id="an empty one is unset"),
        pytest.param({"HTTP_PROXY": PROXY}, API, "direct", id="of the other scheme"),
        pytest.param({"HTTP_PROXY": PROXY}, "http://api.test/v4", PROXY, id="of http"),
        pytest.param({"ALL_PROXY": PROXY}, API, PROXY, id="of all"),
        pytest.param({"ALL_PROXY": "http://all:1", "HTTPS_PROXY": PROXY}, API, PROXY, id="of https before all"),
        pytest.param({"HTTPS_PROXY": "proxy:3128"}, API, "http://proxy:3128", id="without a scheme"),
        pytest.param({"HTTPS_PROXY": "https://proxy:3128/"}, API, "https://proxy:3128", id="over TLS"),
        pytest.param({"HTTPS_PROXY": "http://[2001:db8::1]:3128"}, API, "http://[2001:db8::1]:3128", id="an address"),
        pytest.param({"HTTPS_PROXY": PROXY}, "https://127.0.0.1:8443", "direct", id="loopback"),
        pytest.param({"HTTPS_PROXY": PROXY}, "https://localhost:8443", "direct", id="localhost"),
        pytest.param({"HTTPS_PROXY": PROXY}, "https://[::1]:8443", "direct", id="loopback of IPv6"),
    ],
)
def test_the_variables_name_the_proxy(environment: dict[str, str], url: str, expected: str) -> None:
    assert url_of(environment, url) == expected


@pytest.mark.parametrize(
    ("entries", "is_direct"),
    [
        ("*", True),
        ("api.cloudflare.com", True),
        ("cloudflare.com", True),
        (".cloudflare.com", True),
        ("*.cloudflare.com", True),
        ("API.Cloudflare.COM", True),
        ("cloudflare.com:443", True),
        ("a.example, cloudflare.com ,b.example", True),
        ("cloudflare.com:8443", False),
        ("udflare.com", False),
        ("com.api.cloudflare", False),
        ("www.api.cloudflare.com", False),
        ("10.0.0.0/8", False),
        (",", False),
        ("", False),
    ],
)
def test_no_proxy_names_the_hosts_that_are_reached_directly(entries: str, is_direct: bool) -> None:  # noqa: FBT001 -- a row
    assert url_of({"HTTPS_PROXY": PROXY, "NO_PROXY": entries}) == ("direct" if is_direct else PROXY)
    assert url_of({"HTTPS_PROXY": PROXY, "no_proxy": entries}) == ("direct" if is_direct else PROXY)


@pytest.mark.parametrize(
    ("entries", "is_direct"),
    [
        ("10.0.0.0/8", True),
        ("10.1.2.3", True),
        ("10.1.2.4", False),
        ("10.1.2.3:443", True),
        ("*", True),
        ("::/0", False),
    ],
)
def test_no_proxy_names_addresses_and_ranges(entries: str, is_direct: bool) -> None:  # noqa: FBT001 -- a row
    environment = {"HTTPS_PROXY": PROXY, "NO_PROXY": entries}

    assert url_of(environment, "https://10.1.2.3/v4") == ("direct" if is_direct else PROXY)


def test_user_information_is_kept_apart_and_never_shown() -> None:
    proxy = proxy_for(API, {"HTTPS_PROXY": "http://me:p%40ss@proxy:3128"})

    assert proxy == Proxy("http://proxy:3128", "HTTPS_PROXY", ("me", "p@ss"))
    assert "ss" not in repr(proxy)


@pytest.mark.parametrize(
    "text",
    [
        "socks5://proxy:1080",
        "http://",
        "ftp://proxy",
        "http://pro xy:3128",
        "http://proxy:99999",
        "http://proxy:x",
        "/p",
    ],
)
def test_what_is_no_proxy_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(InvalidSetting) as refused:
        load_settings({**CLOUDFLARE, "HTTPS_PROXY": text})

    line = str(refused.value)
    assert line.startswith(
        f"HTTPS_PROXY={text!r}: an http or https URL with a host and a port is expected; for example"
    )
    assert "\n" not in line


def test_a_refused_proxy_shows_no_user_information() -> None:
    with pytest.raises(InvalidSetting) as refused:
        load_settings({**CLOUDFLARE, "https_proxy": "socks5://me:hunter2@proxy:1080"})

    assert str(refused.value).startswith("https_proxy='socks5://***@proxy:1080': ")


def test_only_a_proxy_that_is_used_is_judged() -> None:
    other = {"HTTP_PROXY": "socks5://proxy", "HTTPS_PROXY": PROXY}

    assert load_settings({**CLOUDFLARE, **other}).proxy_url == PROXY
    assert load_settings({**CLOUDFLARE, "HTTPS_PROXY": "socks5://p", "NO_PROXY": "*"}).proxy is None
    assert load_settings({"BACKEND": "memory", "HTTPS_PROXY": "socks5://p"}).proxy_credentials is None
