"""Episodes: what stays the same from sync to sync is news when it begins, when it changes and when it ends.

| a subject                           | seen now           | then                                                      |
|-------------------------------------|--------------------|-----------------------------------------------------------|
| is new                              | yes                | it begins                                                 |
| is known, with the same text        | yes                | no news                                                   |
| is known, with another text         | yes                | it changes                                                |
| is known                            | no, and it is over | it ends                                                   |
| is known, seen ten minutes ago      | no                 | it ends                                                   |
| is known, seen more recently        | no                 | no news: several clients may share the webhook            |

At most 1,000 subjects are remembered, those first in order. Further ones are only counted, by group: their numbers are
one more text, which begins, changes and ends like the others.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

MOST = 1000
PATIENCE = 600.0
"""Seconds after which something that is not seen any more is over."""

_MOST_CHARACTERS = 1000
# How long a client is asked to wait is different each time, and is no news.
_DURATION = re.compile(r"\b\d+(?:\.\d+)? s\b")


@dataclass(frozen=True, slots=True)
class Sight:
    """What is seen of a subject: the text for the log, and a group of few, by which it is counted."""

    text: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class News:
    """What a look brings: subjects that begin, change and end, in order; `others` are counts by group, if they changed.

    Those that end have the text that was seen last.
    """

    began: Mapping[str, Sight] = field(default_factory=dict[str, Sight])
    changed: Mapping[str, Sight] = field(default_factory=dict[str, Sight])
    ended: Mapping[str, Sight] = field(default_factory=dict[str, Sight])
    others: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Episodes:
    """What goes on, by subject, and when it was last seen; `others` are counted only."""

    _ongoing: Mapping[str, tuple[Sight, float]] = field(default_factory=dict[str, tuple[Sight, float]])
    _others: Mapping[str, int] = field(default_factory=dict[str, int])

    @property
    def is_quiet(self) -> bool:
        """Whether nothing goes on."""
        return not self._ongoing

    def after(
        self, seen: Mapping[str, Sight], now: float, is_over: Callable[[str], bool] = lambda _: False
    ) -> tuple[Episodes, News]:
        """Return what goes on after a look at a time in monotonic seconds, and the news of it."""
        kept = sorted(seen)[:MOST]
        others = Counter(seen[subject].group for subject in seen.keys() - set(kept))
        unseen = {subject: entry for subject, entry in self._ongoing.items() if subject not in seen}
        ended = {
            subject: sight
            for subject, (sight, at) in sorted(unseen.items())
            if is_over(subject) or now - at >= PATIENCE
        }
        known = [subject for subject in kept if subject in self._ongoing]
        news = News(
            began={subject: seen[subject] for subject in kept if subject not in self._ongoing},
            changed={subject: seen[subject] for subject in known if _differ(self._ongoing[subject][0], seen[subject])},
            ended=ended,
            others=others if others != self._others else None,
        )
        waiting = {subject: entry for subject, entry in unseen.items() if subject not in ended}
        ongoing = dict(list(waiting.items())[: MOST - len(kept)])
        ongoing |= {subject: (_bounded(seen[subject]), now) for subject in kept}
        return Episodes(ongoing, others), news


def _differ(one: Sight, other: Sight) -> bool:
    return _comparable(one) != _comparable(_bounded(other))


def _comparable(sight: Sight) -> str:
    return _DURATION.sub("s", sight.text)


def _bounded(sight: Sight) -> Sight:
    return Sight(sight.text[:_MOST_CHARACTERS], sight.group)
