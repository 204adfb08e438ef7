"""Waiting for caches."""

from __future__ import annotations

import logging

from k8srt.testing.clock import FakeClock
from k8srt.tools.cache import wait_for_cache_sync, wait_for_named_cache_sync
from k8srt.util.threads import Latch, Stop


class Thing:
    def __init__(self):
        self.synced = Latch()


def test_inf_44_latches_and_things_are_awaited(pool):
    thing, latch = Thing(), Latch()
    waiter = pool.submit(wait_for_cache_sync, thing, latch, timeout=10)

    thing.synced.set()
    latch.set()

    assert waiter.result(timeout=10) is True


def test_inf_44_functions_are_polled(pool):
    clock = FakeClock()
    answers = iter([False, False, True])
    waiter = pool.submit(wait_for_cache_sync, lambda: next(answers), clock=clock)
    for _ in range(2):
        clock.wait_for_sleepers(1)
        clock.advance(0.1)

    assert waiter.result(timeout=10) is True


def test_inf_44_nothing_to_wait_for_is_true_and_a_stop_false():
    stop = Stop()
    stop.set()

    assert wait_for_cache_sync() is True
    assert wait_for_cache_sync(Thing(), stop=stop) is False
    assert wait_for_cache_sync(lambda: False, stop=stop) is False


def test_inf_44_a_timeout(pool):
    clock = FakeClock()
    waiter = pool.submit(wait_for_cache_sync, Thing(), timeout=5.0, clock=clock)
    clock.wait_for_sleepers(1)
    clock.advance(5.0)

    assert waiter.result(timeout=10) is False


def test_inf_45_with_a_name_there_are_log_lines(caplog):
    stop = Stop()
    stop.set()
    with caplog.at_level(logging.INFO):
        assert wait_for_named_cache_sync("mine", lambda: True)
        assert not wait_for_named_cache_sync("mine", Thing(), stop=stop)

    assert [record.levelname for record in caplog.records] == ["INFO", "INFO", "INFO", "ERROR"]
