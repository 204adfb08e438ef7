"""The queue that hands out the smallest first."""

from __future__ import annotations

import random

import pytest

from k8srt.errors import CacheKeyError, QueueClosed
from k8srt.testing.clock import FakeClock
from k8srt.tools.cache import Heap, NotInHeap
from tests.unit.tools.cache.scripted import WAIT
from tests.unit.tools.cache.things import by_name, thing


def heap(**options):
    return Heap(by_name, lambda one, other: one[1] < other[1], **options)


def test_cache_67_the_smallest_first():
    queue = heap()
    queue.bulk_add([thing("a", 3), thing("b", 1)])
    queue.add(thing("c", 2))

    assert [queue.pop() for _ in range(3)] == [("b", 1), ("c", 2), ("a", 3)]


def test_cache_67_an_update_moves_the_object():
    queue = heap()
    queue.bulk_add([thing("a", 1), thing("b", 2)])
    queue.update(thing("a", 3))
    queue.add(thing("b", 4))

    assert len(queue) == 2
    assert [queue.pop() for _ in range(2)] == [("a", 3), ("b", 4)]


def test_cache_67_add_if_not_present_leaves_what_is_there():
    queue = heap()
    queue.add(thing("a", 1))
    queue.add_if_not_present(thing("a", 5))
    queue.add_if_not_present(thing("b", 5))

    assert sorted(queue.list()) == [("a", 1), ("b", 5)]


def test_cache_67_deleting_what_is_not_there_is_an_error():
    queue = heap()
    queue.bulk_add([thing("a", 1), thing("b", 2)])
    queue.delete(thing("a"))
    with pytest.raises(NotInHeap, match="object not found"):
        queue.delete(thing("a"))

    assert queue.list_keys() == ["b"]
    assert queue.pop() == ("b", 2)


def test_cache_67_closing(pool):
    clock = FakeClock()
    queue = heap(clock=clock)
    waiting = pool.submit(queue.pop)
    clock.wait_for_waiters(1)
    queue.add(thing("a"))
    assert waiting.result(timeout=WAIT) == ("a", 0)

    queue.add(thing("b"))
    queue.close()
    with pytest.raises(QueueClosed):
        queue.add(thing("c"))
    assert queue.is_closed()
    assert queue.pop() == ("b", 0)
    with pytest.raises(QueueClosed):
        queue.pop()


def test_cache_67_bulk_add_wakes_all_who_wait(pool):
    clock = FakeClock()
    queue = heap(clock=clock)
    waiting = [pool.submit(queue.pop) for _ in range(3)]
    clock.wait_for_waiters(3)
    queue.bulk_add([thing("a"), thing("b"), thing("c")])

    assert sorted(each.result(timeout=WAIT)[0] for each in waiting) == ["a", "b", "c"]


def test_many_changes_agree_with_a_sorted_list():
    rng = random.Random(7)
    queue, model = heap(), {}
    for number in range(2000):
        name = f"t{rng.randrange(50)}"
        if name in model and rng.random() < 0.3:
            queue.delete(thing(name))
            del model[name]
        else:
            model[name] = number * 7919 % 2003
            queue.add(thing(name, model[name]))

    assert len(queue._heap) < 200  # what was replaced does not pile up
    assert [queue.pop() for _ in range(len(queue))] == sorted(model.items(), key=lambda item: item[1])


def test_reading():
    queue = heap()
    queue.add(thing("a", 1))

    assert queue.get(thing("a", 9)) == ("a", 1)
    assert queue.get_by_key("b") is None
    assert repr(queue) == "<Heap of 1>"
    with pytest.raises(CacheKeyError):
        queue.add(42)
