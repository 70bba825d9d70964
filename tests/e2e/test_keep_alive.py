"""The real process keeps an idle connection for longer than external-dns does.

Go's client keeps an idle connection for 90 s and sends the next request on it. If the server has closed it, a POST ends
in EOF, which Go does not retry and which ends external-dns (contract, 1.1). granian closes an idle connection after its
`header_read_timeout`, since on a kept connection it waits for the header of the next request.
"""

import re
from contextlib import closing
from http.client import HTTPConnection
from threading import Event

import pytest

from doubles.process import running_webhook

MEDIA_TYPE = "application/external.dns.webhook+json;version=1"
MEMORY = {"BACKEND": "memory", "DOMAIN_FILTER": "example.com"}
GO_KEEPS = 90.0
SERVE_AND_PRINT_TIMEOUTS = """
from granian.server.embed import Server

def make(self, *args, make=Server.__init__, **options):
    print(f"port {options['port']} keeps {options['http1_settings'].header_read_timeout} ms", flush=True)
    make(self, *args, **options)

Server.__init__ = make
from tunnel_webhook.cli import main
main(["serve"])
"""


def test_the_webhook_server_is_set_to_keep_a_connection_for_longer_than_go_does() -> None:
    with running_webhook(MEMORY, ("-c", SERVE_AND_PRINT_TIMEOUTS)) as running:
        log = running.log.read_text()

    port = running.webhook_url.rpartition(":")[2]
    (milliseconds,) = re.findall(rf"^port {port} keeps (\d+) ms$", log, re.MULTILINE)
    assert int(milliseconds) > GO_KEEPS * 1000


@pytest.mark.nightly
@pytest.mark.timeout(150)
def test_a_connection_that_was_idle_for_95_seconds_carries_a_post() -> None:
    with (
        running_webhook(MEMORY) as running,
        closing(HTTPConnection(running.webhook_url.removeprefix("http://"))) as connection,
    ):
        connection.request("GET", "/records", headers={"Accept": MEDIA_TYPE})
        assert connection.getresponse().read() == b"[]\n"
        opened = connection.sock

        Event().wait(GO_KEEPS + 5)
        connection.request("POST", "/records", b"{}\n", {"Content-Type": MEDIA_TYPE})

        assert connection.getresponse().status == 204
        assert connection.sock is opened
