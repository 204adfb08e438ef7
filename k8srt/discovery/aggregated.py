"""The aggregated form of discovery: groups and resources in one document. Contract: CLI-18, CLI-20, CLI-21."""

from __future__ import annotations

import msgspec

from k8srt.apimachinery.meta import APIGroup, APIResource, APIResourceList, GroupVersionForDiscovery
from k8srt.apimachinery.schema import GroupVersion
from k8srt.discovery.served import Found
from k8srt.errors import StaleGroupVersion

ACCEPT = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
"""What is asked for: the aggregated form, or else the plain one. Servers compare it with the order of parameters."""

_TOLD = {"g": "apidiscovery.k8s.io", "v": "v2", "as": "APIGroupDiscoveryList"}


def is_aggregated(content_type: str) -> bool:
    """Whether an answer of this content type has the aggregated form."""
    media, *parameters = (part.strip() for part in content_type.split(";"))
    told = dict(part.split("=", 1) for part in parameters if "=" in part)
    return media == "application/json" and all(told.get(key) == value for key, value in _TOLD.items())


class _Wire(msgspec.Struct, rename="camel", gc=False):
    """The base of what is read of the document; anything may be absent."""


class _Kind(_Wire):
    group: str = ""
    version: str = ""
    kind: str = ""


class _Subresource(_Wire):
    subresource: str = ""
    response_kind: _Kind | None = None
    verbs: list[str] | None = None


class _Resource(_Wire):
    resource: str = ""
    response_kind: _Kind | None = None
    scope: str = ""
    singular_resource: str = ""
    verbs: list[str] | None = None
    short_names: list[str] | None = None
    categories: list[str] | None = None
    subresources: list[_Subresource] | None = None


class _Version(_Wire):
    version: str = ""
    resources: list[_Resource] | None = None
    freshness: str = ""


class _Metadata(_Wire):
    name: str = ""


class _Group(_Wire):
    metadata: _Metadata
    versions: list[_Version] | None = None


class _Document(_Wire):
    items: list[_Group] | None = None


def read(body: bytes) -> Found:
    """Read a document. Group-versions that are marked stale count as failed.

    Raises msgspec.MsgspecError for something else than such a document.
    """
    groups: list[APIGroup] = []
    resources: dict[GroupVersion, APIResourceList] = {}
    failed: dict[GroupVersion, Exception] = {}
    for group in msgspec.json.decode(body, type=_Document).items or ():
        versions = []
        for version in group.versions or ():
            key = GroupVersion(group.metadata.name, version.version)
            if version.freshness == "Stale":
                failed[key] = StaleGroupVersion(key)
                continue
            versions.append(GroupVersionForDiscovery(group_version=str(key), version=version.version))
            resources[key] = APIResourceList(group_version=str(key), resources=_resources(version))
        preferred = versions[0] if versions else None  # the first that is not stale
        groups.append(APIGroup(name=group.metadata.name, versions=versions, preferred_version=preferred))  # type: ignore[arg-type]
    return Found(groups, resources, failed)


def _resources(version: _Version) -> list[APIResource]:
    listed = []
    for resource in version.resources or ():
        parent = _resource(resource)
        if parent.kind:
            listed.append(parent)
        for each in resource.subresources or ():
            if each.response_kind is not None and each.response_kind.kind:
                listed.append(_subresource(parent, each, each.response_kind))
    return listed


def _resource(wire: _Resource) -> APIResource:
    kind = wire.response_kind or _Kind()
    return APIResource(
        name=wire.resource,
        singular_name=wire.singular_resource,
        namespaced=wire.scope == "Namespaced",
        group=kind.group or None,  # type: ignore[arg-type]
        version=kind.version or None,  # type: ignore[arg-type]
        kind=kind.kind,
        verbs=wire.verbs or [],
        short_names=wire.short_names or None,  # type: ignore[arg-type]
        categories=wire.categories or None,  # type: ignore[arg-type]
    )


def _subresource(parent: APIResource, wire: _Subresource, kind: _Kind) -> APIResource:
    return APIResource(
        name=f"{parent.name}/{wire.subresource}",
        singular_name=parent.singular_name,
        namespaced=parent.namespaced,
        group=kind.group or None,  # type: ignore[arg-type]
        version=kind.version or None,  # type: ignore[arg-type]
        kind=kind.kind,
        verbs=wire.verbs or [],
    )
