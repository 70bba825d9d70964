"""Exceptions and the answers to them, as problem details (RFC 9457): the one table, for both apps.

| raised                                            | status | because                                                     |
|---------------------------------------------------|--------|-------------------------------------------------------------|
| MalformedBody                                     | 400    | external-dns never sends it                                 |
| Litestar: no such route                           | 404    | external-dns never asks for it                              |
| Litestar: no such method                          | 405    | nor so; `Allow` tells which there are                       |
| Litestar: the body is over the limit              | 413    | 32 MiB hold more endpoints than zones hold records          |
| WrongMediaType                                    | 415    | external-dns always says what it sends; a browser cannot    |
| Litestar: anything else                           | its own| such as 400 for a Host header that is none                  |
| ChangesNotApplied                                 | 500    | an operator must act; the next sync asks again              |
| PermanentFailure                                  | 500    | as above                                                    |
| TemporaryFailure                                  | 503    | the next sync may succeed                                   |
| anything else                                     | 500    | a bug: the log has the traceback, the body says nothing     |

external-dns takes any 4xx, and any 3xx that it cannot follow, as fatal and ends its process, whereas it survives 500 to 510
and asks again with the next sync (contract, 1.3). It shows nothing of a body, so that the log says the same sentence.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException

from tunnel_webhook.adapters.http.wire import MalformedBody
from tunnel_webhook.ports import ChangesNotApplied, PermanentFailure, TemporaryFailure

MEDIA_TYPE = "application/problem+json"
_LONGEST = 400
"""In bytes. JSON may double them, and with the rest the body stays under 1 KiB."""

log = logging.getLogger(__name__)


class WrongMediaType(Exception):
    """A body is declared as something that external-dns does not send."""


_STATUS: dict[type[Exception], HTTPStatus] = {
    MalformedBody: HTTPStatus.BAD_REQUEST,
    WrongMediaType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    ChangesNotApplied: HTTPStatus.INTERNAL_SERVER_ERROR,
    PermanentFailure: HTTPStatus.INTERNAL_SERVER_ERROR,
    TemporaryFailure: HTTPStatus.SERVICE_UNAVAILABLE,
}
