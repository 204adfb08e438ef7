"""Events as users record them. Checked by mypy, never run."""

from __future__ import annotations

import logging
import threading
from typing import Any, assert_type

from k8srt.api.apps.v1 import Deployment
from k8srt.api.core.v1 import Event, Node, ObjectReference, Pod
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.kubernetes import Clientset
from k8srt.testing import FakeClientset, FakeEventsRecorder, FakeRecorder
from k8srt.tools import events, record


class Kept:
    """A sink of one's own."""

    def create(self, event: Event) -> Event:
        return event

    def patch(self, event: Event, patch: dict[str, Any]) -> Event:
        return event


def core(cs: Clientset, pod: Pod, widget: Unstructured, stop: threading.Event) -> None:
    options = record.CorrelatorOptions(burst=10, message_func=lambda event: event.message)
    with record.EventBroadcaster(correlator=options, stop=stop) as broadcaster:
        assert_type(broadcaster.start_recording_to_sink(cs), record.EventWatch)
        broadcaster.start_recording_to_sink(cs.core_v1.events())
        broadcaster.start_recording_to_sink(Kept())
        broadcaster.start_recording_to_sink(FakeClientset())
        broadcaster.start_logging(logging.getLogger("x").info)
        broadcaster.start_structured_logging(logging.DEBUG)
        broadcaster.start_event_watcher(lambda event: print(event.involved_object.name))
        recorder = broadcaster.new_recorder("me", host="here")
        assert_type(recorder, record.EventRecorder)
        recorder.event(pod, "Normal", "Synced", "100%")
        recorder.eventf(widget, record.WARNING, "Failed", "%d of %d", 1, 2)
        recorder.annotated_eventf(ObjectReference(kind="Pod", name="x"), {"a": "b"}, "Normal", "Noted", "m")
        assert_type(broadcaster.flush(), bool)


def newer(cs: Clientset, pod: Pod, node: Node) -> None:
    with events.EventBroadcaster() as broadcaster:
        broadcaster.start_recording_to_sink(cs.events_v1.events())
        broadcaster.start_recording_to_sink(Kept())  # type: ignore[arg-type]  # of the other kind
        recorder = broadcaster.new_recorder("me")
        recorder.eventf(pod, node, "Normal", "Scheduled", "Binding", "to %s", node.metadata.name)
        recorder.event(pod, "Normal", "Synced", "100%", action="Sync")
    with events.EventBroadcasterAdapter(cs) as adapter:
        adapter.start_recording_to_sink()
        assert_type(adapter.new_recorder("me"), events.Recorder)


def reconcile(recorder: record.Recorder, deployment: Deployment) -> None:
    recorder.eventf(deployment, "Normal", "Scaled", "to %d", deployment.spec.replicas)


def reconcile_newer(recorder: events.Recorder, deployment: Deployment) -> None:
    recorder.event(deployment, "Normal", "Scaled", "done")


def in_tests(deployment: Deployment, broadcaster: record.EventBroadcaster) -> None:
    reconcile(FakeRecorder(10), deployment)
    reconcile(broadcaster.new_recorder("me"), deployment)
    reconcile_newer(FakeEventsRecorder(10), deployment)
    reconcile_newer(record.EventRecorderAdapter(FakeRecorder(10)), deployment)
