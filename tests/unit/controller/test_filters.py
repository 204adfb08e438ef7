"""Filters by labels, annotations and fields, and what leaves them."""

from __future__ import annotations

from typing import Any

import pytest

from k8srt.api.core.v1 import Container, Pod, PodSpec
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.controller import ABSENT, PRESENT, field
from k8srt.controller.event import CreateEvent, DeleteEvent, GenericEvent, UpdateEvent
from k8srt.controller.filters import Leaving, annotations_match, labels_match
from k8srt.controller.request import Request
from tests.unit.controller.rig import Rig, config_map


def pod(node: str = "", **meta: Any) -> Pod:
    spec = PodSpec(containers=[Container(name="main", image="app:1")], node_name=node or None)
    return Pod(metadata=ObjectMeta(name="p", namespace="default", **meta), spec=spec)


@pytest.mark.parametrize(
    ("wanted", "accepted"),
    [
        ({}, True),
        ({"a": "b"}, True),
        ({"a": "c"}, False),
        ({"a": PRESENT, "z": ABSENT}, True),
        ({"z": PRESENT}, False),
        ({"a": ABSENT}, False),
        ({"a": lambda value: value in ("b", "c")}, True),
        ({"z": lambda value: value is None}, True),
        ({"a": "b", "z": "y"}, False),
    ],
)
def test_flt_01_labels_and_annotations(wanted: dict[str, Any], accepted: bool) -> None:
    assert labels_match(wanted).accepts(CreateEvent(pod(labels={"a": "b"}))) is accepted
    assert annotations_match(wanted).accepts(CreateEvent(pod(annotations={"a": "b"}))) is accepted


def test_flt_01_what_is_no_map_is_refused() -> None:
    with pytest.raises(TypeError, match="labels"):
        labels_match("a=b")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="path"):
        field("spec..x")


@pytest.mark.parametrize(
    ("path", "value", "accepted"),
    [
        ("spec.nodeName", "n1", True),
        ("spec.nodeName", "n2", False),
        ("spec.nodeName", PRESENT, True),
        ("spec.hostname", ABSENT, True),
        ("spec.containers.0.image", "app:1", True),
        ("spec.containers.7.image", ABSENT, True),
        ("metadata.labels.tier", "web", True),
        ("status.podIP.x.y", ABSENT, True),
        ("spec.containers", lambda containers: len(containers) == 1, True),
    ],
)
def test_flt_01_fields_by_their_path(path: str, value: Any, accepted: bool) -> None:
    assert field(path, value).accepts(CreateEvent(pod("n1", labels={"tier": "web"}))) is accepted


def test_flt_01_fields_that_changed_from_and_to() -> None:
    bound = field("spec.nodeName", old=ABSENT, new=PRESENT)
    assert bound.accepts(UpdateEvent(pod(), pod("n1")))
    assert bound.accepts(CreateEvent(pod("n1")))
    assert not bound.accepts(CreateEvent(pod()))
    assert not bound.accepts(UpdateEvent(pod("n1"), pod("n1")))
    assert not bound.accepts(UpdateEvent(pod("n1"), pod("n2")))
    assert bound.accepts(DeleteEvent(pod()))
    assert field("spec.nodeName", old="n1").accepts(UpdateEvent(pod("n1"), pod("n2")))
    assert not field("spec.nodeName", old="n1").accepts(GenericEvent(pod("n1")))
    assert repr(field("spec.nodeName", "x", old=ABSENT)).startswith("<field spec.nodeName: 'x', old ")


def test_flt_03_what_stops_to_match_is_seen_once_more() -> None:
    seen: list[tuple[str, bool]] = []

    def reconcile(request: Request, ctx: Any) -> None:
        seen.append((request.name, ctx.filtered_out))

    matching, other = config_map("a", labels={"on": "yes"}), config_map("a")
    leaving = Leaving([labels_match({"on": "yes"})])
    assert leaving.accepts(UpdateEvent(matching, other))
    assert not leaving.accepts(UpdateEvent(other, other))
    assert leaving.accepts(UpdateEvent(other, matching))
    assert not leaving.accepts(CreateEvent(other))

    with Rig(reconcile) as rig:
        rig.controller.only(leaving.matches)
        rig.create("a", labels={"on": "yes"})
        rig.ended()
        rig.create("a")
        rig.ended(2)
        rig.cache.objects.clear()
        rig.controller.enqueue("default/a")
        rig.ended(3)

    assert seen == [("a", False), ("a", True), ("a", False)]
