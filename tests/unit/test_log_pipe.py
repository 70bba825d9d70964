"""The log pipe: what is written reaches the stream in order, and writing never waits for it."""

import io
import logging
from collections.abc import Iterator
from threading import Event

import pytest

from tunnel_webhook.telemetry import LogPipe, configure_logging, open_telemetry

SECONDS = 5.0


class Blocked(io.StringIO):
    """A stream that takes nothing until it is opened, and fails if a test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.opened = Event()
        self.failure: OSError | None = None

    def write(self, text: str, /) -> int:
        self.opened.wait(SECONDS)
        if self.failure:
            raise self.failure
        return super().write(text)


@pytest.fixture
def stream() -> Iterator[Blocked]:
    blocked = Blocked()
    yield blocked
    blocked.opened.set()


@pytest.fixture
def _logging() -> Iterator[None]:
    """Restore the loggers."""
    root, ours = logging.getLogger(), logging.getLogger("tunnel_webhook")
    before = (root.handlers, root.level, ours.level)
    yield
    logging.captureWarnings(capture=False)
    root.handlers, root.level, ours.level = before


def test_what_is_written_arrives_in_order(stream: Blocked) -> None:
    pipe = LogPipe(stream)
    for number in range(100):
        pipe.write(f"{number}\n")
    pipe.flush()
    stream.opened.set()

    assert pipe.drain(SECONDS)
    assert stream.getvalue().split() == [str(number) for number in range(100)]


def test_draining_ends_though_the_stream_is_blocked(stream: Blocked) -> None:
    pipe = LogPipe(stream)
    pipe.write("never\n")

    assert not pipe.drain(0.01)


@pytest.mark.usefixtures("_logging")
def test_what_does_not_fit_is_dropped_counted_and_reported_once_the_stream_takes_lines_again(stream: Blocked) -> None:
    telemetry = open_telemetry("1.2.3")
    pipe = LogPipe(stream, capacity=1000)
    pipe.observe(telemetry.meters)
    configure_logging("info", "text", stream=pipe)
    for _ in range(20):
        pipe.write("x" * 99 + "\n")

    stream.opened.set()
    assert pipe.drain(SECONDS)

    *kept, report = stream.getvalue().splitlines()
    assert kept == ["x" * 99] * 10
    assert report.endswith("lines of the log were dropped: 10; standard error was not read")
    assert b"tunnel_webhook_dropped_log_lines_total 10.0" in telemetry.metrics()[0]


def test_a_single_line_larger_than_the_memory_is_dropped(stream: Blocked) -> None:
    pipe = LogPipe(stream, capacity=10)
    stream.opened.set()
    pipe.write("x" * 11)

    assert pipe.drain(SECONDS)
    assert stream.getvalue() == ""


@pytest.mark.usefixtures("_logging")
def test_a_stream_that_fails_costs_its_lines_only(stream: Blocked) -> None:
    telemetry = open_telemetry("1.2.3")
    pipe = LogPipe(stream)
    pipe.observe(telemetry.meters)
    configure_logging("info", "text", stream=pipe)
    stream.failure = BrokenPipeError()
    stream.opened.set()
    pipe.write("lost\n")
    assert pipe.drain(SECONDS)

    stream.failure = None
    pipe.write("kept\n")
    assert pipe.drain(SECONDS)

    assert stream.getvalue().startswith("kept\n")
    assert stream.getvalue().endswith("were dropped: 1; standard error was not read\n")
    assert b"tunnel_webhook_dropped_log_lines_total 1.0" in telemetry.metrics()[0]
