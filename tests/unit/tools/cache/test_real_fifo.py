"""The queue of changes that keeps them all, in order."""

from __future__ import annotations

import logging
import threading

import pytest

from k8srt.api.core.v1 import Pod
from k8srt.errors import CacheKeyError, QueueClosed
from k8srt.testing.clock import FakeClock
from k8srt.tools.cache import DeletedFinalStateUnknown, Delta, DeltaType, RealFIFO, TransformError
from tests.unit.tools.cache.scripted import WAIT, pod, pod_object
from tests.unit.tools.cache.things import Known, by_name, drained, popped, thing


def fifo(*known, missing=(), **options):
    return RealFIFO(by_name, known_objects=Known(*known, missing=missing), **options)


def atomic(**options):
    return RealFIFO(by_name, atomic=True, **options)


def batches(queue):
    """All that waits, as batches of keys, with whether each is of the initial list."""
    seen = []
    while len(queue):
        queue.pop_batch(lambda batch, initial: seen.append(([key for key, _ in batch], initial)))
    return seen


def gone(name, value=0):
    return ("Deleted", DeletedFinalStateUnknown(name, thing(name, value)))


def test_cache_50_everything_is_kept_in_the_order_it_came():
    queue = fifo()
    queue.add(thing("a", 1))
    queue.add(thing("b", 1))
    queue.update(thing("a", 2))
    queue.delete(thing("a", 3))
    queue.delete(thing("a", 3))
    queue.delete(thing("unknown"))

    assert drained(queue) == [
        [("Added", ("a", 1))],
        [("Added", ("b", 1))],
        [("Updated", ("a", 2))],
        [("Deleted", ("a", 3))],
        [("Deleted", ("a", 3))],
        [("Deleted", ("unknown", 0))],
    ]


def test_cache_51_replace_queues_deletions_then_items():
    queue = fifo(thing("known", 5), thing("listed", 6), missing=["missing"])
    queue.add(thing("queued", 1))
    queue.add(thing("deleted", 1))
    queue.update(thing("queued", 2))
    queue.delete(thing("deleted", 2))
    queue.replace([thing("new", 8), thing("listed", 7)], "9")

    assert drained(queue)[4:] == [
        [gone("queued", 2)],
        [gone("known", 5)],
        [("Deleted", DeletedFinalStateUnknown("missing", None))],
        [("Replaced", ("new", 8))],
        [("Replaced", ("listed", 7))],
    ]


def test_cache_52_resync_leaves_out_what_is_queued():
    queue = fifo(thing("known"), thing("queued"), missing=["missing"])
    queue.update(thing("queued", 1))
    queue.resync()

    assert drained(queue) == [[("Updated", ("queued", 1))], [("Sync", ("known", 0))]]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "needs known_objects"),
        ({"atomic": True, "known_objects": Known()}, "takes no known_objects"),
        ({"known_objects": Known(), "unlock_while_processing": True}, "atomic"),
        ({"known_objects": Known(), "emit_bookmarks": True}, "atomic"),
    ],
)
def test_cache_52_options_that_make_no_sense_together_are_refused(options, said):
    with pytest.raises(ValueError, match=said):
        RealFIFO(by_name, **options)


def test_cache_53_an_atomic_replace_is_one_item_and_so_is_a_resync():
    queue = atomic(transformer=lambda obj: thing(obj[0], obj[1] + 100))
    queue.add(thing("a", 1))
    queue.replace([thing("a", 2), thing("b", 1)], "7")
    queue.resync()

    assert drained(queue) == [
        [("Added", ("a", 101))],
        [("ReplacedAll", ("7", [("a", 102), ("b", 101)]))],
        [("SyncAll", ())],
    ]


def test_cache_53_what_was_transformed_before_is_not_transformed_again():
    queue = atomic(transformer=lambda obj: thing(obj[0], obj[1] + 100))
    queue.replace([thing("a", 1)], "7", transformed=True)

    assert popped(queue) == [("ReplacedAll", ("7", [("a", 1)]))]


