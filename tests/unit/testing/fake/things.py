"""Objects that the tests of fakes use."""

from __future__ import annotations

from typing import Any

from k8srt.api.core.v1 import ConfigMap, Container, Pod, PodSpec
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.model import unset
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.schema import GroupVersionResource

CONFIG_MAPS = GroupVersionResource("", "v1", "configmaps")
WIDGETS = GroupVersionResource("example.com", "v1", "widgets")


def config_map(name: str, namespace: str = "default", labels: dict[str, str] | None = None, **data: str) -> ConfigMap:
    meta = ObjectMeta(name=name, namespace=namespace)
    if labels:
        meta.labels = labels
    return ConfigMap(metadata=meta, data=data)


def pod(name: str, namespace: str = "default", **more: Any) -> Pod:
    spec = PodSpec(containers=[Container(name="main", image="app")])
    return Pod(metadata=ObjectMeta(name=name, namespace=namespace, **more), spec=spec)


class Widget(Object, gvk="example.com/v1/Widget", resource="widgets", subresources="status"):
    """A custom kind with a class and no definition."""

    spec: dict[str, Any] = unset
    status: dict[str, Any] = unset


WIDGET_DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, shortNames: [wd]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, properties: {size: {type: integer, minimum: 1, default: 3}}}
          status: {type: object, x-kubernetes-preserve-unknown-fields: true}
"""
