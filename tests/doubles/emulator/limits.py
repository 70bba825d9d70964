"""Cloudflare's rate limit: 1,200 calls per token in five minutes; one more blocks the token for five minutes.

The headers are those of "API rate limits" (2025-09-03). Calls while blocked neither count nor prolong the block.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

WINDOW = 300.0


@dataclass(frozen=True, slots=True)
class Bucket:
    """The calls of one token since a time, and when its block ends (0 without one); in seconds since the epoch."""

    since: float
    spent: int = 0
    blocked_until: float = 0.0


def spend(bucket: Bucket, now: float, quota: int) -> Bucket:
    """Return the bucket after one more call."""
    if now < bucket.blocked_until:
        return bucket
    if bucket.blocked_until or now >= bucket.since + WINDOW:
        bucket = Bucket(since=now)
    spent = bucket.spent + 1
    return replace(bucket, spent=spent, blocked_until=now + WINDOW if spent > quota else 0.0)


def headers_of(bucket: Bucket, now: float, quota: int) -> Mapping[str, str]:
    """Return the headers that every answer carries, with `retry-after` while the token is blocked."""
    ends = bucket.blocked_until or bucket.since + WINDOW
    seconds = max(1, math.ceil(ends - now))
    left = max(0, quota - bucket.spent)
    headers = {
        "ratelimit": f'"default";r={left};t={seconds}',
        "ratelimit-policy": f'"default";q={quota};w={WINDOW:.0f}',
    }
    return headers | ({"retry-after": str(seconds)} if bucket.blocked_until else {})
