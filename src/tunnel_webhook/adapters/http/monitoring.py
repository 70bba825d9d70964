"""The monitoring app: health, readiness and metrics, for the cluster.

| route          | answer                                                                                    |
|----------------|-------------------------------------------------------------------------------------------|
| `GET /healthz` | 200 while the event loop runs, even if Cloudflare is down: a restart would not help       |
| `GET /readyz`  | 200, or 503 if the last contact with the backend failed; no new contact is made           |
| `GET /metrics` | 200 and every metric, in Prometheus' text format                                          |

HEAD has the same answers without a body. All other answers are in `problems`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus

import msgspec
from litestar import Litestar, Response, route

from tunnel_webhook.adapters.http.answer_log import AnswerLog
from tunnel_webhook.adapters.http.problems import Problems
from tunnel_webhook.ports import Readiness

_JSON = "application/json"


def create_monitoring_app(readiness: Callable[[], Readiness], metrics: Callable[[], tuple[bytes, str]]) -> Litestar:
    """Return the ASGI app. Neither callable may block; `metrics` returns a text and its media type."""

    @route("/healthz", http_method=["GET", "HEAD"])
    async def healthz() -> Response[bytes]:
        return _answer(b'{"alive":true}', _JSON)

    @route("/readyz", http_method=["GET", "HEAD"])
    async def readyz() -> Response[bytes]:
        current = readiness()
        status = HTTPStatus.OK if current.ready else HTTPStatus.SERVICE_UNAVAILABLE
        return _answer(msgspec.json.encode(current), _JSON, status)

    @route("/metrics", http_method=["GET", "HEAD"])
    async def expose_metrics() -> Response[bytes]:
        return _answer(*metrics())

    return Litestar(
        [healthz, readyz, expose_metrics],
        exception_handlers={Exception: Problems(AnswerLog(time.monotonic)).answer},
        openapi_config=None,
        logging_config=None,
        debug=False,
        pdb_on_exception=False,
    )


def _answer(body: bytes, media_type: str, status: HTTPStatus = HTTPStatus.OK) -> Response[bytes]:
    # Litestar would add a second charset to a text media type, not to a header. A probe must not get a cached answer.
    return Response(body, status_code=status, headers={"content-type": media_type, "cache-control": "no-store"})
