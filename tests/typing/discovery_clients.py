"""Discovery, mapper, scales and look-ups as users write them. Type-checked, never run."""

from __future__ import annotations

from typing import Any, assert_type

from k8srt.api.autoscaling.v1 import Scale
from k8srt.api.core.v1 import Pod
from k8srt.apimachinery.meta import APIGroup, APIResourceList
from k8srt.apimachinery.resource import ResourceInfo
from k8srt.apimachinery.schema import GroupKind, GroupResource, GroupVersionKind, GroupVersionResource
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.discovery import CachedDiscoveryClient, DiscoveryClient, MemCacheClient, OpenAPIV3, VersionInfo
from k8srt.gentype.client import ResourceClient
from k8srt.kubernetes import Clientset
from k8srt.rest import Config
from k8srt.restmapper import RESTMapper, RESTMapping
from k8srt.scale import ScaleClient


def discovery(config: Config) -> None:
    client = DiscoveryClient(config)
    assert_type(client.server_groups(), list[APIGroup])
    groups, resources = client.server_groups_and_resources()
    assert_type(groups, list[APIGroup])
    assert_type(resources, list[APIResourceList])
    assert_type(client.server_preferred_namespaced_resources(), list[APIResourceList])
    assert_type(client.server_version(), VersionInfo)
    assert_type(client.openapi_v3(), OpenAPIV3)
    assert_type(client.openapi_v3().schema("apps/v1"), dict[str, Any])
    with CachedDiscoveryClient(MemCacheClient(client), "cache", ttl=60.0) as cached:
        assert_type(cached.fresh(), bool)


def mapper(client: DiscoveryClient) -> None:
    found = RESTMapper(client)
    assert_type(found.rest_mapping(GroupKind("apps", "Deployment"), "v1"), RESTMapping)
    assert_type(found.rest_mappings(GroupVersionKind("apps", "v1", "Deployment")), list[RESTMapping])
    assert_type(found.resource_for("po"), GroupVersionResource)
    assert_type(found.kind_for(GroupResource("", "pods")), GroupVersionKind)
    assert_type(found.expand_category("all"), list[GroupResource])


def scales(config: Config) -> None:
    client = ScaleClient(config).resource("deploy").namespace("default")
    assert_type(client.get("web", timeout=3.0), Scale)
    assert_type(client.patch("web", {"spec": {"replicas": 3}}, patch_type="merge"), Scale)
    client.patch("web", {}, patch_type="best")  # type: ignore[arg-type]


def look_ups(cs: Clientset) -> None:
    assert_type(cs.resource(Pod, "default"), ResourceClient[Pod])
    assert_type(cs.resource("widgets.example.com"), ResourceClient[Unstructured])
    assert_type(cs.resource(GroupVersionKind("", "v1", "Pod"), namespace="default"), ResourceClient[Unstructured])
    cs.resource(3)  # type: ignore[call-overload]
    assert_type(list(cs.api_resources(namespaced=True)), list[ResourceInfo])
    assert_type(cs.mapper, RESTMapper)
    assert_type(cs.discovery, MemCacheClient)
