"""The clock that tests turn."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from k8srt.testing.clock import FakeClock
from k8srt.util.clock import Clock
from k8srt.util.threads import Stop


def sleep_until(clock: Clock, cond: threading.Condition, deadline: float | None) -> float:
    with cond:
        clock.wait(cond, deadline)
    return clock.now()


def test_both_scales_turn_together_and_the_wall_can_jump_alone() -> None:
    clock: FakeClock = FakeClock(now=10.0)
    start = clock.time()

    clock.advance(1.5)

    assert clock.now() == 11.5
    assert clock.time() - start == timedelta(seconds=1.5)
    clock.set_time(datetime(2000, 1, 1, tzinfo=UTC))
    assert clock.now() == 11.5
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(-1.0)


def test_those_who_are_due_wake_and_the_others_sleep_on(pool) -> None:
    clock = FakeClock(now=0.0)
    early = pool.submit(sleep_until, clock, threading.Condition(), 2.0)
    late = pool.submit(sleep_until, clock, threading.Condition(), 5.0)
    clock.wait_for_sleepers(2)

    clock.advance(2.0)

    assert early.result(timeout=5.0) == 2.0
    assert not late.done()
    assert clock.sleepers == 1
    clock.wait_for_sleepers(1, by=5.0)
    with pytest.raises(AssertionError):
        clock.wait_for_sleepers(1, timeout=0.001, by=4.9)
    clock.advance(3.0)
    assert late.result(timeout=5.0) == 5.0


def test_others_on_the_same_condition_are_not_woken_for_nothing(pool) -> None:
    clock, cond = FakeClock(now=0.0), threading.Condition()
    others = [pool.submit(sleep_until, clock, cond, deadline) for deadline in (None, 9.0)]
    clock.wait_for_waiters(2)
    one = pool.submit(sleep_until, clock, cond, 2.0)
    clock.wait_for_waiters(3)

    clock.advance(2.0)
    assert one.result(timeout=5.0) == 2.0
    clock.advance(6.0)
    assert not any(other.done() for other in others)

    with cond:
        cond.notify_all()
    assert [other.result(timeout=5.0) for other in others] == [8.0, 8.0]


def test_a_deadline_that_has_passed_is_not_slept_for() -> None:
    clock = FakeClock(now=5.0)

    assert sleep_until(clock, threading.Condition(), 5.0) == 5.0


def test_a_notification_wakes_too(pool) -> None:
    clock, cond = FakeClock(), threading.Condition()
    waiting = pool.submit(sleep_until, clock, cond, None)
    clock.wait_for_waiters(1)

    assert clock.sleepers == 0
    with cond:
        cond.notify()

    waiting.result(timeout=5.0)


def test_whoever_is_woken_by_the_clock_does_not_count_as_a_sleeper_any_more(pool) -> None:
    clock, cond = FakeClock(now=0.0), threading.Condition()
    seen: list[float] = []

    def sleep_thrice() -> None:
        for deadline in (1.0, 2.0, 3.0):
            seen.append(sleep_until(clock, cond, deadline))

    sleeper = pool.submit(sleep_thrice)
    for _ in range(3):
        clock.wait_for_sleepers(1)
        clock.advance(1.0)

    sleeper.result(timeout=5.0)
    assert seen == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("make", [threading.Event, Stop])
def test_an_event_is_waited_for_in_fake_time(pool, make) -> None:
    clock, event = FakeClock(), make()
    plain = pool.submit(event.wait)
    waiting = pool.submit(clock.wait_event, event, 5.0)
    clock.wait_for_sleepers(1)

    clock.advance(5.0)

    assert waiting.result(timeout=5.0) is False
    assert not plain.done()
    again = pool.submit(clock.wait_event, event, 5.0)
    for_ever = pool.submit(clock.wait_event, event, None)
    clock.wait_for_waiters(2)
    event.set()
    assert again.result(timeout=5.0) is True
    assert for_ever.result(timeout=5.0) is True
    assert plain.result(timeout=5.0) is True
    assert clock.wait_event(event, 0.0)


def test_turning_to_the_next_deadline(pool) -> None:
    clock = FakeClock(now=0.0)
    assert clock.advance_to_next() == 0.0
    sleeper = pool.submit(sleep_until, clock, threading.Condition(), 7.0)
    clock.wait_for_sleepers(1)

    assert clock.advance_to_next() == 7.0
    assert sleeper.result(timeout=5.0) == 7.0


def test_waiting_for_sleepers_that_do_not_come_fails() -> None:
    with pytest.raises(AssertionError, match="0 of 1"):
        FakeClock().wait_for_sleepers(1, timeout=0.001)
