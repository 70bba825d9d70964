"""Shared by all rooms: the event loop, the Hypothesis profiles, the Go programs, the end of every child process."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from doubles.child_process import adopt_orphans, survivors
from oracles import programs

settings.register_profile("dev", max_examples=30, deadline=None)
settings.register_profile(
    "ci", max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("nightly", max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))  # noqa: TID251 -- the profile is chosen for a whole run


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests on asyncio, which granian and the service run on."""
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def _no_process_outlives_the_run() -> Iterator[None]:
    """End every descendant of this process, and fail if a test left one; SIGTERM ends the run as Ctrl-C does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    adopt_orphans()
    yield
    remaining = survivors()
    for pid in remaining:
        os.kill(pid, signal.SIGKILL)
    assert not remaining, f"processes outlived the tests: {remaining}"


@pytest.fixture(scope="session")
def program() -> Callable[[str], Path]:
    """Find a program that `python -m oracles.programs` built, or skip with the reason why there is none."""

    def find(name: str) -> Path:
        try:
            return programs.program(name)
        except programs.Unavailable as error:
            pytest.skip(str(error))

    return find
