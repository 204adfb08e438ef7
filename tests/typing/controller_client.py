"""What type checkers know of the client and the cache of a manager."""

from __future__ import annotations

from typing import assert_type

from k8srt.api.core.v1 import ConfigMap
from k8srt.apimachinery.schema import GroupVersionKind
from k8srt.apimachinery.unstructured import Unstructured
from k8srt.controller.cache.cache import Cache
from k8srt.controller.cache.kind_informer import KindInformer
from k8srt.controller.cache.reading import Listed
from k8srt.controller.client.client import Client
from k8srt.controller.client.patches import merge_from
from k8srt.controller.client.settings import dry_run
from k8srt.controller.kinds import metadata_only
from k8srt.metadata.partial import PartialObjectMetadata


def reading(client: Client, cache: Cache) -> None:
    gvk = GroupVersionKind("", "v1", "ConfigMap")
    assert_type(client.get(ConfigMap, "default/a"), ConfigMap)
    assert_type(client.get_or_none(ConfigMap, "default/a", min_resource_version="7"), ConfigMap | None)
    assert_type(client.get(gvk, "default/a"), Unstructured)
    assert_type(client.get(("", "v1", "ConfigMap"), "default/a"), Unstructured)
    assert_type(client.get(metadata_only(gvk), "default/a"), PartialObjectMetadata)
    assert_type(client.list(ConfigMap, namespace="default", limit=3), Listed[ConfigMap])
    assert_type(client.exists(gvk, "default/a"), bool)
    assert_type(cache.get(ConfigMap, "default/a"), ConfigMap | None)
    assert_type(cache.list(metadata_only(ConfigMap)), Listed[PartialObjectMetadata])
    assert_type(cache.informer(ConfigMap), KindInformer[ConfigMap])
    client.get(ConfigMap, "default/a", nonsense=1)  # type: ignore[call-overload]
    client.list(ConfigMap, label="x")  # type: ignore[call-overload]


def writing(client: Client, obj: ConfigMap) -> None:
    assert_type(client.create(obj), ConfigMap)
    assert_type(client.patch(obj, merge_from(obj)), ConfigMap)
    assert_type(dry_run(client).delete(obj), bool)
    assert_type(client.acting_as("me"), Client)
