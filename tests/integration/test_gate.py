"""The gate and its relays on real sockets, in front of a server that the test controls, at a pace of the test."""

import asyncio
import resource
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from tunnel_webhook.cli.gate import Gate, connection_budget
from tunnel_webhook.cli.relay import Pace

pytestmark = pytest.mark.anyio

HURRY = Pace(head=0.3, slack=0.3, rate=1000, linger=0.3)
PATIENT = Pace(head=30, slack=30, rate=1000, linger=30)
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"
LONG = 10

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Server = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Connect = Callable[[], Awaitable[Stream]]


def post(length: int, body: bytes = b"") -> bytes:
    return f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n".encode() + body


async def answer_when_complete(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer a request as HTTP asks for, and close."""
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next((line.split(":")[1] for line in head.splitlines() if line.startswith("Content-Length")), "0")
        await reader.readexactly(int(length))
        writer.write(ANSWER)
        await writer.drain()
    writer.close()


@asynccontextmanager
async def gate(
    server: Server = answer_when_complete, budget: int = 4, pace: Pace = PATIENT
) -> AsyncIterator[tuple[Gate, Connect]]:
    """Run a gate in front of a server; what is yielded with it opens a connection to it."""
    inner = socket.socket(socket.AF_UNIX)
    inner.bind("")
    outer = socket.create_server(("127.0.0.1", 0))
    outer.setblocking(False)  # noqa: FBT003 -- the standard library's signature
    address = outer.getsockname()
    running = Gate("webhook", outer, inner.getsockname(), budget, pace)
    async with await asyncio.start_unix_server(server, sock=inner):
        accepting = asyncio.create_task(running.accept_connections())
        opened: list[asyncio.StreamWriter] = []

        async def connect() -> Stream:
            reader, writer = await asyncio.open_connection(*address)
            opened.append(writer)
            return reader, writer

        try:
            yield running, connect
        finally:
            accepting.cancel()
            await asyncio.wait([accepting])
            for writer in opened:
                writer.close()
            await running.drain(0)


async def said(connect: Connect, sent: bytes) -> Stream:
    """Open a connection, send bytes, and give the gate time to read them."""
    reader, writer = await connect()
    writer.write(sent)
    await writer.drain()
    await asyncio.sleep(0.02)
    return reader, writer


async def end_of(stream: Stream) -> bytes:
    """Return all that the gate sends until it closes the connection."""
    async with asyncio.timeout(LONG):
        try:
            return await stream[0].read()
        except ConnectionError:
            return b""


async def is_open(stream: Stream) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(0.1):
            await stream[0].read(1)
            return False
    return True


async def test_a_request_and_its_answer_pass_unchanged() -> None:
    async with gate() as (_, connect):
        assert await end_of(await said(connect, post(5, b"12345"))) == ANSWER


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET", GET[:-2], post(1000), post(1000, b"12345")],
    ids=["nothing", "a word", "half a head", "no body", "half a body"],
)
async def test_what_a_client_does_not_complete_in_time_is_closed(sent: bytes) -> None:
    async with gate(pace=HURRY) as (_, connect):
        assert await end_of(await said(connect, sent)) == b""


async def test_a_head_that_comes_byte_by_byte_does_not_extend_its_time() -> None:
    async with gate(pace=HURRY) as (_, connect):
        reader, writer = await connect()
        loop = asyncio.get_running_loop()
        began = loop.time()
        with suppress(ConnectionError):
            for byte in GET * 10:
                writer.write(bytes([byte]))
                await asyncio.sleep(0.05)
                # A reset is not an end of the stream, and a write after it does not fail.
                if reader.at_eof() or reader.exception():
                    break

        assert loop.time() - began < 2


async def test_a_body_that_comes_byte_by_byte_is_closed() -> None:
    async with gate(pace=HURRY) as (_, connect):
        reader, writer = await said(connect, post(1000))
        for _ in range(40):
            with suppress(ConnectionError):
                writer.write(b"x")
                await asyncio.sleep(0.05)

        assert await end_of((reader, writer)) == b""


async def test_a_body_that_keeps_the_pace_takes_as_long_as_it_needs() -> None:
    async with gate(pace=HURRY) as (_, connect):
        stream = await said(connect, post(2000))
        for _ in range(20):
            stream[1].write(bytes(100))
            await asyncio.sleep(0.06)

        assert await end_of(stream) == ANSWER


async def test_a_request_that_the_server_works_on_is_never_too_slow() -> None:
    async def work(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(3 * HURRY.slack)
        await answer_when_complete(reader, writer)

    async with gate(work, pace=HURRY) as (_, connect):
        streams = [await said(connect, sent) for sent in (GET, post(5, b"12345"))]

        assert [await end_of(stream) for stream in streams] == [ANSWER, ANSWER]


async def test_a_client_that_does_not_take_its_answer_is_closed() -> None:
    closed = asyncio.Event()

    async def flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while True:
                writer.write(bytes(1_000_000))
                await writer.drain()
        closed.set()

    pace = Pace(head=1, slack=0.3, rate=1e12, linger=0.3)
    async with gate(flood, pace=pace) as (_, connect):
        _reader, writer = await said(connect, GET)
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # -- typed as a transport that only writes

        async with asyncio.timeout(LONG):
            await closed.wait()


@pytest.mark.parametrize("sent", [b"", GET[:-2], post(1000)], ids=["nothing", "half a head", "no body"])
async def test_the_connection_that_has_waited_longest_for_its_client_makes_room(sent: bytes) -> None:
    async with gate(budget=3) as (_, connect):
        first, second, third = [await said(connect, sent) for _ in range(3)]

        assert await end_of(await said(connect, GET)) == ANSWER

        assert await end_of(first) == b""
        assert await is_open(second)
        assert await is_open(third)


async def test_a_request_that_the_server_works_on_is_not_closed_for_another_one() -> None:
    release = asyncio.Event()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        await answer_when_complete(reader, writer)

    async with gate(wait, budget=3) as (_, connect):
        working = await said(connect, post(5, b"12345"))
        for _ in range(20):
            await said(connect, b"")
        release.set()

        assert await end_of(working) == ANSWER


async def test_a_connection_waits_for_its_turn_while_the_server_works_on_all_others() -> None:
    release, accepted = asyncio.Event(), 0

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal accepted
        accepted += 1
        await release.wait()
        await answer_when_complete(reader, writer)

    async with gate(wait, budget=3) as (_, connect):
        streams = [await said(connect, GET) for _ in range(9)]
        opened, working = [await is_open(stream) for stream in streams], accepted
        release.set()

        assert all(opened)
        assert working == 3

        assert [await end_of(stream) for stream in streams] == [ANSWER] * 9


async def test_a_client_that_still_sends_gets_the_answer() -> None:
    size = 33 * 1024 * 1024

    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(ANSWER)
        writer.close()

    async with gate(refuse) as (_, connect):
        stream = await said(connect, post(size))
        stream[1].write(bytes(size))

        assert await end_of(stream) == ANSWER


async def test_a_client_that_leaves_is_noticed_by_the_server() -> None:
    left = asyncio.Event()

    async def until_it_leaves(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        left.set()
        writer.close()

    async with gate(until_it_leaves) as (_, connect):
        _reader, writer = await said(connect, GET)
        writer.close()

        async with asyncio.timeout(LONG):
            await left.wait()


async def test_draining_answers_what_is_complete_and_closes_what_is_not() -> None:
    release = asyncio.Event()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        await answer_when_complete(reader, writer)

    async with gate(wait) as (running, connect):
        unfinished = [await said(connect, sent) for sent in (b"", GET[:-2], post(1000))]
        complete = await said(connect, GET)
        draining = asyncio.create_task(running.drain(0.1))
        assert [await end_of(stream) for stream in unfinished] == [b""] * 3
        assert not draining.done()
        release.set()

        assert await end_of(complete) == ANSWER
        complete[1].close()
        async with asyncio.timeout(LONG):
            await draining


async def test_draining_does_not_wait_for_what_is_no_request_yet() -> None:
    async with gate() as (running, connect):
        streams = [await said(connect, sent) for sent in (b"", GET[:-2])]

        async with asyncio.timeout(LONG):
            await running.drain(10 * LONG)
        assert [await end_of(stream) for stream in streams] == [b"", b""]


async def test_an_interim_answer_does_not_begin_the_answer() -> None:
    async def go_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await reader.readuntil(b"12345")
        await asyncio.sleep(2 * HURRY.slack)
        writer.write(ANSWER)
        writer.close()

    async with gate(go_on, pace=HURRY) as (_, connect):
        stream = await said(connect, post(5))
        stream[1].write(b"12345")

        assert (await end_of(stream)).endswith(ANSWER)


async def test_without_file_descriptors_the_oldest_connections_make_room(request: pytest.FixtureRequest) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    request.addfinalizer(lambda: resource.setrlimit(resource.RLIMIT_NOFILE, limits))
    async with gate(budget=100) as (_, connect):
        silent = [await said(connect, b"") for _ in range(5)]
        with socket.socket() as late:
            late.setblocking(False)  # noqa: FBT003 -- the standard library's signature
            resource.setrlimit(resource.RLIMIT_NOFILE, (late.fileno() + 1, limits[1]))
            await asyncio.get_running_loop().sock_connect(late, silent[0][1].get_extra_info("peername"))
            ends = [await end_of(stream) for stream in silent[:3]]
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)

        assert ends == [b""] * 3
        assert await is_open(silent[4])


@pytest.mark.parametrize(
    ("limit", "budget"), [(20, 2), (64, 4), (256, 36), (1024, 164), (1_000_000, 256), (resource.RLIM_INFINITY, 256)]
)
def test_the_budget_follows_from_the_limit_of_file_descriptors(limit: int, budget: int) -> None:
    assert connection_budget(limit, ports=2) == budget
