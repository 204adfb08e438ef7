"""What follows from how a reconcile ended."""

from __future__ import annotations

import pytest

from k8srt.apimachinery.meta import Status, StatusDetails
from k8srt.controller.reconciling.outcome import Outcome, settle, settle_failure
from k8srt.controller.request import Request, Result, RetryAfter, TerminalError, is_terminal
from k8srt.controller.retries import Verdict
from k8srt.errors import Conflict, status_error
from k8srt.testing.clock import FakeClock
from k8srt.util.workqueue import ItemExponentialFailureRateLimiter, PriorityQueue

WEB = Request("default", "web")

Limiter = ItemExponentialFailureRateLimiter[Request]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def limiter() -> Limiter:
    return Limiter(0.005, 1000.0)


@pytest.fixture
def queue(clock: FakeClock, limiter: Limiter) -> PriorityQueue[Request]:
    queue: PriorityQueue[Request] = PriorityQueue(None, limiter, clock=clock)
    queue.add(WEB)
    assert queue.get() == WEB
    return queue


def after(queue: PriorityQueue[Request], clock: FakeClock, seconds: float) -> int:
    """How many items are ready so much later."""
    queue.done(WEB)
    clock.advance(seconds)
    return len(queue)


def test_rec_01_requests_are_hashable_and_print_as_keys() -> None:
    assert {WEB, Request("default", "web")} == {WEB}
    assert str(WEB) == "default/web"
    assert str(Request("", "node-1")) == "node-1"


def test_rec_03_done_forgets_the_failures(queue: PriorityQueue[Request], clock: FakeClock) -> None:
    queue.add_rate_limited(WEB)
    assert queue.num_requeues(WEB) == 1

    assert settle(queue, WEB, None, 0) is Outcome.SUCCESS
    assert settle(queue, WEB, Result(), 0) is Outcome.SUCCESS

    assert queue.num_requeues(WEB) == 0


def test_rec_03_requeue_after_forgets_and_waits(queue: PriorityQueue[Request], clock: FakeClock) -> None:
    outcome = settle(queue, WEB, Result(requeue_after=30.0), 0)

    assert outcome is Outcome.REQUEUE_AFTER
    assert queue.num_requeues(WEB) == 0
    assert after(queue, clock, 29.0) == 0
    clock.advance(1.0)
    assert len(queue) == 1


def test_rec_03_and_15_failures_wait_longer_each_time(
    queue: PriorityQueue[Request], limiter: Limiter, clock: FakeClock
) -> None:
    assert settle_failure(queue, limiter, WEB, RuntimeError("boom"), 0) is Outcome.ERROR
    assert queue.num_requeues(WEB) == 1
    assert after(queue, clock, 0.004) == 0
    clock.advance(0.001)
    assert queue.get() == WEB

    settle_failure(queue, limiter, WEB, RuntimeError("boom"), 0)
    assert queue.num_requeues(WEB) == 2
    assert after(queue, clock, 0.009) == 0
    clock.advance(0.001)
    assert len(queue) == 1


def test_rec_03_requeue_keeps_the_failures(queue: PriorityQueue[Request], clock: FakeClock) -> None:
    assert settle(queue, WEB, Result(requeue=True), 0) is Outcome.REQUEUE
    assert queue.num_requeues(WEB) == 1


def test_rec_03_a_terminal_error_is_not_retried(
    queue: PriorityQueue[Request], limiter: Limiter, clock: FakeClock
) -> None:
    error = TerminalError("no such image")
    assert settle_failure(queue, limiter, WEB, error, 0, Verdict.TERMINAL) is Outcome.ERROR
    assert queue.num_requeues(WEB) == 0
    assert after(queue, clock, 10_000.0) == 0


def test_rec_03_terminal_as_cause_context_or_member_of_a_group() -> None:
    caused = RuntimeError("outer")
    caused.__cause__ = TerminalError("inner")
    ring = RuntimeError("ring")
    ring.__context__ = caused
    caused.__context__ = ring

    assert is_terminal(caused)
    assert is_terminal(ring)
    assert is_terminal(ExceptionGroup("several", [ValueError("x"), TerminalError("y")]))
    assert not is_terminal(ExceptionGroup("several", [ValueError("x")]))


def test_rty_01_retry_after_is_no_failure(queue: PriorityQueue[Request], limiter: Limiter, clock: FakeClock) -> None:
    assert settle_failure(queue, limiter, WEB, RetryAfter(5.0, "not ready"), 0) is Outcome.REQUEUE_AFTER
    assert queue.num_requeues(WEB) == 0
    assert after(queue, clock, 5.0) == 1


def test_rec_04_a_server_that_asks_for_time_gets_it(
    queue: PriorityQueue[Request], limiter: Limiter, clock: FakeClock
) -> None:
    busy = status_error(
        Status(status="Failure", code=429, reason="TooManyRequests", details=StatusDetails(retry_after_seconds=7))
    )

    settle_failure(queue, limiter, WEB, busy, 0)

    assert after(queue, clock, 6.9) == 0
    clock.advance(0.1)
    assert queue.get() == WEB

    for _ in range(14):  # the delay of its own is longer by now
        limiter.when(WEB)
    settle_failure(queue, limiter, WEB, busy, 0)
    assert after(queue, clock, 7.0) == 0


def test_rec_05_the_priority_stays_unless_somebody_says_otherwise(
    queue: PriorityQueue[Request], limiter: Limiter, clock: FakeClock
) -> None:
    settle(queue, WEB, Result(requeue_after=1.0), -100)
    after(queue, clock, 1.0)
    assert queue.get_with_priority() == (WEB, -100)

    settle(queue, WEB, Result(requeue_after=1.0, priority=5), -100)
    after(queue, clock, 1.0)
    assert queue.get_with_priority() == (WEB, 5)

    conflict = Conflict(Status(status="Failure", code=409, reason="Conflict"))
    conflict.priority = 9  # type: ignore[attr-defined]
    settle_failure(queue, limiter, WEB, conflict, 5)
    after(queue, clock, 1.0)
    assert queue.get_with_priority() == (WEB, 9)


@pytest.mark.parametrize("delay", [-1.0, float("inf"), float("nan")])
def test_a_delay_that_makes_no_sense_is_refused(delay: float) -> None:
    with pytest.raises(ValueError, match="requeue_after"):
        Result(requeue_after=delay)
