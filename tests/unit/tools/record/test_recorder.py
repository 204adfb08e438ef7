"""What recorders make of what they are told. Contract: EVT-01 to EVT-05."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from k8srt.api.core.v1 import Event, Node, ObjectReference, Pod
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.metadata.partial import PartialObjectMetadata
from k8srt.testing import FakeClock
from k8srt.tools.record import EventRecorder, EventRecorderAdapter
from k8srt.tools.record.naming import EventNames
from k8srt.tools.record.recorder import MESSAGE_LIMIT
from k8srt.tools.reference import get_partial_reference


@pytest.fixture
def told() -> list[Event]:
    return []


@pytest.fixture
def recorder(told: list[Event], clock: FakeClock) -> EventRecorder:
    return EventRecorder(told.append, EventNames(clock), "foo-controller", "node-1")


def test_evt_01_03_and_05_an_event_says_who_what_when_and_about_which_object(recorder, told, clock, pod):
    recorder.event(pod, "Normal", "Synced", "100% done")

    (event,) = told
    stamp = int(clock.time().timestamp()) * 10**9
    assert event.to_dict() == {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"web-0.{stamp:x}", "namespace": "shop"},
        "involvedObject": {
            "apiVersion": "v1",
            "kind": "Pod",
            "namespace": "shop",
            "name": "web-0",
            "uid": "u1",
            "resourceVersion": "7",
        },
        "type": "Normal",
        "reason": "Synced",
        "message": "100% done",
        "count": 1,
        "firstTimestamp": "2026-01-01T00:00:00Z",
        "lastTimestamp": "2026-01-01T00:00:00Z",
        "source": {"component": "foo-controller", "host": "node-1"},
        "reportingComponent": "foo-controller",
        "reportingInstance": "node-1",
    }


def test_evt_01_messages_are_formatted_and_annotations_are_on_the_event(recorder, told, pod):
    recorder.eventf(pod, "Warning", "Failed", "%d of %d", 2, 3)
    recorder.annotated_eventf(pod, {"a": "b"}, "Normal", "Synced", "to %s", "nil")
    recorder.annotated_eventf(pod, {}, "Normal", "Synced", "100%")

    assert [event.message for event in told] == ["2 of 3", "to nil", "100%"]
    assert [event.metadata.annotations for event in told] == [None, {"a": "b"}, None]


def test_evt_01_an_error_may_be_the_message(recorder, told, pod):
    recorder.event(pod, "Warning", "Failed", ValueError("no such thing"))

    assert told[0].message == "no such thing"


@pytest.mark.parametrize("event_type", ["normal", "Error", "", None])
def test_evt_02_other_types_are_logged_and_dropped(recorder, told, pod, caplog, event_type):
    recorder.event(pod, event_type, "Synced", "m")

    assert told == []
    assert "the type of an event is Normal or Warning" in caplog.text
    assert "web-0" in caplog.text


@pytest.mark.parametrize("about", [None, "web-0", 7, Unstructured({"metadata": {"name": "x"}})])
def test_evt_02_and_03_what_cannot_be_referred_to_is_logged_and_dropped(recorder, told, caplog, about):
    recorder.event(about, "Normal", "Synced", "m")

    assert told == []
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_evt_01_nothing_raises_whatever_fails(clock, pod, caplog):
    class Odd:
        def __str__(self) -> str:
            raise RuntimeError("no text")

    def broken(event: Event) -> None:
        raise RuntimeError("no room")

    recorder = EventRecorder(broken, EventNames(clock), "me")

    recorder.event(pod, "Normal", "Synced", "m")
    recorder.eventf(pod, "Normal", "Synced", "%s", Odd())
    recorder.annotated_eventf(pod, 7, "Normal", "Synced", "m")  # type: ignore[arg-type]

    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 3


def test_evt_03_a_reference_is_used_as_it_is(recorder, told, pod):
    recorder.event(get_partial_reference(pod, "spec.containers{web}"), "Normal", "Started", "m")
    recorder.event(ObjectReference(kind="Thing", name="t", namespace="n"), "Normal", "Started", "m")

    assert [event.involved_object.field_path for event in told] == ["spec.containers{web}", None]
    assert told[1].involved_object.to_dict() == {"kind": "Thing", "name": "t", "namespace": "n"}
    assert told[1].metadata.namespace == "n"


def test_evt_03_items_of_lists_say_their_kind_by_their_class(recorder, told):
    recorder.event(Pod.from_dict({"metadata": {"name": "web-0", "namespace": "shop"}}), "Normal", "Synced", "m")

    assert (told[0].involved_object.kind, told[0].involved_object.api_version) == ("Pod", "v1")


def test_evt_03_unstructured_and_metadata_objects_say_it_themselves(recorder, told):
    head = {"metadata": {"name": "w", "namespace": "shop", "uid": "u2"}}

    recorder.event(Unstructured({"apiVersion": "example.com/v1", "kind": "Widget", **head}), "Normal", "Synced", "m")
    recorder.event(PartialObjectMetadata.from_dict(head), "Normal", "Synced", "m")

    widget, partial = (event.involved_object for event in told)
    assert (widget.api_version, widget.kind, widget.uid) == ("example.com/v1", "Widget", "u2")
    assert (partial.kind, partial.name, partial.uid) == ("PartialObjectMetadata", "w", "u2")


def test_evt_05_events_of_what_is_in_no_namespace_are_in_default(recorder, told):
    recorder.event(Node(metadata=ObjectMeta(name="n1", uid="u9")), "Normal", "Ready", "m")

    assert told[0].metadata.namespace == "default"
    assert told[0].involved_object.namespace is None


def test_without_a_host_none_is_told(told, clock, pod):
    EventRecorder(told.append, EventNames(clock), "me").event(pod, "Normal", "Synced", "m")

    assert told[0].source.to_dict() == {"component": "me"}
    assert told[0].reporting_instance is None


def test_messages_have_a_limit(recorder, told, pod):
    recorder.event(pod, "Normal", "Synced", "x" * (MESSAGE_LIMIT + 1))

    assert len(told[0].message) == MESSAGE_LIMIT
    assert told[0].message.endswith("x...")


def test_the_adapter_leaves_out_what_the_older_form_lacks(recorder, told, pod):
    adapter = EventRecorderAdapter(recorder)

    adapter.eventf(pod, pod, "Normal", "Synced", "Sync", "%d done", 3)
    adapter.event(pod, "Warning", "Failed", "100%", action="Sync")

    said: list[Any] = [(event.type, event.reason, event.message) for event in told]
    assert said == [("Normal", "Synced", "3 done"), ("Warning", "Failed", "100%")]
