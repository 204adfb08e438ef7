"""Waiting for what comes true by itself, and comparing objects."""

from __future__ import annotations

import pytest

from k8srt import errors
from k8srt.api.apps.v1 import Deployment
from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.testing import FakeClientset, FakeClock, Objects, consistently, equal_object, eventually
from k8srt.util.threads import Stop

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default, labels: {app: web}}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, image: app}]}
"""


class TurningClock(FakeClock):
    """A clock on which waiting takes no time."""

    def wait_event(self, event, timeout):
        self.advance(timeout or 0.0)
        return event.is_set()


def test_ete_09_eventually_calls_until_it_passes_and_returns_what_came() -> None:
    answers = iter([0, LookupError("none yet"), AssertionError("not quite"), errors.WaitTimeout("no such"), "there"])

    def look() -> object:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    clock = TurningClock()

    assert eventually(look, interval=0.5, clock=clock) == "there"
    assert clock.now() == 1000.0 + 4 * 0.5


def test_ete_09_eventually_tells_what_it_was_the_last_time() -> None:
    def never() -> bool:
        raise AssertionError("still one replica")

    with pytest.raises(AssertionError, match=r"never did not pass within 2s; .* AssertionError: still one replica"):
        eventually(never, timeout=2.0, clock=TurningClock())
    with pytest.raises(AssertionError, match="it returned False"):
        eventually(lambda: False, timeout=2.0, clock=TurningClock())


def test_ete_09_eventually_lets_what_is_wrong_with_the_test_through_at_once() -> None:
    clock = TurningClock()

    with pytest.raises(ZeroDivisionError):
        eventually(lambda: 1 // 0, clock=clock)

    assert clock.now() == 1000.0


def test_ete_09_eventually_ends_with_a_stop() -> None:
    stop = Stop()
    stop.set()

    with pytest.raises(AssertionError, match="before the stop"):
        eventually(lambda: False, stop=stop, clock=TurningClock())


def test_ete_09_consistently_looks_all_the_time_and_ends_at_the_first_no() -> None:
    clock, answers = TurningClock(), iter([True, None, False])

    with pytest.raises(AssertionError, match="returned False"):
        consistently(lambda: next(answers), duration=5.0, interval=1.0, clock=clock)
    assert clock.now() == 1002.0

    consistently(lambda: True, duration=5.0, interval=1.0, clock=clock)
    assert clock.now() == 1007.0


def test_ete_09_objects_are_read_changed_and_written() -> None:
    fake = FakeClientset(DEPLOYMENT)
    objects = Objects(fake)
    web = Deployment(metadata=ObjectMeta(name="web", namespace="default"))

    changed = objects.update(web, lambda web: setattr(web.spec, "replicas", 3))
    objects.update_status(web, lambda web: setattr(web.status, "replicas", 2))

    assert changed.spec.replicas == objects.get(web).spec.replicas == 3
    assert objects.get(web).status.replicas == 2
    assert [each.metadata.name for each in objects.list(Deployment)] == ["web"]
    assert objects.object(Deployment(metadata=ObjectMeta(name="nope", namespace="default"))) is None
    with pytest.raises(errors.NotFound):
        objects.get(Deployment(metadata=ObjectMeta(name="nope", namespace="default")))


def test_ete_09_an_update_is_tried_again_when_somebody_was_faster() -> None:
    fake = FakeClientset(DEPLOYMENT)
    fake.fail("update", Deployment, errors.Conflict, times=2)

    Objects(fake).update(Unstructured({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {
        "name": "web", "namespace": "default"}}), lambda web: web["spec"].update(replicas=5))  # fmt: skip

    assert fake.apps_v1.deployments("default").get("web").spec.replicas == 5
    assert len(fake.actions.where("update")) == 3


def test_ete_09_objects_are_equal_but_for_what_servers_fill_in() -> None:
    fake = FakeClientset()
    made = fake.core_v1.config_maps("default").create(ConfigMap(metadata=ObjectMeta(name="a"), data={"k": "v"}))
    wanted = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a", "namespace": "default"},
        "data": {"k": "v"},
    }

    assert made == equal_object(wanted)
    assert made == equal_object(ConfigMap(metadata=ObjectMeta(name="a", namespace="default"), data={"k": "v"}))
    assert made != equal_object({**wanted, "data": {"k": "w"}})
    assert made == equal_object({**wanted, "data": {"k": "w"}}, ignore=["data.k"])
    assert made == equal_object({**wanted, "data": {"k.l": "w", "k": "v"}}, ignore=[["data", "k.l"]])
    assert made != "a"


def test_ete_09_what_differs_is_named() -> None:
    matcher = equal_object({"spec": {"replicas": 3, "ports": [{"port": 80}]}})

    lines = matcher.differences({"spec": {"replicas": 2, "ports": [{"port": 81}], "paused": True}})

    assert lines == [
        "spec.paused: True, expected '<absent>'",
        "spec.ports[0].port: 81, expected 80",
        "spec.replicas: 2, expected 3",
    ]
    assert matcher != {"spec": {}}
    assert "spec.replicas: '<absent>', expected 3" in repr(matcher)
