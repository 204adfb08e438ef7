"""The system's clock. (The fake one is tested under tests/unit/testing.)"""

from __future__ import annotations

import threading
from datetime import UTC

from k8srt.util.clock import SYSTEM, Clock, RealClock


def test_time_is_utc_and_monotonic_time_does_not_run_backwards() -> None:
    clock: Clock = RealClock()

    assert clock.time().tzinfo is UTC
    assert clock.now() <= clock.now()


def test_a_wait_whose_deadline_has_passed_returns_at_once() -> None:
    cond = threading.Condition()

    with cond:
        SYSTEM.wait(cond, SYSTEM.now() - 1.0)
        SYSTEM.wait(cond, SYSTEM.now() + 0.001)


def test_a_deadline_at_the_end_of_time_is_fine(pool) -> None:
    cond = threading.Condition()
    started = threading.Event()

    def wait() -> None:
        with cond:
            started.set()
            SYSTEM.wait(cond, float("inf"))

    waiting = pool.submit(wait)
    started.wait(5.0)
    with cond:
        cond.notify()

    waiting.result(timeout=5.0)


def test_waiting_for_an_event() -> None:
    event = threading.Event()

    assert not SYSTEM.wait_event(event, 0.001)
    assert not SYSTEM.wait_event(event, -1.0)
    event.set()
    assert SYSTEM.wait_event(event, None)
    assert SYSTEM.wait_event(event, float("inf"))
