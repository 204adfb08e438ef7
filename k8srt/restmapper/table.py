"""What a server serves at one moment, as a table to look things up in. Immutable, so threads share it.

Lookups give all that fits, in the order of the server; `first` chooses by priority. Contract: CLI-27, MACH-34.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from k8srt.apimachinery.meta import APIGroup, APIResource, APIResourceList
from k8srt.apimachinery.resource import ResourceInfo, Subresource
from k8srt.apimachinery.schema import (
    GroupKind,
    GroupResource,
    GroupVersion,
    GroupVersionKind,
    GroupVersionResource,
)
from k8srt.restmapper.guess import unsafe_guess_kind_to_resource

ANY = "*"

T = TypeVar("T")


class Table:
    """The resources of all group-versions. `failed` names those that could not be asked."""

    def __init__(
        self,
        groups: Sequence[APIGroup],
        lists: Iterable[APIResourceList],
        failed: Mapping[Any, Exception] | None = None,
    ) -> None:
        self.groups = [group.name or "" for group in groups]
        self.failed = dict(failed or {})
        served = {GroupVersion.parse(each.group_version): each.resources or [] for each in lists}
        self.entries = [
            info
            for group in groups
            for version in group.versions or ()
            for info in infos(GroupVersion(group.name or "", version.version), served)
        ]
        self._priorities = list(_priorities(groups, served))
        self._by_name: dict[str, list[ResourceInfo]] = {}
        self._by_kind: dict[GroupKind, list[ResourceInfo]] = {}
        for entry in self.entries:
            for name in dict.fromkeys((entry.resource, entry.singular)):
                self._by_name.setdefault(name, []).append(entry)
            for kind in dict.fromkeys((entry.kind, entry.kind.lower())):
                self._by_kind.setdefault(GroupKind(entry.gvk.group, kind), []).append(entry)

    def named(self, partial: GroupVersionResource) -> list[ResourceInfo]:
        """The resources of a plural or singular name, narrowed by what is said of group and version.

        A group alone may be the beginning of one ("storage" for "storage.k8s.io") if there is none of that name.
        """
        found = self._by_name.get(partial.resource.lower(), [])
        if partial.version:
            found = [entry for entry in found if entry.gvk.version == partial.version]
        if not partial.group:
            return found
        exact = [entry for entry in found if entry.gvk.group == partial.group]
        if exact or partial.version:
            return exact
        return [entry for entry in found if entry.gvk.group.startswith(partial.group)]

    def of_kind(self, kind: GroupKind, versions: Sequence[str] = ()) -> list[ResourceInfo]:
        """The resources of a kind, in these versions (in any, if none is named)."""
        wanted = [version for version in versions if version]
        found = self._by_kind.get(kind, [])
        return [entry for entry in found if entry.gvk.version in wanted] if wanted else found

    def first(
        self, entries: Iterable[ResourceInfo], key: Callable[[ResourceInfo], T], versions: Sequence[str] = ()
    ) -> tuple[ResourceInfo | None, list[T]]:
        """The one of `entries` that comes first by priority, or None if several do; and the keys of all.

        `versions` come before all other priorities; then the core group, then each group's preferred version, its
        other versions, and the groups in their order.
        """
        left: dict[T, ResourceInfo] = {}
        for entry in entries:
            left.setdefault(key(entry), entry)
        keys = list(left)
        asked = [(ANY, version) for version in versions if version]
        for group, version in (*asked, *self._priorities):
            if len(left) == 1:
                break
            fitting = {
                name: entry
                for name, entry in left.items()
                if group in (ANY, entry.gvk.group) and version in (ANY, entry.gvk.version)
            }
            left = fitting or left
        return (next(iter(left.values())) if len(left) == 1 else None), keys

    def in_category(self, category: str) -> list[GroupResource]:
        """The resources of a category, each once."""
        found = (entry.gvr.group_resource for entry in self.entries if category in entry.categories)
        return list(dict.fromkeys(found))


def _priorities(
    groups: Sequence[APIGroup], served: Mapping[GroupVersion, Sequence[APIResource]]
) -> Iterator[tuple[str, str]]:
    yield "", "v1"
    for group in groups:
        name = group.name or ""
        preferred = group.preferred_version.version if group.preferred_version else ""
        versions = [version.version for version in group.versions or ()]
        for version in sorted(versions, key=lambda each: each != preferred):  # stable: the preferred one to the front
            if GroupVersion(name, version) in served:
                yield name, version
    for group in groups:
        yield group.name or "", ANY


def infos(version: GroupVersion, served: Mapping[GroupVersion, Sequence[APIResource]]) -> Iterator[ResourceInfo]:
    """What is known of each resource of a group-version."""
    resources = served.get(version, ())
    subresources: dict[str, list[Subresource]] = {}
    for resource in resources:
        parent, slash, name = resource.name.partition("/")
        if slash:
            subresources.setdefault(parent, []).append(_subresource(version, name, resource))
    for resource in resources:
        if "/" not in resource.name:
            yield _info(version, resource, tuple(subresources.get(resource.name, ())))


def _info(version: GroupVersion, resource: APIResource, subresources: tuple[Subresource, ...]) -> ResourceInfo:
    kind = version.with_kind(resource.kind or "")
    return ResourceInfo(
        kind,
        resource.name,
        resource.singular_name or unsafe_guess_kind_to_resource(kind).singular.resource,
        bool(resource.namespaced),
        tuple(resource.short_names or ()),
        tuple(resource.categories or ()),
        tuple(resource.verbs or ()),
        subresources,
    )


def _subresource(version: GroupVersion, name: str, resource: APIResource) -> Subresource:
    group = resource.group or ("" if resource.version else version.group)
    kind = GroupVersionKind(group, resource.version or version.version, resource.kind or "")
    return Subresource(name, tuple(resource.verbs or ()), kind)
