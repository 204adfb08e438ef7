"""The queue with priorities."""

from __future__ import annotations

import pytest

from k8srt.errors import WaitTimeout
from k8srt.testing.clock import FakeClock
from k8srt.util.workqueue import LOW_PRIORITY, ItemFastSlowRateLimiter, PriorityQueue, RateLimiting


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(now=0.0)


@pytest.fixture
def queue(clock: FakeClock) -> PriorityQueue[str]:
    return PriorityQueue[str]("pods", clock=clock)


def drained(queue: PriorityQueue[str]) -> list[str | None]:
    items = []
    while True:
        try:
            items.append(queue.get(timeout=0.0))
        except WaitTimeout:
            return items


def test_wq_50_pq_01_it_is_a_rate_limiting_queue_with_options(clock, queue: RateLimiting[str]) -> None:
    assert isinstance(queue, PriorityQueue)
    queue.add("a")
    queue.add_after("b", 1.0)
    queue.add_with(["c", "d"], priority=7)
    assert queue.get_with_priority() == ("c", 7)
    assert queue.get() == "d"
    assert queue.get_with_priority() == ("a", 0)
    clock.advance(1.0)
    assert queue.get() == "b"


def test_wq_50_the_default_limiter_has_no_bucket(clock, queue) -> None:
    for i in range(500):
        queue.add_rate_limited(f"item-{i}")
    clock.advance(0.005)
    assert len(queue) == 500

    for _ in range(30):
        queue.add_rate_limited("slow")
    assert queue.num_requeues("slow") == 30
    queue.forget("slow")
    assert queue.num_requeues("slow") == 0


def test_wq_51_pq_01_higher_first_and_in_order_of_insertion_within_one(clock, queue) -> None:
    for item, priority in [("a", 0), ("b", 5), ("c", -5), ("d", 5), ("e", 0)]:
        queue.add_with([item], priority=priority)
    queue.add_with(["not ready"], priority=100, after=10.0)

    assert drained(queue) == ["b", "d", "a", "e", "c"]


def test_wq_52_pq_02_an_item_known_keeps_the_most_and_the_earliest(clock, queue) -> None:
    queue.add_with(["a"], after=5.0, priority=3)
    queue.add_with(["a"], after=9.0, priority=7)
    queue.add_with(["a"], after=2.0, priority=1)
    queue.add_with(["b"], after=2.0, priority=5)
    clock.advance(2.0)

    assert len(queue) == 2
    assert queue.get_with_priority() == ("a", 7)
    assert queue.get_with_priority() == ("b", 5)
    clock.advance(20.0)
    assert len(queue) == 0


def test_wq_52_ready_beats_waiting(clock, queue) -> None:
    queue.add_after("a", 5.0)
    queue.add("a")
    queue.add_after("a", 1.0)

    assert len(queue) == 1
    assert queue.get() == "a"
    queue.done("a")
    clock.advance(9.0)
    assert len(queue) == 0


def test_wq_53_a_raise_goes_to_the_end_and_the_same_keeps_its_place(queue) -> None:
    queue.add_with(["x", "y"], priority=5)
    queue.add_with(["a", "b", "c"], priority=0)
    queue.add_with(["x", "a"], priority=0)
    queue.add_with(["b"], priority=5)
    queue.add_with(["x"], priority=5)

    assert drained(queue) == ["x", "y", "b", "a", "c"]


def test_wq_54_pq_03_what_was_delayed_is_ordered_by_when_it_became_ready(clock, queue) -> None:
    queue.add_after("third", 3.0)
    queue.add_after("first", 1.0)
    clock.advance(2.0)
    queue.add("second")
    clock.advance(2.0)
    queue.add("fourth")

    assert drained(queue) == ["first", "second", "third", "fourth"]


def test_wq_54_a_delay_cut_short_counts_from_then(queue) -> None:
    queue.add_after("was waiting", 60.0)
    queue.add("a")
    queue.add("was waiting")

    assert drained(queue) == ["a", "was waiting"]


def test_wq_55_the_smaller_of_two_delays_counts(clock) -> None:
    queue = PriorityQueue[str]("pods", ItemFastSlowRateLimiter(5.0, 5.0, 1), clock=clock)
    queue.add_with(["a"], after=2.0, rate_limited=True)
    queue.add_with(["b"], after=9.0, rate_limited=True)
    queue.add_with(["c"], rate_limited=True)

    assert [queue.num_requeues(item) for item in "abc"] == [1, 1, 1]
    clock.advance(2.0)
    assert drained(queue) == ["a"]
    clock.advance(3.0)
    assert drained(queue) == ["b", "c"]


def test_wq_56_pq_04_an_item_in_work_is_kept_back_until_done(queue) -> None:
    queue.add_with(["a"], priority=9)
    queue.get()
    queue.add_with(["a"], priority=9)
    queue.add_with(["a"], priority=10)
    queue.add("b")

    assert len(queue) == 2
    assert queue.get_with_priority() == ("b", 0)
    with pytest.raises(WaitTimeout):
        queue.get(timeout=0.0)
    queue.add("c")
    queue.done("a")
    queue.done("never seen")
    assert queue.get_with_priority() == ("a", 10)
    assert queue.get() == "c"


