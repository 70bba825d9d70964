"""What Cloudflare refused: asking again changes nothing until something else is asked, or some minutes pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from tunnel_webhook.domain.dns import DnsRecord, RecordBatch, Zone
from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.plan import RuleChange
from tunnel_webhook.ports import Refusal, Unacceptable

_SECONDS = 600.0
_MAX = 1000
_LASTING = frozenset({Reason.REFUSED, Reason.QUOTA_EXCEEDED})

_K = TypeVar("_K")
_V = TypeVar("_V")


@dataclass(slots=True)
class _Remembered(Generic[_K, _V]):
    """The last 1,000 entries of the last ten minutes."""

    clock: Callable[[], float]
    entries: dict[_K, tuple[float, _V]] = field(default_factory=dict[_K, tuple[float, _V]])

    def add(self, entries: Iterable[tuple[_K, _V]]) -> None:
        until = self.clock() + _SECONDS
        for key, value in list(entries)[:_MAX]:
            self.entries[key] = (until, value)
        while len(self.entries) > _MAX:
            del self.entries[next(iter(self.entries))]

    def current(self) -> Mapping[_K, tuple[float, _V]]:
        now = self.clock()
        self.entries = {key: entry for key, entry in self.entries.items() if entry[0] > now}
        return self.entries


class Refusals:
    """The changes of rules and the records that were refused within the last ten minutes, at most 1,000 of each."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Take a monotonic clock, in seconds."""
        self._rules = _Remembered[tuple[Hostname, RuleChange], Unacceptable](clock)
        self._records = _Remembered[tuple[Zone, DnsRecord], Refusal](clock)

    def remember(self, changes: Mapping[Hostname, RuleChange], refusal: Unacceptable) -> None:
        """Remember that these changes were refused."""
        self._rules.add((change, refusal) for change in changes.items())

    def among(self, changes: Mapping[Hostname, RuleChange]) -> Mapping[Hostname, Unacceptable]:
        """Return why each of the changes that were refused before was."""
        refused = self._rules.current()
        return {change[0]: refused[change][1] for change in changes.items() if change in refused}

    def remember_records(self, zone: Zone, batch: RecordBatch, refusals: Iterable[Refusal]) -> None:
        """Remember what was refused of a batch.

        A conflict is not remembered, since the records of a zone are read anyway before each decision. Records that did
        not fit are forgotten once something was deleted from their zone.
        """
        by_name = {refusal.name: refusal for refusal in refusals}
        if any(record.name not in by_name for record in batch.deletes):
            self._records.entries = {
                key: entry
                for key, entry in self._records.entries.items()
                if key[0] != zone or entry[1].reason is not Reason.QUOTA_EXCEEDED
            }
        self._records.add(
            ((zone, record), refusal)
            for record in batch.records
            if (refusal := by_name.get(record.name)) and refusal.is_final and refusal.reason in _LASTING
        )

    def among_records(self, zone: Zone, batch: RecordBatch) -> tuple[Refusal, ...]:
        """Return the refusals of the records of a batch that were refused before."""
        refused = self._records.current()
        found = {refused[zone, record][1] for record in batch.records if (zone, record) in refused}
        return tuple(sorted(found, key=lambda refusal: refusal.name))
