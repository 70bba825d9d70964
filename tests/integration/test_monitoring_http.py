"""The monitoring app: health, readiness and metrics."""

import httpx
import pytest

from doubles.http_client import connect
from tunnel_webhook.adapters.http.monitoring import create_monitoring_app
from tunnel_webhook.ports import Readiness

pytestmark = pytest.mark.anyio

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
READY = Readiness(ready=True, sentence="the backend answered", seconds_since_contact=1.5)
NOT_READY = Readiness(ready=False, sentence="the token may not read zones", seconds_since_contact=70.0)
NO_CONTACT = Readiness(ready=True, sentence="the backend has not been asked yet")


def monitoring(readiness: Readiness = READY) -> httpx.AsyncClient:
    return connect(create_monitoring_app(lambda: readiness, lambda: (b"up 1\n", PROMETHEUS)))


@pytest.mark.parametrize("readiness", [READY, NOT_READY, NO_CONTACT], ids=["ready", "not ready", "no contact"])
async def test_the_process_is_alive_whether_it_is_ready_or_not(readiness: Readiness) -> None:
    async with monitoring(readiness) as client:
        answer = await client.get("/healthz")

    assert answer.status_code == 200
    assert answer.json() == {"alive": True}


@pytest.mark.parametrize(
    ("readiness", "status", "seconds"),
    [
        pytest.param(READY, 200, 1.5, id="ready"),
        pytest.param(NOT_READY, 503, 70.0, id="not ready"),
        pytest.param(NO_CONTACT, 200, None, id="no contact"),
    ],
)
async def test_readiness_reports_the_last_contact(readiness: Readiness, status: int, seconds: float | None) -> None:
    async with monitoring(readiness) as client:
        answer = await client.get("/readyz")

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"ready": readiness.ready, "sentence": readiness.sentence, "seconds_since_contact": seconds}


async def test_readiness_is_determined_for_each_request() -> None:
    states = iter([NOT_READY, READY])
    async with connect(create_monitoring_app(lambda: next(states), lambda: (b"", PROMETHEUS))) as client:
        answers = [await client.get("/readyz") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [503, 200]
    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}


async def test_metrics_have_their_exact_media_type() -> None:
    async with monitoring() as client:
        answer = await client.get("/metrics")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == PROMETHEUS
    assert answer.content == b"up 1\n"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_a_probe_may_use_head_a_trailing_slash_and_a_query(path: str) -> None:
    async with monitoring() as client:
        head = await client.head(path)
        get = await client.get(path + "/?verbose")

    assert head.status_code == 200
    assert head.content == b""
    assert get.status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/records", 404),
        ("GET", "/schema", 404),
        ("POST", "/healthz", 405),
        ("DELETE", "/metrics", 405),
    ],
)
async def test_other_requests_are_answered_with_problems(method: str, path: str, status: int) -> None:
    async with monitoring() as client:
        answer = await client.request(method, path)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert path in answer.json()["detail"]