def test_wq_56_an_item_kept_back_keeps_its_place_in_the_line(queue) -> None:
    queue.add("a")
    queue.get()
    queue.add("a")
    queue.add("b")
    queue.done("a")

    assert drained(queue) == ["a", "b"]


def test_wq_56_done_wakes_a_getter(clock, queue, pool) -> None:
    queue.add("a")
    queue.get()
    queue.add("a")
    getter = pool.submit(queue.get)
    clock.wait_for_waiters(1)

    queue.done("a")

    assert getter.result(timeout=5.0) == "a"


def test_wq_56_a_delayed_item_that_falls_due_in_work_waits_for_done(clock, queue) -> None:
    queue.add("a")
    queue.get()
    queue.add_after("a", 1.0)
    clock.advance(1.0)

    assert len(queue) == 1
    assert drained(queue) == []
    queue.done("a")
    assert drained(queue) == ["a"]


def test_wq_57_len_counts_the_ready_only(clock, queue) -> None:
    queue.add("a")
    queue.add_after("b", 1.0)
    assert len(queue) == 1
    assert repr(queue) == "<PriorityQueue 'pods': 1 ready, 1 waiting, 0 working>"

    clock.advance(1.0)
    assert len(queue) == 2
    assert queue


def test_wq_58_pq_05_a_shutdown_ends_everything_at_once(clock, queue, pool) -> None:
    getters = [pool.submit(queue.get_with_priority) for _ in range(3)]
    clock.wait_for_waiters(3)
    queue.shut_down(drain=True)
    assert [getter.result(timeout=5.0) for getter in getters] == [None] * 3

    other = PriorityQueue[str](clock=clock)
    for item in "abc":
        other.add(item)
    other.get()
    other.shut_down(drain=True)
    other.add("d")
    other.add_with(["e"], after=1.0)
    clock.advance(2.0)

    assert other.shutting_down()
    assert other.get() is None
    assert len(other) == 0
    other.done("a")
    other.shut_down()


def test_wq_60_pq_07_the_priority_of_what_is_probably_in_order() -> None:
    assert LOW_PRIORITY == -100


def test_a_getter_waits_for_what_is_due_and_hears_of_what_is_earlier(clock, queue, pool) -> None:
    queue.add_after("late", 8.0)
    getter = pool.submit(queue.get)
    clock.wait_for_sleepers(1)
    queue.add_after("early", 1.0)
    clock.wait_for_sleepers(1, by=1.0)

    clock.advance(1.0)

    assert getter.result(timeout=5.0) == "early"


def test_pq_09_what_waited_for_long_counts_as_priority_0(clock, queue) -> None:
    queue.add_with(["low-1", "low-2"], priority=-100)
    clock.advance(30.0)
    queue.add_with(["lower"], priority=-200)
    queue.add("zero-1")
    clock.advance(30.0)

    assert queue.get_with_priority() == ("zero-1", 0)
    queue.add("zero-2")
    assert queue.get_with_priority() == ("low-1", -100)
    assert drained(queue) == ["low-2", "zero-2", "lower"]


def test_pq_09_ten_times_as_long_counts_as_the_highest(clock, queue) -> None:
    queue.add_with(["low"], priority=-100)
    clock.advance(60.0)
    queue.add_with(["high"], priority=100)
    assert queue.get() == "high"

    queue.add_with(["higher"], priority=200)
    clock.advance(540.0)

    assert drained(queue) == ["low", "higher"]


def test_pq_09_promotion_can_be_switched_off(clock) -> None:
    queue = PriorityQueue[str](max_wait=None, clock=clock)
    queue.add_with(["low"], priority=-1)
    clock.advance(10_000.0)
    queue.add("a")

    assert drained(queue) == ["a", "low"]


def test_pq_11_a_great_many_adds_do_not_hold_the_lock_for_long(clock, queue) -> None:
    holds: list[int] = []
    inner = queue._add_chunk_locked
    queue._add_chunk_locked = lambda chunk, priority: (holds.append(len(chunk)), inner(chunk, priority))

    queue.add_with((f"item-{i}" for i in range(2345)), priority=LOW_PRIORITY)

    assert len(queue) == 2345
    assert max(holds) <= 500


def test_debug_state_tells_what_is_where(clock, queue) -> None:
    queue.add("a")
    queue.get()
    queue.add_with(["b"], priority=2)
    queue.add_with(["c"], after=5.0)
    clock.advance(1.0)

    assert queue.debug_state() == {
        "name": "pods",
        "ready": [{"item": "b", "priority": 2, "age": 1.0}],
        "waiting": [{"item": "c", "priority": 0, "due_in": 4.0}],
        "working": ["a"],
        "shutting_down": False,
    }


def test_none_cannot_be_queued(queue) -> None:
    for add in (queue.add, queue.add_rate_limited, lambda item: queue.add_with([item])):
        with pytest.raises(ValueError, match="None"):
            add(None)
