"""How fast Cloudflare may be asked."""

from tunnel_webhook.adapters.cloudflare.throttle import LONGEST_BLOCK, Throttle

FOREVER = float("inf")


def test_a_burst_goes_at_once_and_then_the_rate_holds() -> None:
    throttle = Throttle(burst=3, rate=2)
    assert [throttle.delay(100.0, FOREVER) for _ in range(6)] == [0, 0, 0, 0.5, 1.0, 1.5]


def test_time_refills_the_bucket_up_to_its_size() -> None:
    throttle = Throttle(burst=2, rate=1)
    assert [throttle.delay(0.0, FOREVER) for _ in range(2)] == [0, 0]
    assert [throttle.delay(1.0, FOREVER) for _ in range(2)] == [0, 1]
    assert [throttle.delay(1000.0, FOREVER) for _ in range(3)] == [0, 0, 1]


def test_a_turn_that_comes_too_late_is_not_taken() -> None:
    throttle = Throttle(burst=1, rate=1)
    throttle.delay(0.0, FOREVER)
    assert throttle.delay(0.0, 1.0) == 1.0
    assert throttle.delay(0.0, 1.1) == 1.0
    assert throttle.delay(0.0, FOREVER) == 2.0


def test_the_defaults_stay_below_1200_requests_in_any_5_minutes() -> None:
    throttle = Throttle()
    starts = [throttle.delay(0.0, FOREVER) for _ in range(3000)]
    assert max(sum(start <= at < start + 300 for at in starts) for start in starts[::50]) < 1200


def test_a_block_is_remembered_until_its_end() -> None:
    throttle = Throttle()
    throttle.block(100.0, 137.0)
    throttle.block(110.0, 1.0)
    assert [throttle.blocked(now) for now in (100.0, 236.0, 237.0)] == [137.0, 1.0, 0.0]


def test_no_block_is_believed_to_last_longer_than_cloudflares() -> None:
    throttle = Throttle()
    throttle.block(0.0, 10**9)
    assert throttle.blocked(0.0) == LONGEST_BLOCK
