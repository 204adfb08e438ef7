"""Delays."""

from __future__ import annotations

import gc
import weakref

import pytest

from k8srt.errors import WaitTimeout
from k8srt.testing.clock import FakeClock
from k8srt.util.workqueue import Delaying, DelayingQueue
from k8srt.util.workqueue.delaying import Delays
from k8srt.util.workqueue.waiters import RECHECK


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(now=0.0)


@pytest.fixture
def queue(clock: FakeClock) -> DelayingQueue[str]:
    return DelayingQueue[str]("pods", clock=clock)


def all_of(queue: DelayingQueue[str]) -> list[str | None]:
    return [queue.get(timeout=0.0) for _ in range(len(queue))]


def test_wq_18_no_delay_adds_at_once(queue: Delaying[str]) -> None:
    queue.add_after("a", 0.0)
    queue.add_after("b", -1.0)

    assert len(queue) == 2


def test_wq_18_a_delayed_item_comes_when_it_is_due_and_not_before(clock, queue, pool) -> None:
    queue.add_after("a", 5.0)
    getter = pool.submit(queue.get)
    clock.wait_for_sleepers(1)

    clock.advance(4.0)
    assert not getter.done()
    clock.advance(1.0)

    assert getter.result(timeout=5.0) == "a"


def test_wq_18_a_getter_that_waits_hears_of_an_earlier_item(clock, queue, pool) -> None:
    queue.add_after("late", 8.0)
    getter = pool.submit(queue.get)
    clock.wait_for_sleepers(1)

    queue.add_after("early", 1.0)
    clock.wait_for_sleepers(1, by=1.0)
    clock.advance(1.0)

    assert getter.result(timeout=5.0) == "early"


def test_wq_18_an_add_overtakes_a_delay(clock, queue, pool) -> None:
    queue.add_after("late", 8.0)
    getter = pool.submit(queue.get)
    clock.wait_for_sleepers(1)

    queue.add("now")

    assert getter.result(timeout=5.0) == "now"


def test_wq_19_the_earlier_of_two_delays_counts(clock, queue) -> None:
    queue.add_after("a", 2.0)
    queue.add_after("a", 5.0)
    queue.add_after("b", 5.0)
    queue.add_after("b", 2.0)

    clock.advance(2.0)
    assert all_of(queue) == ["a", "b"]
    queue.done("a")
    queue.done("b")
    clock.advance(10.0)
    assert len(queue) == 0


def test_wq_20_an_add_does_not_cancel_a_delay(clock, queue) -> None:
    queue.add_after("a", 2.0)
    queue.add("a")
    assert queue.get() == "a"
    queue.done("a")
    assert len(queue) == 0

    clock.advance(2.0)
    assert len(queue) == 1


def test_wq_20_a_delay_that_ends_while_the_item_is_queued_adds_nothing(clock, queue) -> None:
    queue.add_after("a", 2.0)
    queue.add("a")

    clock.advance(2.0)

    assert all_of(queue) == ["a"]
    queue.done("a")
    assert len(queue) == 0


def test_wq_21_what_is_due_comes_in_the_order_of_its_times(clock, queue) -> None:
    for item, delay in [("c", 3.0), ("a", 1.0), ("b", 2.0), ("b2", 2.0)]:
        queue.add_after(item, delay)

    clock.advance(10.0)

    assert all_of(queue) == ["a", "b", "b2", "c"]


def test_wq_21_what_fell_due_with_nobody_waiting_comes_before_what_was_added_later(clock, queue) -> None:
    queue.add_after("due", 1.0)
    clock.advance(5.0)
    queue.add("added")

    assert all_of(queue) == ["due", "added"]


def test_wq_21_what_fell_due_comes_before_what_is_queued_again_later(clock, queue) -> None:
    queue.add("again")
    queue.get()
    queue.add("again")
    queue.add_after("due", 1.0)
    clock.advance(5.0)
    queue.done("again")

    assert all_of(queue) == ["due", "again"]


def test_wq_22_a_shutdown_discards_what_waits(clock, queue) -> None:
    queue.add_after("due", 1.0)
    queue.add_after("waiting", 2.0)
    clock.advance(1.0)

    queue.shut_down()
    queue.add_after("late", 0.0)
    queue.add_after("later", 1.0)
    clock.advance(10.0)

    assert queue.get() == "due"
    assert queue.get() is None
    assert queue.debug_state()["delayed"] == {}


