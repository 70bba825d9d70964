"""The webhook app: the four routes that external-dns calls.

| route                   | answer                                    |
|-------------------------|-------------------------------------------|
| `GET /`                 | 200 and the domain filter, at once        |
| `GET /records`          | 200 and every endpoint                    |
| `POST /adjustendpoints` | 200 and the endpoints in canonical form   |
| `POST /records`         | 204 once all changes are applied          |

All other answers are in `problems`. No request is refused for its form: a query, a trailing slash, a missing Accept,
spaces or capitals in a media type. external-dns compares the media type of the answer to `GET /` byte by byte.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from litestar import Litestar, Request, Response, get, post
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from opentelemetry import metrics

from tunnel_webhook.adapters.http.problems import MAX_BODY, WrongMediaType, answer_problem
from tunnel_webhook.adapters.http.wire import decode_changes, decode_endpoints, encode_endpoints, encode_filter
from tunnel_webhook.ports import WebhookAPI

MEDIA_TYPE = "application/external.dns.webhook+json;version=1"
_CLIENT_LEFT = 499
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


def create_webhook_app(api: WebhookAPI, *, clock: Callable[[], float] = time.perf_counter) -> Litestar:
    """Return the ASGI app over an API; `clock` returns seconds, for the durations in the metrics."""

    @get("/")
    async def negotiate() -> Response[bytes]:
        return _ok(encode_filter(api.domain_filter()))

    @get("/records")
    async def records() -> Response[bytes]:
        return _ok(encode_endpoints(await api.records()))

    @post("/adjustendpoints", status_code=200)
    async def adjust_endpoints(request: Request[Any, Any, Any]) -> Response[bytes]:
        endpoints = decode_endpoints(await _body(request))
        return _ok(encode_endpoints(await api.adjust_endpoints(endpoints)))

    @post("/records", status_code=204)
    async def apply_changes(request: Request[Any, Any, Any]) -> None:
        await api.apply_changes(decode_changes(await _body(request)))

    app = Litestar(
        [negotiate, records, adjust_endpoints, apply_changes],
        exception_handlers={Exception: answer_problem},
        request_max_body_size=MAX_BODY,
        openapi_config=None,
        logging_config=None,
        debug=False,
        pdb_on_exception=False,
    )
    # Litestar's own middleware does not see the requests that its router refuses with 404 or 405.
    app.asgi_handler = _measured(app.asgi_handler, clock)
    return app


def _ok(body: bytes) -> Response[bytes]:
    return Response(body, media_type=MEDIA_TYPE)


async def _body(request: Request[Any, Any, Any]) -> bytes:
    media_type = request.headers.get("content-type", "")
    if not _parts(MEDIA_TYPE) <= _parts(media_type):
        message = f"the Content-Type is {media_type or 'missing'}; external-dns sends {MEDIA_TYPE}"
        raise WrongMediaType(message)
    return await request.body()


def _parts(media_type: str) -> set[str]:
    """Return type and parameters of a media type, without the differences that do not count."""
    return set("".join(media_type.lower().split()).replace('"', "").split(";"))


def _measured(app: ASGIApp, clock: Callable[[], float]) -> ASGIApp:
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

    return measure


def _route(scope: Scope) -> str:
    """Return the route of a request, `unknown` for an unknown path: a client must not be able to create time series."""
    if scope["type"] == ScopeType.HTTP and "path_template" in scope:
        return f"{scope['method']} {scope['path_template']}"
    return "unknown"
