"""What was said before is counted. Contract: EVT-23 to EVT-25, EVT-30."""

from __future__ import annotations

from typing import Any

import pytest

from k8srt.api.core.v1 import ObjectReference
from k8srt.api.events.v1 import Event
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.testing import FakeClock
from k8srt.tools.events import SeriesCache
from k8srt.tools.events.keys import isomorphic_key


def make(clock: FakeClock, **more: Any) -> Event:
    fields: dict[str, Any] = {
        "type": "Normal",
        "reason": "Synced",
        "action": "Sync",
        "note": "m",
        "reporting_controller": "me",
        "reporting_instance": "me-here",
        "regarding": ObjectReference(kind="Pod", name="web-0", namespace="shop", uid="u1", resource_version="7"),
    }
    return Event(metadata=ObjectMeta(name="e", namespace="shop"), event_time=clock.time(), **(fields | more))


def pod(**more: str) -> ObjectReference:
    return ObjectReference(**({"kind": "Pod", "name": "web-0", "namespace": "shop", "uid": "u1"} | more))


DIFFERENT: dict[str, dict[str, Any]] = {
    "type": {"type": "Warning"},
    "reason": {"reason": "Failed"},
    "action": {"action": "Delete"},
    "controller": {"reporting_controller": "you"},
    "instance": {"reporting_instance": "me-there"},
    "object": {"regarding": pod(uid="u2")},
    "part": {"regarding": pod(field_path="spec.containers{web}")},
    "related": {"related": pod()},
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_evt_23_events_of_one_series_are_the_same_in_all(clock, what):
    assert isomorphic_key(make(clock)) != isomorphic_key(make(clock, **DIFFERENT[what]))


@pytest.mark.parametrize("same", [{"note": "other"}, {"regarding": pod(resource_version="8")}])
def test_evt_23_notes_and_versions_make_no_other_series(clock, same):
    assert isomorphic_key(make(clock)) == isomorphic_key(make(clock, **same))


def test_evt_24_and_30_the_first_and_the_second_are_written_and_all_are_counted(clock):
    cache = SeriesCache(clock)
    written = []
    for _ in range(5):
        clock.advance(1.0)
        written.append([(todo.times, todo.event.event_time.second) for todo in cache.observe(make(clock))])

    assert written == [[(1, 1)], [(2, 1)], [], [], []]
    (series,) = cache.series()
    assert (series.times, series.event.series.count) == (5, 5)
    assert series.event.series.last_observed_time == clock.time()
    assert series.event.to_dict()["eventTime"] == "2026-01-01T00:00:01.000000Z"


def test_evt_24_what_is_written_is_not_changed_by_later_events(clock):
    cache = SeriesCache(clock)
    cache.observe(make(clock))
    (second,) = cache.observe(make(clock))

    cache.observe(make(clock))

    assert second.event.series.count == 2


def test_evt_25_series_are_over_after_six_minutes_and_single_events_forgotten(clock):
    cache = SeriesCache(clock)
    cache.observe(make(clock, reason="Once"))
    for _ in range(3):
        cache.observe(make(clock, reason="Often"))
    clock.advance(360.0)
    cache.observe(make(clock, reason="Now"))
    assert cache.finished() == []
    assert len(cache) == 3

    clock.advance(1.0)
    (over,) = cache.finished()
    assert (over.event.reason, over.times) == ("Often", 3)
    assert len(cache) == 2

    cache.forget(over)
    assert len(cache) == 1


def test_evt_25_a_series_that_goes_on_meanwhile_is_not_forgotten(clock):
    cache = SeriesCache(clock)
    for _ in range(2):
        cache.observe(make(clock))
    clock.advance(361.0)
    (over,) = cache.finished()

    cache.observe(make(clock))
    cache.forget(over)

    assert [series.times for series in cache.series()] == [3]


def test_series_that_the_server_has_been_told_of_are_told_again_only_if_asked_for(clock):
    cache = SeriesCache(clock)
    cache.observe(make(clock))
    (second,) = cache.observe(make(clock))
    assert len(cache.series(untold=True)) == 1

    cache.told(second)

    assert cache.series(untold=True) == []
    assert len(cache.series()) == 1
    cache.observe(make(clock))
    assert [todo.times for todo in cache.series(untold=True)] == [3]


def test_there_is_a_limit_and_what_has_to_go_is_told_before(clock):
    cache = SeriesCache(clock, size=2)
    for reason in ("A", "B", "B", "A", "A"):
        cache.observe(make(clock, reason=reason))

    written = cache.observe(make(clock, reason="C"))

    assert [(todo.event.reason, todo.times) for todo in written] == [("C", 1), ("B", 2)]
    assert len(cache) == 2


def test_looking_at_series_is_no_use_of_them(clock):
    cache = SeriesCache(clock, size=2)
    for reason in ("A", "A", "B", "B"):
        cache.observe(make(clock, reason=reason))

    cache.series()
    cache.now(cache.series()[0].key)

    assert [todo.event.reason for todo in cache.observe(make(clock, reason="C"))] == ["C", "A"]
