"""Failures of calls to Cloudflare, in the words of the ports: no exception of httpx leaves this package.

    Failure (ports)
    ├── TemporaryFailure
    │   ├── Unsettled     a write that may have been carried out or not: read before writing again
    │   └── NotDone       Cloudflare did not carry it out
    └── PermanentFailure
        └── Refused       Cloudflare understood the request and refused it; `code` says why

`outcomes` says which outcome leads to which failure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import httpx

from tunnel_webhook.adapters.cloudflare.envelope import Fault
from tunnel_webhook.adapters.cloudflare.outcomes import Meaning, meaning_of_error, meaning_of_fault
from tunnel_webhook.ports import Failure, PermanentFailure, TemporaryFailure, Unsettled

NO_CONFIGURATION, BAD_CONFIGURATION = 1055, 1056
RECORD_NOT_FOUND, QUOTA_EXCEEDED, IDENTICAL_RECORD = 81044, 81045, 81058
CONFLICTS = frozenset(range(81053, 81059))
"""The codes of records that exclude one another; Cloudflare does not document 81055 and 81056."""

_WRONG_ID = "check CLOUDFLARE_ACCOUNT_ID, CLOUDFLARE_TUNNEL_ID and CLOUDFLARE_ZONE_IDS: one of them is not a valid id"
_BETWEEN = (
    "something between us and Cloudflare answered, and not the API: look at proxies (HTTPS_PROXY), firewalls and"
    " CLOUDFLARE_API_URL"
)
_NOT_ALLOWED = (
    "the credentials are not valid, or no longer, or do not allow this: an API token needs"
    " Account/Cloudflare Tunnel/Edit, Zone/Zone/Read and Zone/DNS/Edit on the account of CLOUDFLARE_ACCOUNT_ID and on"
    " its zones"
)
CURES: Mapping[int, str] = MappingProxyType(
    {
        0: "the API token may not list zones: grant Zone/Zone/Read, or name the zones in CLOUDFLARE_ZONE_IDS",
        1000: "the API token is not valid: check CLOUDFLARE_API_TOKEN, and that it is neither expired nor disabled",
        1001: "an account-owned token cannot do this, or an id is wrong: set CLOUDFLARE_ACCOUNT_ID, and check"
        " CLOUDFLARE_ZONE_IDS",
        1003: _WRONG_ID,
        1038: "Cloudflare's API refuses every write to zones under .cf, .ga, .gq, .ml and .tk",
        6003: "the credentials are malformed: look for a stray newline, space or quote in CLOUDFLARE_API_TOKEN",
        6103: "the API key is malformed: check CLOUDFLARE_API_KEY and CLOUDFLARE_API_EMAIL",
        6111: "the API token is malformed: look for a stray newline, space or quote in CLOUDFLARE_API_TOKEN",
        7000: _WRONG_ID,
        7003: _WRONG_ID,
        9106: "no credentials were sent: set CLOUDFLARE_API_TOKEN, or CLOUDFLARE_API_KEY with CLOUDFLARE_API_EMAIL",
        9109: "the API token was revoked, lacks a permission, or may not be used from this address",
        10000: _NOT_ALLOWED,
    }
)
"""What an operator can do about the codes that concern a request as a whole, whatever it contains."""

_CODES_OF_RECORDS = CONFLICTS | {RECORD_NOT_FOUND, QUOTA_EXCEEDED}
_STATUSES_OF_BODIES = frozenset({400, 409, 413, 422})
_STATUSES_OF_DENIALS = frozenset({401, 403})
_STATUSES_OF_REDIRECTS = range(300, 400)
_STATUSES_OF_CLOUDFLARE = frozenset({429, 500, 503, *range(520, 531)})


class NotDone(TemporaryFailure):
    """Cloudflare did not carry a call out: a rate limit, an outage, no connection."""


class Refused(PermanentFailure):
    """Cloudflare understood the request and refused it."""

    def __init__(self, message: str, fault: Fault) -> None:
        """Keep the fault; `message` is the sentence for the operator."""
        super().__init__(message)
        self.status = fault.status
        self.code = fault.code
        self.sentence = fault.sentence

    @property
    def is_denial(self) -> bool:
        """Whether the credentials were refused, and not what was asked with them."""
        return self.status in _STATUSES_OF_DENIALS

    @property
    def concerns_records(self) -> bool:
        """Whether one record of a batch may be the reason, so that the others could be written without it."""
        if self.code in CURES:
            return False
        return self.code in _CODES_OF_RECORDS or self.status in _STATUSES_OF_BODIES


@dataclass(frozen=True, slots=True)
class Operation:
    """What a call does, for sentences and metrics: `name` is one of few, `subject` says what it is done to."""

    name: str
    subject: str = ""
    writes: bool = False

    def __str__(self) -> str:
        """Return the beginning of a sentence about its failure."""
        return f"cannot {self.name} ({self.subject})" if self.subject else f"cannot {self.name}"


def failure_of_fault(operation: Operation, fault: Fault) -> Failure:
    """Return the failure that a response amounts to."""
    meaning = meaning_of_fault(fault)
    if not meaning.is_temporary:
        cure = _cure(fault) or "Cloudflare refuses it"
        return Refused(f"{operation}: {cure} (Cloudflare: {fault.status}, {fault.sentence})", fault)
    delay = f"; it asks to wait {fault.retry_after:.0f} s" if fault.retry_after else ""
    if is_from_between(fault):
        return _temporary(operation, meaning, f"{_BETWEEN} ({fault.sentence}{delay})")
    return _temporary(operation, meaning, f"Cloudflare answered {fault.status}, {fault.sentence}{delay}")


def is_from_between(fault: Fault) -> bool:
    """Whether something between us and Cloudflare answered, such as a proxy or a firewall."""
    return fault.is_foreign and fault.status not in _STATUSES_OF_CLOUDFLARE


def failure_of_error(operation: Operation, error: Exception) -> Failure:
    """Return the failure that an exception of httpx amounts to.

    The exception's own words may quote anything, so they stay in the chained cause.
    """
    meaning, kind = meaning_of_error(error), type(error).__name__
    if meaning is Meaning.UNSENDABLE:
        cure = "check CLOUDFLARE_API_URL and the credentials"
        return PermanentFailure(f"{operation}: the request cannot be sent ({kind}): {cure}")
    if isinstance(error, httpx.ProxyError):
        return _temporary(operation, meaning, "the proxy lets nothing through: check HTTPS_PROXY and NO_PROXY")
    return _temporary(operation, meaning, f"no answer from Cloudflare ({kind})")


def _temporary(operation: Operation, meaning: Meaning, sentence: str) -> TemporaryFailure:
    if meaning is Meaning.NOT_DONE:
        return NotDone(f"{operation}: {sentence}")
    kind = Unsettled if operation.writes and meaning.leaves_writes_unsettled else TemporaryFailure
    return kind(f"{operation}: {sentence}")


def _cure(fault: Fault) -> str:
    cure = CURES.get(fault.code, "") if fault.code is not None else ""
    if cure:
        return cure
    if fault.status in _STATUSES_OF_DENIALS:
        return _NOT_ALLOWED
    if fault.status in _STATUSES_OF_REDIRECTS:
        return "check CLOUDFLARE_API_URL, which leads elsewhere"
    return ""
