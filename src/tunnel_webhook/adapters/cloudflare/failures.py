"""What went wrong at Cloudflare, in the ports' words: no exception of httpx leaves this package.

Failure (ports)
├── TemporaryFailure
│   └── Unsettled     a write that may have taken effect or not: look before writing again
└── PermanentFailure
    └── Refused       Cloudflare understood and said no; `code` says why

| answer                                          | to a read         | to a write                            |
|-------------------------------------------------|-------------------|---------------------------------------|
| 429, 503, no connection                         | TemporaryFailure  | TemporaryFailure: it did nothing      |
| 408, 425, any other 5xx, a 2xx that is not JSON | TemporaryFailure  | Unsettled                             |
| a timeout, a reset, a broken body               | TemporaryFailure  | Unsettled                             |
| 3xx, 4xx, or a 2xx that says `success: false`   | Refused           | Refused                               |
| an address or a header that cannot be sent      | PermanentFailure  | PermanentFailure                      |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import httpx

from tunnel_webhook.adapters.cloudflare.envelope import Fault
from tunnel_webhook.ports import Failure, PermanentFailure, TemporaryFailure

HTTPX_ERRORS = (httpx.HTTPError, httpx.InvalidURL, httpx.CookieConflict, httpx.StreamError)
"""Everything that httpx raises; these four have no ancestor in common."""

NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
"""Errors that prove that Cloudflare has not seen the request."""

_UNSENDABLE = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL, httpx.TooManyRedirects)
_DID_NOTHING = frozenset({429, 503})
_TIMEOUTS = frozenset({408, 425})
_DENIED = frozenset({401, 403})

NO_CONFIGURATION = 1055
RECORD_IS_GONE, QUOTA_EXCEEDED, IDENTICAL = 81044, 81045, 81058
CONFLICTS = frozenset(range(81053, 81059))
"""What Cloudflare says of records that stand in one another's way; 81055 and 81056 are not documented."""

_WRONG_ID = (
    "check CLOUDFLARE_ACCOUNT_ID, CLOUDFLARE_TUNNEL_ID and CLOUDFLARE_ZONE_IDS: one of them is no id of Cloudflare's"
)
_NOT_ALLOWED = (
    "the credentials are valid and not allowed to do this: an API token needs Account/Cloudflare Tunnel/Edit, Zone/Zone/Read and"
    " Zone/DNS/Edit on the account of CLOUDFLARE_ACCOUNT_ID and on its zones"
)
CURES: Mapping[int, str] = MappingProxyType(
    {
        0: "the API token may not list zones: give it Zone/Zone/Read, or name the zones in CLOUDFLARE_ZONE_IDS",
        1000: "the API token is not valid: check CLOUDFLARE_API_TOKEN, and that the token is neither expired nor disabled",
        1001: "an account-owned token cannot do this, or an id is wrong: set CLOUDFLARE_ACCOUNT_ID, check CLOUDFLARE_ZONE_IDS",
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
"""What an operator can do about the codes that concern a whole request, whatever is in it."""

_ABOUT_THE_BODY = frozenset({400, 409, 413, 422})
_ABOUT_RECORDS = CONFLICTS | {RECORD_IS_GONE, QUOTA_EXCEEDED}


class Unsettled(TemporaryFailure):
    """A write may have taken effect or not; what is stored tells."""


class Refused(PermanentFailure):
    """Cloudflare understood the request and said no."""

    def __init__(self, message: str, fault: Fault) -> None:
        """Keep the fault; `message` is the sentence for the operator."""
        super().__init__(message)
        self.status = fault.status
        self.code = fault.code
        self.sentence = fault.sentence

    @property
    def concerns_records(self) -> bool:
        """Whether one record in a batch may be the reason, so that the others could be written without it."""
        if self.code in CURES:
            return False
        return self.code in _ABOUT_RECORDS or self.status in _ABOUT_THE_BODY


@dataclass(frozen=True, slots=True)
class Task:
    """What was being done, for the sentence and for the metrics: `operation` is one of few, `subject` says with what."""

    operation: str
    subject: str = ""
    writes: bool = False

    def __str__(self) -> str:
        """Return what could not be done."""
        return f"cannot {self.operation} ({self.subject})" if self.subject else f"cannot {self.operation}"


def failure_of(task: Task, fault: Fault) -> Failure:
    """Return what a fault amounts to, as the table above says."""
    status, success = fault.status, range(200, 300)
    garbage = status in success and fault.code is None
    if status in _DID_NOTHING or status in _TIMEOUTS or status >= 500 or garbage:  # noqa: PLR2004 -- the border is HTTP's own
        after = f", to be asked again in {fault.retry_after:.0f} s" if fault.retry_after else ""
        sentence = f"{task}: Cloudflare answered {status}, {fault.sentence}{after}"
        kind = Unsettled if task.writes and status not in _DID_NOTHING else TemporaryFailure
        return kind(sentence)
    cure = CURES.get(fault.code, "") if fault.code is not None else ""
    if not cure and status in _DENIED:
        cure = _NOT_ALLOWED
    elif not cure and status < 400:  # noqa: PLR2004 -- the border is HTTP's own
        cure = "" if status in success else "check CLOUDFLARE_API_URL, which leads elsewhere"
    return Refused(f"{task}: {cure or 'Cloudflare refuses it'} (Cloudflare: {status}, {fault.sentence})", fault)


def failure_from(task: Task, error: Exception) -> Failure:
    """Return what an exception of httpx amounts to; its own words stay in the chained cause, since they may quote anything."""
    if isinstance(error, _UNSENDABLE):
        message = (
            f"{task}: the request cannot be sent ({type(error).__name__}): check CLOUDFLARE_API_URL and the credentials"
        )
        return PermanentFailure(message)
    kind = Unsettled if task.writes and not isinstance(error, NEVER_SENT) else TemporaryFailure
    return kind(f"{task}: no answer from Cloudflare ({type(error).__name__})")
