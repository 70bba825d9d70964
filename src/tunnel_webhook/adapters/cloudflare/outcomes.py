"""What an outcome of a call to Cloudflare means: the one table behind retries and failures. Nothing here performs I/O.

| outcome                                           | meaning    | read             | write            |
|---------------------------------------------------|------------|------------------|------------------|
| 429, 503                                          | NOT_DONE   | again, NotDone   | again, NotDone   |
| no connection                                     | NOT_DONE   | again, NotDone   | again, NotDone   |
| 408, 425, 500, 502, 504, 520 to 527, 530          | UNKNOWN    | again, Temporary | Unsettled        |
| timeout, reset, body that breaks off              | UNKNOWN    | again, Temporary | Unsettled        |
| any other 5xx                                     | UNREADABLE | Temporary        | Unsettled        |
| 2xx with a body that is not the API's             | UNREADABLE | Temporary        | Unsettled        |
| any other exception of httpx                      | UNREADABLE | Temporary        | Unsettled        |
| 4xx but 400, 409, 413, 422 without the API's body | UNREADABLE | Temporary        | Unsettled        |
| any other status                                  | REFUSED    | Refused          | Refused          |
| 2xx with `success: false` and a code              | REFUSED    | Refused          | Refused          |
| URL, header or redirects that httpx does not send | UNSENDABLE | Permanent        | Permanent        |
| any other 2xx                                     | ANSWERED   |                  |                  |

A 4xx without the API's body is of a proxy, a firewall or an edge, and says nothing of what was asked; 400, 409, 413 and
422 may concern what was sent all the same.

`retry` sends a call again while there is time, and `failures` turns the last outcome into a failure of the ports:
Unsettled is a TemporaryFailure after which a write may have been carried out, NotDone one after which it was not,
Refused a PermanentFailure that gives Cloudflare's reason.
"""

from __future__ import annotations

from enum import Enum, auto

import httpx

from tunnel_webhook.adapters.cloudflare.envelope import Fault

HTTPX_ERRORS = (httpx.HTTPError, httpx.InvalidURL, httpx.CookieConflict, httpx.StreamError)
"""Everything that httpx raises; these four have no ancestor in common."""

_NOT_DONE = frozenset({429, 503})
_UNKNOWN = frozenset({408, 425, 500, 502, 504, *range(520, 528), 530})
_SUCCESS = range(200, 300)
_SERVER_ERRORS = 500
_NOT_OF_CLOUDFLARE = frozenset(range(400, 500)) - {400, 409, 413, 422}

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_UNSENDABLE = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL, httpx.TooManyRedirects)
_INTERRUPTED = (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError, httpx.DecodingError)


class Meaning(Enum):
    """What an outcome says about the call."""

    ANSWERED = auto()
    """Cloudflare carried it out, and the body holds the result."""

    NOT_DONE = auto()
    """Cloudflare did not carry it out; another attempt may succeed."""

    UNKNOWN = auto()
    """Cloudflare may have carried it out; another attempt may be answered."""

    UNREADABLE = auto()
    """Cloudflare may have carried it out; another attempt within seconds is likely to end the same way."""

    REFUSED = auto()
    """Cloudflare understood the request and did not carry it out."""

    UNSENDABLE = auto()
    """The request cannot be sent as it is."""

    @property
    def is_temporary(self) -> bool:
        """Whether a later call may succeed."""
        return self in {Meaning.NOT_DONE, Meaning.UNKNOWN, Meaning.UNREADABLE}

    @property
    def leaves_writes_unsettled(self) -> bool:
        """Whether a write may have been carried out or not."""
        return self in {Meaning.UNKNOWN, Meaning.UNREADABLE}

    def allows_repeat(self, *, writes: bool) -> bool:
        """Whether another attempt is worth making, and does no harm: an unsettled write is never repeated blindly."""
        return self is Meaning.NOT_DONE or (self is Meaning.UNKNOWN and not writes)


def meaning_of_status(status: int) -> Meaning:
    """Return what a status means before the body is read."""
    if status in _NOT_DONE:
        return Meaning.NOT_DONE
    if status in _UNKNOWN:
        return Meaning.UNKNOWN
    if status >= _SERVER_ERRORS:
        return Meaning.UNREADABLE
    return Meaning.ANSWERED if status in _SUCCESS else Meaning.REFUSED


def meaning_of_fault(fault: Fault) -> Meaning:
    """Return what a response means that is not an answer."""
    meaning = meaning_of_status(fault.status)
    if meaning is Meaning.REFUSED and fault.is_foreign and fault.status in _NOT_OF_CLOUDFLARE:
        return Meaning.UNREADABLE
    if meaning is Meaning.ANSWERED:
        return Meaning.UNREADABLE if fault.code is None else Meaning.REFUSED
    return meaning


def meaning_of_error(error: Exception) -> Meaning:
    """Return what an exception of httpx means."""
    if isinstance(error, _NEVER_SENT):
        return Meaning.NOT_DONE
    if isinstance(error, _UNSENDABLE):
        return Meaning.UNSENDABLE
    return Meaning.UNKNOWN if isinstance(error, _INTERRUPTED) else Meaning.UNREADABLE
