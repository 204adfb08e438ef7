"""What a write is, for those who are asked about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from k8srt.apimachinery.schema import GroupVersionKind
from k8srt.testing.apiserver.registry import Resource

if TYPE_CHECKING:
    from k8srt.testing.apiserver.cluster import Cluster

JSON = dict[str, Any]
GROUP = "admissionregistration.k8s.io"
MUTATING, VALIDATING = f"mutatingwebhookconfigurations.{GROUP}", f"validatingwebhookconfigurations.{GROUP}"
POLICIES, BINDINGS = f"validatingadmissionpolicies.{GROUP}", f"validatingadmissionpolicybindings.{GROUP}"
EXEMPT = frozenset(
    {
        MUTATING,
        VALIDATING,
        POLICIES,
        BINDINGS,
        f"mutatingadmissionpolicies.{GROUP}",
        f"mutatingadmissionpolicybindings.{GROUP}",
    }
)
"""What configures admission is not subject to it."""


@dataclass(frozen=True)
class Attributes:
    """One write. `obj` is None for a deletion, `old` for a creation; `options` are those the client sent.

    `kind` is set where the document is of another kind than the resource: a Scale, an Eviction.
    """

    cluster: Cluster
    resource: Resource
    operation: str
    namespace: str
    name: str
    obj: JSON | None
    old: JSON | None
    user: Any
    dry_run: bool = False
    subresource: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    kind: GroupVersionKind | None = None

    def document_kind(self, resource: Resource) -> GroupVersionKind:
        return self.kind or resource.info.gvk

    def in_version(self, obj: JSON | None, resource: Resource) -> JSON | None:
        """An object of this write in the version of another row of the same resource."""
        if obj is None or resource is self.resource or self.kind is not None:
            return obj
        cluster = self.cluster
        return cluster.converted(obj, self.resource, resource)

    def equivalents(self) -> list[Resource]:
        """The rows under which the same objects are served, this write's first."""
        rows = [row for row in self.cluster.registry.resources() if row.table == self.resource.table]
        return [self.resource, *(row for row in rows if row is not self.resource)]

    def request(self, resource: Resource) -> JSON:
        """What is told of the write, for a webhook that is asked about it as one of `resource`."""
        kind, asked = self.document_kind(resource), self.document_kind(self.resource)
        request: JSON = {
            "uid": self.cluster.new_uid(),
            "kind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
            "resource": _resource(resource),
            "requestKind": {"group": asked.group, "version": asked.version, "kind": asked.kind},
            "requestResource": _resource(self.resource),
            "name": self.name,
            "namespace": self.namespace,
            "operation": self.operation,
            "userInfo": _user(self.user),
            "object": self.in_version(self.obj, resource),
            "oldObject": self.in_version(self.old, resource),
            "dryRun": self.dry_run,
            "options": self.options or None,
        }
        if self.subresource:
            request["subResource"] = request["requestSubResource"] = self.subresource
        if not self.namespace:
            del request["namespace"]
        return request


def _resource(resource: Resource) -> JSON:
    return {"group": resource.group, "version": resource.version, "resource": resource.plural}


def _user(user: Any) -> JSON:
    found: JSON = {"username": user.name}
    if user.uid:
        found["uid"] = user.uid
    if user.groups:
        found["groups"] = list(user.groups)
    if user.extra:
        found["extra"] = {key: list(values) for key, values in user.extra.items()}
    return found
