"""The real process keeps an idle connection for longer than external-dns does.

Go's client keeps an idle connection for 90 s and sends the next request on it. Had the server closed it meanwhile, a POST would
end in EOF, which Go does not send again and which ends external-dns (contract, 1.1).
"""

from contextlib import closing
from http.client import HTTPConnection
from threading import Event

import pytest

from doubles.process import running_webhook

MEDIA_TYPE = "application/external.dns.webhook+json;version=1"
LONGER_THAN_GO = 95.0


@pytest.mark.timeout(150)
def test_a_connection_that_was_idle_for_95_seconds_carries_a_post() -> None:
    with (
        running_webhook({"BACKEND": "memory", "DOMAIN_FILTER": "example.com"}) as running,
        closing(HTTPConnection(running.webhook_url.removeprefix("http://"))) as connection,
    ):
        connection.request("GET", "/records", headers={"Accept": MEDIA_TYPE})
        assert connection.getresponse().read() == b"[]\n"
        opened = connection.sock

        Event().wait(LONGER_THAN_GO)
        connection.request("POST", "/records", b"{}\n", {"Content-Type": MEDIA_TYPE})

        assert connection.getresponse().status == 204
        assert connection.sock is opened
