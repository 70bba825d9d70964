"""The ports: what drives us, and what we drive. The prose is the contract; `tests/contract` holds every adapter to it.

Failure                 a driven port could not do its work
├── TemporaryFailure    asking again later may succeed
│   └── Unsettled       a write that may have been carried out, or may still be
└── PermanentFailure    asking again changes nothing: a token, a permission
    ├── TunnelMissing   the tunnel does not exist
    └── Unacceptable    the document is refused for what is in it
ChangesNotApplied       these endpoints were rejected, or these deletions withheld; the rest was applied
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from collections.abc import Set as AbstractSet
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.dns import DnsRecord, RecordBatch, Zone
from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.domain.external_dns.domain_filter import DomainFilter
from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.plan import Rejection


class Failure(Exception):
    """A driven port could not do its work; the message says what, which, and what an operator can do."""


class TemporaryFailure(Failure):
    """Asking again later may succeed: a rate limit, an outage, a deadline."""


class PermanentFailure(Failure):
    """Asking again changes nothing until an operator acts."""


class Unsettled(TemporaryFailure):
    """A write may have been carried out, or may still be; only reading what is stored settles it."""


class TunnelMissing(PermanentFailure):
    """The tunnel was deleted, or never existed in this account."""


class Unacceptable(PermanentFailure):
    """A document is refused for what is in it; another one may be accepted."""


class ChangesNotApplied(Exception):
    """Some endpoints were rejected or some deletions withheld; everything else was applied."""

    def __init__(self, rejections: tuple[Rejection, ...], withheld: tuple[Hostname, ...], sentence: str) -> None:
        """Keep what was not applied; the sentence is for the operator."""
        super().__init__(sentence)
        self.rejections = rejections
        self.withheld = withheld


@dataclass(frozen=True, slots=True)
class Refusal:
    """One record of a batch that was not written: its name, why, and the upstream's sentence, sanitised.

    It is final unless the record may be written by another request, without those that were refused with it.
    """

    name: str
    reason: Reason
    sentence: str
    is_final: bool = True


@dataclass(frozen=True, slots=True)
class Superseded:
    """A document that was not written, since it rests on another one than these two reads found."""

    documents: tuple[TunnelConfiguration, TunnelConfiguration]


class Lease(Protocol):
    """The exclusive right to write one document for a while."""

    def is_valid(self) -> bool:
        """Whether a write that begins now ends well before the lease does."""
        ...


@dataclass(frozen=True, slots=True)
class Readiness:
    """How the last contact with the driven ports went.

    `sentence` is for the operator; `seconds_since_contact` is None before the first contact.
    """

    ready: bool
    sentence: str
    seconds_since_contact: float | None = None


class Level(Enum):
    """Whether a precondition holds; a `warning` harms later or in part, `unknown` is what cannot be read."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One precondition: its subject, whether it holds, what shows that, and what an operator can do if it does not."""

    subject: str
    level: Level
    sentence: str
    cure: str = ""


class WebhookAPI(Protocol):
    """What external-dns asks of a webhook provider; the driving port.

    Safe to call concurrently: changes are applied one at a time, and `records` waits for them.
    """

    def domain_filter(self) -> DomainFilter:
        """Return which names external-dns may hand over. Instant: no driven port is asked."""
        ...

    async def records(self) -> tuple[Endpoint, ...]:
        """Return every endpoint that this instance sees, in canonical form, sorted.

        Raises TemporaryFailure or PermanentFailure instead of returning a part.

        Example: the claim of `app.example.com` and its rule to `http://app:8080` are one endpoint, a CNAME with the
        target `http://app:8080` and the labels of the claim.
        """
        ...

    async def adjust_endpoints(self, endpoints: tuple[Endpoint, ...], /) -> tuple[Endpoint, ...]:
        """Return endpoints as `records` will report them once they are applied. Pure and idempotent.

        One that cannot be published is returned marked, never left out: external-dns would plan its deletion.

        Example: `App.example.com` with the target `HTTP://app:8080/` becomes `app.example.com` with `http://app:8080`.
        """
        ...

    async def apply_changes(self, changes: Changes, /) -> None:
        """Apply changes; applying the same changes twice does nothing the second time.

        Bystanders keep every byte. Each endpoint fails alone: whatever can be applied is applied first, then
        ChangesNotApplied names the rejected and the withheld, or TemporaryFailure says that more may succeed later. If
        the deadline passes first, TemporaryFailure is raised and the work goes on. A cancelled caller stops nothing.

        Example: before, a tunnel has the rules of two people and the catch-all. Creating `app.example.com` adds one
        record and one rule; the two rules, their order and every unknown key are what they were.
        """
        ...


