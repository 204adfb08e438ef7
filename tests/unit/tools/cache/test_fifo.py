"""The queue of changes."""

from __future__ import annotations

import pytest

from k8srt.errors import CacheKeyError, QueueClosed
from k8srt.testing.clock import FakeClock
from k8srt.tools.cache import DeletedFinalStateUnknown, Delta, DeltaFIFO, DeltaType, TransformError
from tests.unit.tools.cache.scripted import pod_object
from tests.unit.tools.cache.things import Known, by_name, drained, popped, thing


def fifo(*known, missing=(), **options):
    options.setdefault("emit_delta_type_replaced", True)
    known_objects = Known(*known, missing=missing) if known or missing else None
    return DeltaFIFO(by_name, known_objects=known_objects, **options)


def test_cache_34_delta_types_are_their_names():
    assert [str(each) for each in DeltaType] == [
        "Added", "Updated", "Deleted", "Replaced", "Sync", "ReplacedAll", "SyncAll", "Bookmark",
    ]  # fmt: skip
    assert DeltaType.ADDED == "Added"


def test_cache_35_changes_of_a_key_share_its_place():
    queue = fifo()
    queue.add(thing("a", 1))
    queue.add(thing("b", 1))
    queue.update(thing("a", 2))
    queue.delete(thing("a", 3))

    assert drained(queue) == [
        [("Added", ("a", 1)), ("Updated", ("a", 2)), ("Deleted", ("a", 3))],
        [("Added", ("b", 1))],
    ]


def test_cache_36_two_deletions_become_one():
    tombstone = DeletedFinalStateUnknown("a", thing("a", 0))
    for first, second, kept in [
        (thing("a", 1), thing("a", 2), thing("a", 1)),
        (thing("a", 1), tombstone, thing("a", 1)),
        (tombstone, thing("a", 2), thing("a", 2)),
    ]:
        queue = fifo()
        queue.add(thing("a"))
        queue.delete(first)
        queue.delete(second)
        assert popped(queue) == [("Added", ("a", 0)), ("Deleted", kept)]


def test_cache_36_updates_are_not_merged():
    queue = fifo()
    queue.update(thing("a", 1))
    queue.update(thing("a", 1))

    assert popped(queue) == [("Updated", ("a", 1)), ("Updated", ("a", 1))]


def test_cache_37_the_deletion_of_what_nobody_knows_is_dropped():
    queue = fifo(thing("known"))
    queue.delete(thing("unknown"))
    queue.delete(thing("known"))

    assert drained(queue) == [[("Deleted", ("known", 0))]]
    assert queue.has_synced()


def test_cache_37_without_known_objects_the_queue_alone_counts():
    queue = fifo()
    queue.delete(thing("a"))

    assert len(queue) == 0
    assert queue.has_synced()


def test_cache_38_keys_of_deltas_tombstones_and_objects():
    queue = fifo()

    assert queue.key_of([Delta(DeltaType.ADDED, thing("a")), Delta(DeltaType.UPDATED, thing("b"))]) == "b"
    assert queue.key_of(DeletedFinalStateUnknown("gone", None)) == "gone"
    assert queue.key_of(thing("c")) == "c"
    with pytest.raises(CacheKeyError, match="0 length"):
        queue.key_of([])


def test_cache_39_replace_queues_items_then_deletions():
    queue = fifo(thing("known", 5), thing("listed", 6))
    queue.add(thing("queued", 1))
    queue.replace([thing("listed", 7), thing("new", 8)], "9")

    assert drained(queue) == [
        [("Added", ("queued", 1)), ("Deleted", DeletedFinalStateUnknown("queued", ("queued", 1)))],
        [("Replaced", ("listed", 7))],
        [("Replaced", ("new", 8))],
        [("Deleted", DeletedFinalStateUnknown("known", ("known", 5)))],
    ]


def test_cache_39_without_the_option_replaced_is_called_sync():
    queue = DeltaFIFO(by_name)
    queue.replace([thing("a")])

    assert popped(queue) == [("Sync", ("a", 0))]


