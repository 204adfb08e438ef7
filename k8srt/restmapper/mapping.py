"""What a lookup gives: a resource, its kind, and whether it lives in namespaces. Contract: MACH-34."""

from __future__ import annotations

from typing import Literal, NamedTuple

from k8srt.apimachinery.resource import ResourceInfo
from k8srt.apimachinery.schema import GroupVersionKind, GroupVersionResource


class RESTMapping(NamedTuple):
    """A resource and the kind of its objects."""

    resource: GroupVersionResource
    kind: GroupVersionKind
    namespaced: bool

    @classmethod
    def of(cls, info: ResourceInfo) -> RESTMapping:
        """The mapping of a resource that all is known of."""
        return cls(info.gvr, info.gvk, info.namespaced)

    @property
    def scope(self) -> Literal["namespace", "root"]:
        """The same as `namespaced`, in upstream's words."""
        return "namespace" if self.namespaced else "root"

    def __str__(self) -> str:
        group_version = f"{self.resource.group}/{self.resource.version}".lstrip("/")
        return f"{self.resource.resource} ({self.kind.kind}) in {group_version}"
