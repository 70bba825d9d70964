"""The answer to each exception, as problem details (RFC 9457): one table for both apps.

| raised                           | status  | reason                                                                  |
|----------------------------------|---------|-------------------------------------------------------------------------|
| AmbiguousRequest                 | 400     | external-dns never sends one                                            |
| WrongPassword                    | 401     | external-dns was not given the password, or another one                 |
| ForbiddenRequest                 | 403     | a page in a browser may have sent it                                    |
| MalformedBody                    | 400     | external-dns never sends one                                            |
| Litestar: no such path           | 404     | external-dns never requests one                                         |
| Litestar: no such method         | 405     | external-dns never uses one; `Allow` lists the supported methods        |
| Litestar: a body over the limit  | 413     | external-dns reads no answer over 32 MiB either                         |
| WrongMediaType                   | 415     | external-dns always declares its own type                               |
| Litestar: the client has left    | 500     | the answer is not read                                                  |
| Litestar: any other 4xx          | its own | for example 400 for an invalid Content-Length                           |
| ChangesNotApplied                | 500     | an operator must act; external-dns continues with everything else       |
| PermanentFailure                 | 500     | an operator must act                                                    |
| TemporaryFailure                 | 503     | the next sync may succeed                                               |
| anything else                    | 500     | a bug: the log has the traceback, the body reveals nothing              |

A 4xx ends external-dns' process; after 500 or 503 it retries with the next sync (contract, 1.3). It discards the bodies
of these answers, so the sentence is logged as well. A body is shorter than 1 KiB.
"""

from __future__ import annotations

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

from tunnel_webhook.adapters.http.admission import AmbiguousRequest, ForbiddenRequest, WrongPassword
from tunnel_webhook.adapters.http.answer_log import AnswerLog
from tunnel_webhook.adapters.http.wire import MalformedBody
from tunnel_webhook.ports import ChangesNotApplied, PermanentFailure, TemporaryFailure

MAX_BODY = 32 * 1024 * 1024
"""The largest body of a request, in bytes."""

_PROBLEM = "application/problem+json"
_MAX_SENTENCE = 400  # in bytes, which JSON may double
_UNEXPECTED = "an unexpected error occurred; the log of this webhook has the details"


class WrongMediaType(Exception):
    """The Content-Type is not the one that external-dns sends."""


_ANSWERS: Mapping[type, tuple[HTTPStatus, str]] = {
    AmbiguousRequest: (HTTPStatus.BAD_REQUEST, "{error}"),
    WrongPassword: (HTTPStatus.UNAUTHORIZED, "{error}"),
    ForbiddenRequest: (HTTPStatus.FORBIDDEN, "{error}"),
    MalformedBody: (HTTPStatus.BAD_REQUEST, "{error}"),
    NotFoundException: (HTTPStatus.NOT_FOUND, "{path} does not exist"),
    MethodNotAllowedException: (HTTPStatus.METHOD_NOT_ALLOWED, "{path} does not support {method}"),
    RequestEntityTooLarge: (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body is larger than {MAX_BODY} bytes"),
    WrongMediaType: (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "{error}"),
    InternalServerException: (HTTPStatus.INTERNAL_SERVER_ERROR, "the client disconnected before its body was complete"),
    ChangesNotApplied: (HTTPStatus.INTERNAL_SERVER_ERROR, "{error}"),
    PermanentFailure: (HTTPStatus.INTERNAL_SERVER_ERROR, "{error}"),
    TemporaryFailure: (HTTPStatus.SERVICE_UNAVAILABLE, "{error}"),
}


class _Problem(msgspec.Struct):
    title: str
    status: int
    detail: str


class Problems:
    """Answers the exceptions of one app, and logs their sentences."""

    def __init__(self, answers: AnswerLog) -> None:
        """Take the log."""
        self._answers = answers

    def answer(self, request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
        """Return the answer to an exception."""
        method, path = _one_line(request.method), _one_line(request.scope["path"])
        answer = next((_ANSWERS[kind] for kind in type(error).__mro__ if kind in _ANSWERS), None)
        if answer:
            status, sentence = answer[0], _one_line(answer[1].format(error=error, path=path, method=method))
        elif isinstance(error, HTTPException) and error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
            status, sentence = HTTPStatus(error.status_code), _one_line(error.detail)
        else:
            status, sentence = HTTPStatus.INTERNAL_SERVER_ERROR, _UNEXPECTED
        self._answers.add(f"{method} {path}", status, sentence, error if sentence is _UNEXPECTED else None)
        return Response(
            msgspec.json.encode(_Problem(title=status.phrase, status=status, detail=sentence)),
            status_code=status,
            media_type=_PROBLEM,
            headers=error.headers if isinstance(error, HTTPException | WrongPassword) else None,
        )


def _one_line(text: str) -> str:
    """Return a text without control characters, on one line, cut to the maximum length."""
    printable = "".join(character if character.isprintable() else " " for character in text[: 2 * _MAX_SENTENCE])
    line = " ".join(printable.split()).encode()
    return line.decode() if len(line) <= _MAX_SENTENCE else line[:_MAX_SENTENCE].decode(errors="ignore") + "…"
