"""Whether a list that Cloudflare answered is believed; pure. The entries are names: of claims in a zone, or of zones.

| believed before | listed now           | is one entry expected at least | verdict  |
|-----------------|----------------------|--------------------------------|----------|
| nothing read    | something            | yes or no                      | believed |
| nothing read    | nothing              | no                             | believed |
| nothing read    | nothing              | yes                            | in doubt |
| some entries    | all of them, or more | yes or no                      | believed |
| some entries    | not all of them      | yes or no                      | in doubt |

A list in doubt is read a second time, later, on a new connection and with another query.

| believed before | the two readings           | verdict                      |
|-----------------|----------------------------|------------------------------|
| some entries    | lack exactly the same ones | believed                     |
| some entries    | lack different ones        | neither, a temporary failure |
| nothing read    | are both empty             | believed                     |
| nothing read    | differ                     | neither, a temporary failure |
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

PAUSE = 1.0
"""How long a second reading waits at least, in seconds."""


def is_in_doubt(believed: AbstractSet[str] | None, listed: AbstractSet[str], *, expects_some: bool) -> bool:
    """Whether a list has to be read again before it is believed; `believed` is None before the first reading."""
    if believed is None:
        return expects_some and not listed
    return not believed <= listed


def agree(believed: AbstractSet[str] | None, first: AbstractSet[str], second: AbstractSet[str]) -> bool:
    """Whether the second reading confirms what is missing from the first."""
    if believed is None:
        return not first and not second
    return believed - first == believed - second
