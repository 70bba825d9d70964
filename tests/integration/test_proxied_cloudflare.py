"""Cloudflare's API behind a proxy: the variables that name one are honoured, and its credentials stay secret."""

import json
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator

import pytest

from doubles.emulator import API_TOKEN, BLUE, Control, emulator_process, seed
from doubles.process import bare_environment, free_ports
from doubles.proxy import API_HOST, CERTIFICATE, running_proxy

PASSWORD = "hunter2hunter2"  # noqa: S105 -- made up


@pytest.fixture(scope="module")
def process() -> Iterator[Control]:
    with emulator_process(seed(["example.com"])) as control:
        yield control


def check(scheme: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `check` against an API that only a proxy can resolve."""
    environment = {
        **bare_environment(),
        "CLOUDFLARE_API_URL": f"{scheme}://{API_HOST}/client/v4",
        "CLOUDFLARE_API_TOKEN": API_TOKEN,
        "CLOUDFLARE_TUNNEL_ID": BLUE,
        "REQUEST_DEADLINE": "4",
        "LOG_LEVEL": "debug",
        **variables,
    }
    command = [sys.executable, "-m", "tunnel_webhook", "check", "--output", "json"]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=60)


def verdicts(ended: subprocess.CompletedProcess[str]) -> dict[str, str]:
    return {finding["subject"]: finding["verdict"] for finding in json.loads(ended.stdout)["findings"]}


def test_an_api_over_tls_is_reached_through_a_tunnel(process: Control) -> None:
    with running_proxy(process.url) as proxy:
        ended = check("https", HTTPS_PROXY=f"http://me:{PASSWORD}@{proxy.address}", SSL_CERT_FILE=str(CERTIFICATE))

    assert ended.returncode == 0, ended.stderr
    assert verdicts(ended)["credentials"] == "ok"
    credentials = "Basic " + b64encode(f"me:{PASSWORD}".encode()).decode()
    assert set(proxy.requests) == {("CONNECT", f"{API_HOST}:443", credentials)}
    assert PASSWORD not in ended.stdout + ended.stderr
    assert f"Cloudflare's API is reached through http://{proxy.address} (HTTPS_PROXY)" in ended.stdout


def test_an_api_without_tls_is_reached_through_a_proxy_of_http(process: Control) -> None:
    with running_proxy(process.url) as proxy:
        ended = check("http", HTTP_PROXY=proxy.address, HTTPS_PROXY="http://127.0.0.1:9")

    assert ended.returncode == 0, ended.stderr
    assert {(method, target.partition("/client")[0]) for method, target, _ in proxy.requests} == {
        ("GET", f"http://{API_HOST}")
    }


def test_what_no_proxy_names_is_reached_directly(process: Control) -> None:
    with running_proxy(process.url) as proxy:
        ended = check("https", HTTPS_PROXY=f"http://{proxy.address}", NO_PROXY=f"10.0.0.0/8,.{API_HOST}")

    assert proxy.requests == []
    assert verdicts(ended)["connection"] == "problem"


def test_loopback_is_reached_directly(process: Control) -> None:
    (unused,) = free_ports(1)
    dead = f"http://127.0.0.1:{unused}"

    ended = check("http", CLOUDFLARE_API_URL=process.url, HTTP_PROXY=dead, HTTPS_PROXY=dead, ALL_PROXY=dead)

    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("status", [403, 407, 502])
def test_a_proxy_that_refuses_is_named(process: Control, status: int) -> None:
    with running_proxy(process.url, refuse=status) as proxy:
        ended = check("https", HTTPS_PROXY=f"http://me:{PASSWORD}@{proxy.address}")

    (finding,) = [each for each in json.loads(ended.stdout)["findings"] if each["subject"] == "connection"]
    assert "the proxy" in finding["sentence"]
    assert "HTTPS_PROXY" in finding["sentence"]
    assert PASSWORD not in ended.stdout + ended.stderr


@pytest.mark.parametrize("status", [403, 502])
def test_a_page_in_place_of_the_api_is_of_something_between_us_and_cloudflare(process: Control, status: int) -> None:
    with running_proxy(process.url, refuse=status) as proxy:
        ended = check("http", HTTP_PROXY=f"http://{proxy.address}")

    (finding,) = json.loads(ended.stdout)["findings"][:1]
    assert (finding["subject"], finding["verdict"]) == ("connection", "problem")
    assert "something between us and Cloudflare answered, and not the API" in finding["sentence"]
    assert "credentials" not in finding["sentence"]