def test_cache_39_a_known_object_that_cannot_be_looked_up_is_deleted_without_one():
    queue = fifo(missing=["lost", "raises"])
    queue.replace([])

    assert drained(queue) == [
        [("Deleted", DeletedFinalStateUnknown("lost", None))],
        [("Deleted", DeletedFinalStateUnknown("raises", None))],
    ]


def test_cache_39_a_tombstone_is_not_nested():
    queue = fifo()
    queue.add(thing("a", 1))
    queue.delete(DeletedFinalStateUnknown("a", thing("a", 1)))
    queue.update(DeletedFinalStateUnknown("a", thing("a", 2)))
    queue.replace([])

    assert popped(queue)[-1] == ("Deleted", DeletedFinalStateUnknown("a", ("a", 2)))


def test_cache_40_a_queued_deletion_keeps_its_object():
    queue = fifo(thing("a", 1))
    queue.delete(thing("a", 2))
    queue.replace([])
    queue.replace([])

    assert drained(queue) == [[("Deleted", ("a", 2))]]


def test_cache_41_what_was_recreated_is_not_lost():
    queue = fifo(thing("a", 1))
    queue.delete(thing("a", 1))
    queue.replace([thing("a", 2)])

    assert popped(queue) == [("Deleted", ("a", 1)), ("Replaced", ("a", 2))]


def test_cache_42_resync_leaves_out_what_is_queued():
    queue = fifo(thing("a", 1), thing("b", 1), missing=["vanished"])
    queue.update(thing("a", 2))
    queue.resync()

    assert drained(queue) == [[("Updated", ("a", 2))], [("Sync", ("b", 1))]]


def test_cache_42_without_known_objects_resync_does_nothing():
    queue = fifo()
    queue.resync()

    assert len(queue) == 0


def test_cache_43_synced_once_the_first_replace_was_popped():
    queue = fifo(thing("gone"))
    assert not queue.has_synced()

    queue.replace([thing("a"), thing("a", 2), thing("b")])
    for left in (2, 1, 0):
        assert not queue.has_synced()
        popped(queue)
        assert len(queue) == left
    assert queue.has_synced()
    assert queue.synced.is_set()

    queue.replace([thing("c")])
    assert queue.has_synced()


def test_cache_43_an_empty_replace_is_synced_at_once():
    queue = fifo()
    queue.replace([])

    assert queue.has_synced()
    assert queue.synced.is_set()


def test_cache_43_any_change_before_the_first_replace_is_synced():
    queue = fifo()
    queue.add(thing("a"))

    assert queue.has_synced()
    queue.replace([thing("a"), thing("b")])
    assert queue.has_synced()


def test_cache_44_the_count_falls_before_the_processing():
    queue = fifo()
    queue.replace([thing("a")])
    seen = []

    queue.pop(lambda deltas, initial: seen.append((queue.has_synced(), queue.synced.is_set())))

    assert seen == [(True, False)]
    assert queue.synced.is_set()


def test_cache_45_the_last_initial_item_still_sees_the_flag():
    queue = fifo()
    queue.replace([thing("a"), thing("b")])
    queue.add(thing("c"))
    flags = []

    for _ in range(3):
        queue.pop(lambda deltas, initial: flags.append(initial))

    assert flags == [True, True, False]


def test_cache_45_pop_waits(pool):
    clock = FakeClock()
    queue = fifo(clock=clock)
    popper = pool.submit(popped, queue)
    clock.wait_for_waiters(1)

    queue.add(thing("a"))

    assert popper.result(timeout=10) == [("Added", ("a", 0))]


def test_cache_46_what_failed_is_gone():
    queue = fifo()
    queue.add(thing("a"))

    def fails(deltas, initial):
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        queue.pop(fails)
    assert len(queue) == 0