def test_wq_23_whoever_minds_the_time_looks_every_ten_seconds(clock, queue, pool) -> None:
    queue.add_after("a", 25.0)
    getter = pool.submit(queue.get)

    naps = []
    while not getter.done() and len(naps) < 3:
        clock.wait_for_sleepers(1)
        naps.append(clock.advance_to_next())

    assert naps == [RECHECK, RECHECK, 5.0]
    assert getter.result(timeout=5.0) == "a"


def test_wq_24_add_after_does_not_block(queue) -> None:
    for i in range(5000):
        queue.add_after(f"item-{i}", 60.0)

    assert len(queue.debug_state()["delayed"]) == 5000


def test_wq_25_len_counts_what_is_due_though_nobody_took_it(clock, queue) -> None:
    queue.add_after("a", 0.050)
    clock.advance(0.049)
    assert len(queue) == 0
    assert repr(queue) == "<DelayingQueue 'pods': 0 queued, 0 working, 1 delayed>"

    clock.advance(0.001)
    assert len(queue) == 1


def test_one_of_several_getters_minds_the_time_and_hands_it_on(clock, queue, pool) -> None:
    for item, delay in [("a", 1.0), ("b", 2.0), ("c", 3.0)]:
        queue.add_after(item, delay)
    getters = [pool.submit(queue.get) for _ in range(3)]
    clock.wait_for_waiters(3)
    assert clock.sleepers == 1

    for _ in range(3):
        clock.wait_for_sleepers(1)
        assert clock.advance_to_next() == 1.0

    assert sorted(getter.result(timeout=5.0) for getter in getters) == ["a", "b", "c"]


def test_several_items_due_at_once_go_to_several_getters(clock, queue, pool) -> None:
    getters = [pool.submit(queue.get) for _ in range(3)]
    clock.wait_for_waiters(3)
    for item in "abc":
        queue.add_after(item, 1.0)
    clock.wait_for_sleepers(1)

    clock.advance(1.0)

    assert sorted(getter.result(timeout=5.0) for getter in getters) == ["a", "b", "c"]


def test_a_getter_that_gives_up_leaves_the_time_to_another(clock, queue, pool) -> None:
    queue.add_after("a", 5.0)
    impatient = pool.submit(queue.get, 1.0)
    clock.wait_for_sleepers(1)
    patient = pool.submit(queue.get)
    clock.wait_for_waiters(2)

    clock.advance(1.0)
    with pytest.raises(WaitTimeout):
        impatient.result(timeout=5.0)
    clock.wait_for_sleepers(1)
    clock.advance(4.0)

    assert patient.result(timeout=5.0) == "a"


class Item:
    """Something that can be weakly referenced."""


def test_wq_15_a_delay_brought_forward_keeps_no_reference(clock) -> None:
    queue, item = DelayingQueue[Item](clock=clock), Item()
    gone = weakref.ref(item)
    queue.add_after(Item(), 1.0)
    queue.add_after(item, 60.0)
    queue.add_after(item, 2.0)
    clock.advance(3.0)
    for _ in range(2):
        queue.done(queue.get())

    del item
    gc.collect()

    assert gone() is None


def test_delays_brought_forward_again_and_again_take_no_room() -> None:
    delays = Delays[str]()
    delays.put("first", 0.0)
    for due in range(10_000, 0, -1):
        delays.put("a", float(due))

    assert len(delays) == 2
    assert len(delays.slots) < 200
    assert list(delays.take_due(5.0)) == [("first", 0.0), ("a", 1.0)]


def test_debug_state_tells_the_time_left(clock, queue) -> None:
    queue.add_after("b", 5.0)
    queue.add_after("a", 2.0)
    clock.advance(1.0)

    assert list(queue.debug_state()["delayed"].items()) == [("a", 1.0), ("b", 4.0)]


def test_none_cannot_be_delayed(queue) -> None:
    with pytest.raises(ValueError, match="None"):
        queue.add_after(None, 1.0)


def test_wq_18_an_item_that_falls_due_while_it_comes_again_is_queued_once() -> None:
    clock = FakeClock()
    queue = DelayingQueue[str](clock=clock)
    queue.add("a")
    queue.get()
    queue.add("a")
    queue.add_after("a", 1.0)

    clock.advance(1.0)
    queue.done("a")

    assert len(queue) == 1
    assert queue.get() == "a"
    queue.done("a")
    assert len(queue) == 0
