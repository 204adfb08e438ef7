"""Names of things in the API: groups, versions, kinds, resources, and namespaced names.

All are plain tuples: hashable, comparable, cheap, and they print as people write them.
"""

from __future__ import annotations

from typing import NamedTuple


class GroupVersion(NamedTuple):
    """An API group in one version; the group of the core API is empty. Contract: MACH-32."""

    group: str
    version: str

    @classmethod
    def parse(cls, api_version: str) -> GroupVersion:
        """Split an `apiVersion`: "v1", "apps/v1", or "" (both parts empty). Raises ValueError for more slashes."""
        group, slash, version = api_version.partition("/")
        if "/" in version:
            raise ValueError(f"unexpected GroupVersion string: {api_version!r}")
        return cls(group, version) if slash else cls("", group)

    def __str__(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def with_kind(self, kind: str) -> GroupVersionKind:
        return GroupVersionKind(self.group, self.version, kind)

    def with_resource(self, resource: str) -> GroupVersionResource:
        return GroupVersionResource(self.group, self.version, resource)


class GroupKind(NamedTuple):
    group: str
    kind: str

    def __str__(self) -> str:
        return f"{self.kind}.{self.group}" if self.group else self.kind


class GroupResource(NamedTuple):
    group: str
    resource: str

    @classmethod
    def parse(cls, text: str) -> GroupResource:
        """Split "deployments.apps" at its first dot; without one the group is empty."""
        resource, _, group = text.partition(".")
        return cls(group, resource)

    def __str__(self) -> str:
        return f"{self.resource}.{self.group}" if self.group else self.resource


class GroupVersionKind(NamedTuple):
    group: str
    version: str
    kind: str

    @classmethod
    def parse(cls, text: str) -> GroupVersionKind:
        """Split "apps/v1/Deployment" or "v1/Pod"."""
        api_version, _, kind = text.rpartition("/")
        return GroupVersion.parse(api_version).with_kind(kind)

    @classmethod
    def of(cls, api_version: str, kind: str) -> GroupVersionKind:
        return GroupVersion.parse(api_version).with_kind(kind)

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def group_version(self) -> GroupVersion:
        return GroupVersion(self.group, self.version)

    @property
    def group_kind(self) -> GroupKind:
        return GroupKind(self.group, self.kind)

    def __str__(self) -> str:
        return f"{self.api_version}, Kind={self.kind}"


class GroupVersionResource(NamedTuple):
    group: str
    version: str
    resource: str

    @property
    def group_version(self) -> GroupVersion:
        return GroupVersion(self.group, self.version)

    @property
    def group_resource(self) -> GroupResource:
        return GroupResource(self.group, self.resource)

    def __str__(self) -> str:
        return f"{GroupVersion(self.group, self.version)}, Resource={self.resource}"


def parse_resource_arg(arg: str) -> tuple[GroupVersionResource | None, GroupResource]:
    """Read "deployments.v1.apps" both as resource.version.group and as resource.group (MACH-32).

    The first is None when there are fewer than three parts.
    """
    parts = arg.split(".", 2)
    full = GroupVersionResource(parts[2], parts[1], parts[0]) if len(parts) == 3 else None
    return full, GroupResource.parse(arg)


def parse_kind_arg(arg: str) -> tuple[GroupVersionKind | None, GroupKind]:
    """Read "Deployment.v1.apps" both as kind.version.group and as kind.group (MACH-32)."""
    parts = arg.split(".", 2)
    full = GroupVersionKind(parts[2], parts[1], parts[0]) if len(parts) == 3 else None
    kind, _, group = arg.partition(".")
    return full, GroupKind(group, kind)


class NamespacedName(NamedTuple):
    """The name of an object within its kind. Prints with its slash even without a namespace: "/node-1"."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"
