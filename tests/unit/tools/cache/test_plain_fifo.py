"""The queue of latest states."""

from __future__ import annotations

import pytest

from k8srt.api.core.v1 import Pod
from k8srt.errors import QueueClosed
from k8srt.testing.clock import FakeClock
from k8srt.tools.cache import FIFO
from tests.unit.tools.cache.scripted import WAIT, pod_object
from tests.unit.tools.cache.things import by_name, thing


def popped(queue):
    return queue.pop(lambda obj, initial: None)


def test_cache_66_the_latest_state_at_the_first_place():
    queue = FIFO(by_name)
    queue.add(thing("a", 1))
    queue.add(thing("b", 1))
    queue.update(thing("a", 2))

    assert [popped(queue), popped(queue)] == [("a", 2), ("b", 1)]


def test_cache_66_what_was_deleted_is_never_seen():
    queue = FIFO(by_name)
    for name in "abc":
        queue.add(thing(name))
    queue.delete(thing("b"))
    queue.delete(thing("unknown"))

    assert sorted(queue.list_keys()) == ["a", "c"]
    assert [popped(queue), popped(queue)] == [("a", 0), ("c", 0)]


def test_cache_66_replace_resets_everything():
    queue = FIFO(by_name)
    queue.add(thing("old"))
    queue.replace([thing("b", 1), thing("a", 1), thing("b", 2)], "7")
    queue.resync()

    assert sorted(queue.list()) == [("a", 1), ("b", 2)]
    assert len(queue) == 2
    assert [popped(queue), popped(queue)] == [("b", 2), ("a", 1)]


def test_cache_66_synced_once_the_first_replace_was_processed():
    queue = FIFO(by_name)
    assert not queue.has_synced()
    queue.replace([thing("a"), thing("a"), thing("b"), thing("c")], "1")
    queue.delete(thing("b"))
    seen = []
    for _ in range(2):
        queue.pop(lambda obj, initial: seen.append((obj[0], initial, queue.has_synced())))

    assert seen == [("a", True, False), ("c", True, False)]
    assert queue.has_synced()
    queue.replace([thing("d")], "2")
    assert queue.has_synced()


def test_cache_66_other_ways_to_be_synced():
    for change in ("add", "update", "delete"):
        queue = FIFO(by_name)
        getattr(queue, change)(thing("a"))
        assert queue.has_synced()
    empty = FIFO(by_name)
    empty.replace([], "1")
    assert empty.has_synced()


def test_cache_66_closed_as_other_queues_are(pool):
    clock = FakeClock()
    queue = FIFO(by_name, clock=clock)
    waiting = pool.submit(popped, queue)
    clock.wait_for_waiters(1)
    queue.close()
    with pytest.raises(QueueClosed, match="manipulating with closed queue"):
        waiting.result(timeout=WAIT)
    queue.add(thing("a"))

    assert queue.is_closed()
    assert popped(queue) == ("a", 0)
    with pytest.raises(QueueClosed):
        popped(queue)


def test_cache_66_what_failed_is_gone():
    queue = FIFO(by_name)
    queue.add(thing("a"))
    with pytest.raises(ZeroDivisionError):
        queue.pop(lambda obj, initial: 1 / 0)

    assert len(queue) == 0


def test_objects_are_the_callers_own():
    queue = FIFO(kind=Pod)
    queue.add(pod_object("a"))
    mine = queue.get_by_key("default/a")
    mine.metadata.labels = {"x": "y"}

    assert queue.get(pod_object("a")).metadata.labels is None
    assert queue.get_by_key("default/b") is None
    assert repr(queue) == "<FIFO: 1 keys>"
    assert queue.debug_state() == {"keys": 1, "initial": 0, "synced": True, "closed": False}
