"""The recorder of Events, before a clientset that only remembers."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from k8srt.api.core.v1 import Pod
from k8srt.apimachinery.meta import ObjectMeta, Status
from k8srt.errors import ConnectionRefused, NotFound
from k8srt.examples.sample_controller.events import EventRecorder
from k8srt.testing.clock import FakeClock


class Events:
    """What `cs.core_v1.events(namespace)` gives: keeps what is created, and patches its count."""

    def __init__(self):
        self.kept = {}
        self.error = None

    def create(self, event):
        if self.error:
            raise self.error
        self.kept[event.metadata.name] = event
        return event.copy()

    def patch(self, name, patch, patch_type):
        if name not in self.kept:
            raise NotFound(Status(code=404, reason="NotFound", message="gone"))
        self.kept[name].count = patch["count"]
        return self.kept[name].copy()


@pytest.fixture
def events():
    return Events()


@pytest.fixture
def recorder(events):
    cs = SimpleNamespace(core_v1=SimpleNamespace(events=lambda namespace: events))
    return EventRecorder(cs, "tester", clock=FakeClock())


POD = Pod(metadata=ObjectMeta(name="web", namespace="ns", uid="u-1", resource_version="7"))


def test_an_event_names_its_object_and_who_says_it(recorder, events):
    recorder.event(POD, "Warning", "TooHot", "it is too hot")

    [event] = events.kept.values()
    assert event.metadata.name.startswith("web.")
    assert (event.type, event.reason, event.message, event.count) == ("Warning", "TooHot", "it is too hot", 1)
    assert event.source.component == event.reporting_component == "tester"
    about = event.involved_object
    assert (about.kind, about.namespace, about.name, about.uid, about.resource_version) == (
        "Pod", "ns", "web", "u-1", "7"
    )  # fmt: skip
    assert isinstance(event.first_timestamp, datetime)
    assert event.first_timestamp.tzinfo is UTC


def test_saying_it_again_counts_and_saying_something_else_does_not(recorder, events):
    for message in ("hot", "hot", "cold", "hot"):
        recorder.event(POD, "Normal", "Weather", message)

    assert sorted((event.message, event.count) for event in events.kept.values()) == [("cold", 1), ("hot", 3)]


def test_an_event_the_server_has_dropped_is_written_anew(recorder, events):
    recorder.event(POD, "Normal", "Weather", "hot")
    events.kept.clear()

    recorder.event(POD, "Normal", "Weather", "hot")

    assert [event.count for event in events.kept.values()] == [1]


def test_what_cannot_be_told_is_logged_and_forgotten(recorder, events, caplog):
    events.error = ConnectionRefused("nobody listens")

    recorder.event(POD, "Normal", "Weather", "hot")

    assert "nobody listens" in caplog.text
