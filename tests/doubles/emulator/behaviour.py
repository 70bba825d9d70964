"""What the real API does in more than one way, or what nobody could confirm, as switches."""

from __future__ import annotations

from typing import Literal

from doubles.emulator.problems import Problem
from doubles.emulator.values import Value


class Behaviour(Value, frozen=True):
    """What the API does in more than one way; the defaults are what was recorded, or else what is harder on a client."""

    latency: float = 0.0
    """Seconds that every call takes."""

    rate_quota: int = 1200
    rate_window: float = 300.0
    """Calls per seconds and token; one more, and the token is blocked for as many seconds."""

    total_pages: bool = True
    account_id: bool = False
    """Whether a configuration tells its account."""

    deprecated_connections: bool = False
    """Whether a tunnel tells its connections, as it did until 2026-10-05."""

    config_version: bool = True
    """Whether a connector tells the version that it applied."""

    key_order: Literal["by length", "as sent"] = "by length"
    """How the members of a stored document are ordered: shorter keys first, as recorded, or as they came."""

    identical_put_counts: bool = True
    local_put: Literal["refuse", "convert"] = "refuse"
    """What a PUT to a locally managed tunnel does."""

    zone_scoped_list: Literal["own zones", "refused"] = "own zones"
    """What GET /zones tells a token that is limited to some zones."""

    verify_message: bool = False
    """Whether a good token is praised in `messages`."""

    batch_absent: Literal["null", "empty"] = "null"
    """What a batch answers for an array that was not asked for."""

    problems: tuple[Problem, ...] = ()
    """Answers to put in the place of those of `problems.py`, by name: an unconfirmed status can be had both ways."""

    def told(self, problem: Problem) -> Problem:
        """Return what is answered for a problem."""
        return next((instead for instead in self.problems if instead.name == problem.name), problem)
