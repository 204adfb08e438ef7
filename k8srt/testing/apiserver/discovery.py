"""What the server serves, as clients ask for it: group by group, or all of it at once."""

from __future__ import annotations

import base64
import hashlib
import threading
from typing import Any

import msgspec

from k8srt.apimachinery.resource import Subresource
from k8srt.testing.apiserver.registry import Registry, Resource

JSON = dict[str, Any]
_ADDRESSES = [{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1"}]


class Discovery:
    """Discovery documents made of the registry. Thread-safe."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._lock = threading.Lock()  # guards the cache
        self._cache: dict[str, tuple[int, bytes, str]] = {}

    # ---- one by one

    def api_versions(self) -> JSON:
        return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": _ADDRESSES}

    def group_list(self) -> JSON:
        groups = [self._group(group, versions) for group, versions in self._named_groups().items()]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}

    def group(self, name: str) -> JSON | None:
        versions = self._named_groups().get(name)
        if versions is None:
            return None
        return {"kind": "APIGroup", "apiVersion": "v1", **self._group(name, versions)}

    def _named_groups(self) -> dict[str, list[str]]:
        return {group: versions for group, versions in self._registry.groups().items() if group}

    @staticmethod
    def _group(name: str, versions: list[str]) -> JSON:
        listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
        return {"name": name, "versions": listed, "preferredVersion": listed[0]}

    def resource_list(self, group: str, version: str) -> JSON | None:
        if not self._registry.has_version(group, version):
            return None
        resources: list[JSON] = []
        for resource in self._sorted(group, version):
            resources.append(_api_resource(resource))
            resources.extend(_api_subresource(resource, sub) for sub in resource.info.subresources)
        name = f"{group}/{version}" if group else version
        return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": resources}

    def _sorted(self, group: str, version: str) -> list[Resource]:
        return sorted(self._registry.resources(group, version), key=lambda resource: resource.plural)

    # ---- all at once

    def aggregated(self, *, legacy: bool, version: str = "v2") -> tuple[bytes, str]:
        """The aggregated document of /api or /apis, and its entity tag."""
        key = f"{'api' if legacy else 'apis'}/{version}"
        revision = self._registry.revision
        with self._lock:
            known = self._cache.get(key)
        if known is not None and known[0] == revision:
            return known[1], known[2]
        groups = self._registry.groups()
        chosen = {name: groups[name] for name in groups if (name == "") == legacy}
        items = [self._aggregated_group(name, versions) for name, versions in chosen.items()]
        document = {
            "kind": "APIGroupDiscoveryList",
            "apiVersion": f"apidiscovery.k8s.io/{version}",
            "metadata": {},
            "items": items,
        }
        body = msgspec.json.encode(document)
        tag = '"' + hashlib.sha512(body).hexdigest().upper() + '"'
        with self._lock:
            self._cache[key] = (revision, body, tag)
        return body, tag

    def _aggregated_group(self, group: str, versions: list[str]) -> JSON:
        shown = []
        for version in versions:
            resources = [_aggregated_resource(resource) for resource in self._sorted(group, version)]
            shown.append({"version": version, "resources": resources, "freshness": "Current"})
        return {"metadata": {"name": group, "creationTimestamp": None}, "versions": shown}


def _singular(resource: Resource) -> str:
    return resource.info.singular


def _api_resource(resource: Resource) -> JSON:
    info = resource.info
    entry: JSON = {
        "name": info.resource,
        "singularName": _singular(resource),
        "namespaced": info.namespaced,
        "kind": info.kind,
        "verbs": list(info.verbs),
    }
    if info.short_names:
        entry["shortNames"] = list(info.short_names)
    if info.categories:
        entry["categories"] = list(info.categories)
    if "list" in info.verbs:
        entry["storageVersionHash"] = storage_hash(resource)
    return entry


def storage_hash(resource: Resource) -> str:
    version = resource.storage_version or resource.version
    text = f"{resource.group}/{version}/{resource.kind}"
    return base64.b64encode(hashlib.sha256(text.encode()).digest()[:8]).decode()


def _api_subresource(resource: Resource, sub: Subresource) -> JSON:
    entry: JSON = {
        "name": f"{resource.plural}/{sub.name}",
        "singularName": "",
        "namespaced": resource.namespaced,
    }
    if sub.gvk is not None:
        entry["group"], entry["version"] = sub.gvk.group, sub.gvk.version
    entry["kind"] = sub.gvk.kind if sub.gvk is not None else resource.kind
    entry["verbs"] = list(sub.verbs)
    return entry


def _aggregated_resource(resource: Resource) -> JSON:
    info = resource.info
    entry: JSON = {
        "resource": info.resource,
        "responseKind": {"group": info.gvk.group, "version": info.gvk.version, "kind": info.kind},
        "scope": "Namespaced" if info.namespaced else "Cluster",
        "singularResource": _singular(resource),
        "verbs": list(info.verbs),
    }
    if info.short_names:
        entry["shortNames"] = list(info.short_names)
    if info.categories:
        entry["categories"] = list(info.categories)
    if info.subresources:
        entry["subresources"] = [_aggregated_subresource(resource, sub) for sub in info.subresources]
    return entry


def _aggregated_subresource(resource: Resource, sub: Subresource) -> JSON:
    gvk = sub.gvk or resource.info.gvk
    return {
        "subresource": sub.name,
        "responseKind": {"group": gvk.group, "version": gvk.version, "kind": gvk.kind},
        "verbs": list(sub.verbs),
    }
