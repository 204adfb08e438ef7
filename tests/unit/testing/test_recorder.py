"""Fake recorders. Contract: EVT-31."""

from __future__ import annotations

import pytest

from k8srt.api.core.v1 import Pod
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.testing import FakeEventsRecorder, FakeRecorder

POD = Pod(metadata=ObjectMeta(name="web-0", namespace="shop"))


def test_evt_31_lines_of_type_reason_and_message():
    recorder = FakeRecorder(10)

    recorder.event(POD, "Normal", "Synced", "100%")
    recorder.eventf(POD, "Warning", "Failed", "%d of %d", 2, 3)
    recorder.annotated_eventf(POD, {"b": "2", "a": "1"}, "Normal", "Noted", "%s", "x")

    assert recorder.events.get_nowait() == "Normal Synced 100%"
    assert recorder.recorded() == ["Warning Failed 2 of 3", "Normal Noted x map[a:1 b:2]"]
    assert recorder.recorded() == []


def test_evt_31_the_object_if_it_is_asked_for():
    recorder = FakeRecorder(10, include_object=True)

    recorder.event(POD, "Normal", "Synced", "m")
    recorder.annotated_eventf(POD, {"a": "1"}, "Normal", "Synced", "m")

    about = "involvedObject{kind=Pod,apiVersion=v1}"
    assert recorder.recorded() == [f"Normal Synced m {about}", f"Normal Synced m {about} map[a:1]"]


def test_evt_31_a_full_queue_blocks(pool):
    recorder = FakeRecorder(1)
    recorder.event(POD, "Normal", "One", "m")

    second = pool.submit(recorder.event, POD, "Normal", "Two", "m")

    assert not second.done()
    assert recorder.events.get(timeout=5.0) == "Normal One m"
    second.result(timeout=5.0)
    assert recorder.recorded() == ["Normal Two m"]


def test_evt_31_without_a_queue_nothing_is_kept():
    recorder = FakeRecorder(None)

    recorder.event(POD, "Normal", "Synced", "m")

    assert recorder.recorded() == []
    assert repr(recorder) == "<FakeRecorder, nothing is kept>"


def test_evt_31_of_the_newer_events():
    recorder = FakeEventsRecorder()

    recorder.eventf(POD, None, "Normal", "Synced", "Sync", "%d%%", 100)
    recorder.event(POD, "Warning", "Failed", "100%", action="Sync")

    assert repr(recorder) == "<FakeEventsRecorder, 2 events>"
    assert recorder.recorded() == ["Normal Synced 100%", "Warning Failed 100%"]


@pytest.mark.parametrize("buffer", [0, -1])
def test_a_queue_has_room(buffer):
    with pytest.raises(ValueError, match="would block for ever"):
        FakeRecorder(buffer)
