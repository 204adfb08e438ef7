"""Has everything that was started been finished?"""

from __future__ import annotations

import threading

import pytest

from k8srt.tools.cache.synctrack import AsyncTracker, Lazy, SingleFileTracker


def test_inf_49_single_file():
    tracker = SingleFileTracker()
    tracker.start(2)
    tracker.finished()
    tracker.upstream_has_synced()
    assert not tracker.has_synced()

    tracker.finished()
    assert tracker.has_synced()

    tracker.start()
    assert tracker.has_synced()
    tracker.finished()
    with pytest.raises(RuntimeError):
        tracker.finished()


def test_inf_50_by_key():
    tracker = AsyncTracker()
    tracker.finished("never started")
    tracker.start("a")
    tracker.start("a")
    tracker.upstream_has_synced()
    assert not tracker.has_synced()

    tracker.finished("a")
    assert tracker.has_synced()
    tracker.start("b")
    assert tracker.has_synced()


def test_inf_51_lazy_is_shared_and_forgets_on_notice(pool):
    calls = []
    entered, release = threading.Event(), threading.Event()

    def evaluate():
        calls.append(1)
        entered.set()
        release.wait(10)
        if len(calls) == 1:
            raise ValueError("not yet")
        return len(calls)

    lazy = Lazy(evaluate)
    first = pool.submit(lazy.get)
    assert entered.wait(10)
    second = pool.submit(lazy.get)
    release.set()
    with pytest.raises(ValueError, match="not yet"):
        first.result(timeout=10)
    assert second.result(timeout=10) == 2
    assert lazy.get() == 2

    lazy.notify()
    assert lazy.get() == 3


def test_inf_51_a_notice_during_the_evaluation_counts():
    lazy = Lazy(lambda: lazy.notify() or 1)

    lazy.get()
    assert lazy._value[0] != lazy._generation
