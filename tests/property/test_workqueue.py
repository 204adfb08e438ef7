"""Work queues against models that are too simple to be wrong, and under many threads."""

from __future__ import annotations

import random
import threading
from collections import Counter

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from k8srt.errors import WaitTimeout
from k8srt.testing.clock import FakeClock
from k8srt.util.workqueue import DelayingQueue, ItemExponentialFailureRateLimiter, RateLimitingQueue

ITEMS = st.sampled_from("abcde")
SECONDS = st.integers(min_value=-1, max_value=6).map(float)


class DelayingQueueMachine(RuleBasedStateMachine):
    """A list for the queue, sets for dirty and processing, and a dict of due times."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock(now=0.0)
        self.queue = DelayingQueue[str](clock=self.clock)
        self.queued: list[str] = []
        self.dirty: set[str] = set()
        self.processing: set[str] = set()
        self.due: dict[str, tuple[float, int]] = {}
        self.count = 0
        self.shut = False

    def model_add(self, item: str) -> None:
        if item not in self.dirty:
            self.dirty.add(item)
            if item not in self.processing:
                self.queued.append(item)

    @rule(item=ITEMS)
    def add(self, item: str) -> None:
        self.queue.add(item)
        if not self.shut:
            self.model_add(item)

    @rule(item=ITEMS, delay=SECONDS)
    def add_after(self, item: str, delay: float) -> None:
        self.queue.add_after(item, delay)
        if self.shut:
            return
        if delay <= 0:
            self.model_add(item)
        else:
            self.count += 1
            due = self.clock.now() + delay
            if item not in self.due or due < self.due[item][0]:
                self.due[item] = (due, self.count)

    @rule(seconds=st.integers(min_value=0, max_value=4))
    def advance(self, seconds: int) -> None:
        self.clock.advance(float(seconds))
        for item, (due, _) in sorted(self.due.items(), key=lambda pair: pair[1]):
            if due <= self.clock.now():
                del self.due[item]
                self.model_add(item)

    @rule()
    def get(self) -> None:
        if self.queued:
            item = self.queued.pop(0)
            assert item not in self.processing
            self.dirty.discard(item)
            self.processing.add(item)
            assert self.queue.get(timeout=0.0) == item
        elif self.shut:
            assert self.queue.get() is None
        else:
            with pytest.raises(WaitTimeout):
                self.queue.get(timeout=0.0)

    @rule(item=ITEMS)
    def done(self, item: str) -> None:
        self.queue.done(item)
        if item in self.processing:
            self.processing.discard(item)
            if item in self.dirty:
                self.queued.append(item)

    @precondition(lambda self: not self.shut)
    @rule(rarely=st.integers(min_value=0, max_value=9))
    def shut_down(self, rarely: int) -> None:
        if rarely == 0:
            self.queue.shut_down()
            self.due.clear()
            self.shut = True

    @invariant()
    def agrees(self) -> None:
        state = self.queue.debug_state()
        assert len(self.queue) == len(self.queued)
        assert state["queued"] == self.queued
        assert set(state["working"]) == self.processing
        assert set(state["again"]) == self.dirty & self.processing
        assert set(state["delayed"]) == set(self.due)
        assert self.queue.shutting_down() == self.shut

    @invariant()
    def what_is_queued_is_dirty_and_not_in_work(self) -> None:
        state = self.queue.debug_state()
        assert not set(state["queued"]) & set(state["working"])


TestDelayingQueue = DelayingQueueMachine.TestCase
TestDelayingQueue.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)


def idle(queue: DelayingQueue[int]) -> bool:
    """Whether nothing is queued, in work or delayed."""
    state = queue.debug_state()
    return not (state["queued"] or state["working"] or state["delayed"])


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("seed", [1, 2])
def test_no_item_in_two_workers_and_every_last_change_worked_on(pool, workers: int, seed: int) -> None:
    """The promise that controllers stand on (USR-20): what was changed last is seen by a later run of its key."""
    queue = RateLimitingQueue[int](rate_limiter=ItemExponentialFailureRateLimiter(0.0001, 0.001))
    lock = threading.Lock()
    state, seen, running = Counter[int](), Counter[int](), Counter[int]()
    rng = random.Random(seed)

    def work() -> None:
        while (item := queue.get()) is not None:
            with lock:
                running[item] += 1
                assert running[item] == 1
                version = state[item]
                fails = rng.random() < 0.3
            with lock:
                running[item] -= 1
                if not fails:
                    seen[item] = max(seen[item], version)
            if fails:
                queue.add_rate_limited(item)
            else:
                queue.forget(item)
            queue.done(item)

    def change(numbers: list[int]) -> None:
        for number in numbers:
            with lock:
                state[number] += 1
            queue.add(number)

    working = [pool.submit(work) for _ in range(workers)]
    changing = [pool.submit(change, [rng.randrange(20) for _ in range(1000)]) for _ in range(3)]
    for change_ended in changing:
        change_ended.result(timeout=30.0)
    while not idle(queue):
        threading.Event().wait(0.005)
    queue.shut_down(drain=True)
    for worker in working:
        worker.result(timeout=30.0)

    assert seen == state


def test_delayed_items_reach_idle_workers_in_time(pool) -> None:
    """No wake-up is lost however delays, adds and getters that give up mix."""
    queue = DelayingQueue[int]()
    lock, seen = threading.Lock(), set[int]()

    def work(patience: float | None) -> None:
        while True:
            try:
                item = queue.get(timeout=patience)
            except WaitTimeout:
                continue
            if item is None:
                return
            with lock:
                seen.add(item)
            queue.done(item)

    workers = [pool.submit(work, patience) for patience in (None, None, 0.001, 0.0005)]
    rng = random.Random(3)
    for item in range(1500):
        if rng.random() < 0.2:
            queue.add(item)
        else:
            queue.add_after(item, rng.random() * 0.05)
    while not idle(queue):
        threading.Event().wait(0.005)
    queue.shut_down(drain=True)
    for worker in workers:
        worker.result(timeout=30.0)

    assert seen == set(range(1500))