def test_cache_53_pop_gives_objects_and_pop_batch_what_is_kept():
    queue = RealFIFO(atomic=True, kind=Pod)
    kept = []
    for _ in range(2):
        queue.replace([pod_object("a")], "7")
    queue.pop_batch(lambda batch, initial: kept.extend(batch[0].deltas[0].object.objects))
    ((_, info),) = queue.pop(lambda deltas, initial: None)

    assert kept == [pod("a")]
    assert isinstance(info.objects[0], Pod)


def test_cache_54_bookmarks_are_passed_on_when_wanted():
    queue = atomic(emit_bookmarks=True)
    queue.bookmark("12")
    assert not queue.has_synced()
    assert popped(queue) == [("Bookmark", ("12",))]

    for deaf in (atomic(), fifo()):
        deaf.bookmark("12")
        assert len(deaf) == 0


def test_cache_55_the_last_initial_item_is_not_synced_until_it_was_processed():
    queue = fifo()
    assert not queue.has_synced()
    queue.replace([thing("a"), thing("b"), thing("b")], "1")
    queue.add(thing("later"))
    seen = []
    for _ in range(4):
        queue.pop(lambda deltas, initial: seen.append((initial, queue.has_synced(), queue.synced.is_set())))

    assert seen == [(True, False, False)] * 3 + [(False, True, True)]


def test_cache_55_the_count_is_the_length_of_the_queue():
    queue = fifo(thing("known"))
    queue.replace([thing("a")], "1")
    popped(queue)
    assert not queue.has_synced()
    popped(queue)
    assert queue.has_synced()


@pytest.mark.parametrize("items", [[], [thing("a"), thing("b")]])
def test_cache_55_an_atomic_replace_counts_as_one_also_an_empty_one(items):
    queue = atomic()
    queue.replace(items, "1")
    assert not queue.has_synced()
    popped(queue)

    assert queue.has_synced()
    queue.replace([thing("c")], "2")
    assert queue.has_synced()


def test_cache_55_an_empty_replace_of_nothing_is_synced_at_once():
    queue = fifo()
    queue.replace([], "1")

    assert queue.synced.is_set()


def test_cache_55_any_change_before_the_first_replace_is_synced():
    for change in ("add", "update", "delete"):
        queue = fifo()
        getattr(queue, change)(thing("a"))
        assert queue.has_synced()
        assert queue.synced.is_set()


def test_cache_55_what_failed_counts_as_processed():
    queue = fifo()
    queue.replace([thing("a")], "1")

    def fail(deltas, initial):
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        queue.pop(fail)
    assert queue.has_synced()
    assert len(queue) == 0


def test_cache_56_a_batch_ends_where_a_key_comes_again():
    queue = atomic()
    for name in "abac":
        queue.add(thing(name))

    assert batches(queue) == [(["a", "b"], False), (["a", "c"], False)]


def test_cache_56_a_batch_ends_with_the_initial_list():
    queue = fifo()
    queue.replace([thing("a"), thing("b")], "1")
    queue.add(thing("c"))

    assert batches(queue) == [(["a", "b"], True), (["c"], False)]


def test_cache_56_what_concerns_everything_comes_alone():
    queue = atomic(emit_bookmarks=True)
    queue.add(thing("a"))
    queue.resync()
    queue.bookmark("5")
    queue.add(thing("b"))
    queue.replace([thing("c")])
    queue.add(thing("d"))

    assert [keys for keys, _ in batches(queue)] == [["a"], [""], [""], ["b"], [""], ["d"]]


def test_cache_56_a_batch_has_a_limit():
    queue = atomic()
    for number in range(1001):
        queue.add(thing(f"t{number}"))

    assert [len(keys) for keys, _ in batches(queue)] == [1000, 1]


def test_cache_56_what_has_no_key_is_refused_when_it_is_added():
    queue = RealFIFO(atomic=True)
    with pytest.raises(CacheKeyError):
        queue.add(42)
    with pytest.raises(CacheKeyError):
        queue.replace([42])

    assert len(queue) == 0
    assert not queue.has_synced()


