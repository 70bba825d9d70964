"""The real process: ports, answers, logs, signals and exit codes."""

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import ClassVar

import httpx
import pytest

from doubles.child_process import LONG, child_process
from doubles.emulator import API_TOKEN, BLUE, Control, Pause, emulator_process, seed
from doubles.process import SERVE, RunningWebhook, bare_environment, free_ports, running_webhook

MEDIA_TYPE = "application/external.dns.webhook+json;version=1"
HEADERS = {"Content-Type": MEDIA_TYPE, "Accept": MEDIA_TYPE}
TOKEN = "s3cr3t-t0ken-that-must-stay-hidden"  # noqa: S105 -- the tests look for it
MEMORY = {"BACKEND": "memory", "DOMAIN_FILTER": "example.com"}
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def created(*names: str) -> bytes:
    endpoints = [{"dnsName": name, "recordType": "CNAME", "targets": ["http://app.prod:8080"]} for name in names]
    return json.dumps({"create": endpoints}).encode()


def ended(environment: Mapping[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself."""
    arguments = [sys.executable, "-m", "tunnel_webhook", *command]
    return subprocess.run(
        arguments, env={**bare_environment(), **environment}, capture_output=True, text=True, timeout=LONG, check=False
    )


def on(cloudflare: Control) -> dict[str, str]:
    """Return the settings of a webhook on an emulator."""
    return {"CLOUDFLARE_API_URL": cloudflare.url, "CLOUDFLARE_API_TOKEN": API_TOKEN, "CLOUDFLARE_TUNNEL_ID": BLUE}


@pytest.fixture(scope="module")
def webhook() -> Iterator[RunningWebhook]:
    with running_webhook({**MEMORY, "LOG_LEVEL": "debug", "CLOUDFLARE_API_TOKEN": TOKEN}) as running:
        yield running


def test_the_domain_filter_is_negotiated(webhook: RunningWebhook) -> None:
    answer = httpx.get(f"{webhook.webhook_url}/", headers={"Accept": MEDIA_TYPE})

    assert answer.status_code == 200
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert answer.json() == {"include": ["example.com"]}


def test_what_is_applied_is_reported(webhook: RunningWebhook) -> None:
    applied = httpx.post(f"{webhook.webhook_url}/records", headers=HEADERS, content=created("app.example.com"))
    records = httpx.get(f"{webhook.webhook_url}/records", headers={"Accept": MEDIA_TYPE})

    assert applied.status_code == 204
    assert records.status_code == 200
    assert [(each["dnsName"], each["targets"]) for each in records.json()] == [
        ("app.example.com", ["http://app.prod:8080"])
    ]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_the_process_is_alive_and_ready(webhook: RunningWebhook, path: str) -> None:
    assert httpx.get(webhook.exposed_url + path).status_code == 200


def test_metrics_are_prometheus_text(webhook: RunningWebhook) -> None:
    httpx.get(f"{webhook.webhook_url}/records", headers={"Accept": MEDIA_TYPE})

    answer = httpx.get(f"{webhook.exposed_url}/metrics")

    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "\ntunnel_webhook_dry_run 0.0\n" in answer.text
    assert re.search(
        r'^tunnel_webhook_build_info\{python="3[\d.]+",version="[\d.]+"\} 1\.0$', answer.text, re.MULTILINE
    )
    assert re.search(r"^tunnel_webhook_last_success_timestamp_seconds \d", answer.text, re.MULTILINE)
    assert not re.search(r"target_info|otel_scope", answer.text)


def test_the_api_is_not_on_the_exposed_port(webhook: RunningWebhook) -> None:
    assert httpx.get(f"{webhook.exposed_url}/records").status_code == 404
    assert httpx.get(f"{webhook.webhook_url}/metrics").status_code == 404


def test_every_line_of_the_log_is_an_event_without_secrets(webhook: RunningWebhook) -> None:
    httpx.post(f"{webhook.webhook_url}/records", headers=HEADERS, content=created("log.example.com"))
    httpx.post(f"{webhook.webhook_url}/records", headers=HEADERS, content=created(f"{TOKEN}!.example.com"))

    events = webhook.events()

    assert all(RFC_3339.fullmatch(event["time"]) for event in events)
    assert {"level", "logger", "message"} <= events[0].keys()
    assert {event["logger"].partition(".")[0] for event in events} == {"tunnel_webhook"}
    assert events[0]["message"] == "serving"
    assert events[0]["webhook"] == webhook.webhook_url
    assert TOKEN not in webhook.log.read_text()
    assert "***!.example.com" in webhook.log.read_text()


def test_the_log_can_be_text() -> None:
    with running_webhook({**MEMORY, "LOG_FORMAT": "text"}) as running:
        assert running.stop() == 0

        assert re.match(
            r"\S+Z INFO    tunnel_webhook\.cli\.serve_command: serving webhook=http://127", running.log.read_text()
        )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_process_exits_with_0(number: signal.Signals) -> None:
    with running_webhook(MEMORY) as running, httpx.Client(base_url=running.webhook_url) as idle:
        idle.get("/")
        running.process.send_signal(number)

        assert running.process.wait(5) == 0
        assert [event["message"] for event in running.events()][-1] == "stopped"


@contextmanager
def unfinished_request(running: RunningWebhook, body: bytes) -> Iterator[socket.socket]:
    """Yield the connection of a request that is being handled and whose body is still to come."""
    host, port = running.webhook_url.removeprefix("http://").split(":")
    head = f"POST /records HTTP/1.1\r\nHost: {host}\r\nContent-Type: {MEDIA_TYPE}\r\nContent-Length: {len(body)}\r\n"
    with socket.create_connection((host, int(port)), LONG) as connection:
        connection.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
        # The server sends it when the handler asks for the body.
        assert connection.recv(1024).startswith(b"HTTP/1.1 100 Continue")
        yield connection


def wait_for_event(running: RunningWebhook, message: str) -> None:
    while message not in running.log.read_text():
        with suppress(subprocess.TimeoutExpired):
            running.process.wait(0.02)
            pytest.fail(f"the process ended without logging {message!r}")


def test_a_running_request_is_answered_before_the_exit() -> None:
    body = created("app.example.com")
    with running_webhook(MEMORY) as running, unfinished_request(running, body) as connection:
        running.process.terminate()
        wait_for_event(running, "stopping")
        with pytest.raises(httpx.ConnectError):
            httpx.get(running.webhook_url)
        alive = httpx.get(f"{running.exposed_url}/healthz")

        connection.sendall(body)

        assert connection.recv(1024).startswith(b"HTTP/1.1 204 ")
        assert running.process.wait(5) == 0
        assert alive.status_code == 200
        assert "applied: create 1" in running.log.read_text()


def test_a_second_signal_ends_the_process_at_once() -> None:
    with running_webhook(MEMORY) as running, unfinished_request(running, b"{}"):
        running.process.terminate()
        wait_for_event(running, "stopping")

        running.process.terminate()

        assert running.process.wait(2) == 128 + signal.SIGTERM


def test_the_running_step_is_finished_before_the_exit_though_its_caller_left() -> None:
    with emulator_process(seed()) as cloudflare, running_webhook(on(cloudflare)) as running:
        cloudflare.arm(Pause(method="PUT", path="configurations"))
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{running.webhook_url}/records", headers=HEADERS, content=created("app.example.com"), timeout=1)
        cloudflare.until_held()
        running.process.terminate()
        wait_for_event(running, "stopping")
        with pytest.raises(subprocess.TimeoutExpired):
            running.process.wait(0.5)

        cloudflare.release()

        assert running.process.wait(5) == 0
        assert '"hostname":"app.example.com"' in cloudflare.state().document(BLUE)


def test_a_token_that_cloudflare_refuses_is_never_shown() -> None:
    with emulator_process(seed()) as cloudflare:
        environment = {**on(cloudflare), "CLOUDFLARE_API_TOKEN": TOKEN, "LOG_LEVEL": "debug"}
        with running_webhook(environment) as running:
            answer = httpx.get(f"{running.webhook_url}/records", headers={"Accept": MEDIA_TYPE})
            ready = httpx.get(f"{running.exposed_url}/readyz")

            assert answer.status_code == 500
            assert ready.status_code == 503
            assert "the API token was revoked" in ready.text
            assert TOKEN not in ready.text + answer.text + running.log.read_text()


def test_a_taken_port_is_reported_in_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        done = ended({**MEMORY, "PORT": str(port), "EXPOSED_PORT": "0"}, "serve")

    (line,) = done.stderr.splitlines()
    assert json.loads(line)["message"] == (
        f"HOST=127.0.0.1 PORT={port}: Address already in use; stop what listens there, or set PORT to a free port"
    )
    assert done.returncode == 1
    assert done.stdout == ""


def test_a_port_that_another_webhook_serves_on_is_taken(webhook: RunningWebhook) -> None:
    port = webhook.exposed_url.rpartition(":")[2]

    done = ended({**MEMORY, "PORT": "0", "EXPOSED_HOST": "127.0.0.1", "EXPOSED_PORT": port}, "serve")

    assert f"EXPOSED_HOST=127.0.0.1 EXPOSED_PORT={port}: Address already in use" in done.stderr
    assert done.returncode == 1


STOPS_BY_ITSELF = """
import asyncio, os
from tunnel_webhook.cli.backend import Backend
from tunnel_webhook.cli.listening import CannotServe, Listener
from tunnel_webhook.cli.serve_command import Port, serve_ports

class Broken(Backend):
    async def serve(self, spawn_target=None):
        raise RuntimeError("no thread can be started\\nbacktrace")

async def app(*_): pass
async def finish(): print("finished")

async def serve():
    ports = [Port(kind.__name__, kind(app), Listener("127.0.0.1", 0).open(), 8) for kind in (Broken, Backend)]
    await serve_ports(*ports, stopping=asyncio.get_running_loop().create_future(), finish=finish)

try:
    asyncio.run(serve())
except CannotServe as error:
    print(error, flush=True)
os._exit(0)
"""


def test_a_server_that_stops_by_itself_stops_the_other_one() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STOPS_BY_ITSELF], capture_output=True, text=True, timeout=LONG, check=True
    )

    assert done.stdout.splitlines() == ["finished", "a server stopped by itself: no thread can be started"]


def test_a_restarted_process_gets_its_port_back() -> None:
    port, exposed = free_ports(2)
    ports = {"PORT": str(port), "EXPOSED_PORT": str(exposed)}
    for _ in range(2):
        with (
            running_webhook({**MEMORY, **ports}) as running,
            httpx.Client(base_url=f"http://127.0.0.1:{port}") as client,
        ):
            assert client.get("/").status_code == 200
            assert running.stop() == 0


def test_port_0_is_any_free_port_and_is_logged() -> None:
    environment = {**MEMORY, "PORT": "0", "EXPOSED_HOST": "127.0.0.1", "EXPOSED_PORT": "0", **bare_environment()}
    with child_process([sys.executable, *SERVE], env=environment, stderr=subprocess.PIPE) as process:
        assert process.stderr
        event = json.loads(process.stderr.readline())

        with httpx.Client(transport=httpx.HTTPTransport(retries=9)) as client:
            answers = [client.get(event["webhook"]), client.get(event["exposed"] + "/healthz")]

    assert [answer.status_code for answer in answers] == [200, 200]


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "CLOUDFLARE_API_TOKEN is not set: BACKEND is cloudflare"),
        (
            {"BACKEND": "memory", "PORT": "http"},
            "PORT='http': a whole number from 0 to 65535 is expected; for example PORT=8888",
        ),
    ],
    ids=["nothing set", "a wrong port"],
)
def test_wrong_settings_are_reported_in_one_line(environment: dict[str, str], message: str) -> None:
    done = ended(environment, "serve")

    (line,) = done.stderr.splitlines()
    assert line.startswith(f"tunnel-webhook: {message}")
    assert done.returncode == 2
    assert done.stdout == ""


@pytest.mark.parametrize("command", ["version", "--version"])
def test_the_version_needs_no_settings(command: str) -> None:
    done = ended({}, command)

    assert re.search(r"\d+\.\d+\.\d+", done.stdout)
    assert done.returncode == 0
    assert done.stderr == ""


def test_help_names_the_commands() -> None:
    done = ended({}, "--help")

    assert "serve" in done.stdout
    assert done.returncode == 0


class Collector(BaseHTTPRequestHandler):
    """Receives OTLP over HTTP, and keeps the bodies by path."""

    received: ClassVar[dict[str, bytes]] = {}

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.received[self.path] = self.received.get(self.path, b"") + body
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def test_traces_and_metrics_reach_a_collector_before_the_exit() -> None:
    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.server_port}"
        with running_webhook(
            {**MEMORY, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_SERVICE_NAME": "mine"}
        ) as running:
            httpx.post(f"{running.webhook_url}/records", headers=HEADERS, content=created("app.example.com"))
            assert running.stop() == 0
        server.shutdown()

    assert {"/v1/traces", "/v1/metrics"} == Collector.received.keys()
    assert all(word in Collector.received["/v1/traces"] for word in (b"POST /records", b"apply_changes", b"mine"))
    assert b"tunnel_webhook_changed_hostnames" in Collector.received["/v1/metrics"]


def test_a_collector_that_does_not_answer_does_not_delay_the_exit() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with running_webhook({**MEMORY, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}) as running:
            httpx.get(f"{running.webhook_url}/")
            running.process.terminate()

            assert running.process.wait(8) == 0
