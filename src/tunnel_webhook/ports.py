"""The ports: what drives us, and what we drive. The prose is the contract, and `tests/contract` holds every adapter to it.

Failure                 what a driven port could not do
├── TemporaryFailure    asking again later may succeed
└── PermanentFailure    asking again changes nothing: a token, a tunnel, a permission, a refused document
ChangesNotApplied       the rest was applied; these endpoints were rejected, or these deletions withheld
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from tunnel_webhook.domain.claim import DnsRecord, RecordBatch, Zone
from tunnel_webhook.domain.endpoint import Changes, Endpoint
from tunnel_webhook.domain.hostname import DomainFilter, Hostname
from tunnel_webhook.domain.ingress import TunnelConfiguration
from tunnel_webhook.domain.plan import Rejection


class Failure(Exception):
    """A driven port could not do what it was asked; the message says what, which, and what an operator can do."""


class TemporaryFailure(Failure):
    """Asking again later may succeed: a rate limit, an outage, a deadline."""


class PermanentFailure(Failure):
    """Asking again changes nothing until an operator acts."""


class ChangesNotApplied(Exception):
    """Some endpoints were rejected or some deletions withheld; everything else was applied."""

    def __init__(self, rejections: tuple[Rejection, ...], withheld: tuple[Hostname, ...], reason: str) -> None:
        """Keep what was not applied; `reason` is the sentence for the operator."""
        super().__init__(reason)
        self.rejections = rejections
        self.withheld = withheld


@dataclass(frozen=True, slots=True)
class Refusal:
    """One record of a batch that was not written: its name, a reason code, and the upstream's sentence, sanitised."""

    name: str
    code: str
    sentence: str


class Verdict(Enum):
    """Whether a precondition holds: `warning` is for what harms later or only in part, `unknown` for what no reading tells."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One precondition: what it is about, whether it holds, how we know, and what an operator can do where it does not hold."""

    subject: str
    verdict: Verdict
    sentence: str
    cure: str = ""


class WebhookAPI(Protocol):
    """What external-dns asks of a webhook provider; the driving port.

    Safe to call concurrently: changes are applied one at a time, and `records` waits for them.
    """

    def domain_filter(self) -> DomainFilter:
        """Return which names external-dns may hand over. Instant: nothing is asked of anybody."""
        ...

    async def records(self) -> tuple[Endpoint, ...]:
        """Return every endpoint that is visible to this instance, complete, in canonical form, sorted.

        Raises TemporaryFailure or PermanentFailure instead of returning a part.
        """
        ...

    async def adjust_endpoints(self, endpoints: tuple[Endpoint, ...], /) -> tuple[Endpoint, ...]:
        """Return endpoints as `records` would report them once they are applied. Pure and idempotent.

        One that cannot be published is returned marked, never left out: leaving it out would plan its deletion.
        """
        ...

    async def apply_changes(self, changes: Changes, /) -> None:
        """Apply changes; asking for the same twice does nothing the second time.

        Bystanders keep every byte. Endpoints fail alone: whatever can be applied is applied first, then
        ChangesNotApplied names the rejected and the withheld, or TemporaryFailure tells that more may succeed later. Where
        the deadline passes first, TemporaryFailure is raised and the work goes on. A cancelled caller stops nothing.
        """
        ...


class TunnelRepository(Protocol):
    """Holds the configuration document of each tunnel; a driven port.

    Safe to call concurrently, but not transactional: nothing holds between `load` and `save` but what the versions show.
    """

    async def load(self, tunnel: str, /) -> TunnelConfiguration:
        """Return the document now in force, without losing a character of it; an empty one for a tunnel that has none yet.

        Raises TemporaryFailure; PermanentFailure where the tunnel is unknown, deleted, or not remotely managed.
        """
        ...

    async def save(self, tunnel: str, configuration: TunnelConfiguration, /) -> TunnelConfiguration:
        """Replace the whole document, whatever stands there by now, and return it with the version that it was given.

        A version other than the loaded one plus 1 shows that somebody else wrote in between. A document that cloudflared
        would refuse raises PermanentFailure in the words of Cloudflare and changes nothing. After a TemporaryFailure the
        document may or may not have been replaced.
        """
        ...


class ZoneRepository(Protocol):
    """Holds the DNS records of every zone that the credentials can see; a driven port. Safe to call concurrently."""

    async def zones(self) -> tuple[Zone, ...]:
        """Return the zones, sorted by name. The answer may be some minutes old."""
        ...

    async def load(self, *, in_full: AbstractSet[Zone] = frozenset()) -> Mapping[Zone, tuple[DnsRecord, ...]]:
        """Return the records that carry our marker, in every zone in use; of the zones `in_full` all their records.

        Complete for the zones that it returns; a zone in which nobody ever claimed anything may be missing for some minutes.
        Raises TemporaryFailure or PermanentFailure instead of returning a part.
        """
        ...

    async def save(self, zone: Zone, batch: RecordBatch, /) -> tuple[Refusal, ...]:
        """Carry out the writes of a batch, deletes before patches before posts, and return those that were refused.

        One refused record keeps no other from being written. A record to delete that is gone already counts as deleted; one
        to post that stands there exactly so already counts as written. A patch touches only what we decide (content, proxied,
        comment). Nothing but these records is touched. Raises TemporaryFailure, after which any part may have been written,
        or PermanentFailure, after which none has.
        """
        ...


class Inspection(Protocol):
    """Tells whether everything is in place for the other driven ports to work; a driven port."""

    def findings(self) -> AsyncIterator[Finding]:
        """Yield every precondition with its verdict. Nothing is written; what cannot be read is a finding, and raises nothing."""
        ...
