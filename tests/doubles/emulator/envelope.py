"""A request, a response, and the envelope of every answer of the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from doubles.emulator.problems import INVALID_BODY, INVALID_PAGE, MALFORMED_BODY, NOT_JSON, Problem, Refused

JSON_TYPE = "application/json"

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; header names in lower case, the path decoded and without the query."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def asked(self, name: str, default: str = "") -> str:
        """Return the last value of a query parameter."""
        return dict(self.query).get(name, default)


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response; with `cut`, the connection ends after that many bytes of the body."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": JSON_TYPE})
    cut: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a listing and its `result_info`."""

    items: Sequence[Any]
    info: Mapping[str, int]


def succeed(result: Any) -> Response:
    """Return an answer with a result."""
    return _answer(200, {"success": True, "errors": [], "messages": [], "result": result})


def listing(page: Page, result: Sequence[Any]) -> Response:
    """Return an answer with a page of results."""
    return _answer(200, {"success": True, "errors": [], "messages": [], "result": result, "result_info": page.info})


def refuse(problem: Problem) -> Response:
    """Return an answer with a problem."""
    first: dict[str, Any] = {"code": problem.code, "message": problem.message}
    if problem.chain:
        first["error_chain"] = [{"code": code, "message": message} for code, message in problem.chain]
    errors = [first, *({"code": code, "message": message} for code, message in problem.more)]
    rest: dict[str, Any] = {} if problem.terse else {"messages": [], "result": None}
    return _answer(problem.status, {"success": False, "errors": errors, **rest})


def _answer(status: int, body: Mapping[str, Any]) -> Response:
    return Response(status, msgspec.json.encode(body))


def paged(request: Request, items: Sequence[Any], sizes: tuple[int, int, int], *, total_pages: bool) -> Page:
    """Return the page that a request asks for; `sizes` are the default, smallest and largest page size."""
    default, least, most = sizes
    size = _number(request, "per_page", default, least, most)
    page = _number(request, "page", 1, 1, 2**31)
    part = items[(page - 1) * size : page * size]
    info = {"page": page, "per_page": size, "count": len(part), "total_count": len(items)}
    return Page(part, {**info, "total_pages": -(-len(items) // size)} if total_pages else info)


def _number(request: Request, name: str, default: int, least: int, most: int) -> int:
    text = request.asked(name, str(default))
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise Refused(INVALID_PAGE.about(name, least, most))
    return int(text)


def body_as(request: Request, kind: type[Item]) -> Item:
    """Return the JSON body of a request as a value of a kind; unknown members are ignored."""
    if not request.headers.get("content-type", "").startswith(JSON_TYPE):
        raise Refused(NOT_JSON)
    try:
        return msgspec.json.decode(request.body, type=kind)
    except msgspec.ValidationError as error:
        raise Refused(INVALID_BODY) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused(MALFORMED_BODY) from error
