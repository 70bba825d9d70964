"""The limits of a zone's plan (Cloudflare, "Record attributes", "Batch record changes", DNS FAQ)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from doubles.emulator.values import Zone


@dataclass(frozen=True, slots=True)
class Plan:
    """Limits of one plan; `records` is None without a limit."""

    records: int | None
    batch: int
    comment: int
    tags: int
    least_ttl: int


PLANS: Mapping[str, Plan] = {
    "free": Plan(records=200, batch=200, comment=100, tags=0, least_ttl=60),
    "pro": Plan(records=3500, batch=3500, comment=500, tags=20, least_ttl=60),
    "business": Plan(records=3500, batch=3500, comment=500, tags=20, least_ttl=60),
    "enterprise": Plan(records=None, batch=3500, comment=500, tags=20, least_ttl=30),
}


def quota_of(zone: Zone) -> int | None:
    """Return how many records a zone may hold, or None without a limit."""
    return PLANS[zone.plan].records if zone.quota is None else zone.quota