class TunnelRepository(Protocol):
    """Holds the configuration document of each tunnel; a driven port.

    Safe to call concurrently, but not transactional: anyone may write at any time. A single answer may be false or
    stale, so `application` decides which document it believes, and `save` looks again directly before it writes.
    """

    async def load(self, tunnel: str, /) -> TunnelConfiguration:
        """Return the document now in force, without losing a character of it; an empty one for a tunnel without any.

        Raises TemporaryFailure; TunnelMissing; PermanentFailure where the tunnel is not remotely managed.
        """
        ...

    async def save(
        self,
        tunnel: str,
        base: TunnelConfiguration,
        configuration: TunnelConfiguration,
        may_write: Callable[[], bool],
        /,
    ) -> int | Superseded:
        """Replace the whole document, if it is still the one that the new one was made from, and return its version.

        The document is read twice, side by side; unless both answers have the version and the content of `base`,
        nothing is written and both are returned. Nothing is computed or awaited between the second answer and the
        write, except that `may_write` is asked: if it says no, TemporaryFailure is raised. A version other than that of
        `base` plus 1 shows that someone else wrote in that moment, and is overwritten.

        Raises Unacceptable, in Cloudflare's words, for a document that cloudflared refuses, and changes nothing then.
        Raises Unsettled if there was no answer and the new document is not stored yet; it may still be later. After any
        other TemporaryFailure nothing was written.

        Example: version 7 is loaded, a person saves version 8, and our save writes nothing and returns version 8 twice.
        """
        ...


class WriteLock(Protocol):
    """Excludes other instances of this service while one writes a tunnel's document; a driven port.

    People and other programs take no lock.
    """

    def held(self, tunnel: str, /) -> AbstractAsyncContextManager[Lease]:
        """Hold the lock of a tunnel, waiting for it a while; it expires by itself if the process stops.

        It is not freed after Unsettled: the write may still be carried out. Entering raises TemporaryFailure where
        another instance holds it.
        """
        ...


class ZoneRepository(Protocol):
    """Holds the DNS records of every zone that the credentials can see; a driven port. Safe to call concurrently."""

    def now(self) -> float:
        """Return the time in seconds since the epoch, by the clock that all instances share."""
        ...

    async def zones(self) -> tuple[Zone, ...]:
        """Return the zones, sorted by name. The answer may be some minutes old.

        A zone that was seen before is missing only if two readings, a second apart, lack it; none at all is believed no
        sooner.
        """
        ...

    async def load(
        self, *, in_full: AbstractSet[Zone] = frozenset(), named: AbstractSet[Zone] = frozenset()
    ) -> Mapping[Zone, tuple[DnsRecord, ...]]:
        """Return the records that carry our marker, in every zone in use; all records of the zones `in_full`.

        `named` are the zones in which rules have hostnames, and so may have claims. Of the zones that the domain filter
        can concern, every claim is returned in a zone that is `named` or `in_full`, or where a claim was seen before;
        in another zone a claim, which has no rule, may be missing for some minutes. A claim that was seen before is
        missing only if two readings, a second apart, lack it.

        | a zone                                             | is                                                      |
        |----------------------------------------------------|---------------------------------------------------------|
        | was deleted, or is no longer visible               | left out                                                |
        | is visible, and its records are refused for good   | as it was last read; left out if it was never read      |
        | cannot be read for the moment                      | TemporaryFailure, instead of a part                     |

        Raises PermanentFailure if the records of no zone can be read.
        """
        ...

    async def save(self, zone: Zone, batch: RecordBatch, /) -> tuple[Refusal, ...]:
        """Carry out the writes of a batch, deletes before patches before posts, and return those that were refused.

        One refused record keeps no other from being written, as far as a bounded number of requests allows: where a
        zone refuses one request after another, the records that may be at fault are refused together, or their refusals
        are not final. A record to delete that is gone counts as deleted; one to
        post that exists exactly so counts as written. A swap happens as a whole or not at all. A patch changes only
        what we decide (content, proxied, comment). No other record is touched. Raises TemporaryFailure, after which any
        part may have been written, or PermanentFailure, after which none has: also while the records of the zone cannot
        be read.

        Example: of three posts one meets an A record of its name; two are written, and one Refusal is returned.
        """
        ...


class Inspection(Protocol):
    """Looks whether everything is in place for the other driven ports to work; a driven port."""

    def findings(self) -> AsyncIterator[Finding]:
        """Yield one finding per precondition. Nothing is written; a failed read is a finding, and raises nothing."""
        ...
