"""What recorders of events.k8s.io/v1 make of what they are told. Contract: EVT-22, EVT-29."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from k8srt.api.core.v1 import Node
from k8srt.api.events.v1 import Event
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.testing import FakeClock
from k8srt.tools.events import EventBroadcaster, EventRecorder
from k8srt.tools.record.naming import EventNames

NODE = Node(metadata=ObjectMeta(name="n1", uid="u9"))


@pytest.fixture
def told() -> list[Event]:
    return []


@pytest.fixture
def recorder(told: list[Event], clock: FakeClock) -> EventRecorder:
    return EventRecorder(told.append, EventNames(clock), "foo-controller", "foo-controller-node-1")


def test_evt_22_an_event_says_what_was_done_regarding_which_object(recorder, told, clock, pod):
    clock.advance(0.25)
    recorder.eventf(pod, NODE, "Normal", "Scheduled", "Binding", "assigned to %s", "n1")

    stamp = int(clock.time().timestamp() * 1000) * 10**6
    assert told[0].to_dict() == {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": f"web-0.{stamp:x}", "namespace": "shop"},
        "regarding": {
            "apiVersion": "v1",
            "kind": "Pod",
            "namespace": "shop",
            "name": "web-0",
            "uid": "u1",
            "resourceVersion": "7",
        },
        "related": {"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": "u9"},
        "type": "Normal",
        "reason": "Scheduled",
        "action": "Binding",
        "note": "assigned to n1",
        "eventTime": "2026-01-01T00:00:00.250000Z",
        "reportingController": "foo-controller",
        "reportingInstance": "foo-controller-node-1",
    }


@pytest.mark.parametrize("related", [None, "x", Unstructured({"metadata": {"name": "x"}})])
def test_evt_22_a_related_object_that_cannot_be_referred_to_is_left_out(recorder, told, pod, caplog, related):
    recorder.eventf(pod, related, "Normal", "Synced", "Sync", "100%")

    assert "related" not in told[0].to_dict()
    assert told[0].note == "100%"
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"regarding": None}, "can't refer to None"),
        ({"regarding": Unstructured({"metadata": {"name": "x"}})}, "its kind is not known"),
        ({"event_type": "Error"}, "Normal or Warning"),
        ({"reason": ""}, "needs a reason"),
    ],
)
def test_evt_22_what_no_server_would_take_is_logged_and_dropped(recorder, told, pod, caplog, wrong, why):
    said: dict[str, Any] = {"regarding": pod, "event_type": "Normal", "reason": "Synced", "note": "m"}

    recorder.event(**(said | wrong))

    assert told == []
    (message,) = caplog.messages
    assert why in message


def test_a_ready_note_in_the_order_of_core_recorders(recorder, told, pod):
    recorder.event(pod, "Normal", "Synced", "100%")
    recorder.event(pod, "Normal", "Synced", "100%", action="Sync", related=NODE)

    assert [(event.reason, event.action, event.note) for event in told] == [
        ("Synced", "Synced", "100%"),
        ("Synced", "Sync", "100%"),
    ]
    assert told[1].related.name == "n1"


def test_texts_are_cut_to_what_the_api_takes(recorder, told, pod):
    recorder.eventf(pod, None, "Normal", "R" * 200, "A" * 200, "€" * 1000)

    (event,) = told
    assert (len(event.reason), len(event.action)) == (128, 128)
    assert len(event.note.encode()) in (1022, 1023, 1024)
    assert event.note.endswith("€...")


def test_evt_29_events_of_what_is_in_no_namespace_are_in_default(recorder, told, pod):
    recorder.event(NODE, "Normal", "Ready", "m", related=pod)
    recorder.event(pod, "Normal", "Ready", "m", related=NODE)

    assert [event.metadata.namespace for event in told] == ["default", "shop"]


def test_evt_22_an_instance_is_the_controller_on_its_host_unless_you_say_otherwise(clock, monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "h" * 200)
    with EventBroadcaster(clock=clock) as broadcaster:
        assert broadcaster.new_recorder("me").instance == f"me-{'h' * 122}..."
        assert broadcaster.new_recorder("example.com/me", instance="pod-7").instance == "pod-7"
        assert repr(broadcaster.new_recorder("me", instance="pod-7")) == "<EventRecorder me as pod-7>"


@pytest.mark.parametrize("name", ["", "no spaces", "a/b/c", "x" * 64])
def test_a_controller_has_a_name_that_the_api_takes(clock, name):
    with EventBroadcaster(clock=clock) as broadcaster, pytest.raises(ValueError, match="name of a controller"):
        broadcaster.new_recorder(name)
