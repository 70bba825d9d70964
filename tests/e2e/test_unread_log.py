"""The real process with a standard error that is a full pipe: it serves, and it ends."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from doubles.child_process import LONG, child_process
from doubles.process import SERVE, bare_environment, free_ports, is_open, wait_until
from doubles.raw_connections import answer
from tunnel_webhook.adapters.http.webhook import MEDIA_TYPE

MEMORY = {"BACKEND": "memory", "DOMAIN_FILTER": "example.com", "EXPOSED_HOST": "127.0.0.1"}
SMALLEST_PIPE = 4096
JSON = {"Content-Type": MEDIA_TYPE}
BUG = """
import tunnel_webhook.cli.serve_command as command

def broken(*_, **__):
    raise RuntimeError("a bug")

command.connection_budget = broken
from tunnel_webhook.cli import main
main(["serve"])
"""


@contextmanager
def webhook_with_a_small_pipe(
    environment: dict[str, str] | None = None,
) -> Iterator[tuple[subprocess.Popen[bytes], int, str, str]]:
    """Yield the process, the reading end of its standard error, and both URLs."""
    port, exposed = free_ports(2)
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, SMALLEST_PIPE)
    complete = {**bare_environment(), **MEMORY, "PORT": str(port), "EXPOSED_PORT": str(exposed), **(environment or {})}
    try:
        with child_process([sys.executable, *SERVE], env=complete, stderr=writing, patience=5) as process:
            os.close(writing)
            urls = (f"http://127.0.0.1:{port}", f"http://127.0.0.1:{exposed}")
            wait_until(lambda: is_open(exposed))
            yield process, reading, *urls
    finally:
        os.close(reading)


def log_much(url: str, number: int = 40) -> None:
    """Let the service log many lines, all of them different: what stays the same is logged once."""
    for each in range(number):
        body = json.dumps([{"dnsName": f"x{each}!{'x' * 300}", "recordType": "CNAME", "targets": ["http://x:80"]}])
        assert httpx.post(f"{url}/adjustendpoints", content=body, headers=JSON, timeout=5).status_code == 200


def read_all(reading: int) -> bytes:
    text = b""
    while chunk := os.read(reading, 65_536):
        text += chunk
    return text


def test_a_log_that_is_not_read_does_not_stop_the_service() -> None:
    with webhook_with_a_small_pipe() as (process, reading, webhook, exposed):
        log_much(webhook)
        assert answer(exposed + "/healthz", 5)[0] == 200
        metrics = answer(exposed + "/metrics", 5)[1]

        process.terminate()
        events = [json.loads(line) for line in read_all(reading).splitlines()]

        assert process.wait(LONG) == 0
    assert "tunnel_webhook_dropped_log_lines_total 0.0" in metrics
    assert len([event for event in events if event["message"].startswith("cannot publish x")]) == 40
    assert events[-1]["message"] == "stopped"


def test_a_log_that_is_not_read_does_not_stop_the_end_of_the_process() -> None:
    with webhook_with_a_small_pipe() as (process, _, webhook, _):
        log_much(webhook)
        began = time.monotonic()
        process.terminate()

        assert process.wait(LONG) == 0
        assert time.monotonic() - began < 8


def test_a_log_that_is_closed_does_not_stop_the_service() -> None:
    with webhook_with_a_small_pipe() as (process, reading, webhook, exposed):
        os.dup2(os.open(os.devnull, os.O_RDONLY), reading)
        log_much(webhook)

        metrics = answer(exposed + "/metrics", 5)[1]
        process.send_signal(signal.SIGINT)

        assert process.wait(LONG) == 0
    assert "tunnel_webhook_dropped_log_lines_total 0.0" not in metrics


def test_a_bug_is_logged_with_its_traceback_before_the_end() -> None:
    environment = {**bare_environment(), **MEMORY, "PORT": "0", "EXPOSED_PORT": "0"}
    done = subprocess.run([sys.executable, "-c", BUG], env=environment, capture_output=True, timeout=LONG, check=False)

    event = json.loads(done.stderr.splitlines()[-1])
    assert done.returncode == 1
    assert event["level"] == "critical"
    assert event["exception"].endswith("RuntimeError: a bug")
