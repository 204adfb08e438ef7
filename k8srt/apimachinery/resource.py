"""What the API says about a kind: its names, its scope, its verbs. The facts ride on the object's class."""

from __future__ import annotations

from typing import NamedTuple

from k8srt.apimachinery.schema import GroupVersionKind, GroupVersionResource

USUAL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
USUAL_SUBRESOURCE_VERBS = ("get", "patch", "update")


class Subresource(NamedTuple):
    """One subresource: its name, its verbs, and the kind it speaks (None: the object's own)."""

    name: str
    verbs: tuple[str, ...] = USUAL_SUBRESOURCE_VERBS
    gvk: GroupVersionKind | None = None

    @classmethod
    def parse(cls, text: str) -> Subresource:
        """Read `name[:verb,verb…][=group/version/Kind]`."""
        head, _, gvk = text.partition("=")
        name, _, verbs = head.partition(":")
        return cls(
            name,
            tuple(verbs.split(",")) if verbs else USUAL_SUBRESOURCE_VERBS,
            GroupVersionKind.parse(gvk) if gvk else None,
        )


class ResourceInfo(NamedTuple):
    """The facts of one kind. `resource` (the plural) is empty for kinds that are only sent, such as Eviction."""

    gvk: GroupVersionKind
    resource: str = ""
    singular: str = ""
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = USUAL_VERBS
    subresources: tuple[Subresource, ...] = ()

    @property
    def gvr(self) -> GroupVersionResource:
        return GroupVersionResource(self.gvk.group, self.gvk.version, self.resource)

    @property
    def api_version(self) -> str:
        return self.gvk.api_version

    @property
    def kind(self) -> str:
        return self.gvk.kind

    def subresource(self, name: str) -> Subresource | None:
        return next((sub for sub in self.subresources if sub.name == name), None)


def parse_info(
    gvk: str,
    *,
    resource: str = "",
    singular: str = "",
    namespaced: bool = True,
    short_names: str = "",
    categories: str = "",
    verbs: str | None = None,
    subresources: str = "",
) -> ResourceInfo:
    """Build the facts from the words of a class line; lists of words are separated by spaces."""
    parsed = GroupVersionKind.parse(gvk)
    return ResourceInfo(
        parsed,
        resource,
        singular or parsed.kind.lower(),
        namespaced,
        tuple(short_names.split()),
        tuple(categories.split()),
        USUAL_VERBS if verbs is None else tuple(verbs.split()),
        tuple(Subresource.parse(text) for text in subresources.split()),
    )


def info_by_name(gvr: GroupVersionResource) -> ResourceInfo:
    """What is known of a resource of which only the name is: verbs, scope and kind are for the server to judge.

    Raises TypeError for anything but a `GroupVersionResource`, ValueError for one without a version or resource.
    """
    if not isinstance(gvr, GroupVersionResource):
        raise TypeError(f"expected a GroupVersionResource, such as GroupVersionResource('apps', 'v1', 'deployments'), "
                        f"got {gvr!r}")  # fmt: skip
    if not gvr.version or not gvr.resource:
        raise ValueError(f"{gvr!r}: version and resource are needed")
    return ResourceInfo(gvr.group_version.with_kind(""), gvr.resource)
