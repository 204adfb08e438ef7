"""Which requests an event leads to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from k8srt.api.apps.v1 import Deployment, ReplicaSet
from k8srt.api.core.v1 import Namespace, Pod
from k8srt.apimachinery.meta import ObjectMeta, OwnerReference
from k8srt.controller import measures
from k8srt.controller.event import CreateEvent, DeleteEvent, GenericEvent, UpdateEvent
from k8srt.controller.handler import EnqueueForObject, EnqueueForOwner, EnqueueMapped, delete_event
from k8srt.controller.request import Request
from k8srt.tools.cache import DeletedFinalStateUnknown
from k8srt.util.workqueue import LOW_PRIORITY


class Queue:
    def __init__(self) -> None:
        self.added: list[tuple[list[str], int]] = []

    def add_with(
        self, items: Iterable[Request], *, after: float = 0.0, rate_limited: bool = False, priority: int = 0
    ) -> None:
        self.added.append(([str(item) for item in items], priority))


def pod(name: str = "web-0", version: str = "1", *owners: OwnerReference) -> Pod:
    meta = ObjectMeta(name=name, namespace="default", resource_version=version, owner_references=list(owners))
    return Pod(metadata=meta)


def owner(kind: str, name: str, api_version: str = "apps/v1", *, controller: bool = True) -> OwnerReference:
    return OwnerReference(api_version=api_version, kind=kind, name=name, uid=name, controller=controller)


def handled(handler: Any, event: Any) -> list[tuple[list[str], int]]:
    queue = Queue()
    handler.handle(event, queue)
    return queue.added


def test_hdl_01_the_object_itself(caplog: pytest.LogCaptureFixture) -> None:
    assert handled(EnqueueForObject(), UpdateEvent(pod("a"), pod("b", "2"))) == [(["default/b"], 0)]
    assert handled(EnqueueForObject(), GenericEvent(None)) == []
    assert "without an object" in caplog.text


def test_hdl_02_owners_by_group_and_kind_whatever_the_version() -> None:
    refs = [
        owner("Deployment", "web", "apps/v1beta2"),
        owner("Deployment", "other", "example.com/v1"),
        owner("ReplicaSet", "rs"),
        owner("Deployment", "friend", controller=False),
    ]
    event = CreateEvent(pod("a", "1", *refs))

    assert handled(EnqueueForOwner(Deployment), event) == [(["default/web", "default/friend"], 0)]
    assert handled(EnqueueForOwner(Deployment, only_controller=True), event) == [(["default/web"], 0)]
    assert handled(EnqueueForOwner(ReplicaSet), event) == [(["default/rs"], 0)]


def test_hdl_02_a_cluster_scoped_owner_has_no_namespace_and_updates_lead_to_both() -> None:
    event = UpdateEvent(
        pod("a", "1", owner("Namespace", "old", "v1")),
        pod("a", "2", owner("Namespace", "new", "v1"), owner("Namespace", "old", "v1")),
    )

    assert handled(EnqueueForOwner(Namespace), event) == [(["old", "new"], 0)]
    with pytest.raises(ValueError, match="not the class of a resource"):
        EnqueueForOwner(ObjectMeta)  # type: ignore[arg-type]


def test_hdl_03_a_function_of_both_objects_and_one_that_raises(caplog: pytest.LogCaptureFixture) -> None:
    def requests_of(obj: Pod) -> list[Request]:
        if obj.metadata.name == "bad":
            raise RuntimeError("no idea")
        return [Request("x", obj.metadata.name), Request("x", "always")]

    mapped = EnqueueMapped(requests_of)

    assert handled(mapped, UpdateEvent(pod("a"), pod("b", "2"))) == [(["x/a", "x/always", "x/b"], 0)]
    assert handled(mapped, CreateEvent(pod("bad"))) == []
    assert "Pod default/bad" in caplog.text
    assert "no idea" in caplog.text


def test_hdl_04_and_pq_07_what_is_not_new_has_low_priority() -> None:
    handler = EnqueueForObject()

    assert handled(handler, CreateEvent(pod(), is_in_initial_list=True)) == [(["default/web-0"], LOW_PRIORITY)]
    assert handled(handler, UpdateEvent(pod(version="7"), pod(version="7"))) == [(["default/web-0"], LOW_PRIORITY)]
    assert handled(EnqueueForObject(initial_priority=3), CreateEvent(pod(), True)) == [(["default/web-0"], 3)]


def test_hdl_05_tombstones() -> None:
    gone = DeletedFinalStateUnknown("default/web-0", pod())

    assert delete_event(gone).delete_state_unknown
    assert handled(EnqueueForObject(), delete_event(gone)) == [(["default/web-0"], 0)]
    assert delete_event(pod()) == DeleteEvent(pod())


def test_hdl_02_kinds_without_a_class() -> None:
    event = CreateEvent(pod("a", "1", owner("Widget", "w", "example.com/v1")))

    assert handled(EnqueueForOwner(("example.com", "v2", "Widget")), event) == [(["default/w"], 0)]
    assert handled(EnqueueForOwner(("example.com", "v2", "Widget"), namespaced=False), event) == [(["w"], 0)]
    event = CreateEvent(pod("a", "1", owner("Namespace", "n", "v1")))
    assert handled(EnqueueForOwner(("", "v1", "Namespace")), event) == [(["n"], 0)]


def test_hdl_03_failures_are_counted() -> None:
    counted: list[str] = []

    class Told(measures.NoMetrics):
        def handler_failed(self, kind: str) -> None:
            counted.append(kind)

    before = measures.set_provider(Told())
    try:
        handled(EnqueueMapped(lambda obj: [obj.metadata.nonsense]), CreateEvent(pod()))
    finally:
        measures.set_provider(before)

    assert counted == ["Pod"]


def test_hdl_03_what_is_gone_needs_no_second_try() -> None:
    def fails(obj: Any) -> list[Request]:
        raise RuntimeError("no")

    mapped = EnqueueMapped(fails)
    handled(mapped, CreateEvent(pod()))

    assert not mapped.wants_again(UpdateEvent(pod(version="1"), pod(version="2")))
    assert not mapped.wants_again(DeleteEvent(pod()))
    assert not mapped.wants_again(UpdateEvent(pod(), pod()))
    assert not EnqueueForObject().wants_again(UpdateEvent(pod(), pod()))


def test_hdl_05_what_is_no_object_is_reported_and_dropped(caplog: pytest.LogCaptureFixture) -> None:
    assert handled(EnqueueForObject(), CreateEvent(42)) == []
    assert handled(EnqueueForOwner(Deployment), CreateEvent("text")) == []
    assert caplog.text.count("dropped, it is no object of the API") == 2
