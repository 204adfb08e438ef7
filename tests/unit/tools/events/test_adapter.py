"""Events in the form that the server takes. Contract: EVT-28."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from k8srt import errors
from k8srt.api.core.v1 import Namespace
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.testing import FakeClientset, FakeClock
from k8srt.tools.events import EventBroadcasterAdapter, EventRecorder
from k8srt.tools.record import EventRecorderAdapter


@pytest.fixture
def fake(clock: FakeClock) -> Iterator[FakeClientset]:
    with FakeClientset(Namespace(metadata=ObjectMeta(name="shop")), clock=clock) as made:
        yield made


def record(fake: FakeClientset, clock: FakeClock, pod) -> tuple[bool, type]:
    with EventBroadcasterAdapter(fake, clock=clock) as adapter:
        adapter.start_recording_to_sink()
        recorder = adapter.new_recorder("me", instance="me-here")
        recorder.eventf(pod, None, "Normal", "Synced", "Sync", "%d done", 3)
        assert adapter.flush()
        adapter.new_core_recorder("old").event(pod, "Warning", "Failed", "m")
        return adapter.newer, type(recorder)


def test_evt_28_the_newer_form_where_it_is_served(fake, clock, pod):
    assert record(fake, clock, pod) == (True, EventRecorder)

    newer, core = fake.core_v1.events("shop").list()
    assert (newer.action, newer.message, newer.count) == ("Sync", "3 done", None)
    assert (core.reason, core.count) == ("Failed", 1)


def test_evt_28_core_events_where_it_is_not(fake, clock, pod):
    events = {"name": "events", "kind": "Event", "namespaced": True, "singularName": "event", "verbs": ["create"]}
    fake.discovery.resources = [{"groupVersion": "v1", "resources": [events]}]

    assert record(fake, clock, pod) == (False, EventRecorderAdapter)
    first, second = fake.core_v1.events("shop").list()
    assert (first.action, first.message, first.count) == (None, "3 done", 1)
    assert first.source.to_dict() == {"component": "me", "host": "me-here"}
    assert second.message == "m"


def test_evt_28_core_events_where_nobody_answers(fake, clock, pod, monkeypatch):
    def fail(group_version: str) -> None:
        raise errors.TransportError("connection lost")

    monkeypatch.setattr(fake.discovery, "server_resources_for_group_version", fail)

    assert record(fake, clock, pod) == (False, EventRecorderAdapter)
    assert [event.message for event in fake.core_v1.events("shop").list()] == ["3 done", "m"]


def test_what_it_is_can_be_read(fake, clock):
    adapter = EventBroadcasterAdapter(fake, clock=clock)

    assert repr(adapter) == "<EventBroadcasterAdapter <EventBroadcaster watches: 0, events dropped: 0>>"
    adapter.shutdown()
