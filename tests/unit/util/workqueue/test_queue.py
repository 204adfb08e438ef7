"""The basic queue."""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from concurrent.futures import as_completed, wait

import pytest

from k8srt.errors import WaitTimeout
from k8srt.testing.clock import FakeClock
from k8srt.util.workqueue import Queue, WorkQueue
from k8srt.util.workqueue.queue import Fifo


def taken(queue: WorkQueue[str], n: int) -> list[str | None]:
    return [queue.get() for _ in range(n)]


def test_wq_01_what_is_queued_is_not_in_work() -> None:
    queue = Queue[str]("pods")
    for item in "abc":
        queue.add(item)

    assert queue.get() == "a"
    queue.add("a")

    state = queue.debug_state()
    assert state == {
        "name": "pods",
        "queued": ["b", "c"],
        "working": ["a"],
        "again": ["a"],
        "shutting_down": False,
    }
    assert repr(queue) == "<Queue 'pods': 2 queued, 1 working>"


def test_wq_02_an_add_wakes_one_waiter(pool) -> None:
    clock = FakeClock()
    queue = Queue[str](clock=clock)
    getters = [pool.submit(queue.get) for _ in range(3)]
    clock.wait_for_waiters(3)

    queue.add("a")
    queue.add("b")
    finished = as_completed(getters, timeout=5.0)
    assert {next(finished).result(), next(finished).result()} == {"a", "b"}

    queue.shut_down()
    assert sorted(str(getter.result(timeout=5.0)) for getter in getters) == ["None", "a", "b"]


def test_wq_03_an_item_already_queued_is_not_queued_again() -> None:
    queue = Queue[str]()
    for item in ["a", "b", "a", "a"]:
        queue.add(item)

    assert len(queue) == 2
    assert taken(queue, 2) == ["a", "b"]


class Touching(Fifo[str]):
    def __init__(self) -> None:
        super().__init__()
        self.touched: list[str] = []

    def touch(self, item: str) -> None:
        self.touched.append(item)


def test_wq_03_touch_is_called_unless_the_item_is_in_work() -> None:
    order = Touching()
    queue = Queue[str](order=order)
    queue.add("a")
    queue.add("a")
    assert order.touched == ["a"]

    queue.get()
    queue.add("a")
    queue.add("a")
    assert order.touched == ["a"]


def test_wq_04_an_item_added_while_in_work_is_queued_once_when_done() -> None:
    queue = Queue[str]()
    queue.add("a")
    queue.get()

    for _ in range(3):
        queue.add("a")
    assert len(queue) == 0

    queue.done("a")
    assert len(queue) == 1
    assert queue.get() == "a"
    queue.done("a")
    assert len(queue) == 0


def test_wq_05_get_blocks_and_gives_the_first_added_first(pool) -> None:
    clock = FakeClock()
    queue = Queue[str](clock=clock)
    getter = pool.submit(taken, queue, 3)
    clock.wait_for_waiters(1)
    assert not getter.done()

    for item in "abc":
        queue.add(item)

    assert getter.result(timeout=5.0) == ["a", "b", "c"]


def test_wq_05_a_get_can_give_up() -> None:
    with pytest.raises(WaitTimeout):
        Queue[str]("pods").get(timeout=0.001)


def test_wq_05_a_get_that_gives_up_goes_by_the_clock(pool) -> None:
    clock = FakeClock()
    queue = Queue[str](clock=clock)
    getter = pool.submit(queue.get, 5.0)
    clock.wait_for_sleepers(1)

    clock.advance(5.0)

    with pytest.raises(WaitTimeout):
        getter.result(timeout=5.0)
    queue.add("a")
    assert queue.get(timeout=0.0) == "a"


def test_wq_06_an_item_is_not_handed_out_twice() -> None:
    queue = Queue[str]()
    queue.add("a")
    queue.get()
    queue.add("a")

    with pytest.raises(WaitTimeout):
        queue.get(timeout=0.0)
    queue.done("a")
    assert queue.get() == "a"


