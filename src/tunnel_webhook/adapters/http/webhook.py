"""The webhook app: the four routes that external-dns calls, and one for its operator.

| route                   | answer                                    |
|-------------------------|-------------------------------------------|
| `GET /`                 | 200 and the domain filter, at once        |
| `GET /records`          | 200 and every endpoint                    |
| `POST /adjustendpoints` | 200 and the endpoints in canonical form   |
| `POST /records`         | 204 once all changes are applied          |
| `GET /changes`          | 200 and the last change set               |

All other answers are in `problems`. What `admission` refuses is answered before its path is looked up and its body is
read, so no two paths differ in that answer or in the time it takes. No other request is refused for its form: a query,
a trailing slash, a missing Accept, another spelling of the media type. external-dns compares the media type of the
answer to `GET /` byte by byte.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from litestar import Litestar, Request, Response, get, post
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from opentelemetry import metrics

from tunnel_webhook.adapters.http.admission import Admission, NotAdmitted
from tunnel_webhook.adapters.http.answer_log import AnswerLog
from tunnel_webhook.adapters.http.last_changes import Keeper
from tunnel_webhook.adapters.http.media_type import MediaType
from tunnel_webhook.adapters.http.problems import MAX_BODY, Problems, WrongMediaType
from tunnel_webhook.adapters.http.wire import (
    decode_changes,
    decode_endpoints,
    encode_endpoints,
    encode_filter,
    encode_records,
)
from tunnel_webhook.ports import WebhookAPI

_ESSENCE, _VERSION = "application/external.dns.webhook+json", "1"
MEDIA_TYPE = f"{_ESSENCE};version={_VERSION}"
_LOOPBACK_ONLY = Admission()
_CLIENT_LEFT = 499
_FIRST_ERROR = 400
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0)

_meter = metrics.get_meter("tunnel_webhook")
_requests = _meter.create_counter(
    "tunnel_webhook_requests", description="Requests by external-dns, by route and status"
)
_durations = _meter.create_histogram(
    "tunnel_webhook_request_duration_seconds",
    description="Duration of requests by external-dns, by route and status",
    explicit_bucket_boundaries_advisory=_BUCKETS,
)


def create_webhook_app(
    api: WebhookAPI, admission: Admission = _LOOPBACK_ONLY, *, clock: Callable[[], float] = time.perf_counter
) -> Litestar:
    """Return the ASGI app over an API; `clock` is monotonic, in seconds, for metrics and log."""

    @get("/")
    async def negotiate() -> Response[bytes]:
        return _ok(encode_filter(api.domain_filter()))

    @get("/records")
    async def records() -> Response[bytes]:
        return _ok(encode_records(await api.records()))

    @post("/adjustendpoints", status_code=200)
    async def adjust_endpoints(request: Request[Any, Any, Any]) -> Response[bytes]:
        endpoints = decode_endpoints(await _body(request))
        return _ok(encode_endpoints(await api.adjust_endpoints(endpoints)))

    keeper = Keeper(clock)

    @post("/records", status_code=204)
    async def apply_changes(request: Request[Any, Any, Any]) -> None:
        body = await _body(request)
        changes = decode_changes(body)
        keeper.keep(body)
        await api.apply_changes(changes)

    @get("/changes")
    async def last_changes() -> Response[bytes]:
        return Response(keeper.answer(), media_type="application/json", headers={"cache-control": "no-store"})

    answers = AnswerLog(clock)
    problems = Problems(answers)
    app = Litestar(
        [negotiate, records, adjust_endpoints, apply_changes, last_changes],
        exception_handlers={Exception: problems.answer},
        request_max_body_size=MAX_BODY,
        openapi_config=None,
        logging_config=None,
        debug=False,
        pdb_on_exception=False,
    )
    # Litestar's own middleware does not see the requests that its router refuses with 404 or 405.
    app.asgi_handler = _measured(_guarded(app.asgi_handler, admission, problems), answers, clock)
    return app


def _ok(body: bytes) -> Response[bytes]:
    return Response(body, media_type=MEDIA_TYPE)


async def _body(request: Request[Any, Any, Any]) -> bytes:
    declared = request.headers.getall("content-type", [])
    media_type = MediaType.parse(declared[0]) if len(declared) == 1 else None
    if media_type is None or (media_type.essence, media_type.parameters.get("version")) != (_ESSENCE, _VERSION):
        message = f"the Content-Type is {', '.join(declared) or 'missing'}; external-dns sends {MEDIA_TYPE}"
        raise WrongMediaType(message)
    return await request.body()


def _guarded(app: ASGIApp, admission: Admission, problems: Problems) -> ASGIApp:
    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        answer = app
        try:
            admission.check(scope["path"], scope["headers"])
        except NotAdmitted as error:
            request: Request[Any, Any, Any] = Request(scope, receive, send)
            refusal = problems.answer(request, error)
            answer = refusal.to_asgi_response(None, request)  # pyright: ignore[reportUnknownMemberType] -- Litestar's Request is generic
        await answer(scope, receive, send)

    return guard


def _measured(app: ASGIApp, answers: AnswerLog, clock: Callable[[], float]) -> ASGIApp:
    async def measure(scope: Scope, receive: Receive, send: Send) -> None:
        start, status = clock(), _CLIENT_LEFT

        async def observe(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await app(scope, receive, observe)
        finally:
            attributes: dict[str, str | int] = {"route": _route(scope), "status": status}
            _requests.add(1, attributes)
            _durations.record(clock() - start, attributes)
            if status < _FIRST_ERROR:
                answers.succeeded(_route(scope))

    return measure


def _route(scope: Scope) -> str:
    """Return the route of a request, `unknown` for an unknown path: a client must not be able to create time series."""
    if scope["type"] == ScopeType.HTTP and "path_template" in scope:
        return f"{scope['method']} {scope['path_template']}"
    return "unknown"
