"""Backoff, polling and periodic work."""

from __future__ import annotations

import itertools
import random
import threading

import pytest

from k8srt.errors import Stopped, WaitTimeout
from k8srt.testing.clock import FakeClock
from k8srt.util import wait
from k8srt.util.threads import Stop
from k8srt.util.wait import Backoff, BackoffManager


def first(n: int, backoff: Backoff, rng: random.Random | None = None) -> list[float]:
    return [round(delay, 9) for delay in itertools.islice(backoff.delays(rng), n)]


class Ticking(FakeClock):
    """Turns by itself whenever somebody waits for an event; remembers for how long."""

    def __init__(self) -> None:
        super().__init__(now=0.0)
        self.slept: list[float] = []

    def wait_event(self, event: threading.Event, timeout: float | None) -> bool:
        if not event.is_set():
            self.slept.append(round(timeout or 0.0, 9))
            self.advance(timeout or 0.0)
        return event.is_set()


class Highest(random.Random):
    def random(self) -> float:
        return 0.5


def test_mach_50_a_delay_grows_by_its_factor_up_to_its_cap() -> None:
    assert first(5, Backoff(initial=1.0, factor=2.0, cap=5.0)) == [1.0, 2.0, 4.0, 5.0, 5.0]
    assert first(3, Backoff(initial=1.0)) == [1.0, 1.0, 1.0]
    assert first(3, Backoff(initial=1.0, factor=0.0)) == [1.0, 1.0, 1.0]


def test_mach_50_steps_bound_the_growth_and_not_the_calls() -> None:
    assert first(6, Backoff(initial=1.0, factor=2.0, steps=3)) == [1.0, 2.0, 4.0, 8.0, 8.0, 8.0]
    assert first(3, Backoff(initial=1.0, factor=2.0, steps=0)) == [1.0, 1.0, 1.0]


def test_mach_50_jitter_comes_on_top_and_does_not_grow() -> None:
    assert first(3, Backoff(initial=1.0, factor=2.0, jitter=1.0, cap=2.0), Highest()) == [1.5, 3.0, 3.0]
    drawn = first(50, Backoff(initial=1.0, jitter=0.1))
    assert all(1.0 <= delay < 1.1 for delay in drawn)
    assert len(set(drawn)) > 1


def test_mach_50_negative_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        Backoff(initial=-1.0)


def test_refl_07_delays_double_to_thirty_seconds_before_the_jitter() -> None:
    plain = Backoff(initial=0.8, factor=2.0, cap=30.0)
    assert first(8, plain) == [0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0]

    jittered = first(8, Backoff(initial=0.8, factor=2.0, cap=30.0, jitter=1.0), Highest())
    assert jittered == [1.2, 2.4, 4.8, 9.6, 19.2, 38.4, 45.0, 45.0]


def test_refl_07_the_sequence_starts_again_two_minutes_after_its_last_start() -> None:
    clock = FakeClock()
    manager = BackoffManager(Backoff(initial=0.8, factor=2.0, cap=30.0), 120.0, clock=clock)

    clock.advance(100.0)
    assert [manager.step(), manager.step()] == [0.8, 1.6]
    clock.advance(20.0)
    assert manager.step() == 3.2
    clock.advance(0.1)
    assert manager.step() == 0.8
    clock.advance(119.0)
    assert manager.step() == 1.6
    manager.reset()
    assert manager.step() == 0.8


def test_mach_51_attempts_are_steps_and_sleeps_one_less() -> None:
    clock, calls = Ticking(), []

    with pytest.raises(WaitTimeout, match="timed out waiting for the condition") as caught:
        wait.exponential_backoff(Backoff(initial=1.0, factor=2.0, steps=4), lambda: calls.append(1), clock=clock)

    assert len(calls) == 4
    assert clock.slept == [1.0, 2.0, 4.0]
    assert wait.interrupted(caught.value)


def test_mach_51_a_true_result_is_returned_and_an_error_ends_it() -> None:
    clock, results = Ticking(), iter([None, "", "here"])

    assert wait.exponential_backoff(Backoff(initial=1.0), lambda: next(results), clock=clock) == "here"
    with pytest.raises(KeyError):
        wait.exponential_backoff(Backoff(initial=1.0, steps=3), lambda: {}["x"], clock=clock)
    assert clock.slept == [1.0, 1.0]


