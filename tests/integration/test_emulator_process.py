"""The emulator as a process: real sockets, connections that end, and a client that is killed at a chosen call."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any

import httpx
import pytest

from doubles.emulator import (
    ACCOUNT,
    API_TOKEN,
    BLUE,
    Control,
    Distort,
    Drop,
    ForeignWrite,
    Pause,
    Respond,
    Slow,
    emulator_process,
    seed,
    zone_id,
)

BATCH = f"/zones/{zone_id('example.com')}/dns_records/batch"
CNAME = {"type": "CNAME", "name": "new.example.com", "content": f"{BLUE}.cfargotunnel.com"}
NEW = {"posts": [CNAME]}
CLIENT = """
import sys, httpx
record = {"type": "TXT", "name": "new", "content": "x"}
httpx.post(sys.argv[1], headers={"authorization": "Bearer " + sys.argv[2]}, json={"posts": [record]})
"""


@pytest.fixture(scope="module")
def running() -> Iterator[Control]:
    with emulator_process(seed()) as control:
        yield control


@pytest.fixture
def control(running: Control) -> Control:
    running.reset()
    return running


@pytest.fixture
def client(control: Control) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {API_TOKEN}"}
    with httpx.Client(base_url=control.url, headers=headers, timeout=10, trust_env=False) as client:
        yield client


def names(control: Control) -> list[str]:
    return [record.name for record in control.state().zone("example.com").records.values()]


def test_it_prints_a_url_on_loopback(control: Control) -> None:
    assert control.url.startswith("http://127.0.0.1:")
    assert control.url.endswith("/client/v4")


def test_it_answers_many_calls_on_one_connection(client: httpx.Client, control: Control) -> None:
    streams = set()
    for number in range(3):
        response = client.post(BATCH, json={"posts": [{**CNAME, "name": f"new{number}"}]})
        assert response.status_code == 200
        streams.add(id(response.extensions["network_stream"]))
    assert len(streams) == 1
    assert len(names(control)) == 3


def test_a_large_document_arrives_whole(client: httpx.Client, control: Control) -> None:
    rules = [{"hostname": f"h{number}.example.com", "service": "http://app:80"} for number in range(5000)]
    body = {"config": {"ingress": [*rules, {"service": "http_status:404"}]}}
    assert client.put(f"/accounts/{ACCOUNT}/cfd_tunnel/{BLUE}/configurations", json=body).is_success
    assert control.state().document(BLUE).count("hostname") == 5000


@pytest.mark.parametrize(
    ("fault", "raised", "stored"),
    [
        (Drop(when="before"), httpx.ReadError, []),
        (Drop(when="after"), httpx.ReadError, ["new.example.com"]),
        (Drop(when="before", how="close"), httpx.RemoteProtocolError, []),
        (Drop(when="after", how="close"), httpx.RemoteProtocolError, ["new.example.com"]),
        (Drop(how="refuse"), httpx.ReadError, []),
        (Distort(cut=10), httpx.RemoteProtocolError, ["new.example.com"]),
    ],
    ids=repr,
)
def test_a_connection_that_the_script_ends_really_ends(
    client: httpx.Client, control: Control, fault: Drop | Distort, raised: type[httpx.TransportError], stored: list[str]
) -> None:
    control.arm(fault)
    with pytest.raises(raised):
        client.post(BATCH, json=NEW)
    assert names(control) == stored
    assert control.script()[0]["struck"] == 1
    assert client.get("/zones").status_code == 200


def test_a_slow_call_has_its_effect_after_its_client_stopped_waiting(client: httpx.Client, control: Control) -> None:
    control.arm(Slow(seconds=2, method="POST"))
    with pytest.raises(httpx.ReadTimeout):
        client.post(BATCH, json=NEW, timeout=0.1)
    assert names(control) == []
    deadline = monotonic() + 10
    while monotonic() < deadline and not names(control):
        client.get("/zones")
    assert names(control) == ["new.example.com"]


def test_calls_are_served_side_by_side(client: httpx.Client, control: Control) -> None:
    control.arm(Slow(seconds=0.5, times=0))
    start = monotonic()
    with ThreadPoolExecutor(8) as pool:
        assert {response.status_code for response in pool.map(client.get, ["/zones"] * 8)} == {200}
    assert monotonic() - start < 3.0


def test_an_answer_may_be_scripted_over_http(client: httpx.Client, control: Control) -> None:
    control.arm(Respond(status=503, body="<html>", content_type="text/html", headers={"retry-after": "3"}))
    response = client.get("/zones")
    assert response.status_code == 503
    assert response.text == "<html>"
    assert response.headers["retry-after"] == "3"


def test_a_foreign_write_may_be_scripted_or_immediate(client: httpx.Client, control: Control) -> None:
    control.write_foreign(BLUE, '{"x": 1.0}')
    assert control.state().document(BLUE) == '{"x": 1.0}'
    assert control.state().version(BLUE) == 2
    control.arm(ForeignWrite(tunnel=BLUE, document='{"x": 2.0}'))
    client.get("/zones")
    assert control.state().document(BLUE) == '{"x": 2.0}'


def test_the_log_can_be_read_and_cleared(client: httpx.Client, control: Control) -> None:
    client.get("/zones?page=1")
    client.get("/zones?page=2")
    assert [call["number"] for call in control.log()] == [1, 2]
    assert [call["query"] for call in control.log()] == ["page=1", "page=2"]
    assert [call["status"] for call in control.log()] == [200, 200]
    control.clear_log()
    client.get("/zones")
    assert [call["number"] for call in control.log()] == [1]


def test_the_script_can_be_emptied(client: httpx.Client, control: Control) -> None:
    control.arm(Respond(status=500, times=0))
    control.disarm()
    assert client.get("/zones").status_code == 200


def test_the_state_can_be_replaced(control: Control) -> None:
    other = seed(["other.example"])
    first = control.state()
    control.seed(other)
    assert control.state() == other
    control.seed(first)


@pytest.mark.parametrize(("when", "stored"), [("before", []), ("after", ["new.example.com"])])
def test_a_client_can_be_killed_exactly_before_and_after_the_effect_of_a_call(
    control: Control, when: Any, stored: list[str]
) -> None:
    control.arm(Pause(when=when, method="POST"))
    with subprocess.Popen([sys.executable, "-c", CLIENT, control.url + BATCH, API_TOKEN]) as doomed:
        held = control.until_held()
        doomed.kill()
    assert [call["path"] for call in held] == [BATCH]
    control.release(proceed=False)
    assert names(control) == stored


def test_a_held_call_goes_on_when_it_is_released(client: httpx.Client, control: Control) -> None:
    control.arm(Pause(method="POST"))
    with ThreadPoolExecutor(1) as pool:
        posting = pool.submit(client.post, BATCH, json=NEW)
        control.until_held()
        assert not posting.done()
        control.release()
        assert posting.result().status_code == 200


def test_a_connection_that_does_not_speak_http_is_closed(client: httpx.Client, control: Control) -> None:
    with socket.create_connection(("127.0.0.1", control.client.base_url.port or 0)) as connection:
        connection.sendall(b"nonsense\r\n\r\n")
        assert connection.recv(1024) == b""
    assert client.get("/zones").status_code == 200
