"""The adapter on real sockets: what only a network does."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from doubles.emulator import API_TOKEN, BLUE, Distort, Drop, Slow, emulator_process, seed
from doubles.emulator.faults import Scriptable
from tunnel_webhook.adapters.cloudflare.client import CloudflareAPI, http_transport, open_client
from tunnel_webhook.adapters.cloudflare.credentials import ApiToken
from tunnel_webhook.adapters.cloudflare.directory import ZoneDirectory
from tunnel_webhook.adapters.cloudflare.failures import Operation
from tunnel_webhook.adapters.cloudflare.server_clock import ServerClock
from tunnel_webhook.adapters.cloudflare.tunnels import CloudflareTunnels
from tunnel_webhook.ports import TemporaryFailure, Unsettled

pytestmark = pytest.mark.anyio

READ, WRITE = Operation("read a number"), Operation("write a number", writes=True)
BODY = b'{"success":true,"result":1}'

Answerer = Callable[[asyncio.StreamWriter], Awaitable[None]]
Sleep = Callable[[float], Awaitable[object]]


@dataclass(slots=True)
class Server:
    """A server on the loopback interface; `requests` holds the heads of the requests, one list per connection."""

    url: str = ""
    requests: list[list[bytes]] = field(default_factory=list)


@asynccontextmanager
async def serving(answer: Answerer) -> AsyncIterator[Server]:
    """Yield a server that reads requests without a body or with `{}`, and lets `answer` write the response."""
    server = Server()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads: list[bytes] = []
        server.requests.append(heads)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                heads.append(head)
                if b"Content-Length: 2" in head:
                    await reader.readexactly(2)
                await answer(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/client/v4"
    async with listening:
        yield server


@asynccontextmanager
async def operations(url: str, deadline: float = 5.0, sleep: Sleep = asyncio.sleep) -> AsyncIterator[CloudflareAPI]:
    """Yield operations in real time."""
    async with open_client(
        ApiToken(API_TOKEN),
        http_transport(),
        base_url=url,
        deadline=deadline,
        clock=time.monotonic,
        sleep=sleep,
        random=random.random,
    ) as client:
        yield CloudflareAPI(client, ServerClock(time.monotonic, time.time))


async def repeat_at_once(_seconds: float) -> None:
    """Sleep that lets every attempt fail for its own reason: none starts so late that the deadline ends it."""
    await asyncio.sleep(0)


async def answer_completely(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY))
    await writer.drain()


async def test_one_connection_serves_many_requests_over_http_1_1() -> None:
    async with serving(answer_completely) as server, operations(server.url) as api:
        for _ in range(5):
            assert await api.get(int, READ, "/x") == 1
        (heads,) = server.requests
        assert len(heads) == 5
        assert heads[0].startswith(b"GET /client/v4/x HTTP/1.1\r\n")
        assert b"Authorization: Bearer " in heads[0]
        assert b"external-dns-cloudflare-tunnel-webhook/" in heads[0]


async def test_a_second_reading_has_a_connection_of_its_own_and_leaves_the_kept_one_alone() -> None:
    async with serving(answer_completely) as server, operations(server.url) as api:
        for on_new_connection in (False, True, False, True):
            assert await api.get(int, READ, "/x", on_new_connection=on_new_connection) == 1
        assert [len(heads) for heads in server.requests] == [2, 1, 1]


async def test_an_answer_that_arrives_drop_by_drop_is_given_up_before_the_deadline() -> None:
    async def drips(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(1000):
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with serving(drips) as server, operations(server.url, deadline=0.8) as api:
        start = time.monotonic()
        with pytest.raises(TemporaryFailure, match="ReadTimeout"):
            await api.get(int, READ, "/x")
        with pytest.raises(Unsettled, match="ReadTimeout"):
            await api.write(int, WRITE, "PUT", "/x", b"{}")
        assert time.monotonic() - start < 3.0


async def test_a_connection_that_ends_within_the_body_is_a_failure_and_never_a_partial_answer() -> None:
    async def breaks_off(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + BODY)
        await writer.drain()
        writer.close()

    async with serving(breaks_off) as server, operations(server.url, sleep=repeat_at_once) as api:
        with pytest.raises(TemporaryFailure, match="RemoteProtocolError"):
            await api.get(int, READ, "/x")
        with pytest.raises(Unsettled, match="RemoteProtocolError"):
            await api.write(int, WRITE, "PUT", "/x", b"{}")


async def test_a_server_that_does_not_speak_http_is_a_temporary_failure() -> None:
    async def garbles(writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.com ESMTP\r\n\r\n")
        await writer.drain()

    async with serving(garbles) as server, operations(server.url, sleep=repeat_at_once) as api:
        with pytest.raises(TemporaryFailure, match="RemoteProtocolError"):
            await api.get(int, READ, "/x")


async def test_a_port_without_a_listener_is_a_failure_before_the_deadline() -> None:
    async with serving(answer_completely) as server:
        url = server.url
    async with operations(url, sleep=repeat_at_once) as api:
        start = time.monotonic()
        for operation in (READ, WRITE):
            with pytest.raises(TemporaryFailure, match="ConnectError") as caught:
                await api.get(int, operation, "/x")
            assert not isinstance(caught.value, Unsettled)
        assert time.monotonic() - start < 4.0


async def test_a_cancelled_caller_stops_the_request_and_the_next_call_can_use_the_connection() -> None:
    async def slowly(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1)
        await answer_completely(writer)

    async with serving(slowly) as server, operations(server.url) as api:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await api.get(int, READ, "/x")
        assert await api.get(int, READ, "/x") == 1


async def test_the_adapter_and_the_emulator_agree_over_sockets_whatever_breaks() -> None:
    faults: list[Scriptable] = [
        Drop(method="PUT", when="after"),
        Drop(method="PUT", when="after", how="close"),
        Distort(method="PUT", cut=20),
        Slow(method="PUT", seconds=0.1),
        Drop(method="GET"),
        Distort(method="GET", cut=20),
    ]
    with emulator_process(seed()) as emulator:
        async with operations(emulator.url) as api:
            directory = ZoneDirectory(api, time.monotonic, asyncio.sleep)
            tunnels = CloudflareTunnels(api, directory, time.monotonic)
            base = await tunnels.load(BLUE)
            for number, fault in enumerate(faults, start=1):
                emulator.arm(fault)
                document = await tunnels.load(BLUE)
                assert await tunnels.save(BLUE, document, document, lambda: True) == base.version + number
            assert all(armed["struck"] for armed in emulator.script())
