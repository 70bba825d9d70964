"""An HTTP proxy on a free port of the loopback interface: whatever it is asked to reach, it reaches the emulator.

A tunnel (`CONNECT`) leads to a server with the certificate in `fixtures/tls`, which is that of `api.cloudflare.test`.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

TLS = Path(__file__).parents[1] / "fixtures" / "tls"
CERTIFICATE = TLS / "certificate.pem"
API_HOST = "api.cloudflare.test"
_PASSED_ON = ("authorization", "content-type", "accept", "user-agent")
_RETURNED = ("Content-Type", "Date")


class Handler(BaseHTTPRequestHandler):
    """Answers one connection to the proxy."""

    protocol_version = "HTTP/1.1"
    timeout = 10.0
    server: ProxyServer

    def do_CONNECT(self) -> None:
        """Open a tunnel, and serve the API at its end."""
        if self._note():
            self.connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with suppress(OSError), self.server.context.wrap_socket(self.connection, server_side=True) as secure:
                secure.settimeout(self.timeout)
                self._serve_tunnel(secure)
            self.close_connection = True

    def do_GET(self) -> None:
        """Pass a request on whose target is a whole URL."""
        if self._note():
            target = urlsplit(self.path)
            self.wfile.write(self._ask(f"{target.path}?{target.query}", dict(self.headers.items())))

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def _note(self) -> bool:
        """Note a request, and return whether it is let through."""
        self.server.requests.append((self.command, self.path, self.headers.get("proxy-authorization", "")))
        if self.server.refuse:
            page = b"<html><body>Blocked by the company</body></html>"
            self.send_response(self.server.refuse)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)
        return not self.server.refuse

    def _serve_tunnel(self, secure: ssl.SSLSocket) -> None:
        with secure.makefile("rb") as reader:
            while line := reader.readline():
                path = line.decode().split(" ")[1]
                fields = [header.decode().partition(":") for header in iter(reader.readline, b"\r\n")]
                secure.sendall(self._ask(path, {name: value.strip() for name, _, value in fields}))

    def _ask(self, path: str, headers: dict[str, str]) -> bytes:
        emulator = urlsplit(self.server.emulator)
        connection = HTTPConnection(emulator.hostname or "", emulator.port, timeout=self.timeout)
        passed_on = {name: value for name, value in headers.items() if name.lower() in _PASSED_ON}
        connection.request("GET", path, headers=passed_on)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        returned = {name: answer.headers[name] for name in _RETURNED if name in answer.headers}
        fields = "".join(f"{name}: {text}\r\n" for name, text in {**returned, "Content-Length": len(content)}.items())
        return f"HTTP/1.1 {answer.status} {answer.reason}\r\n{fields}\r\n".encode() + content


class ProxyServer(ThreadingHTTPServer):
    """Listens, and notes the method, the target and the credentials of each request."""

    daemon_threads = True

    def __init__(self, emulator: str, refuse: int) -> None:
        """Bind a free port."""
        super().__init__(("127.0.0.1", 0), Handler)
        self.emulator = emulator
        self.refuse = refuse
        self.requests: list[tuple[str, str, str]] = []
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(CERTIFICATE, TLS / "key.pem")

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.server_address[1]}"


@contextmanager
def running_proxy(emulator_url: str, *, refuse: int = 0) -> Iterator[ProxyServer]:
    """Serve until the block ends; with `refuse`, answer every request with that status and a page."""
    with ProxyServer(emulator_url, refuse) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
