"""Events for many watchers. Contract: MACH-54 to MACH-56."""

from __future__ import annotations

import threading
from itertools import islice

import pytest

from k8srt.apimachinery.broadcaster import Broadcaster, EmptyWatch, filter_watch
from k8srt.apimachinery.watch import ADDED, BOOKMARK, DELETED, ERROR, MODIFIED, Event, EventType
from k8srt.errors import QueueClosed, Stopped
from k8srt.util.threads import Stop


def objects(watch, count: int | None = None) -> list:
    return [event.object for event in islice(watch, count)]


def test_mach_54_event_types_are_their_texts():
    assert [ADDED, MODIFIED, DELETED, BOOKMARK, ERROR] == ["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]
    assert Event("ADDED", 1).type == EventType.ADDED


def test_mach_54_a_watch_is_stopped_twice_and_ends():
    changes = Broadcaster[int]()
    watch = changes.watch()

    watch.stop()
    watch.stop()

    assert list(watch) == []
    changes.action(ADDED, 1)


@pytest.mark.parametrize("full", ["wait", "drop"])
def test_mach_55_all_watchers_get_all_events_in_order(full):
    changes = Broadcaster[int](10, full)
    first, second = changes.watch(), changes.watch()

    for number in range(5):
        changes.action(MODIFIED, number)
    changes.shutdown()

    assert objects(first) == objects(second) == [0, 1, 2, 3, 4]


def test_mach_55_a_watch_sees_only_what_comes_later():
    changes = Broadcaster[int]()
    changes.action(ADDED, 1)

    watch = changes.watch()
    changes.action(ADDED, 2)

    assert objects(watch, 1) == [2]


def test_mach_55_a_watch_with_a_prefix_begins_with_it_however_long_it_is():
    changes = Broadcaster[int](1)

    watch = changes.watch_with_prefix([Event(ADDED, number) for number in range(5)])
    changes.shutdown()

    assert objects(watch) == [0, 1, 2, 3, 4]


def test_mach_55_a_slow_watcher_misses_events_and_only_it():
    changes = Broadcaster[int](2, "drop")
    slow, quick = changes.watch(), changes.watch()
    seen = []

    for number in range(4):
        changes.action(ADDED, number)
        seen += objects(quick, 1)
    changes.shutdown()

    assert seen == [0, 1, 2, 3]
    assert objects(slow) == [0, 1]


def test_mach_55_a_slow_watcher_is_waited_for_and_so_do_the_others():
    changes = Broadcaster[int](1, "wait", incoming=2)
    slow, quick = changes.watch(), changes.watch()
    for number in range(3):
        assert changes.action_or_drop(ADDED, number)

    assert not changes.action_or_drop(ADDED, 3)
    assert objects(quick, 1) == [0]

    assert objects(slow, 1) == [0]
    assert changes.action_or_drop(ADDED, 3)
    changes.shutdown()
    rest: dict[str, list[int]] = {}
    thread = threading.Thread(target=lambda: rest.update(slow=objects(slow)))
    thread.start()
    assert objects(quick) == [1, 2, 3]
    thread.join(timeout=5.0)
    assert rest == {"slow": [1, 2, 3]}


def test_mach_55_an_event_blocks_while_too_much_waits(pool):
    changes = Broadcaster[int](1, "wait", incoming=1)
    watch = changes.watch()
    changes.action(ADDED, 0)
    changes.action(ADDED, 1)

    blocked = pool.submit(changes.action, ADDED, 2)
    got = objects(watch, 1)

    blocked.result(timeout=5.0)
    assert [*got, *objects(watch, 2)] == [0, 1, 2]


def test_an_event_that_blocks_is_given_up_when_stopped():
    changes = Broadcaster[int](1, "wait", incoming=1)
    changes.watch()
    changes.action(ADDED, 0)
    changes.action(ADDED, 1)
    stop = Stop()
    stop.set()

    with pytest.raises(Stopped):
        changes.action(ADDED, 2, stop=stop)


def test_mach_55_whoever_waits_no_more_is_not_waited_for():
    changes = Broadcaster[int](1, "wait", incoming=1)
    slow, quick = changes.watch(), changes.watch()
    changes.action(ADDED, 0)
    changes.action(ADDED, 1)
    assert objects(quick, 1) == [0]

    slow.stop()

    assert objects(quick, 1) == [1]


def test_mach_55_after_the_shutdown_events_are_refused_and_watches_end_once_drained():
    changes = Broadcaster[int](1, "wait", incoming=2)
    watch = changes.watch()
    changes.action(ADDED, 0)
    changes.action(ADDED, 1)

    changes.shutdown()
    changes.shutdown()

    for refused in (lambda: changes.action(ADDED, 2), lambda: changes.action_or_drop(ADDED, 2), changes.watch):
        with pytest.raises(QueueClosed):
            refused()
    assert objects(watch) == [0, 1]


def test_mach_55_a_watch_that_waits_ends_with_the_shutdown(pool):
    changes = Broadcaster[int]()
    with changes.watch() as watch:
        waiting = pool.submit(objects, watch)
        changes.shutdown()

        assert waiting.result(timeout=5.0) == []


def test_mach_56_a_filter_changes_events_and_leaves_some_out():
    changes = Broadcaster[int]()
    inner = changes.watch()
    even = filter_watch(inner, lambda event: Event(event.type, str(event.object)) if event.object % 2 == 0 else None)

    for number in range(5):
        changes.action(ADDED, number)
    changes.shutdown()

    assert objects(even) == ["0", "2", "4"]
    even.stop()
    assert inner.stopped


def test_mach_56_an_empty_watch_has_ended():
    watch = EmptyWatch[int]()
    watch.stop()

    assert list(watch) == []


def test_a_queue_without_room_is_refused():
    with pytest.raises(ValueError, match="queue=0"):
        Broadcaster(0)
