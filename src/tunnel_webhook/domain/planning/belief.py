"""What a process believes of a tunnel's document, since a single answer may be false, stale or missing.

| an answer                                                        | is                                              |
|------------------------------------------------------------------|-------------------------------------------------|
| the first of the process, with rules                             | believed                                        |
| the first, without rules; no claim older than ten minutes        | believed                                        |
| points at the tunnel                                             |                                                 |
| the first, without rules; such a claim exists                    | in doubt                                        |
| the version and content last believed                            | believed                                        |
| a higher version, with rules                                     | believed                                        |
| any other without rules                                          | in doubt, unless what was believed has none too |
| a lower version                                                  | in doubt                                        |
| the same version, other content                                  | in doubt, unless only the version was known     |

A tunnel that does not exist counts as one without rules. Doubt ends with the third equal answer in a row; where that
answer has no rules or a lower version, only after ten minutes without any other answer as well. Absence is not
emptiness: what is missing for a moment must not be written for good.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.cloudflared.sameness import is_same_document

OLD_CLAIM = 600.0
"""Seconds after which a claim proves that its tunnel had a document."""

_ANSWERS, _SECONDS = 3, 600.0


@dataclass(frozen=True, slots=True)
class Reading:
    """One answer to the question for a document; `missing` says why there is no such tunnel, or is empty."""

    document: TunnelConfiguration
    missing: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether there are no rules."""
        return not self.document.rules

    def is_same(self, other: Reading) -> bool:
        """Whether both answers have one version and say the same."""
        return (
            self.document.version == other.document.version
            and self.missing == other.missing
            and is_same_document(self.document.text, other.document.text)
        )


@dataclass(frozen=True, slots=True)
class Doubt:
    """An answer that is not believed: `answers` times in a row since a time in monotonic seconds, and why."""

    reading: Reading
    since: float
    answers: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Belief:
    """What a process believes of one tunnel's document; the last answer was doubtful if `doubt` is set.

    `reading` is None before the first believed answer. After a write only the version that it was answered with is
    known: `is_exact` is False then, and the reading holds what was sent.
    """

    reading: Reading | None = None
    is_exact: bool = field(default=True)
    doubt: Doubt | None = None

    def after(self, reading: Reading, now: float, *, has_old_claim: bool = False) -> Self:
        """Return the belief after an answer at a time in monotonic seconds."""
        sentence = self._doubtful(reading, has_old_claim=has_old_claim)
        if not sentence:
            return replace(self, reading=reading, is_exact=True, doubt=None)
        doubt = Doubt(reading, now, 1, sentence)
        if self.doubt and self.doubt.reading.is_same(reading):
            doubt = replace(self.doubt, answers=self.doubt.answers + 1)
        if doubt.answers >= _ANSWERS and (now - doubt.since >= _SECONDS or not self._is_loss(reading)):
            return replace(self, reading=reading, is_exact=True, doubt=None)
        return replace(self, doubt=doubt)

    def written(self, sent: TunnelConfiguration, version: int) -> Self:
        """Return the belief after a write that was answered with a version."""
        return replace(self, reading=Reading(replace(sent, version=version)), is_exact=False, doubt=None)

    def _doubtful(self, reading: Reading, *, has_old_claim: bool) -> str:
        """Return what is doubtful about an answer, or nothing."""
        if self.reading is None:
            return (
                "it is empty, although hostnames have been published through it"
                if (reading.is_empty and has_old_claim)
                else ""
            )
        believed, version = self.reading.document.version, reading.document.version
        if reading.is_empty and not self.reading.is_empty:
            return f"it is empty, and version {believed} was not"
        if version < believed:
            return f"it is version {version}, and version {believed} was there before"
        if version == believed and self.is_exact and not self.reading.is_same(reading):
            return f"it is version {version} with other content than before"
        return ""

    def _is_loss(self, reading: Reading) -> bool:
        """Whether an answer has no rules, or is older than what is believed."""
        believed = self.reading
        return reading.is_empty or (believed is not None and reading.document.version < believed.document.version)
