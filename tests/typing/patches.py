"""Patches, field ownership, and clients without models, as users write them. Checked by mypy, never run."""

from __future__ import annotations

from typing import Any, assert_type

from k8srt.api.apps.v1 import Deployment
from k8srt.apimachinery.csaupgrade import upgrade_managed_fields, upgrade_managed_fields_patch
from k8srt.apimachinery.managedfields import extract_apply
from k8srt.apimachinery.patch import (
    IDENTITY,
    create_json_patch,
    create_merge_patch,
    create_strategic_patch,
    create_three_way_merge_patch,
    create_three_way_strategic_patch,
)
from k8srt.apimachinery.schema import GroupVersionResource
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.dynamic import DynamicClient
from k8srt.informers import DynamicSharedInformerFactory, MetadataSharedInformerFactory
from k8srt.kubernetes import Clientset
from k8srt.metadata import MetadataClient, PartialObjectMetadata


def patches(one: Deployment, other: Deployment, text: bytes, plain: dict[str, Any]) -> None:
    assert_type(create_merge_patch(one, other), dict[str, Any])
    assert_type(create_strategic_patch(one, other), dict[str, Any])
    assert_type(create_strategic_patch(text, plain, Deployment), dict[str, Any])
    assert_type(create_json_patch(one, Unstructured(plain)), list[dict[str, Any]])
    create_three_way_merge_patch(plain, text, one, fixed=IDENTITY)
    create_three_way_strategic_patch(one, other, one, overwrite=False)
    create_strategic_patch(one.spec, other.spec)


def ownership(cs: Clientset, plain: dict[str, Any]) -> None:
    deployments = cs.apps_v1.deployments("default")
    mine = extract_apply(deployments.get("web"), "me")
    assert_type(mine, Deployment)
    mine.spec.replicas = 5
    deployments.apply(mine, field_manager="me")
    assert_type(extract_apply(Unstructured(plain), "me", "status"), Unstructured)
    assert_type(extract_apply(plain, "me"), dict[str, Any])
    assert_type(upgrade_managed_fields(mine, "kubectl-client-side-apply", "me"), Deployment)
    assert_type(upgrade_managed_fields_patch(mine, {"a", "b"}, "me"), list[dict[str, Any]] | None)


def without_models(dynamic: DynamicClient, metadata: MetadataClient, gvr: GroupVersionResource) -> None:
    foos = dynamic.resource(gvr).namespace("default")
    assert_type(foos.create({"kind": "Foo"}), Unstructured)
    assert_type(foos.update(foos.get("x"), subresource="scale"), Unstructured)
    for event in foos.watch():
        assert_type(event.object, Unstructured)
    assert_type(DynamicSharedInformerFactory(dynamic).for_resource(gvr).lister.get("x"), Unstructured)
    assert_type(metadata.resource(gvr).namespace("default").get("x"), PartialObjectMetadata)
    assert_type(
        MetadataSharedInformerFactory(metadata).for_resource(gvr).lister.find("x"), PartialObjectMetadata | None
    )
    metadata.resource(gvr).create({})  # type: ignore[attr-defined]
    metadata.resource(gvr).apply({})  # type: ignore[attr-defined]
    foos.evict("x")  # type: ignore[attr-defined]
