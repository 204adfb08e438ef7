"""The clientset against the embedded server, over real HTTP."""

from __future__ import annotations

import pytest

from k8srt import errors
from k8srt.api.apps.v1 import Deployment
from k8srt.api.core.v1 import ConfigMap, ConfigMapList
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.schema import GroupVersionResource
from k8srt.dynamic import DynamicClient
from k8srt.kubernetes import Clientset
from k8srt.rest import Config
from k8srt.testing.choosing import Server


@pytest.fixture(scope="module")
def server(module_server: Server) -> Server:
    return module_server


@pytest.fixture
def config(server: Server) -> Config:
    return server.config


def config_map(name: str, **data: str) -> ConfigMap:
    return ConfigMap(metadata=ObjectMeta(name=name, labels={"test": "yes"}), data=data)


def test_the_life_of_an_object(cs: Clientset, namespace: str) -> None:
    maps = cs.core_v1.config_maps(namespace)

    made = maps.create(config_map("cfg", a="1"))
    made.data["a"] = "2"
    changed = maps.update(made)

    assert changed.data == {"a": "2"}
    assert maps.get("cfg") == changed
    assert made.metadata.resource_version != changed.metadata.resource_version
    with pytest.raises(errors.Conflict):
        maps.update(made)
    with pytest.raises(errors.AlreadyExists):
        maps.create(config_map("cfg"))
    maps.delete("cfg", preconditions={"uid": changed.metadata.uid})
    with pytest.raises(errors.NotFound, match='configmaps "cfg" not found'):
        maps.get("cfg")


def test_lists_selectors_and_pages(cs: Clientset, namespace: str) -> None:
    maps = cs.core_v1.config_maps(namespace)
    for number in range(7):
        maps.create(config_map(f"c{number}"))
    maps.label("c3", special="yes", test=None)

    assert isinstance(maps.list(), ConfigMapList)
    assert [one.metadata.name for one in maps.list(label_selector={"special": "yes"})] == ["c3"]
    assert [one.metadata.name for one in maps.list(field_selector="metadata.name=c5")] == ["c5"]
    assert [one.metadata.name for one in maps.iterate(page_size=2, label_selector="test=yes")] == [
        *("c0", "c1", "c2", "c4", "c5", "c6"),
    ]
    first = maps.list(limit=3)
    assert len(first) == 3
    assert len(maps.list(limit=3, continue_=first.metadata.continue_)) == 3


def test_patches_and_apply(cs: Clientset, namespace: str) -> None:
    maps = cs.core_v1.config_maps(namespace)
    maps.create(config_map("cfg", a="1", b="2"))

    merged = maps.patch("cfg", {"data": {"a": None, "c": "3"}}, patch_type="merge")
    patched = maps.patch("cfg", [{"op": "replace", "path": "/data/b", "value": "x"}], patch_type="json")
    applied = maps.apply(config_map("cfg", d="4"), field_manager="me")

    assert merged.data == {"b": "2", "c": "3"}
    assert patched.data == {"b": "x", "c": "3"}
    assert applied.data == {"b": "x", "c": "3", "d": "4"}
    with pytest.raises(errors.Conflict) as caught:
        maps.apply(config_map("cfg", d="5"), field_manager="other")
    assert caught.value.has_cause("FieldManagerConflict")
    assert maps.apply(config_map("cfg", d="5"), field_manager="other", force=True).data["d"] == "5"


def test_a_watch_from_a_list(cs: Clientset, namespace: str) -> None:
    maps = cs.core_v1.config_maps(namespace)
    maps.create(config_map("before"))
    version = maps.list().metadata.resource_version

    with maps.watch(resource_version=version, field_selector="metadata.name=after") as events:
        maps.create(config_map("after"))
        maps.delete("after")
        got = [next(events) for _ in range(2)]

    assert [(one.type, one.object.metadata.name) for one in got] == [("ADDED", "after"), ("DELETED", "after")]


@pytest.mark.idle
def test_status_and_scale(cs: Clientset, namespace: str) -> None:
    deployments = cs.apps_v1.deployments(namespace)
    container = {"name": "c", "image": "i"}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [container]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": template}
    made = deployments.create(Deployment.from_dict({"metadata": {"name": "web"}, "spec": spec}))

    made.status.replicas = 1
    deployments.update_status(made)
    scale = deployments.get_scale("web")
    scale.spec.replicas = 4
    deployments.update_scale("web", scale)

    now = deployments.get("web")
    assert (now.spec.replicas, now.status.replicas) == (4, 1)
    deployments.delete("web")


def test_a_dynamic_client_sees_the_same(cs: Clientset, config: Config, namespace: str) -> None:
    cs.core_v1.config_maps(namespace).create(config_map("cfg", a="1"))

    with DynamicClient(config) as dynamic:
        maps = dynamic.resource(GroupVersionResource("", "v1", "configmaps"))
        obj = maps.namespace(namespace).get("cfg")
        obj["data"]["a"] = "2"
        maps.namespace(namespace).update(obj)

        assert obj.kind == "ConfigMap"
        assert {one.kind for one in maps.list()} == {"ConfigMap"}
    assert cs.core_v1.config_maps(namespace).get("cfg").data == {"a": "2"}
