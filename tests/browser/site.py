"""The server of a hostile page, and a forwarded port that records what passes through it."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import msgspec

_SCRIPT = Path(__file__).with_name("page.js").read_text()
_REQUEST = re.compile(rb"([A-Z]+) (/\S*) HTTP/1\.1\r\n")
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
_PATIENCE = 120.0


class Report(msgspec.Struct, frozen=True):
    """What each attempt of the page could read, and the shortest time of a request for each path, in milliseconds."""

    read: dict[str, str | None]
    fastest: dict[str, float]


class _Site(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Page)
        self.reports: Queue[bytes] = Queue()


class _Page(BaseHTTPRequestHandler):
    """`/page?target=` attacks a target, `/frame` does it in a sandbox, `/public` as if it came from the Internet.

    A POST of `/redirect?to=` is redirected with its body, one of `/report` ends the visit.
    """

    server: _Site

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        site = f"http://evil.test:{self.server.server_port}"
        if url.path == "/frame":
            self._answer(f'<iframe sandbox="allow-scripts allow-forms allow-popups" src="/page?{url.query}"></iframe>')
        elif url.path in {"/page", "/public"}:
            constants = f"const SITE = {json.dumps(site)}, TARGET = {json.dumps(asked['target'])};"
            policy = {"Content-Security-Policy": "treat-as-public-address"} if url.path == "/public" else {}
            self._answer(f"<body></body><script>{constants}\n{_SCRIPT}</script>", policy)
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if url.path == "/report":
            self.server.reports.put(body)
            self._answer("")
        else:
            self.send_response(307)
            self.send_header("Location", parse_qs(url.query)["to"][0])
            self.end_headers()

    def _answer(self, text: str, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(200)
        for name, value in {"Content-Type": "text/html; charset=utf-8", **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@dataclass(frozen=True, slots=True)
class Site:
    """A running server of hostile pages."""

    port: int
    reports: Queue[bytes]

    def report(self) -> Report:
        """Return the report of a page, waiting for it."""
        return msgspec.json.decode(self.reports.get(timeout=_PATIENCE), type=Report)


@contextmanager
def hostile_site() -> Iterator[Site]:
    """Serve hostile pages on a free port of 127.0.0.1 until the block ends."""
    with _Site() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield Site(server.server_port, server.reports)
        server.shutdown()


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request that passed through a forwarded port, by the attempt that it names, and the status of its answer."""

    attempt: str
    method: str
    status: int


@dataclass(slots=True)
class PortForward:
    """A port that leads to another one, as `kubectl port-forward` makes it, and what passed through it.

    A request for a page as the first one of a connection goes to the hostile site instead: so a name that leads here
    is one that first resolved to the site, and then, rebound, to this machine.
    """

    webhook: int
    site: int
    port: int = 0
    passed: list[tuple[bytearray, bytearray]] = field(default_factory=list)

    def exchanges(self) -> list[Exchange]:
        """Return every request so far that an attempt made."""
        return [
            Exchange(attempt[1].decode(), method.decode(), int(status))
            for sent, received in self.passed
            for (method, target), status in zip(_REQUEST.findall(sent), _STATUS.findall(received), strict=False)
            if (attempt := re.search(rb"attempt=([a-z-]+)", target))
        ]

    def carry(self, client: socket.socket) -> None:
        """Carry one connection to its end."""
        sent, received = bytearray(client.recv(65536)), bytearray()
        upstream = socket.create_connection(("127.0.0.1", self.site if sent.startswith(b"GET /page") else self.webhook))
        self.passed.append((sent, received))
        with upstream:
            upstream.sendall(sent)
            back = Thread(target=_pump, args=(upstream, client, received), daemon=True)
            back.start()
            _pump(client, upstream, sent)
            back.join()


def _pump(source: socket.socket, sink: socket.socket, passed: bytearray) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            passed += data
            sink.sendall(data)
    for end, way in ((sink, socket.SHUT_WR), (source, socket.SHUT_RD)):
        with suppress(OSError):
            end.shutdown(way)


@contextmanager
def forwarded_port(webhook: int, site: int) -> Iterator[PortForward]:
    """Forward a free port of 127.0.0.1 until the block ends."""
    forward = PortForward(webhook, site)

    class Connection(BaseRequestHandler):
        def handle(self) -> None:
            forward.carry(self.request)

    ThreadingTCPServer.daemon_threads = True
    with ThreadingTCPServer(("127.0.0.1", 0), Connection) as server:
        forward.port = server.server_address[1]
        Thread(target=server.serve_forever, daemon=True).start()
        yield forward
        server.shutdown()
