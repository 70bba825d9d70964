"""The log of answers: failures when they begin, change and end, and only some of the refused requests."""

import logging
from http import HTTPStatus

import pytest

from tunnel_webhook.adapters.http.answer_log import AnswerLog

DOWN = (HTTPStatus.SERVICE_UNAVAILABLE, "Cloudflare is down; it asks to wait 12 s")
BUG = RuntimeError("a bug")


class Clock:
    """A time in seconds that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(caplog: pytest.LogCaptureFixture) -> Clock:
    caplog.set_level(logging.INFO)
    return Clock()


def test_an_outage_of_a_day_is_logged_when_it_begins_changes_and_ends(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    answers = AnswerLog(clock)
    for minute in range(24 * 60):
        clock.now = 60.0 * minute
        answers.add("GET /records", HTTPStatus.SERVICE_UNAVAILABLE, f"Cloudflare is down; wait {minute % 30} s")
    answers.add("GET /records", HTTPStatus.INTERNAL_SERVER_ERROR, "the token is not valid")
    answers.succeeded("GET /")
    answers.succeeded("GET /records")
    answers.succeeded("GET /records")
    assert caplog.messages == [
        "answered GET /records with 503: Cloudflare is down; wait 0 s",
        "answered GET /records with 500: the token is not valid",
        "GET /records succeeds again, after: answered GET /records with 500: the token is not valid",
    ]


def test_a_failure_that_comes_back_after_ten_quiet_minutes_begins_anew(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    answers = AnswerLog(clock)
    answers.add("POST /records", *DOWN)
    clock.now = 601.0
    answers.succeeded("GET /records")
    answers.add("POST /records", *DOWN)
    assert len(caplog.messages) == 2


def test_a_bug_is_logged_with_its_traceback_once(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    answers = AnswerLog(clock)
    for _ in range(3):
        answers.add("GET /records", HTTPStatus.INTERNAL_SERVER_ERROR, "an unexpected error", BUG)
    (event,) = caplog.records
    assert event.levelno == logging.ERROR
    assert event.exc_info


@pytest.mark.parametrize("number", [3, 5, 6, 10_000])
def test_of_the_requests_that_are_refused_five_a_minute_are_logged_and_the_others_counted(
    number: int, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    answers = AnswerLog(clock)
    for each in range(number):
        clock.now = 59.0 * each / number
        answers.add(f"GET /{each}", HTTPStatus.FORBIDDEN, "a page in a browser may have sent it")
    assert len(caplog.messages) == min(number, 5)
    clock.now = 60.0
    answers.add("GET /x", HTTPStatus.FORBIDDEN, "another")
    counted = [f"{number - 5} more requests were refused like these"] if number > 5 else []
    assert caplog.messages[min(number, 5) :] == [*counted, "answered GET /x with 403: another"]
