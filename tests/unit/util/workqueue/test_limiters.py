"""Rate limiters for items."""

from __future__ import annotations

import pytest

from k8srt.testing.clock import FakeClock
from k8srt.util.flowcontrol import TokenBucket
from k8srt.util.workqueue import (
    BucketRateLimiter,
    ItemExponentialFailureRateLimiter,
    ItemFastSlowRateLimiter,
    MaxOfRateLimiter,
    RateLimiter,
    WithMaxWaitRateLimiter,
    default_controller_rate_limiter,
    default_item_based_rate_limiter,
)


def test_wq_27_28_delays_of_an_item_double_up_to_the_most() -> None:
    limiter: RateLimiter[str] = ItemExponentialFailureRateLimiter[str](base_delay=0.001, max_delay=1.0)

    assert [limiter.when("a") for _ in range(5)] == [0.001, 0.002, 0.004, 0.008, 0.016]
    assert limiter.num_requeues("a") == 5
    assert limiter.when("b") == 0.001
    limiter.forget("a")
    assert limiter.num_requeues("a") == 0
    assert limiter.num_requeues("never seen") == 0
    assert limiter.when("a") == 0.001


def test_wq_28_thousands_of_failures_do_not_overflow() -> None:
    limiter = ItemExponentialFailureRateLimiter[str](base_delay=5.0, max_delay=1000.0)

    assert [limiter.when("a") for _ in range(3000)][-1] == 1000.0


def test_wq_29_fast_first_and_slow_then() -> None:
    limiter = ItemFastSlowRateLimiter[str](0.005, 10.0, 3)

    assert [limiter.when("a") for _ in range(5)] == [0.005] * 3 + [10.0] * 2
    assert limiter.num_requeues("a") == 5
    assert limiter.when("b") == 0.005
    limiter.forget("a")
    assert limiter.when("a") == 0.005


def test_wq_30_a_bucket_runs_up_debts_and_counts_nothing() -> None:
    limiter = BucketRateLimiter[str](TokenBucket(qps=10.0, burst=100, clock=FakeClock()))

    assert [limiter.when("a") for _ in range(100)] == [0.0] * 100
    assert limiter.when("a") == pytest.approx(0.1)
    assert limiter.when("b") == pytest.approx(0.2)
    limiter.forget("a")
    assert limiter.num_requeues("a") == 0
    assert limiter.when("a") == pytest.approx(0.3)


def test_wq_31_the_longest_delay_counts_and_all_are_asked() -> None:
    clock = FakeClock()
    bucket = TokenBucket(qps=1.0, burst=1, clock=clock)
    slow = ItemExponentialFailureRateLimiter[str](base_delay=10.0, max_delay=100.0)
    limiter = MaxOfRateLimiter[str](slow, BucketRateLimiter(bucket))

    assert [limiter.when("a"), limiter.when("a")] == [10.0, 20.0]
    assert bucket.reserve() == pytest.approx(2.0)
    assert limiter.num_requeues("a") == 2
    limiter.forget("a")
    assert slow.num_requeues("a") == 0
    assert MaxOfRateLimiter[str]().when("a") == 0.0


def test_wq_32_a_cut_delay_still_grows_inside() -> None:
    inner = ItemExponentialFailureRateLimiter[str](base_delay=1.0, max_delay=1000.0)
    limiter = WithMaxWaitRateLimiter[str](inner, 2.0)

    assert [limiter.when("a") for _ in range(4)] == [1.0, 2.0, 2.0, 2.0]
    assert limiter.num_requeues("a") == 4
    limiter.forget("a")
    assert inner.num_requeues("a") == 0


def test_wq_33_the_default_for_controllers() -> None:
    limiter: RateLimiter[str] = default_controller_rate_limiter(FakeClock())

    assert limiter.when("a") == 0.005
    assert limiter.when("a") == 0.010
    for i in range(98):
        assert limiter.when(f"item-{i}") == 0.005
    assert limiter.when("one more") == pytest.approx(0.1)
    for _ in range(30):
        delay = limiter.when("a")
    assert delay == 1000.0


def test_wq_34_the_default_by_item() -> None:
    limiter: RateLimiter[str] = default_item_based_rate_limiter()

    assert [limiter.when("a") for _ in range(3)] == [0.001, 0.002, 0.004]
    for _ in range(30):
        delay = limiter.when("a")
    assert delay == 1000.0


def test_wq_35_failures_are_kept_until_forgotten() -> None:
    limiter = ItemExponentialFailureRateLimiter[int](base_delay=1.0, max_delay=2.0)
    for item in range(100):
        limiter.when(item)

    assert sum(limiter.num_requeues(item) for item in range(100)) == 100
    for item in range(100):
        limiter.forget(item)
    assert not limiter._counts
