"""Rate limits for calls."""

from __future__ import annotations

import pytest

from k8srt.errors import Stopped, WaitTimeout
from k8srt.testing.clock import FakeClock
from k8srt.util.flowcontrol import NeverAccept, RateLimiter, TokenBucket, Unlimited
from k8srt.util.threads import Stop


def test_rest_21_a_bucket_starts_full_and_refills_at_its_rate() -> None:
    clock = FakeClock()
    bucket: RateLimiter = TokenBucket(qps=10.0, burst=3, clock=clock)

    assert [bucket.try_accept() for _ in range(4)] == [True, True, True, False]
    clock.advance(0.09)
    assert not bucket.try_accept()
    clock.advance(0.02)
    assert bucket.try_accept()
    clock.advance(100.0)
    assert [bucket.try_accept() for _ in range(4)] == [True, True, True, False]
    assert bucket.qps == 10.0


def test_rest_21_a_wait_lasts_until_the_token_comes(pool) -> None:
    clock = FakeClock()
    bucket = TokenBucket(qps=10.0, burst=1, clock=clock)
    assert bucket.wait() == 0.0

    waiting = pool.submit(bucket.wait, Stop())
    clock.wait_for_sleepers(1)
    assert not waiting.done()
    clock.advance(0.1001)

    assert waiting.result(timeout=5.0) == pytest.approx(0.1)


def test_rest_21_a_wait_fails_at_once_if_the_deadline_would_pass() -> None:
    clock = FakeClock()
    bucket = TokenBucket(qps=1.0, burst=1, clock=clock)
    bucket.wait()

    with pytest.raises(WaitTimeout):
        bucket.wait(deadline=clock.now() + 0.5)
    clock.advance(1.0)
    assert bucket.try_accept()


def test_rest_20_a_stop_ends_the_wait_and_gives_the_token_back(pool) -> None:
    clock, stop = FakeClock(), Stop()
    bucket = TokenBucket(qps=1.0, burst=1, clock=clock)
    bucket.wait(stop)

    waiting = pool.submit(bucket.wait, stop)
    clock.wait_for_sleepers(1)
    stop.set()

    with pytest.raises(Stopped):
        waiting.result(timeout=5.0)
    with pytest.raises(Stopped):
        bucket.wait(stop)
    assert bucket.reserve() == pytest.approx(1.0)


def test_reservations_run_up_debts() -> None:
    bucket = TokenBucket(qps=10.0, burst=2, clock=FakeClock())

    assert [round(bucket.reserve(), 6) for _ in range(5)] == [0.0, 0.0, 0.1, 0.2, 0.3]


@pytest.mark.parametrize(("qps", "burst"), [(0.0, 1), (-1.0, 1), (1.0, 0)])
def test_a_bucket_that_never_lets_through_is_refused(qps: float, burst: int) -> None:
    with pytest.raises(ValueError, match="token bucket"):
        TokenBucket(qps, burst)


def test_the_two_simple_limiters() -> None:
    always: RateLimiter = Unlimited()
    never: RateLimiter = NeverAccept()

    assert always.try_accept()
    assert always.wait() == 0.0
    assert not never.try_accept()
    with pytest.raises(WaitTimeout):
        never.wait()
