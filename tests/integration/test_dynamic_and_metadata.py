"""Clients and informers of resources that have no model, and of metadata alone, over HTTP."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from typing import Any

import pytest

from k8srt import errors
from k8srt.apimachinery.schema import GroupVersionResource
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.dynamic import DynamicClient
from k8srt.informers import DynamicSharedInformerFactory, MetadataSharedInformerFactory
from k8srt.kubernetes import Clientset
from k8srt.metadata import MetadataClient, PartialObjectMetadata
from k8srt.metadata import client as metadata_client
from k8srt.rest import Config
from k8srt.testing.choosing import Server

CRDS = GroupVersionResource("apiextensions.k8s.io", "v1", "customresourcedefinitions")
BOATS = GroupVersionResource("example.com", "v1", "boats")
DEPLOYMENTS = GroupVersionResource("apps", "v1", "deployments")
PODS = GroupVersionResource("", "v1", "pods")
CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "boats.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "boats", "kind": "Boat"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}, "scale": {
                    "specReplicasPath": ".spec.crew", "statusReplicasPath": ".status.crew"}},
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}  # fmt: skip
LIMIT = 10.0


@pytest.fixture(scope="module")
def server(module_server: Server) -> Server:
    with Clientset(module_server.config) as cs:
        cs.apply(CRD)
    return module_server


@pytest.fixture
def config(server: Server) -> Config:
    return server.config


@pytest.fixture
def dynamic(config: Config) -> Iterator[DynamicClient]:
    with DynamicClient(config) as made:
        yield made


def boat(name: str, **spec: Any) -> dict[str, Any]:
    meta = {"name": name, "labels": {"name": name}}
    return {"apiVersion": "example.com/v1", "kind": "Boat", "metadata": meta, "spec": spec}


def test_cli_13_the_life_of_an_object_without_a_model(dynamic: DynamicClient, namespace: str) -> None:
    boats = dynamic.resource(BOATS, namespace)

    made = boats.create(boat("b", crew=2, deep={"list": [1, {"x": None}]}))
    with boats.watch(resource_version=made.metadata.resource_version) as events:
        made["spec"]["crew"] = 3
        changed = boats.update(made)
        changed["status"] = {"crew": 1}
        boats.update_status(changed)
        boats.patch("b", [{"op": "remove", "path": "/spec/deep"}], patch_type="json")
        boats.apply({**boat("b"), "spec": {"sails": 2}}, field_manager="me")
        boats.apply_status({**boat("b"), "status": {"afloat": True}}, field_manager="me")
        boats.delete("b")
        seen = [next(events) for _ in range(6)]

    assert [event.type for event in seen] == ["MODIFIED"] * 5 + ["DELETED"]
    assert isinstance(seen[-1].object, Unstructured)
    assert seen[-1].object["spec"] == {"crew": 3, "sails": 2}
    assert seen[-1].object["status"] == {"crew": 1, "afloat": True}
    with pytest.raises(errors.NotFound):
        boats.get("b")


def test_cli_13_subresources_of_other_kinds(dynamic: DynamicClient, namespace: str) -> None:
    boats = dynamic.resource(BOATS, namespace)
    boats.create(boat("b", crew=2))

    scale = boats.get("b", subresource="scale")
    scale["spec"]["replicas"] = 7
    answer = boats.update(scale, subresource="scale")

    assert (scale.kind, answer["spec"]) == ("Scale", {"replicas": 7})
    assert boats.get("b")["spec"] == {"crew": 7}


@pytest.mark.server_at_least("1.22")  # policy/v1
def test_cli_13_an_eviction_is_created_below_its_pod(dynamic: DynamicClient, namespace: str) -> None:
    pods = dynamic.resource(PODS, namespace)
    spec = {"containers": [{"name": "c", "image": "i"}], "schedulerName": "nobody"}
    meta = {"name": "p", "namespace": namespace}
    pods.create({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})

    pods.create({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": meta}, subresource="eviction")

    with pytest.raises(errors.NotFound):
        pods.get("p")


def test_cli_15_pages_of_a_list(dynamic: DynamicClient, namespace: str) -> None:
    boats = dynamic.resource(BOATS, namespace)
    for number in range(5):
        boats.create(boat(f"b-{number}"))

    page = boats.list(limit=2)

    assert (len(page), bool(page.metadata.continue_), bool(page.metadata.resource_version)) == (2, True, True)
    assert {(each.api_version, each.kind) for each in page} == {("example.com/v1", "Boat")}
    assert [each.metadata.name for each in boats.iterate(page_size=2)] == [f"b-{number}" for number in range(5)]
    boats.delete_collection(label_selector={"name": "b-1"})
    assert len(boats.list()) == 4


def test_inf_60_informers_and_listers_by_resource(dynamic: DynamicClient, namespace: str) -> None:
    boats = dynamic.resource(BOATS, namespace)
    boats.create(boat("first", crew=1))
    seen: queue.Queue[tuple[str, Unstructured]] = queue.Queue()
    factory = DynamicSharedInformerFactory(dynamic, namespace=namespace)
    found = factory.for_resource(BOATS)
    found.informer.add_event_handler(
        on_add=lambda obj, _: seen.put(("add", obj)),
        on_update=lambda _, new: seen.put(("update", new)),
        on_delete=lambda obj: seen.put(("delete", obj)),
    )

    with factory:
        factory.wait_for_cache_sync(timeout=LIMIT).raise_for_error()
        told = [seen.get(timeout=LIMIT)]
        boats.patch("first", {"spec": {"crew": 2}}, patch_type="merge")
        told.append(seen.get(timeout=LIMIT))
        boats.create(boat("second"))
        told.append(seen.get(timeout=LIMIT))
        boats.delete("first")
        told.append(seen.get(timeout=LIMIT))

        assert [(what, obj.metadata.name) for what, obj in told] == [
            ("add", "first"), ("update", "first"), ("add", "second"), ("delete", "first")]  # fmt: skip
        assert told[1][1]["spec"] == {"crew": 2}
        assert found.lister.namespace(namespace).get("second").kind == "Boat"
        assert [each.metadata.name for each in found.lister.list("name=second")] == ["second"]
        with pytest.raises(errors.NotFound, match=r'boats.example.com "first" not found'):
            found.lister.get("first", namespace)
        assert factory.for_resource(BOATS).informer is found.informer


@pytest.mark.parametrize("whole", [False, True], ids=["metadata", "whole objects"])
def test_cli_16_metadata_by_client_and_informer(
    config: Config, dynamic: DynamicClient, monkeypatch: pytest.MonkeyPatch, whole: bool, namespace: str
) -> None:
    if whole:  # as of a server that does not know how to leave out the rest
        monkeypatch.setattr(metadata_client, "_AS", "application/json")
    boats = dynamic.resource(BOATS, namespace)
    boats.create(boat("first", crew=1))
    seen: queue.Queue[tuple[str, Any]] = queue.Queue()

    with MetadataClient(config) as client:
        only = client.resource(BOATS, namespace)
        factory = MetadataSharedInformerFactory(client, namespace=namespace)
        found = factory.for_resource(BOATS)
        found.informer.add_event_handler(
            on_add=lambda obj, _: seen.put(("add", obj)),
            on_update=lambda _, new: seen.put(("update", new)),
            on_delete=lambda obj: seen.put(("delete", obj)),
        )
        with factory:
            factory.wait_for_cache_sync(timeout=LIMIT).raise_for_error()
            told = [seen.get(timeout=LIMIT)]
            labelled = only.label("first", tier="fe")
            told.append(seen.get(timeout=LIMIT))
            boats.create(boat("second"))
            told.append(seen.get(timeout=LIMIT))
            only.delete("first")
            told.append(seen.get(timeout=LIMIT))
            left = found.lister.list()
        (listed,) = only.list(label_selector="name=second")
        got = only.get("second")
        only.delete_collection()
        assert len(only.list()) == 0

    assert [(what, obj.metadata.name) for what, obj in told] == [
        ("add", "first"), ("update", "first"), ("add", "second"), ("delete", "first")]  # fmt: skip
    for obj in (labelled, listed, got, *left, *(obj for _, obj in told)):
        assert isinstance(obj, PartialObjectMetadata)
        assert (obj.api_version, obj.kind) == ("meta.k8s.io/v1", "PartialObjectMetadata")
        assert set(obj.to_dict()) == {"apiVersion", "kind", "metadata"}
    assert labelled.metadata.labels == {"name": "first", "tier": "fe"}
    assert got == listed == left[0]
