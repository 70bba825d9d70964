"""The documents of the tunnels, as this process believes them, and how they are replaced.

Reading and believing are apart, because whether an answer is believed depends on the claims, which are read at the same
time (`domain.planning.belief`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from tunnel_webhook.application.instrumentation import observe_belief, observe_foreign_write, observe_versions
from tunnel_webhook.application.sync_log import SyncLog
from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.cloudflared.inheritance import Base
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.planning.belief import Belief, Reading
from tunnel_webhook.domain.planning.releasing import LONGEST_APPLY
from tunnel_webhook.ports import (
    Failure,
    Lease,
    Superseded,
    TemporaryFailure,
    TunnelMissing,
    TunnelRepository,
    WriteLock,
)

_WRITE_TRIES = 3
LAST_WRITE = LONGEST_APPLY
"""Seconds after the first read of an apply from which it begins no write; a release waits longer than that."""


@dataclass(frozen=True, slots=True)
class TunnelState:
    """What is known of one tunnel: the document last believed, and why it cannot be relied on now, if so.

    The document is empty if none was ever believed (`is_known` is False), and for a tunnel that does not exist:
    `missing` says so then.
    """

    document: TunnelConfiguration
    failure: Failure | None = None
    missing: str = ""
    is_known: bool = True

    @property
    def obstacle(self) -> Failure | None:
        """Why no rule can be written there, or None."""
        return self.failure or (TunnelMissing(self.missing) if self.missing else None)


@dataclass(slots=True)
class Documents:
    """The documents of a policy's tunnels; `clock` is monotonic, in seconds."""

    tunnels: TunnelRepository
    lock: WriteLock
    policy: Policy
    clock: Callable[[], float]
    sync_log: SyncLog
    _beliefs: dict[str, Belief] = field(default_factory=dict[str, Belief])
    _old_claims: frozenset[str] | None = None

    async def read(self) -> Mapping[str, Reading | Failure]:
        """Return one answer for each tunnel, or why there was none."""
        ids = [tunnel.id for tunnel in self.policy.tunnels]
        return dict(zip(ids, await asyncio.gather(*map(self._read, ids)), strict=True))

    def possible_hostnames(self, answers: Mapping[str, Reading | Failure]) -> frozenset[str]:
        """Return the hostnames of all rules in these answers, and in the documents last believed."""
        readings = [*answers.values(), *(belief.reading for belief in self._beliefs.values())]
        documents = [reading.document for reading in readings if isinstance(reading, Reading)]
        return frozenset(rule.canonical_hostname for document in documents for rule in document.rules)

    def bases(self) -> Mapping[str, Base]:
        """Return what each document last believed sets for all of its rules, by tunnel."""
        readings = ((tunnel, belief.reading) for tunnel, belief in self._beliefs.items())
        return {tunnel: Base.of(reading.document) for tunnel, reading in readings if reading}

    def believe(
        self, answers: Mapping[str, Reading | Failure], old_claims: frozenset[str] | None = None
    ) -> Mapping[str, TunnelState]:
        """Return what is known of each tunnel after these answers.

        `old_claims` are the tunnels that have some; those that were given last count where none are given. Before the
        first ones, every tunnel may have some.
        """
        if old_claims is not None:
            self._old_claims = old_claims
        states = {tunnel: self._believe(tunnel, answer) for tunnel, answer in answers.items()}
        observe_versions({tunnel: state.document for tunnel, state in states.items()}, self.policy)
        failures = {tunnel: state.failure for tunnel, state in states.items()}
        observe_belief(failures, self.policy)
        self.sync_log.believed(failures)
        return states

    async def replace(
        self, tunnel: str, revise: Callable[[TunnelConfiguration], TunnelConfiguration], not_after: float
    ) -> None:
        """Write the revision of a document, unless that changes no rule; again, if another one is stored by now.

        No write begins after `not_after` (monotonic seconds). Raises the failures of TunnelRepository, and
        TemporaryFailure where what is stored keeps changing, or contradicts what is believed.
        """
        base = self._believed(tunnel)
        for _ in range(_WRITE_TRIES):
            revised = revise(base)
            if revised.rules == base.rules:
                return
            async with self.lock.held(tunnel) as lease:
                saved = await self.tunnels.save(tunnel, base, revised, partial(self._may_write, lease, not_after))
            if not isinstance(saved, Superseded):
                self._written(tunnel, base, revised, saved)
                return
            one, other = map(Reading, saved.documents)
            self.believe({tunnel: one})
            if not other.is_same(one):
                # Two equal answers at one moment count as one: they may come from the same false source.
                self.believe({tunnel: other})
            base = self._believed(tunnel)
        message = f"someone else keeps writing the configuration of tunnel {tunnel}: gave up after {_WRITE_TRIES} tries"
        raise TemporaryFailure(message)

    async def paths(self) -> Mapping[str, Mapping[str, frozenset[str]]]:
        """Return the paths of all rules by tunnel and hostname, by another answer from every tunnel.

        Raises the failure of a tunnel whose answer is not believed.
        """
        paths: dict[str, dict[str, frozenset[str]]] = {}
        for tunnel, state in self.believe(await self.read()).items():
            if state.failure:
                raise state.failure
            found = paths.setdefault(tunnel, {})
            for rule in state.document.rules:
                hostname = rule.canonical_hostname
                found[hostname] = found.get(hostname, frozenset()) | {rule.path}
        return paths

    def _may_write(self, lease: Lease, not_after: float) -> bool:
        return lease.is_valid() and self.clock() < not_after

    async def _read(self, tunnel: str) -> Reading | Failure:
        try:
            return Reading(await self.tunnels.load(tunnel))
        except TunnelMissing as missing:
            return Reading(TunnelConfiguration(), str(missing))
        except Failure as failure:
            return failure

    def _believe(self, tunnel: str, answer: Reading | Failure) -> TunnelState:
        belief = self._beliefs.get(tunnel, Belief())
        if isinstance(answer, Reading):
            belief = self._beliefs[tunnel] = belief.after(
                answer, self.clock(), has_old_claim=self._old_claims is None or tunnel in self._old_claims
            )
        failure = answer if isinstance(answer, Failure) else None
        if belief.doubt and not failure:
            message = f"the answer about tunnel {tunnel} is in doubt: {belief.doubt.sentence}"
            failure = TemporaryFailure(message)
        if belief.reading is None:
            return TunnelState(TunnelConfiguration(), failure, is_known=False)
        return TunnelState(belief.reading.document, failure, "" if failure else belief.reading.missing)

    def _believed(self, tunnel: str) -> TunnelConfiguration:
        """Return the document last believed; raise TemporaryFailure if there is none."""
        reading = self._beliefs.get(tunnel, Belief()).reading
        if reading is None:
            message = f"the configuration of tunnel {tunnel} is not written, since it could not be read"
            raise TemporaryFailure(message)
        return reading.document

    def _written(self, tunnel: str, base: TunnelConfiguration, sent: TunnelConfiguration, version: int) -> None:
        """Learn the version of a write, and say so if it overwrote the writes of others."""
        if version > base.version + 1:
            observe_foreign_write(self.policy.tunnel_label(tunnel), base.version + 1, version - 1)
        self._beliefs[tunnel] = self._beliefs[tunnel].written(sent, max(version, base.version + 1))
