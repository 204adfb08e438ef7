from __future__ import annotations

import threading

import pytest

from k8srt.testing import FakeClock
from k8srt.util.deadline import within
from k8srt.util.threads import Stop

WAIT = 5.0


def test_the_time_is_over_when_the_clock_says_so():
    clock = FakeClock()
    with within(10.0, None, clock) as deadline:
        clock.wait_for_sleepers(1)
        clock.advance(9.0)
        assert not deadline.is_set()

        clock.advance(1.0)

        assert deadline.wait(WAIT)
        assert deadline.passed


@pytest.mark.parametrize("stop", [Stop(), threading.Event()], ids=["Stop", "Event"])
def test_a_stop_sets_it_too_and_the_time_has_not_passed(stop):
    with within(10.0, stop, FakeClock()) as deadline:
        stop.set()

        assert deadline.wait(WAIT)

    assert not deadline.passed


def test_without_a_timeout_no_thread_keeps_it():
    before = threading.active_count()

    with within(None) as deadline:
        assert threading.active_count() == before
        assert not deadline.is_set()

    assert not deadline.is_set()


def test_leaving_sets_nothing_and_lets_go_of_the_stop():
    stop = Stop()

    with within(1000.0, stop, FakeClock()) as deadline:
        pass

    stop.set()
    assert not deadline.is_set()
