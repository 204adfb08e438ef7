"""Similar, repeated and too many events. Contract: EVT-10 to EVT-16, EVT-18."""

from __future__ import annotations

from typing import Any

import pytest

from k8srt.api.core.v1 import Event, EventSource, ObjectReference
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.testing import FakeClock
from k8srt.tools.record import CorrelatorOptions, EventCorrelator
from k8srt.tools.record.correlation.keys import aggregate_by_reason, event_key, spam_key


class Source:
    """Makes events; the n-th is called `web-0.<n>`."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.made = 0

    def __call__(self, message: str = "m", **more: Any) -> Event:
        self.made += 1
        about = {"kind": "Pod", "namespace": "shop", "name": "web-0", "uid": "u1", "api_version": "v1"}
        about |= more.pop("about", {})
        now = self.clock.time()
        fields: dict[str, Any] = {
            "type": "Normal",
            "reason": "Synced",
            "message": message,
            "count": 1,
            "first_timestamp": now,
            "last_timestamp": now,
            "source": EventSource(component="me", host="here"),
            "reporting_component": "me",
            "reporting_instance": "here",
        }
        return Event(
            metadata=ObjectMeta(name=f"web-0.{self.made}", namespace="shop"),
            involved_object=ObjectReference(**about),
            **(fields | more),
        )


@pytest.fixture
def make(clock: FakeClock) -> Source:
    return Source(clock)


def correlator(clock: FakeClock, **options: Any) -> EventCorrelator:
    return EventCorrelator(CorrelatorOptions(**({"burst": 10_000} | options)), clock=clock)


# ---- keys


VARIANTS: dict[str, dict[str, Any]] = {
    "component": {"source": EventSource(component="you", host="here")},
    "host": {"source": EventSource(component="me", host="there")},
    "kind": {"about": {"kind": "Node"}},
    "namespace": {"about": {"namespace": "other"}},
    "name": {"about": {"name": "web-1"}},
    "uid": {"about": {"uid": "u2"}},
    "apiVersion": {"about": {"api_version": "v2"}},
    "type": {"type": "Warning"},
    "reason": {"reason": "Failed"},
    "message": {"message": "other"},
    "fieldPath": {"about": {"field_path": "spec.containers{web}"}},
    "reporting controller": {"reporting_component": "you"},
    "reporting instance": {"reporting_instance": "there"},
}
OF_ALL = {"component", "host", "kind", "namespace", "name", "uid", "apiVersion", "type"}
SIMILAR = OF_ALL | {"reason", "reporting controller", "reporting instance"}
SAME = OF_ALL | {"reason", "message", "fieldPath"}


@pytest.mark.parametrize("what", VARIANTS)
def test_evt_11_similar_events_differ_in_their_message_only(make, what):
    key, local = aggregate_by_reason(make("m"))
    other, other_local = aggregate_by_reason(make(**({"message": "m"} | VARIANTS[what])))

    assert (key != other) == (what in SIMILAR)
    assert local == "m"
    assert (other_local != "m") == (what == "message")


@pytest.mark.parametrize("what", VARIANTS)
def test_evt_13_the_same_event_says_the_same_of_the_same(make, what):
    assert (event_key(make("m")) != event_key(make(**({"message": "m"} | VARIANTS[what])))) == (what in SAME)


@pytest.mark.parametrize("what", VARIANTS)
def test_evt_14_a_limit_is_for_a_source_an_object_and_a_type(make, what):
    assert (spam_key(make("m")) != spam_key(make(**({"message": "m"} | VARIANTS[what])))) == (what in OF_ALL)


# ---- counting


def test_evt_13_a_repetition_is_a_patch_of_the_event_that_is_there(clock, make):
    known = correlator(clock)
    first = known.correlate(make("m"))
    assert first.patch is None
    began = first.event.first_timestamp
    clock.advance(75.0)

    again = known.correlate(make("m"))

    assert again.event.metadata.name == "web-0.1"
    assert (again.event.count, again.event.first_timestamp) == (2, began)
    assert again.event.last_timestamp == clock.time()
    assert again.patch == {"count": 2, "lastTimestamp": "2026-01-01T00:01:15Z", "message": "m"}


def test_evt_13_a_patch_without_a_message_leaves_it_alone(clock, make):
    known = correlator(clock)
    known.correlate(make(""))

    assert known.correlate(make("")).patch == {"count": 2, "lastTimestamp": "2026-01-01T00:00:00Z"}


def test_evt_15_and_16_what_is_used_least_is_forgotten(clock, make):
    known = correlator(clock, cache_size=2)
    for reason in ("A", "B", "A", "C"):
        known.correlate(make("m", reason=reason))

    assert known.correlate(make("m", reason="B")).patch is None
    assert known.correlate(make("m", reason="C")).event.count == 2


def test_evt_18_the_name_the_version_and_the_count_of_the_server_are_those_that_count(clock, make):
    known = correlator(clock)
    first = known.correlate(make("m"))
    stored = first.event.copy()
    stored.metadata.name, stored.metadata.resource_version, stored.count = "renamed", "42", 7

    known.update_state(first.key, stored)

    again = known.correlate(make("m")).event
    assert (again.metadata.name, again.metadata.resource_version, again.count) == ("renamed", "42", 8)


# ---- aggregation


def test_evt_12_from_the_tenth_message_on_similar_events_become_one(clock, make):
    known = correlator(clock)

    found = [known.correlate(make(f"m{n}")) for n in range(12)]

    assert [each.patch for each in found[:9]] == [None] * 9
    assert [each.event.message for each in found[:9]] == [f"m{n}" for n in range(9)]
    tenth, eleventh, twelfth = found[9:]
    assert tenth.patch is None
    assert (tenth.event.metadata.name, tenth.event.count) == ("web-0.10", 1)
    assert tenth.event.message == "(combined from similar events): m9"
    assert (eleventh.event.metadata.name, eleventh.event.count) == ("web-0.10", 2)
    assert eleventh.patch is not None
    assert eleventh.patch["message"] == "(combined from similar events): m10"
    assert (twelfth.event.metadata.name, twelfth.event.count) == ("web-0.10", 3)


def test_evt_12_many_events_with_few_messages_are_no_aggregate(clock, make):
    known = correlator(clock)

    found = [known.correlate(make(f"m{n % 9}")) for n in range(90)]

    assert not [each for each in found if each.event.message.startswith("(combined")]
    assert found[-1].event.count == 10


def test_evt_12_a_pause_of_more_than_ten_minutes_begins_anew(clock, make):
    known = correlator(clock)
    for n in range(9):
        known.correlate(make(f"m{n}"))
        clock.advance(600.0)
    assert known.correlate(make("m9")).event.message == "(combined from similar events): m9"

    clock.advance(600.1)

    assert known.correlate(make("m10")).event.message == "m10"


def test_evt_12_the_set_of_messages_grows_no_further(clock, make):
    known = correlator(clock, max_events=3)
    for n in range(50):
        known.correlate(make(f"m{n}"))

    (similar,) = known._aggregator._known.values()

    assert len(similar.seen) == 2


def test_evt_12_and_18_the_server_is_believed_about_aggregates_too(clock, make):
    known = correlator(clock, max_events=1)
    first = known.correlate(make("m0"))
    stored = first.event.copy()
    stored.count = 5

    known.update_state(first.key, stored)

    assert known.correlate(make("m1")).event.count == 6


def test_evt_12_and_13_each_object_and_reason_has_an_aggregate_of_its_own(clock, make):
    known = correlator(clock, max_events=1)

    found = [
        known.correlate(make("m", reason=reason, about={"name": name})).event
        for reason in ("A", "B")
        for name in ("web-0", "web-1")
        for _ in range(2)
    ]

    assert [event.count for event in found] == [1, 2] * 4
    assert len({event.metadata.name for event in found}) == 4


# ---- the filter


def test_evt_14_and_16_a_flood_is_cut_after_25_and_counted_all_the_same(clock, make):
    known = EventCorrelator(clock=clock)

    found = [known.correlate(make("m")) for _ in range(26)]

    assert [each.skip for each in found] == [False] * 25 + [True]
    assert [each.patch is None for each in found[:25]] == [True] + [False] * 24
    assert found[24].event.count == 25
    clock.advance(299.0)
    assert known.correlate(make("m")).skip
    clock.advance(2.0)
    accepted = known.correlate(make("m"))
    assert not accepted.skip
    assert accepted.event.count == 28


def test_evt_14_normal_events_leave_room_for_warnings(clock, make):
    known = EventCorrelator(clock=clock)
    for _ in range(30):
        known.correlate(make("m"))

    assert known.correlate(make("m")).skip
    assert not known.correlate(make("m", type="Warning")).skip
    assert not known.correlate(make("m", about={"name": "web-1"})).skip


def test_evt_10_what_the_filter_sees_is_aggregated_and_counted(clock, make):
    seen: list[tuple[str, int]] = []

    def key(event: Event) -> str:
        seen.append((event.message, event.count))
        return "all"

    known = EventCorrelator(CorrelatorOptions(max_events=2, burst=1, spam_key_func=key), clock=clock)

    skipped = [known.correlate(make(message)).skip for message in ("a", "a", "b")]

    assert seen == [("a", 1), ("a", 2), ("(combined from similar events): b", 1)]
    assert skipped == [False, True, True]


# ---- options


def test_evt_15_options_replace_what_they_name(clock, make):
    known = EventCorrelator(
        CorrelatorOptions(
            burst=2,
            qps=0.5,
            max_events=2,
            max_interval=5.0,
            key_func=lambda event: ("all", event.reason),
            message_func=lambda event: f"many, the last: {event.message}",
        ),
        clock=clock,
    )

    first, second, third = (known.correlate(make("m", reason=reason)) for reason in ("A", "B", "C"))

    assert first.event.message == "m"
    assert second.event.message == "many, the last: m"
    assert third.skip
    clock.advance(2.0)
    assert not known.correlate(make("m", reason="D")).skip
    clock.advance(5.1)
    assert known.correlate(make("m", reason="E")).event.message == "m"


def test_evt_15_zero_means_the_default_and_less_is_an_error():
    clock = FakeClock()

    settings = CorrelatorOptions(cache_size=0, burst=0, qps=0.0, max_events=0, max_interval=0.0).filled(clock)

    assert (settings.cache_size, settings.burst, settings.max_events) == (4096, 25, 10)
    assert (settings.qps, settings.max_interval) == (1 / 300, 600.0)
    assert settings.clock is clock
    assert CorrelatorOptions(clock=clock).filled(FakeClock()).clock is clock
    with pytest.raises(ValueError, match="negative numbers"):
        CorrelatorOptions(burst=-1)
