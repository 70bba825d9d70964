"""What the cluster looks at: is the process alive, does it reach what it works on, what has it done.

| route          | answer                                                                                                    |
|----------------|-----------------------------------------------------------------------------------------------------------|
| `GET /healthz` | 200 while the event loop turns, whatever Cloudflare does: a restart would mend nothing there              |
| `GET /readyz`  | 200, or 503 where the last contact failed; it tells of that contact and makes none                        |
| `GET /metrics` | 200 and every metric, in Prometheus' text format                                                          |

HEAD gives the same without a body, for simple checks. Every other answer is in `problems`.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

import msgspec
from litestar import Litestar, Response, route

from tunnel_webhook.adapters.http.problems import answer_problem
from tunnel_webhook.ports import Readiness

_JSON = "application/json"


def create_monitoring_app(readiness: Callable[[], Readiness], metrics: Callable[[], tuple[bytes, str]]) -> Litestar:
    """Return the ASGI app for the cluster; neither callable may block. `metrics` gives a text and its media type."""

    @route("/healthz", http_method=["GET", "HEAD"])
    async def healthz() -> Response[bytes]:
        return _answer(b'{"alive":true}', _JSON)

    @route("/readyz", http_method=["GET", "HEAD"])
    async def readyz() -> Response[bytes]:
        state = readiness()
        return _answer(
            msgspec.json.encode(state), _JSON, HTTPStatus.OK if state.ready else HTTPStatus.SERVICE_UNAVAILABLE
        )

    @route("/metrics", http_method=["GET", "HEAD"])
    async def expose_metrics() -> Response[bytes]:
        return _answer(*metrics())

    return Litestar(
        [healthz, readyz, expose_metrics],
        exception_handlers={Exception: answer_problem},
        openapi_config=None,
        logging_config=None,
        debug=False,
        pdb_on_exception=False,
    )


def _answer(body: bytes, media_type: str, status: HTTPStatus = HTTPStatus.OK) -> Response[bytes]:
    # As a header, since Litestar would add a second charset to a media type that is text. A probe must see the state of now.
    return Response(body, status_code=status, headers={"content-type": media_type, "cache-control": "no-store"})