def test_cache_57_others_may_add_while_a_batch_is_processed(pool):
    queue = atomic(unlock_while_processing=True)
    queue.add(thing("a"))

    def process(deltas, initial):
        pool.submit(queue.add, thing("b")).result(timeout=WAIT)

    queue.pop(process)
    assert popped(queue) == [("Added", ("b", 0))]


@pytest.mark.parametrize(("options", "waiting"), [({"unlock_while_processing": True}, 5), ({}, 1)])
def test_cache_57_too_much_that_waits_keeps_producers_out(pool, options, waiting):
    queue = atomic(batch_size=2, **options)
    for number in range(waiting):
        queue.add(thing(f"t{number}"))
    adding = threading.Event()
    lengths = []

    def add():
        adding.set()
        queue.add(thing("late"))

    def process(deltas, initial):
        futures.append(pool.submit(add))
        assert adding.wait(WAIT)
        lengths.append(len(queue))

    futures = []
    queue.pop(process)
    futures[0].result(timeout=WAIT)

    assert lengths == [waiting - 1]
    assert len(queue) == waiting


def test_cache_57_one_consumer_at_a_time(pool):
    queue = atomic(unlock_while_processing=True)
    queue.add(thing("a"))
    queue.add(thing("b"))
    entered, release = threading.Event(), threading.Event()
    order = []

    def slow(deltas, initial):
        entered.set()
        release.wait(WAIT)
        order.append("slow")

    first = pool.submit(queue.pop, slow)
    assert entered.wait(WAIT)
    second = pool.submit(queue.pop, lambda deltas, initial: order.append("second"))
    release.set()
    first.result(timeout=WAIT)
    second.result(timeout=WAIT)

    assert order == ["slow", "second"]


def test_cache_58_close_wakes_and_delivers_what_is_queued(pool):
    clock = FakeClock()
    queue = atomic(clock=clock)
    waiting = pool.submit(queue.pop, lambda deltas, initial: None)
    clock.wait_for_waiters(1)
    queue.close()
    with pytest.raises(QueueClosed, match="RealFIFO: manipulating with closed queue"):
        waiting.result(timeout=WAIT)

    queue.add(thing("a"))
    assert popped(queue) == [("Added", ("a", 0))]
    with pytest.raises(QueueClosed):
        popped(queue)
    assert queue.is_closed()


@pytest.mark.parametrize(
    ("size", "seconds", "said"), [(1, 0.2, True), (1, 0.05, False), (5, 0.4, False), (50, 2.0, True)]
)
def test_cache_59_slow_processing_is_logged_while_many_wait(caplog, size, seconds, said):
    clock = FakeClock()
    queue = atomic(clock=clock, unlock_while_processing=True)
    for number in range(100):
        queue.add(thing(f"t{number}"))
    with caplog.at_level(logging.INFO):
        queue.pop_batch(lambda batch, initial: clock.advance(seconds), size)

    assert (f"took {seconds:.3f}s" in caplog.text) is said


def test_a_tombstone_is_not_transformed_and_a_transform_that_fails_queues_nothing():
    def transform(obj):
        if obj[0] == "bad":
            raise ValueError("cannot")
        return thing(obj[0], 100)

    queue = fifo(transformer=transform)
    assert queue.transformer() is transform
    queue.delete(DeletedFinalStateUnknown("a", thing("a")))
    with pytest.raises(TransformError, match="cannot"):
        queue.add(thing("bad"))
    failed = queue.extend([Delta(DeltaType.ADDED, thing("bad")), Delta(DeltaType.ADDED, thing("b"))])

    assert [str(err) for _, err in failed] == ["transforming: cannot"]
    assert drained(queue) == [[gone("a")], [("Added", ("b", 100))]]


def test_it_can_tell_what_it_is_up_to():
    queue = atomic(name="pods")
    assert queue.debug_state()["oldest"] is None
    queue.replace([thing("a")], "1")
    queue.add(thing("b"))

    assert repr(queue) == "<RealFIFO pods: 2 changes>"
    assert queue.debug_state() == {
        "name": "RealFIFO pods", "changes": 2, "oldest": "ReplacedAll", "initial": 1, "synced": False, "closed": False,
    }  # fmt: skip
    popped(queue)
    assert queue.debug_state()["oldest"] == "b"
