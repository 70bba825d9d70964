"""The real process: what others do with their connections stops neither its probes nor external-dns nor its end."""

import resource
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from threading import Event

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doubles.emulator import API_TOKEN, BLUE, emulator_process, seed
from doubles.process import RunningWebhook, running_webhook
from doubles.raw_connections import UNFINISHED, answer, connections, drip

MEMORY = {"BACKEND": "memory", "DOMAIN_FILTER": "example.com"}
ENOUGH = 500  # connections, twice what a port holds
PROBE_TIMEOUT = 1.0  # the kubelet's default
EXTERNAL_DNS_TIMEOUT = 15.0
FEW_DESCRIPTORS = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
from tunnel_webhook.cli import main
main(["serve"])
"""


@pytest.fixture(scope="module", autouse=True)
def _many_descriptors() -> Iterator[None]:
    """Allow the tests themselves to hold thousands of connections."""
    limit, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, most))


@pytest.fixture(scope="module")
def webhook() -> Iterator[RunningWebhook]:
    with running_webhook(MEMORY) as running:
        yield running


def is_alive(running: RunningWebhook) -> bool:
    """Probe as the kubelet does: it restarts a container after three failures in a row."""
    for _ in range(3):
        with suppress(TimeoutError, ConnectionError):
            return answer(running.exposed_url + "/healthz", PROBE_TIMEOUT)[0] == 200
    return False


def both_ports_answer(running: RunningWebhook) -> bool:
    return answer(running.webhook_url + "/records", EXTERNAL_DNS_TIMEOUT)[0] == 200 and is_alive(running)


@pytest.mark.parametrize("port", ["exposed", "webhook"])
@pytest.mark.parametrize("kind", UNFINISHED)
def test_unfinished_requests_stop_no_port(webhook: RunningWebhook, port: str, kind: str) -> None:
    url = webhook.exposed_url if port == "exposed" else webhook.webhook_url
    with connections(url, 300, UNFINISHED[kind]):
        assert both_ports_answer(webhook)


@pytest.mark.parametrize("number", [128, 1000, 3000])
def test_no_number_of_idle_connections_stops_a_port(webhook: RunningWebhook, number: int) -> None:
    with connections(webhook.exposed_url, number), connections(webhook.webhook_url, number):
        assert both_ports_answer(webhook)


def test_requests_of_one_byte_per_second_stop_no_port(webhook: RunningWebhook) -> None:
    with connections(webhook.exposed_url, 300, b"GET /") as exposed, connections(webhook.webhook_url, 300, b"P") as api:
        for _ in range(3):
            for connection in (*exposed, *api):
                drip(connection, b"x")
            assert both_ports_answer(webhook)
            time.sleep(1)  # noqa: TID251 -- the pace of the client is what is tested


@pytest.mark.parametrize("kind", ["silent", "half a head"])
def test_a_stream_of_new_connections_stops_no_port(webhook: RunningWebhook, kind: str) -> None:
    ended = Event()

    def open_many() -> int:
        number = 0
        while not ended.is_set():
            with connections(webhook.exposed_url, 50, UNFINISHED[kind]):
                number += 50
        return number

    with ThreadPoolExecutor() as pool:
        opened = pool.submit(open_many)
        try:
            for _ in range(20):
                assert both_ports_answer(webhook)
        finally:
            ended.set()
        assert opened.result() > ENOUGH


KINDS = st.lists(
    st.tuples(
        st.sampled_from(["exposed", "webhook"]),
        st.one_of(st.sampled_from([*UNFINISHED.values()]), st.binary(max_size=200)),
        st.integers(1, 300),
        st.integers(1, 250).map("127.0.0.{}".format),
    ),
    max_size=4,
)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(crowds=KINDS)
def test_no_mixture_of_connections_from_any_addresses_stops_a_port(
    webhook: RunningWebhook, crowds: list[tuple[str, bytes, int, str]]
) -> None:
    with ExitStack() as opened:
        for port, sent, number, source in crowds:
            url = webhook.exposed_url if port == "exposed" else webhook.webhook_url
            opened.enter_context(connections(url, number, sent, source))

        assert both_ports_answer(webhook)


@pytest.mark.parametrize("port", ["exposed", "webhook"])
@pytest.mark.parametrize("kind", ["silent", "half a body"])
def test_with_few_file_descriptors_neither_the_other_port_nor_cloudflare_is_out_of_reach(port: str, kind: str) -> None:
    with emulator_process(seed()) as cloudflare:
        environment = {
            "CLOUDFLARE_API_URL": cloudflare.url,
            "CLOUDFLARE_API_TOKEN": API_TOKEN,
            "CLOUDFLARE_TUNNEL_ID": BLUE,
        }
        with running_webhook(environment, ("-c", FEW_DESCRIPTORS)) as running:
            url = running.exposed_url if port == "exposed" else running.webhook_url
            with connections(url, 100, UNFINISHED[kind]):
                assert both_ports_answer(running)


def test_connections_that_are_closed_are_counted_by_port_and_logged_once() -> None:
    with running_webhook(MEMORY) as running, connections(running.exposed_url, 300):
        metrics = answer(running.exposed_url + "/metrics", EXTERNAL_DNS_TIMEOUT)[1]
        messages = [event["message"] for event in running.events()]

    assert 'tunnel_webhook_closed_connections_total{port="exposed",reason="full"}' in metrics
    assert 'tunnel_webhook_closed_connections_total{port="webhook"' not in metrics
    assert len([message for message in messages if message.startswith("port exposed: all")]) == 1


def test_a_signal_ends_the_process_though_requests_are_unfinished() -> None:
    with running_webhook(MEMORY) as running, ExitStack() as opened:
        for sent in UNFINISHED.values():
            opened.enter_context(connections(running.exposed_url, 2, sent))
            opened.enter_context(connections(running.webhook_url, 2, sent))
        assert both_ports_answer(running)
        running.process.terminate()

        try:
            assert running.process.wait(10) == 0
        except subprocess.TimeoutExpired:
            pytest.fail("the process waits for what will never come")
