"""What `apply` and `delete` ask of the server, and when."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from k8srt import errors
from k8srt.apimachinery.meta import Status
from k8srt.errors import status_error
from k8srt.testing import FakeClientset, FakeClock

DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.applied.example.com"},
    "spec": {
        "group": "applied.example.com",
        "scope": "Cluster",
        "names": {"plural": "widgets", "singular": "widget", "kind": "Widget"},
        "versions": [
            {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}},
        ],
    },
}
WIDGET = {"apiVersion": "applied.example.com/v1", "kind": "Widget", "metadata": {"name": "w"}}
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}


def config_map(name: str, namespace: str = "shop") -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}}


class Clock(FakeClock):
    """Short waits take no time and are written down; long ones are deadlines, which nobody reaches."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait_event(self, event: threading.Event, timeout: float | None) -> bool:
        if event.is_set() or timeout is None or timeout > 5.0:
            return super().wait_event(event, timeout)
        self.waits.append(timeout)
        self.advance(timeout)
        return event.is_set()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fake(clock: Clock) -> FakeClientset:
    return FakeClientset(clock=clock)


def not_served(times: int) -> Any:
    """A reactor that does not know the resource yet."""
    left = [None] * times

    def react(action: Any) -> Any:
        if not left:
            return None
        left.pop()
        message = "the server could not find the requested resource"
        raise status_error(Status(status="Failure", code=404, reason="NotFound", message=message))

    return react


def test_each_object_costs_a_look_and_a_patch(fake: FakeClientset) -> None:
    fake.apply([config_map("a"), NAMESPACE])

    assert fake.actions.lines() == [
        "get namespaces shop",
        "patch namespaces shop (apply)",
        "get configmaps shop/a",
        "patch configmaps shop/a (apply)",
    ]


def test_a_definition_is_waited_for_before_what_it_defines(fake: FakeClientset) -> None:
    fake.apply([WIDGET, DEFINITION])

    assert [line.split()[:2] for line in fake.actions.lines()] == [
        ["get", "customresourcedefinitions.apiextensions.k8s.io"],
        ["patch", "customresourcedefinitions.apiextensions.k8s.io"],
        ["list", "customresourcedefinitions.apiextensions.k8s.io"],
        ["get", "widgets.applied.example.com"],
        ["patch", "widgets.applied.example.com"],
    ]


def test_what_was_just_defined_may_not_be_served_at_once(fake: FakeClientset, clock: Clock) -> None:
    fake.prepend_reactor("patch", "widgets", not_served(3))

    outcomes = fake.apply([DEFINITION, WIDGET])

    assert outcomes[1].action == "created"
    assert clock.waits == pytest.approx([0.1, 0.15, 0.225])


def test_it_is_not_waited_for_longer_than_asked(fake: FakeClientset, clock: Clock) -> None:
    fake.prepend_reactor("patch", "widgets", not_served(1000))

    with pytest.raises(errors.NotServed, match=r"object 2: applied\.example\.com/v1 Widget w: "):
        fake.apply([DEFINITION, WIDGET], timeout=30.0)

    assert sum(clock.waits) == pytest.approx(30.0)


def test_nor_at_all_by_those_who_do_not_wait_for_definitions(fake: FakeClientset) -> None:
    fake.prepend_reactor("patch", "widgets", not_served(1))

    with pytest.raises(errors.NotServed):
        fake.apply([DEFINITION, WIDGET], wait_for_crds=False)


def test_deletion_waits_for_what_depends_on_others_first(fake: FakeClientset) -> None:
    everything = [config_map("a"), NAMESPACE, WIDGET, DEFINITION]
    fake.apply(everything)
    before = len(fake.actions)

    fake.delete(everything, wait=True)

    assert [line.split()[:2] for line in fake.actions.lines()[before:] if not line.startswith("get ")] == [
        [verb, resource]
        for resource in (
            "widgets.applied.example.com",
            "configmaps",
            "customresourcedefinitions.apiextensions.k8s.io",
            "namespaces",
        )
        for verb in ("delete", "list")
    ]


@pytest.mark.parametrize("field_manager", ["", None])
def test_a_field_manager_is_needed(fake: FakeClientset, field_manager: Any) -> None:
    with pytest.raises(ValueError, match="field_manager"):
        fake.apply(NAMESPACE, field_manager=field_manager)

    assert fake.actions.lines() == []