def test_wq_07_an_item_queued_again_goes_to_the_tail() -> None:
    queue = Queue[str]()
    queue.add("a")
    queue.get()
    queue.add("a")
    queue.add("b")

    queue.done("a")

    assert taken(queue, 2) == ["b", "a"]


def test_wq_07_an_add_that_meets_a_done_is_neither_lost_nor_doubled(pool) -> None:
    queue = Queue[int]()
    wanted, seen, busy, doubled = [0] * 3, [0] * 3, [0] * 3, []

    def add() -> None:
        for step in range(3000):
            key = step % 3
            wanted[key] += 1
            queue.add(key)

    def work() -> None:
        while (key := queue.get()) is not None:
            busy[key] += 1
            if busy[key] != 1:
                doubled.append(key)
            seen[key] = wanted[key]
            busy[key] -= 1
            queue.done(key)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # so that threads meet in every line
    try:
        workers = [pool.submit(work) for _ in range(3)]
        pool.submit(add).result(timeout=30.0)
        queue.shut_down()
        for worker in workers:
            worker.result(timeout=30.0)
    finally:
        sys.setswitchinterval(before)

    assert not doubled
    assert seen == wanted
    assert queue.debug_state()["again"] == queue.debug_state()["working"] == []


class Hooked:
    """An item that does something when it is hashed for the n-th time from now."""

    def __init__(self) -> None:
        self.left = 0
        self.hook = lambda: None

    def __hash__(self) -> int:
        self.left -= 1
        if self.left == 0:
            self.hook()
        return 1


@pytest.mark.parametrize("moment", range(1, 7))
def test_wq_07_whenever_the_work_ends_within_an_add_the_item_comes_once_more(moment: int, pool) -> None:
    queue, item = Queue[Hooked](), Hooked()
    queue.add(item)
    queue.get()
    endings = []

    def end() -> None:
        endings.append(pool.submit(queue.done, item))
        wait(endings, timeout=0.05)  # it may have to wait for the add

    item.left, item.hook = moment, end
    queue.add(item)
    item.left = 0
    if not endings:
        end()
    endings[0].result(timeout=5.0)

    assert len(queue) == 1
    assert queue.get(timeout=0.0) is item
    queue.done(item)
    assert len(queue) == 0


def test_wq_07_done_without_get_is_harmless() -> None:
    queue = Queue[str]()
    queue.done("never seen")
    queue.add("a")
    queue.done("a")

    assert len(queue) == 1
    assert queue.get() == "a"
    assert len(queue) == 0


def test_wq_08_len_counts_what_is_queued_only() -> None:
    queue = Queue[str]()
    queue.add("a")
    queue.add("b")
    queue.get()

    assert len(queue) == 1
    assert queue, "a queue is true also when it is empty"
    queue.get()
    assert queue


def test_wq_09_a_shut_down_queue_delivers_what_it_has_and_takes_no_more(pool) -> None:
    queue = Queue[str]()
    queue.add("a")
    queue.add("b")

    queue.shut_down()
    queue.add("c")

    assert taken(queue, 4) == ["a", "b", None, None]
    queue.shut_down()
    assert "shut down" in repr(queue)


def test_wq_09_shutting_down_wakes_every_getter(pool) -> None:
    clock = FakeClock()
    queue = Queue[str](clock=clock)
    getters = [pool.submit(queue.get) for _ in range(5)]
    clock.wait_for_waiters(5)

    queue.shut_down()

    assert [getter.result(timeout=5.0) for getter in getters] == [None] * 5


def test_wq_10_what_was_dirty_at_shutdown_is_queued_again_and_delivered() -> None:
    queue = Queue[str]()
    queue.add("a")
    queue.add("b")
    taken(queue, 2)
    queue.add("a")
    queue.shut_down()
    queue.add("b")

    assert queue.get() is None
    queue.done("a")
    queue.done("b")

    assert taken(queue, 2) == ["a", None]


