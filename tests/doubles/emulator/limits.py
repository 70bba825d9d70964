"""Cloudflare's rate limit: so many calls in a window, one more blocks the caller for as long as a window lasts.

The headers are those of "API rate limits" (2025-09-03). While blocked, calls count nothing and lengthen nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from doubles.emulator.behaviour import Behaviour


@dataclass(frozen=True, slots=True)
class Bucket:
    """What one caller spent since when, and until when it is blocked; times in seconds since the epoch."""

    since: float
    spent: int = 0
    blocked_until: float = 0.0


def spend(bucket: Bucket, now: float, behaviour: Behaviour) -> Bucket:
    """Return the bucket after one more call."""
    if now < bucket.blocked_until:
        return bucket
    if bucket.blocked_until or now >= bucket.since + behaviour.rate_window:
        bucket = Bucket(since=now)
    spent = bucket.spent + 1
    blocked_until = now + behaviour.rate_window if spent > behaviour.rate_quota else 0.0
    return replace(bucket, spent=spent, blocked_until=blocked_until)


def headers_of(bucket: Bucket, now: float, behaviour: Behaviour) -> Mapping[str, str]:
    """Return the headers that every answer carries, with `retry-after` where the caller is blocked."""
    ends = bucket.blocked_until or bucket.since + behaviour.rate_window
    seconds = max(1, math.ceil(ends - now))
    left = max(0, behaviour.rate_quota - bucket.spent)
    headers = {
        "ratelimit": f'"default";r={left};t={seconds}',
        "ratelimit-policy": f'"default";q={behaviour.rate_quota};w={behaviour.rate_window:.0f}',
    }
    return headers | ({"retry-after": str(seconds)} if bucket.blocked_until else {})
