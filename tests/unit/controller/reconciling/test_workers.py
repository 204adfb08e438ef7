"""The threads of a controller: as many as needed, as few as possible, and none that takes work while it is paused."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from k8srt.controller.reconciling.workers import IDLE, Workers
from k8srt.controller.request import Request
from k8srt.testing.clock import FakeClock
from k8srt.util.workqueue import PriorityQueue
from tests.unit.controller.rig import LONG


class Bench:
    """Workers whose work is let go by hand."""

    def __init__(self, places: int) -> None:
        self.clock = FakeClock()
        self.queue: PriorityQueue[Request] = PriorityQueue(clock=self.clock)
        self.began = threading.Semaphore(0)
        self.go = threading.Semaphore(0)
        self.ended = threading.Semaphore(0)
        self.errors: list[BaseException] = []
        self.workers = Workers("bench", places, self.queue, self._handle, self.errors.append, self.clock)

    def _handle(self, request: Request, priority: int) -> None:
        self.began.release()
        assert self.go.acquire(timeout=LONG)
        self.ended.release()
        if request.name == "bad":
            raise SystemExit(3)

    def begin(self, *names: str) -> None:
        """Queue these and wait until as many are in work."""
        for name in names:
            self.queue.add(Request("", name))
        for _ in names:
            assert self.began.acquire(timeout=LONG)

    def finish(self, count: int) -> None:
        for _ in range(count):
            self.go.release()
            assert self.ended.acquire(timeout=LONG)

    def close(self) -> None:
        self.workers.stop()
        self.queue.shut_down()
        for _ in range(100):
            self.go.release()
        self.workers.join()


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench(4)
    bench.workers.start()
    yield bench
    bench.close()
    assert bench.workers.live == 0


def test_ctl_07_threads_are_made_as_they_are_needed(bench: Bench) -> None:
    bench.clock.wait_for_sleepers(1)
    assert bench.workers.live == 1

    bench.begin("a")
    bench.clock.wait_for_sleepers(1)
    assert bench.workers.live == 2

    bench.begin("b", "c", "d")
    assert bench.workers.live == 4
    bench.queue.add(Request("", "e"))
    assert len(bench.queue) == 1

    bench.finish(1)
    assert bench.began.acquire(timeout=LONG)
    assert bench.workers.live == 4


def test_ctl_07_threads_that_wait_for_a_minute_end_but_one(bench: Bench) -> None:
    bench.begin("a", "b", "c")
    bench.finish(3)
    bench.clock.wait_for_sleepers(4)
    assert bench.workers.live == 4

    bench.clock.advance(IDLE)

    bench.clock.wait_for_sleepers(1)
    while bench.workers.live > 1:
        threading.Event().wait(0.001)
    bench.begin("again")
    bench.finish(1)


def test_ctl_09_who_waits_at_the_queue_takes_nothing_once_paused(bench: Bench) -> None:
    bench.begin("a")
    bench.clock.wait_for_sleepers(1)

    bench.workers.pause()
    bench.queue.add_with([Request("", "b")], priority=7)
    bench.finish(1)
    bench.clock.wait_for_waiters(2)  # both wait for leave
    assert not bench.began.acquire(blocking=False)
    assert len(bench.queue) == 1
    assert bench.queue.debug_state()["ready"][0]["priority"] == 7

    bench.workers.resume()
    assert bench.began.acquire(timeout=LONG)
    bench.finish(1)


def test_thr_05_a_place_that_is_held_is_made_up_for_as_long_as_it_is() -> None:
    bench = Bench(1)
    bench.workers.start()
    bench.begin("stuck")
    bench.queue.add(Request("", "next"))
    assert bench.workers.live == 1

    bench.workers.make_up(1)
    assert bench.began.acquire(timeout=LONG)
    assert bench.workers.live == 2

    bench.workers.make_up(-1)
    bench.finish(2)
    while bench.workers.live > 1:
        threading.Event().wait(0.001)
    bench.close()


def test_what_the_work_raises_goes_to_who_asked_for_it(bench: Bench) -> None:
    bench.begin("bad")
    bench.finish(1)
    bench.begin("good")

    assert [type(err) for err in bench.errors] == [SystemExit]


def test_paused_workers_end_when_they_are_told_to() -> None:
    bench = Bench(2)
    bench.workers.start()
    bench.workers.pause()
    bench.close()

    assert bench.workers.live == 0
