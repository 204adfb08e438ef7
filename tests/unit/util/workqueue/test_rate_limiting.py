"""Rate limited adds, and layers over other queues."""

from __future__ import annotations

import threading

import pytest

from k8srt.testing.clock import FakeClock
from k8srt.util.workqueue import (
    DelayingLayer,
    DelayingQueue,
    ItemExponentialFailureRateLimiter,
    Queue,
    RateLimiting,
    RateLimitingLayer,
    RateLimitingQueue,
)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(now=0.0)


def limiter() -> ItemExponentialFailureRateLimiter[str]:
    return ItemExponentialFailureRateLimiter[str](base_delay=1.0, max_delay=1000.0)


@pytest.fixture
def queue(clock: FakeClock) -> RateLimitingQueue[str]:
    return RateLimitingQueue[str]("pods", limiter(), clock=clock)


def test_wq_36_a_rate_limited_add_comes_after_the_limiters_delay(clock, queue: RateLimiting[str]) -> None:
    for seconds in (1.0, 2.0, 4.0):
        queue.add_rate_limited("a")
        clock.advance(seconds - 0.001)
        assert len(queue) == 0
        clock.advance(0.001)
        assert len(queue) == 1
        queue.done(queue.get() or "")


def test_wq_37_forget_neither_cancels_a_delay_nor_replaces_done(clock, queue) -> None:
    queue.add("a")
    queue.get()
    queue.add_rate_limited("a")

    queue.forget("a")
    clock.advance(1.0)

    assert len(queue) == 0
    queue.done("a")
    assert len(queue) == 1
    assert queue.num_requeues("a") == 0


def test_wq_38_requeues_are_counted_since_the_last_forget(queue) -> None:
    queue.add("a")
    queue.add_after("a", 1.0)
    assert queue.num_requeues("a") == 0

    queue.add_rate_limited("a")
    queue.add_rate_limited("a")

    assert queue.num_requeues("a") == 2
    queue.forget("a")
    assert queue.num_requeues("a") == 0


def test_wq_39_a_worker_that_fails_twice_and_then_succeeds(clock, queue, pool) -> None:
    attempts: list[float] = []
    succeeded = threading.Event()

    def work() -> None:
        while (item := queue.get()) is not None:
            attempts.append(clock.now())
            if len(attempts) < 3:
                queue.add_rate_limited(item)
            else:
                queue.forget(item)
                succeeded.set()
            queue.done(item)

    worker = pool.submit(work)
    queue.add("a")
    for _ in range(2):
        clock.wait_for_sleepers(1)
        clock.advance_to_next()
    assert succeeded.wait(5.0)
    queue.shut_down()
    worker.result(timeout=5.0)

    assert attempts == [0.0, 1.0, 3.0]
    assert queue.num_requeues("a") == 0


def test_wq_33_a_queue_without_a_limiter_gets_the_default(clock) -> None:
    queue = RateLimitingQueue[str](clock=clock)
    queue.add_rate_limited("a")
    clock.advance(0.005)

    assert len(queue) == 1


def test_wq_26_delays_over_any_queue(clock, pool) -> None:
    inner = Queue[str]("inner")
    queue = DelayingLayer[str](inner, clock=clock)
    getter = pool.submit(inner.get)
    queue.add_after("late", 20.0)
    queue.add_after("early", 5.0)
    queue.add_after("early", 7.0)
    clock.wait_for_sleepers(1)

    clock.advance(5.0)
    assert getter.result(timeout=5.0) == "early"
    queue.done("early")
    queue.add_after("now", 0.0)
    assert queue.get() == "now"
    queue.done("now")

    clock.advance(15.0)
    assert len(queue) == 1
    queue.add("other")
    queue.add_after("lost", 1.0)
    queue.shut_down()
    queue.add_after("lost too", 1.0)
    clock.advance(9.0)

    assert queue.shutting_down()
    assert queue
    assert [queue.get() for _ in range(3)] == ["late", "other", None]


def test_wq_40_a_rate_limit_over_any_delaying_queue(clock) -> None:
    inner = DelayingQueue[str]("inner", clock=clock)
    queue: RateLimiting[str] = RateLimitingLayer[str](inner, limiter())

    queue.add_rate_limited("a")
    queue.add_rate_limited("b")
    queue.add_rate_limited("b")
    queue.add_after("c", 0.0)
    assert queue.num_requeues("b") == 2
    queue.forget("b")
    assert queue.num_requeues("b") == 0
    clock.advance(1.0)

    assert len(queue) == 3
    assert [inner.get() for _ in range(3)] == ["c", "a", "b"]
    queue.shut_down()
    assert inner.shutting_down()
