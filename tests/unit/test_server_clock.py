"""Cloudflare's clock: what its answers say, and what has passed since."""

import httpx
import pytest

from tunnel_webhook.adapters.cloudflare.server_clock import ServerClock

EPOCH_OF_DATE = 784111777.0
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"


def test_before_the_first_answer_it_is_our_own_time() -> None:
    assert ServerClock(lambda: 5.0, lambda: 1000.0).now() == 1000.0


def test_it_goes_on_from_the_last_answer() -> None:
    monotonic = [5.0]
    clock = ServerClock(lambda: monotonic[0], lambda: 1000.0)
    clock.heed(httpx.Headers({"Date": DATE}))
    assert clock.now() == EPOCH_OF_DATE
    monotonic[0] = 65.5
    assert clock.now() == EPOCH_OF_DATE + 60.5


def test_a_later_answer_corrects_it() -> None:
    clock = ServerClock(lambda: 5.0, lambda: 1000.0)
    clock.heed(httpx.Headers({"Date": "Sun, 06 Nov 1994 08:49:00 GMT"}))
    clock.heed(httpx.Headers({"date": DATE}))
    assert clock.now() == EPOCH_OF_DATE


@pytest.mark.parametrize(
    "headers", [{}, {"date": ""}, {"date": "yesterday"}, {"date": "Sun, 99 Nov 1994 08:49:37 GMT"}, {"date": "\x00"}]
)
def test_an_answer_without_a_time_changes_nothing(headers: dict[str, str]) -> None:
    clock = ServerClock(lambda: 5.0, lambda: 1000.0)
    clock.heed(headers)
    assert clock.now() == 1000.0
    clock.heed({"date": DATE})
    clock.heed(headers)
    assert clock.now() == EPOCH_OF_DATE
