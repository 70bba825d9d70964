"""The real process refuses what a page in a browser can send, as granian passes it on, on every path."""

import re
import socket
from base64 import b64encode
from collections.abc import Iterator, Sequence

import httpx
import pytest

from doubles.child_process import LONG
from doubles.emulator import API_TOKEN, BLUE, Control, emulator_process, seed
from doubles.process import RunningWebhook, running_webhook

MEDIA_TYPE = "application/external.dns.webhook+json;version=1"
TYPED = f"Content-Type: {MEDIA_TYPE}"
HOST = "Host: 127.0.0.1:8888"
EVIL = "Origin: https://evil.example"
UPGRADE = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAA")
BODY = b'{"create":[{"dnsName":"app.example.com","recordType":"CNAME","targets":["http://app:80"]}]}'
TARGETS = [
    "GET /",
    "GET /records",
    "POST /records",
    "POST /adjustendpoints",
    "OPTIONS /records",
    "GET /made-up",
    "PUT /records",
]
PREFLIGHT = ("Access-Control-Request-Method: POST", "Access-Control-Request-Private-Network: true")
PASSWORD = "c0rrect-h0rse"  # noqa: S105 -- of the tests

REFUSED: dict[str, tuple[int, Sequence[str]]] = {
    "an Origin": (403, (HOST, EVIL)),
    "an Origin that is null": (403, (HOST, "Origin: null")),
    "an empty Origin": (403, (HOST, "Origin:")),
    "an Origin with other capitals": (403, (HOST, "ORIGIN: https://evil.example")),
    "our own Origin": (403, (HOST, "Origin: http://127.0.0.1:8888")),
    "an upgrade with an Origin": (403, (HOST, EVIL, *UPGRADE)),
    "a preflight to a private network": (403, (HOST, EVIL, *PREFLIGHT)),
    "another site": (403, (HOST, "Sec-Fetch-Site: cross-site")),
    "the same site": (403, (HOST, "Sec-Fetch-Site: same-site")),
    "a foreign Host": (403, ("Host: evil.example",)),
    "this machine by a foreign address": (403, ("Host: 0.0.0.0:8888",)),
    "user information in Host": (403, ("Host: localhost@evil.example",)),
    "two hosts in one Host": (403, ("Host: localhost, evil.example",)),
    "no Host": (400, ()),
    "an empty Host": (400, ("Host:",)),
    "two Hosts": (400, (HOST, HOST)),
    "a second Host that is foreign": (400, (HOST, "host: evil.example")),
}
UNREADABLE = {
    "a folded Host": ("Host: 127.0.0.1", " @evil.example"),
    "a folded Origin": (HOST, "X: a", " Origin: https://evil.example"),
    "a space before the colon": ("Host : 127.0.0.1",),
}
ADMITTED = {
    "curl through a forwarded port": ("GET", "/records", ("Host: localhost:18888", "User-Agent: curl/8.5.0")),
    "capitals": ("GET", "/records", ("Host: LOCALHOST:8888",)),
    "an IPv6 literal": ("GET", "/records", ("Host: [::1]:8888",)),
    "a mapped address": ("GET", "/records", ("Host: [::ffff:127.0.0.1]:8888",)),
    "a typed address in a browser": ("GET", "/records", (HOST, "Sec-Fetch-Site: none", "Sec-Fetch-Mode: navigate")),
    "an upgrade that Go never asks for": ("GET", "/records", (HOST, *UPGRADE)),
    "an absolute target without Host": ("GET", "http://localhost:8888/records", ()),
}


def ask(url: str, line: str, *headers: str, body: bytes = b"", version: str = "1.1") -> tuple[int, str]:
    """Send a request byte by byte as it is written, and return the status and the rest of the answer."""
    host, port = url.removeprefix("http://").split(":")
    length = (f"Content-Length: {len(body)}",) if body else ()
    head = "\r\n".join([f"{line} HTTP/{version}", *headers, *length, "Connection: close", "", ""])
    with socket.create_connection((host, int(port)), LONG) as connection:
        connection.sendall(head.encode() + body)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    return int(answer.split(b" ", 2)[1]), answer.decode()


@pytest.fixture(scope="module")
def cloudflare() -> Iterator[Control]:
    with emulator_process(seed()) as control:
        yield control


@pytest.fixture(scope="module")
def webhook(cloudflare: Control) -> Iterator[RunningWebhook]:
    settings = {"CLOUDFLARE_API_URL": cloudflare.url, "CLOUDFLARE_API_TOKEN": API_TOKEN, "CLOUDFLARE_TUNNEL_ID": BLUE}
    with running_webhook(settings) as running:
        yield running


