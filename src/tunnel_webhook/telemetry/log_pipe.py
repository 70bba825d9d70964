"""The way from the log to a stream that may block: lines wait in memory, and a thread writes them.

| the stream                      | outcome                                                                         |
|---------------------------------|---------------------------------------------------------------------------------|
| takes lines, slowly or not      | each is written, in order                                                       |
| blocks                          | lines wait, up to 1 Mi characters; further ones are dropped and counted         |
| takes lines again               | what waited is written, then one line says how many were dropped since          |
| is closed, or fails             | the line that it refused is dropped and counted                                 |
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable
from threading import Condition, Thread
from typing import TextIO

from opentelemetry import metrics

_CAPACITY = 1024 * 1024

log = logging.getLogger(__name__)


class LogPipe:
    """The `write` and `flush` of a text stream, for logging.StreamHandler; neither ever blocks."""

    def __init__(self, stream: TextIO, capacity: int = _CAPACITY) -> None:
        """Take the stream, and how many characters may wait for it."""
        self._stream = stream
        self._capacity = capacity
        self._lines: deque[str] = deque()
        self._held = 0
        self._dropped = 0
        self._unreported = 0
        self._changed = Condition()
        Thread(target=self._deliver, name="log", daemon=True).start()

    def write(self, text: str) -> None:
        """Keep a text for the thread, or drop it."""
        with self._changed:
            if self._held + len(text) > self._capacity:
                self._drop()
            else:
                self._lines.append(text)
                self._held += len(text)
                self._changed.notify_all()

    def flush(self) -> None:
        """Do nothing: the thread flushes after each text."""

    def drain(self, seconds: float) -> bool:
        """Wait until everything is written, for at most some seconds, and return whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._held, seconds)

    def observe(self, meters: metrics.MeterProvider) -> None:
        """Make the number of dropped lines a metric."""
        meters.get_meter("tunnel_webhook").create_observable_counter(
            "tunnel_webhook_dropped_log_lines",
            [self._observation],
            description="Lines of the log that were dropped because standard error was not read",
        )

    def _observation(self, _: metrics.CallbackOptions) -> Iterable[metrics.Observation]:
        return [metrics.Observation(self._dropped)]

    def _drop(self) -> None:
        self._dropped += 1
        self._unreported += 1

    def _deliver(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._lines)
                text = self._lines.popleft()
            try:
                self._stream.write(text)
                self._stream.flush()
            except (OSError, ValueError):
                with self._changed:
                    self._drop()
            else:
                self._report()
            with self._changed:
                self._held -= len(text)
                self._changed.notify_all()

    def _report(self) -> None:
        with self._changed:
            if self._lines or not self._unreported:
                return
            number, self._unreported = self._unreported, 0
        log.warning("lines of the log were dropped: %d; standard error was not read", number)
