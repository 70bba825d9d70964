"""Switches for what the real API does in more than one way."""

from __future__ import annotations

from typing import Literal

from doubles.emulator.values import Value


class Behaviour(Value, frozen=True):
    """How the API behaves; the defaults are what was recorded, or else what is harder on a client."""

    latency: float = 0.0
    """Seconds that every call takes."""

    rate_quota: int = 1200
    """Calls that a token has per window (`limits.py`)."""

    total_pages: bool = True
    """Whether a listing says how many pages it has."""

    config_version: bool = True
    """Whether a connector reports the version that it applied."""

    key_order: Literal["by length", "as sent"] = "by length"
    """How the members of a stored document are ordered: shorter keys first, as recorded, or as they were sent."""

    zone_scoped_list: Literal["own zones", "refused"] = "own zones"
    """What GET /zones answers to a token that is limited to some zones."""