@pytest.mark.parametrize("version", ["1.1", "1.0"])
@pytest.mark.parametrize("name", REFUSED)
def test_a_request_that_a_page_can_send_is_refused_on_every_path_before_anything_is_read_or_done(
    webhook: RunningWebhook, cloudflare: Control, name: str, version: str
) -> None:
    status, headers = REFUSED[name]
    cloudflare.clear_log()

    answers = [ask(webhook.webhook_url, line, TYPED, *headers, body=BODY, version=version) for line in TARGETS]

    assert [answered for answered, _ in answers] == [status] * len(TARGETS)
    assert len({re.sub(r"(?m)^date: .*\n", "", answer) for _, answer in answers}) == 1
    assert '"detail":"the ' in answers[0][1]
    assert "access-control-allow" not in answers[0][1].lower()
    assert cloudflare.log() == []


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_header_that_two_readers_may_read_differently_is_refused_by_the_server(
    webhook: RunningWebhook, name: str
) -> None:
    assert ask(webhook.webhook_url, "GET /records", *UNREADABLE[name])[0] == 400


@pytest.mark.parametrize("line", ["GET evil.example:80", "OPTIONS *"])
def test_a_target_that_is_not_a_path_is_refused(webhook: RunningWebhook, line: str) -> None:
    assert ask(webhook.webhook_url, line, HOST)[0] == 400


@pytest.mark.parametrize("name", ADMITTED)
def test_a_request_that_no_page_can_send_is_answered(webhook: RunningWebhook, name: str) -> None:
    method, target, headers = ADMITTED[name]

    assert ask(webhook.webhook_url, f"{method} {target}", *headers)[0] == 200


def test_a_foreign_absolute_target_is_refused_without_a_host_of_ours(webhook: RunningWebhook) -> None:
    target = "GET http://evil.example:8888/records"

    assert ask(webhook.webhook_url, target)[0] == 403
    assert ask(webhook.webhook_url, target, "Host: evil.example:8888")[0] == 403


def test_the_authority_of_an_absolute_target_decides_nothing(webhook: RunningWebhook) -> None:
    # granian drops it where there is a Host (adrs/0019). A browser that has us as its proxy sends it in Host as well.
    assert ask(webhook.webhook_url, "GET http://evil.example/records", HOST)[0] == 200
    assert ask(webhook.webhook_url, "GET http://127.0.0.1/records", "Host: evil.example")[0] == 403


def test_a_media_type_inside_another_one_changes_nothing(webhook: RunningWebhook, cloudflare: Control) -> None:
    cloudflare.clear_log()

    for declared in (f"text/plain;{MEDIA_TYPE}", f"text/plain\r\nContent-Type: {MEDIA_TYPE}"):
        status, _ = ask(webhook.webhook_url, "POST /records", HOST, f"Content-Type: {declared}", body=BODY)
        assert status == 415

    assert cloudflare.log() == []


def test_the_exposed_port_is_open_to_every_host_and_origin(webhook: RunningWebhook) -> None:
    for headers in (("Host: 10.1.2.3:8080",), ("Host: pod", EVIL), ("Host: pod", "Sec-Fetch-Site: cross-site"), ()):
        assert ask(webhook.exposed_url, "GET /healthz", *headers)[0] == 200


def test_allowed_hosts_and_a_password_are_demanded_and_the_password_is_never_shown() -> None:
    settings = {
        "BACKEND": "memory",
        "HOST": "0.0.0.0",  # noqa: S104 -- the case that needs ALLOWED_HOSTS
        "ALLOWED_HOSTS": "webhook.external-dns.svc",
        "WEBHOOK_PASSWORD": PASSWORD,
        "LOG_LEVEL": "debug",
    }
    right, wrong = (f"Authorization: Basic {b64encode(f'x:{each}'.encode()).decode()}" for each in (PASSWORD, "guess"))
    with running_webhook(settings) as running:
        answers = [
            ask(running.webhook_url, "GET /records", f"Host: {host}:8888", *headers)
            for host, headers in (
                ("webhook.external-dns.svc", (right,)),
                ("localhost", (right,)),
                ("webhook.external-dns.svc", (wrong,)),
                ("webhook.external-dns.svc", ()),
                ("webhook.external-dns.svc.evil.example", (right,)),
                (f"{PASSWORD}.example", (right,)),
            )
        ]
        by_client = httpx.get(f"{running.webhook_url}/records", auth=("external-dns", PASSWORD))
        metrics = httpx.get(f"{running.exposed_url}/metrics").text
        log = running.log.read_text()

    assert [status for status, _ in answers] == [200, 200, 401, 401, 403, 403]
    assert by_client.status_code == 200
    assert PASSWORD not in log
    assert "***.example" in log
    counted = dict(
        re.findall(r'^tunnel_webhook_requests_total\{route="unknown",status="(\d+)"\} (\S+)', metrics, re.MULTILINE)
    )
    assert counted == {"401": "2.0", "403": "2.0"}
