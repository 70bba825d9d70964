"""Exceptions and their answers, as problem details (RFC 9457): the one table, for both apps.

| raised                           | status  | because                                                                      |
|----------------------------------|---------|------------------------------------------------------------------------------|
| MalformedBody                    | 400     | external-dns never sends it                                                  |
| Litestar: no such path           | 404     | external-dns never asks for it                                               |
| Litestar: no such method         | 405     | nor that way; `Allow` names the methods there are                            |
| Litestar: a body over the limit  | 413     | external-dns itself reads no answer of more than 32 MiB                      |
| WrongMediaType                   | 415     | external-dns always declares its own type, and a page in a browser cannot    |
| Litestar: the client has left    | 500     | nobody reads it                                                              |
| Litestar: any other 4xx          | its own | such as 400 for a Host header that is none                                   |
| ChangesNotApplied                | 500     | an operator must act, while external-dns goes on with all the rest           |
| PermanentFailure                 | 500     | as above                                                                     |
| TemporaryFailure                 | 503     | the next sync may succeed                                                    |
| anything else                    | 500     | a fault of ours: the log has the traceback, the body gives nothing away      |

A 4xx ends external-dns' process, 500 and 503 let it ask again with the next sync (contract, 1.3). It shows nobody the body
of an answer, so that the same sentence goes into the log. A body stays under 1 KiB.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import (
    HTTPException,
    InternalServerException,
    MethodNotAllowedException,
    NotFoundException,
)
from litestar.exceptions.http_exceptions import RequestEntityTooLarge

from tunnel_webhook.adapters.http.wire import MalformedBody
from tunnel_webhook.ports import ChangesNotApplied, PermanentFailure, TemporaryFailure

MAX_BODY = 32 * 1024 * 1024
"""The longest body of a request, in bytes."""

_PROBLEM = "application/problem+json"
_LONGEST_SENTENCE = 400  # in bytes, which JSON may double
_UNEXPECTED = "something unexpected happened: the log of this webhook tells what"

log = logging.getLogger(__name__)


class WrongMediaType(Exception):
    """A body is not declared as external-dns declares it."""


_ANSWERS: Mapping[type, tuple[HTTPStatus, str]] = {
    MalformedBody: (HTTPStatus.BAD_REQUEST, "{error}"),
    NotFoundException: (HTTPStatus.NOT_FOUND, "nothing is at {path}"),
    MethodNotAllowedException: (HTTPStatus.METHOD_NOT_ALLOWED, "{path} does not know {method}"),
    RequestEntityTooLarge: (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body is longer than {MAX_BODY} bytes"),
    WrongMediaType: (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "{error}"),
    InternalServerException: (HTTPStatus.INTERNAL_SERVER_ERROR, "the client left before its body was whole"),
    ChangesNotApplied: (HTTPStatus.INTERNAL_SERVER_ERROR, "{error}"),
    PermanentFailure: (HTTPStatus.INTERNAL_SERVER_ERROR, "{error}"),
    TemporaryFailure: (HTTPStatus.SERVICE_UNAVAILABLE, "{error}"),
}


class _Problem(msgspec.Struct):
    title: str
    status: int
    detail: str


def answer_problem(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Return the answer to an exception, by the table, and log the same."""
    method, path = _one_line(request.method), _one_line(request.scope["path"])
    answer = next((_ANSWERS[kind] for kind in type(error).__mro__ if kind in _ANSWERS), None)
    if answer:
        status, sentence = answer[0], _one_line(answer[1].format(error=error, path=path, method=method))
    elif isinstance(error, HTTPException) and error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
        status, sentence = HTTPStatus(error.status_code), _one_line(error.detail)
    else:
        status, sentence = HTTPStatus.INTERNAL_SERVER_ERROR, _UNEXPECTED
    level, traceback = (logging.ERROR, error) if sentence is _UNEXPECTED else (logging.WARNING, None)
    log.log(level, "%s %s is answered with %d: %s", method, path, status, sentence, exc_info=traceback)
    return Response(
        msgspec.json.encode(_Problem(title=status.phrase, status=status, detail=sentence)),
        status_code=status,
        media_type=_PROBLEM,
        headers=error.headers if isinstance(error, HTTPException) else None,
    )


def _one_line(text: str) -> str:
    """Return a text without control characters, cut where it gets long."""
    printable = "".join(character if character.isprintable() else " " for character in text[: 2 * _LONGEST_SENTENCE])
    line = " ".join(printable.split()).encode()
    return line.decode() if len(line) <= _LONGEST_SENTENCE else line[:_LONGEST_SENTENCE].decode(errors="ignore") + "…"