def test_mach_51_no_steps_no_attempt() -> None:
    with pytest.raises(WaitTimeout):
        wait.exponential_backoff(Backoff(initial=1.0, steps=0), lambda: True)


def test_mach_52_poll_asks_at_once_or_after_an_interval() -> None:
    for immediate, slept in [(True, [2.0, 2.0]), (False, [2.0, 2.0, 2.0])]:
        clock, results = Ticking(), iter([0, 0, 7])
        assert wait.poll(2.0, lambda r=results: next(r), immediate=immediate, clock=clock) == 7
        assert clock.slept == slept


def test_mach_52_an_interval_includes_the_call() -> None:
    clock = Ticking()
    results = iter([0, 1])

    def slow() -> int:
        clock.advance(1.5)
        return next(results)

    wait.poll(2.0, slow, immediate=False, clock=clock)
    assert clock.slept == [2.0, 0.5]


def test_mach_52_a_timeout_ends_it_when_it_is_over() -> None:
    clock, calls = Ticking(), []

    with pytest.raises(WaitTimeout) as caught:
        wait.poll(2.0, lambda: calls.append(1), timeout=5.0, clock=clock)

    assert len(calls) == 3
    assert clock.now() == 5.0
    assert wait.interrupted(caught.value)


def test_mach_52_a_stop_ends_it_and_an_error_of_the_condition_comes_through(pool) -> None:
    clock, stop = FakeClock(), Stop()
    polling = pool.submit(wait.poll, 2.0, lambda: False, stop=stop, clock=clock)
    clock.wait_for_sleepers(1)
    stop.set()
    with pytest.raises(Stopped) as stopped:
        polling.result(timeout=5.0)
    assert wait.interrupted(stopped.value)

    with pytest.raises(KeyError) as failed:
        wait.poll(2.0, lambda: {}["x"])
    assert not wait.interrupted(failed.value)


def run_every(function, clock: Ticking, period: float = 10.0, times: int = 3, **options) -> None:
    stop, count = Stop(), itertools.count(1)

    def f() -> None:
        clock.advance(4.0)
        if next(count) == times:
            stop.set()

    function(f, period, stop=stop, clock=clock, **options)


def test_mach_53_a_sliding_period_begins_after_the_call() -> None:
    clock = Ticking()
    run_every(wait.until, clock)
    assert clock.slept == [10.0, 10.0]


def test_mach_53_a_period_that_does_not_slide_includes_the_call() -> None:
    clock = Ticking()
    run_every(wait.non_sliding_until, clock)
    assert clock.slept == [6.0, 6.0]

    clock = Ticking()
    run_every(wait.non_sliding_until, clock, period=1.0)
    assert clock.slept == [0.0, 0.0]


def test_mach_53_jitter_makes_a_period_longer() -> None:
    clock = Ticking()
    run_every(wait.jitter_until, clock, jitter_factor=0.5, rng=Highest())
    assert clock.slept == [12.5, 12.5]


def test_mach_53_nothing_is_called_when_stopped_before() -> None:
    stop = Stop()
    stop.set()
    wait.every(1.0, lambda: pytest.fail("called"), stop)


def test_mach_53_an_error_is_logged_and_raised_or_survived(caplog: pytest.LogCaptureFixture) -> None:
    clock, stop, calls = Ticking(), Stop(), []

    def fail() -> None:
        calls.append(1)
        if len(calls) == 3:
            stop.set()
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        wait.every(1.0, fail, stop, clock=clock)
    assert len(caplog.records) == 1

    wait.every(1.0, fail, stop, clock=clock, survive_errors=True)
    assert len(calls) == 3
    assert len(caplog.records) == 3


def test_a_sleep_takes_its_time_and_a_stop_ends_it() -> None:
    clock, stop = Ticking(), Stop()

    wait.sleep(3.0, stop, clock)
    wait.sleep(3.0, clock=clock)
    assert clock.slept == [3.0, 3.0]
    stop.set()
    with pytest.raises(Stopped):
        wait.sleep(3.0, stop, clock)