def test_cache_47_close_wakes_and_delivers_what_is_queued(pool):
    clock = FakeClock()
    queue = fifo(clock=clock)
    poppers = [pool.submit(popped, queue) for _ in range(3)]
    clock.wait_for_waiters(3)

    queue.close()

    for popper in poppers:
        with pytest.raises(QueueClosed, match="DeltaFIFO: manipulating with closed queue"):
            popper.result(timeout=10)
    queue.add(thing("late"))
    assert popped(queue) == [("Added", ("late", 0))]
    with pytest.raises(QueueClosed):
        popped(queue)


def test_cache_48_the_transformer_runs_once_per_object_that_comes_in():
    seen = []

    def transform(obj):
        seen.append(obj)
        return thing(obj[0], "T")

    queue = fifo(thing("known", 1), transformer=transform)
    queue.add(thing("a", 1))
    queue.update(thing("a", 2))
    queue.delete(thing("a", 3))
    queue.delete(DeletedFinalStateUnknown("known", thing("known", 4)))
    queue.resync()
    queue.replace([thing("r", 5)])

    assert seen == [("a", 1), ("a", 2), ("a", 3), ("r", 5)]
    assert queue.transformer() is transform
    assert popped(queue)[0] == ("Added", ("a", "T"))


def test_cache_48_a_transformer_that_fails_queues_nothing():
    def transform(obj):
        raise ValueError("no good")

    queue = fifo(transformer=transform)

    with pytest.raises(TransformError, match="no good"):
        queue.add(thing("a"))
    with pytest.raises(TransformError):
        queue.replace([thing("a")])
    assert len(queue) == 0
    assert not queue.has_synced()


def test_cache_48_a_transform_that_returns_nothing_is_an_error():
    queue = fifo(transformer=lambda obj: None)

    with pytest.raises(TransformError, match="returned nothing"):
        queue.add(thing("a"))


def test_cache_75_processing_may_ask_the_consumers_store():
    known = Known(thing("a"))
    queue = DeltaFIFO(by_name, known_objects=known)
    queue.update(thing("a", 2))

    queue.pop(lambda deltas, initial: known.get_by_key("a"))


def test_cache_76_several_may_pop(pool):
    clock = FakeClock()
    queue = fifo(clock=clock)
    poppers = [pool.submit(popped, queue) for _ in range(3)]
    clock.wait_for_waiters(3)

    queue.replace([thing("a"), thing("b"), thing("c")])  # one wake-up, which is passed on

    assert sorted(popper.result(timeout=10)[0][1] for popper in poppers) == [("a", 0), ("b", 0), ("c", 0)]


def test_a_batch_takes_what_waits_and_ends_with_the_initial_list():
    queue = fifo()
    queue.replace([thing("a"), thing("b")])
    queue.add(thing("c"))
    queue.add(thing("d"))
    batches = []

    def process(batch, initial):
        batches.append(([pending.key for pending in batch], initial))

    while len(queue):
        queue.pop_batch(process)

    assert batches == [(["a", "b"], True), (["c", "d"], False)]


def test_a_batch_has_a_limit_and_keeps_the_order():
    queue = fifo()
    for number in range(7):
        queue.add(thing(f"k{number}"))
    keys = []

    while len(queue):
        queue.pop_batch(lambda batch, initial: keys.append([pending.key for pending in batch]), 3)

    assert keys == [["k0", "k1", "k2"], ["k3", "k4", "k5"], ["k6"]]


def test_extend_reports_what_had_no_effect():
    queue = DeltaFIFO()

    failed = queue.extend([Delta(DeltaType.ADDED, pod_object("a")), Delta(DeltaType.ADDED, 42)])

    assert [obj for obj, _ in failed] == [42]
    assert len(queue) == 1


def test_it_can_tell_what_it_is_up_to():
    queue = fifo(name="things")
    queue.add(thing("a"))
    queue.update(thing("a"))

    assert queue.debug_state()["changes"] == 2
    assert repr(queue) == "<DeltaFIFO things: 1 keys>"
