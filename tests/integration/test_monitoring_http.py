"""The exposed app: what the cluster sees."""

import httpx
import pytest

from doubles.http_client import connect
from tunnel_webhook.adapters.http.monitoring import create_monitoring_app
from tunnel_webhook.ports import Readiness

pytestmark = pytest.mark.anyio

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
READY = Readiness(ready=True, sentence="the backend answered", seconds_since_contact=1.5)
NOT_READY = Readiness(ready=False, sentence="the token may not read zones", seconds_since_contact=70.0)
NEVER_ASKED = Readiness(ready=True, sentence="nothing was asked yet")


def exposed(readiness: Readiness = READY) -> httpx.AsyncClient:
    return connect(create_monitoring_app(lambda: readiness, lambda: (b"up 1\n", PROMETHEUS)))


@pytest.mark.parametrize("readiness", [READY, NOT_READY, NEVER_ASKED], ids=["ready", "not ready", "never asked"])
async def test_the_process_is_alive_whatever_its_backend_does(readiness: Readiness) -> None:
    async with exposed(readiness) as client:
        answer = await client.get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"alive": True})


@pytest.mark.parametrize(
    ("readiness", "status", "seconds"),
    [
        pytest.param(READY, 200, 1.5, id="ready"),
        pytest.param(NOT_READY, 503, 70.0, id="not ready"),
        pytest.param(NEVER_ASKED, 200, None, id="never asked"),
    ],
)
async def test_readiness_tells_how_the_last_contact_went(
    readiness: Readiness, status: int, seconds: float | None
) -> None:
    async with exposed(readiness) as client:
        answer = await client.get("/readyz")

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json")
    assert answer.json() == {"ready": readiness.ready, "sentence": readiness.sentence, "seconds_since_contact": seconds}


async def test_readiness_is_looked_up_anew_each_time() -> None:
    states = iter([NOT_READY, READY])
    async with connect(create_monitoring_app(lambda: next(states), lambda: (b"", PROMETHEUS))) as client:
        answers = [await client.get("/readyz") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [503, 200]
    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}


async def test_metrics_keep_their_media_type_to_the_letter() -> None:
    async with exposed() as client:
        answer = await client.get("/metrics")

    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, PROMETHEUS, b"up 1\n")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_a_check_may_leave_out_the_body_and_dress_the_path(path: str) -> None:
    async with exposed() as client:
        head, dressed = await client.head(path), await client.get(path + "/?verbose")

    assert (head.status_code, head.content) == (200, b"")
    assert dressed.status_code == 200


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
async def test_every_other_answer_is_by_the_table_of_problems(method: str, path: str, status: int) -> None:
    async with exposed() as client:
        answer = await client.request(method, path)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert path in answer.json()["detail"]
