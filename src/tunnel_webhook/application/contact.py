"""The last contact with the driven ports, for readiness and for the metric of the last success."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from tunnel_webhook.application.instrumentation import observe_success
from tunnel_webhook.ports import ChangesNotApplied, Failure, Readiness


class Contact:
    """Remembers whether the driven ports answered the last time they were asked."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Take a clock in seconds since the epoch."""
        self._clock = clock
        self._at: float | None = None
        self._failure = ""

    @contextmanager
    def observed(self) -> Generator[None]:
        """Remember how the block ends; changes that were not applied are an answer, not a failure of the ports."""
        try:
            yield
        except Failure as failure:
            self._at, self._failure = self._clock(), str(failure)
            raise
        except ChangesNotApplied:
            self._succeeded()
            raise
        self._succeeded()

    def readiness(self) -> Readiness:
        """Return how the last contact went; a process to which nothing has answered yet is not ready."""
        if self._at is None:
            return Readiness(ready=False, sentence="the backend has not answered yet")
        return Readiness(
            ready=not self._failure,
            sentence=self._failure or "the backend answered",
            seconds_since_contact=self._clock() - self._at,
        )

    def _succeeded(self) -> None:
        self._at, self._failure = self._clock(), ""
        observe_success(self._at)
