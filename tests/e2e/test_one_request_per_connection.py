"""Every answer closes its connection, so that no client ever sends a request on one that the server is closing.

Go keeps an idle connection for 90 s; a POST on one that the server has closed ends in EOF, which ends external-dns
(contract, 1.1). An answer with `Connection: close` makes Go, in every version, open a new one for the next request.
"""

import socket
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection

import pytest

from doubles.process import RunningWebhook, running_webhook

MEDIA_TYPE = "application/external.dns.webhook+json;version=1"
TYPED = {"Content-Type": MEDIA_TYPE}
MEMORY = {"BACKEND": "memory", "DOMAIN_FILTER": "example.com"}
TOO_LARGE = 33 * 1024 * 1024
REQUESTS: tuple[tuple[str, str, bytes, dict[str, str], int], ...] = (
    ("GET", "/", b"", {}, 200),
    ("GET", "/records", b"", {}, 200),
    ("POST", "/records", b"{}", TYPED, 204),
    ("POST", "/adjustendpoints", b"[]", TYPED, 200),
    ("POST", "/records", b"{", TYPED, 400),
    ("GET", "/unknown", b"", {}, 404),
    ("PUT", "/records", b"{}", TYPED, 405),
    ("POST", "/records", b"{}", {}, 415),
)


@pytest.fixture(scope="module")
def webhook() -> Iterator[RunningWebhook]:
    with running_webhook(MEMORY) as running:
        yield running


def address(url: str) -> tuple[str, int]:
    host, port = url.removeprefix("http://").split(":")
    return host, int(port)


@pytest.mark.parametrize(("method", "path", "body", "headers", "status"), REQUESTS)
def test_every_answer_closes_its_connection(
    webhook: RunningWebhook, method: str, path: str, body: bytes, headers: dict[str, str], status: int
) -> None:
    with closing(HTTPConnection(*address(webhook.webhook_url), timeout=5)) as connection:
        connection.request(method, path, body, headers)
        opened = connection.sock
        answer = connection.getresponse()
        answer.read()

        assert (answer.status, answer.headers["Connection"]) == (status, "close")
        assert opened.fileno() == -1 or opened.recv(1) == b""


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/unknown"])
def test_every_answer_of_the_exposed_port_closes_its_connection(webhook: RunningWebhook, path: str) -> None:
    with socket.create_connection(address(webhook.exposed_url), 5) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        with connection.makefile("rb") as stream:
            answer = stream.read()

    assert b"\r\nconnection: close\r\n" in answer


def test_an_answer_before_the_end_of_the_body_is_not_lost(webhook: RunningWebhook) -> None:
    head = (
        f"POST /records HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: {TOO_LARGE}\r\n\r\n"
    )
    with socket.create_connection(address(webhook.webhook_url), 5) as connection:
        connection.sendall(head.encode())
        for _ in range(TOO_LARGE // 65_536):
            connection.sendall(bytes(65_536))
        with connection.makefile("rb") as stream:
            answer = stream.read()

    assert answer.startswith(b"HTTP/1.1 4")


def test_a_second_request_on_a_connection_is_not_answered(webhook: RunningWebhook) -> None:
    request = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with socket.create_connection(address(webhook.webhook_url), 5) as connection:
        connection.sendall(request + request)
        with connection.makefile("rb") as stream:
            answer = stream.read()

    assert answer.count(b"HTTP/1.1 200 OK") == 1
