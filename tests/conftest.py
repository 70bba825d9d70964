"""What every room of tests shares: the event loop, and the Hypothesis profiles."""

import os

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("dev", max_examples=30, deadline=None)
settings.register_profile(
    "ci", max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("nightly", max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))  # noqa: TID251 -- the profile is chosen for a whole run


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests on asyncio, which granian and the service run on."""
    return "asyncio"
