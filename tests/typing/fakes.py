"""Fakes as users write tests with them. Checked by mypy, never run."""

from __future__ import annotations

from pathlib import Path
from typing import Any, assert_type

from k8srt import errors
from k8srt.api.apps.v1 import Deployment
from k8srt.api.core.v1 import Pod
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.dynamic import DynamicClient
from k8srt.informers import SharedInformerFactory
from k8srt.kubernetes import Clientset
from k8srt.metadata import MetadataClient
from k8srt.testing import (
    Action,
    Actions,
    APIServer,
    FakeClientset,
    FakeClock,
    FakeDiscovery,
    FakeWatcher,
    Handled,
    NotHandled,
    refusal,
)


def takes_a_clientset(cs: Clientset) -> None: ...


def a_fake_is_a_clientset(pod: Pod) -> None:
    fake = FakeClientset(pod, [pod], {"kind": "Pod"}, "manifests/", Path("x.yaml"), clock=FakeClock(), seed=1)
    takes_a_clientset(fake)
    assert_type(fake.core_v1.pods("default").get("web-0"), Pod)
    assert_type(fake.tracker, Clientset)
    assert_type(fake.dynamic, DynamicClient)
    assert_type(fake.metadata, MetadataClient)
    assert_type(fake.discovery, FakeDiscovery)
    assert_type(fake.load(pod), list[Unstructured])
    SharedInformerFactory(fake)
    with fake as entered:
        assert_type(entered, FakeClientset)


def actions(fake: FakeClientset) -> None:
    assert_type(fake.actions, Actions)
    assert_type(fake.actions.where("create", Pod, namespace="shop").writes(), Actions)
    assert_type(fake.actions.lines(), list[str])
    for action in fake.actions:
        assert_type(action, Action)
        assert_type(action.object, Any)
    assert fake.actions == [Action.of("create", Pod, "shop", "web", object=Pod(metadata=ObjectMeta(name="web")))]


def reactors(fake: FakeClientset, pod: Pod, seen: list[Action]) -> None:
    def conflict(action: Action) -> None:
        raise refusal(errors.Conflict, action=action)

    fake.prepend_reactor("update", Deployment, conflict)
    fake.prepend_reactor("*", "*", seen.append)
    fake.prepend_reactor("get", "pods", lambda action: pod)
    fake.prepend_reactor("list", "pods", lambda action: [pod])
    fake.prepend_reactor("get", "pods/log", lambda action: "text")
    fake.add_reactor("delete", "pods", lambda action: Handled if action.name else NotHandled)
    watcher = FakeWatcher()
    fake.prepend_watch_reactor("pods", lambda action: watcher)
    fake.add_watch_reactor(Pod, lambda action: None)
    fake.fail("get", "pods", errors.NotFound, times=1)
    fake.fail("get", "pods", ConnectionResetError())


def servers(server: APIServer, pod: Pod) -> None:
    assert_type(server.load(pod, "manifests/"), list[Unstructured])