def test_wq_11_draining_waits_for_those_in_work_and_not_for_those_queued(pool) -> None:
    clock = FakeClock()
    queue = Queue[str](clock=clock)
    for item in "abc":
        queue.add(item)
    taken(queue, 2)

    draining = pool.submit(queue.shut_down, drain=True)
    clock.wait_for_waiters(1)
    queue.done("a")
    assert not draining.done()
    queue.done("b")

    draining.result(timeout=5.0)
    assert len(queue) == 1


def test_wq_11_draining_an_idle_queue_returns_at_once() -> None:
    Queue[str]().shut_down(drain=True)


def test_wq_12_a_plain_shutdown_releases_one_that_drains(pool) -> None:
    clock = FakeClock()
    queue = Queue[str](clock=clock)
    queue.add("a")
    queue.get()
    draining = pool.submit(queue.shut_down, drain=True)
    clock.wait_for_waiters(1)

    queue.shut_down()

    draining.result(timeout=5.0)


def test_wq_13_shutting_down_is_true_from_the_start(pool) -> None:
    clock = FakeClock()
    queue = Queue[str](clock=clock)
    assert not queue.shutting_down()
    queue.add("a")
    queue.get()
    draining = pool.submit(queue.shut_down, drain=True)
    clock.wait_for_waiters(1)

    assert queue.shutting_down()

    queue.done("a")
    draining.result(timeout=5.0)


def test_wq_14_no_wake_up_is_lost_between_many_workers(pool) -> None:
    queue, lock, seen = Queue[int](), threading.Lock(), list[int]()

    def work() -> None:
        while (item := queue.get()) is not None:
            with lock:
                seen.append(item)
            queue.done(item)

    workers = [pool.submit(work) for _ in range(8)]
    for item in range(2000):
        queue.add(item)
    queue.shut_down()

    for worker in workers:
        worker.result(timeout=20.0)
    assert sorted(seen) == list(range(2000))


class Item:
    """Something that can be weakly referenced."""


def test_wq_15_no_reference_is_kept_after_done() -> None:
    queue, item = Queue[Item](), Item()
    gone = weakref.ref(item)
    queue.add(item)
    queue.get()
    queue.add(item)
    queue.done(item)
    queue.get()
    queue.done(item)

    del item
    gc.collect()

    assert gone() is None


class Lifo:
    """Last in, first out."""

    def __init__(self) -> None:
        self.items: list[str] = []

    def push(self, item: str) -> None:
        self.items.append(item)

    def pop(self) -> str:
        return self.items.pop()

    def touch(self, item: str) -> None:
        self.items.remove(item)
        self.items.append(item)

    def __len__(self) -> int:
        return len(self.items)


def test_wq_16_the_order_can_be_replaced() -> None:
    queue = Queue[str](order=Lifo())
    for item in ["a", "b", "c", "a"]:
        queue.add(item)

    assert len(queue) == 3
    assert taken(queue, 3) == ["a", "c", "b"]


def test_none_cannot_be_queued() -> None:
    with pytest.raises(ValueError, match="None"):
        Queue[None]().add(None)


def test_leaving_the_context_shuts_down() -> None:
    with Queue[str]() as queue:
        queue.add("")

    assert queue.shutting_down()
    assert taken(queue, 2) == ["", None]


def test_an_interrupted_getter_passes_its_wake_up_on(pool) -> None:
    class Interrupting(FakeClock):
        """Interrupts the first that waits, after it was woken."""

        interrupted = False

        def wait(self, cond: threading.Condition, deadline: float | None) -> None:
            first, self.interrupted = not self.interrupted, True
            super().wait(cond, deadline)
            if first:
                raise KeyboardInterrupt

    clock = Interrupting()
    queue = Queue[str](clock=clock)
    first = pool.submit(queue.get)
    clock.wait_for_waiters(1)
    second = pool.submit(queue.get)
    clock.wait_for_waiters(2)

    queue.add("a")

    with pytest.raises(KeyboardInterrupt):
        first.result(timeout=5.0)
    assert second.result(timeout=5.0) == "a"
