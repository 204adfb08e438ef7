"""What the server serves: a row for each resource in each version.

The rows of built-in kinds are read off the generated model classes; those of custom resources come from their
definitions. Everything else — paths, discovery, storage, validation — reads the rows.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from k8srt.api._index import GROUP_VERSIONS
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.resource import ResourceInfo, Subresource
from k8srt.testing.apiserver.strategies.strategy import PLAIN, Strategy

JSON = dict[str, Any]


@dataclass(frozen=True)
class CustomFacts:
    """What a definition says about one version of a custom resource.

    Objects stored before the version `since` were written under another schema, and are brought in line when read.
    `conversion` is there when a webhook turns one version into another.
    """

    definition: str
    schema: JSON
    columns: tuple[JSON, ...] = ()
    status: bool = False
    scale: Mapping[str, str] | None = None
    selectable: tuple[str, ...] = ()
    deprecation: str = ""
    since: int = 0
    conversion: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Resource:
    """One resource in one version. `table` names where its objects are stored, whichever version is asked for."""

    info: ResourceInfo
    list_kind: str
    strategy: Strategy = PLAIN
    model: type[Object] | None = None
    custom: CustomFacts | None = None
    storage_version: str = ""

    @property
    def group(self) -> str:
        return self.info.gvk.group

    @property
    def version(self) -> str:
        return self.info.gvk.version

    @property
    def kind(self) -> str:
        return self.info.gvk.kind

    @property
    def plural(self) -> str:
        return self.info.resource

    @property
    def namespaced(self) -> bool:
        return self.info.namespaced

    @cached_property
    def api_version(self) -> str:
        return self.info.api_version

    @cached_property
    def table(self) -> str:
        return table_name(self.group, self.plural)

    @property
    def error_group(self) -> str:
        """The group that validation failures name: that of the kind inside the server."""
        return "" if self.table in _SHARED_TABLES.values() else self.group

    @cached_property
    def prefix(self) -> bytes:
        """What an object of this version begins with, before its stored body."""
        return f'{{"kind":"{self.kind}","apiVersion":"{self.api_version}",'.encode()

    @cached_property
    def stored_here(self) -> bool:
        """Whether the stored form is this version's form."""
        return self.storage_version in ("", self.version)

    def subresource(self, name: str) -> Subresource | None:
        return self.info.subresource(name)

    @cached_property
    def structure(self) -> Any:
        """The schema, for merging and ownership."""
        from k8srt.apimachinery import structure

        if self.model is not None:
            return structure.structure_of(self.model)
        assert self.custom is not None
        return structure.structure_of_schema(self.custom.schema)

    @cached_property
    def rules(self) -> Any:
        """The rules in CEL of a custom resource, compiled; None where there are none."""
        from k8srt.testing.apiserver.cel.rules import compile_rules
        from k8srt.testing.apiserver.structural import has_rules

        if self.custom is None or not has_rules(self.custom.schema):
            return None
        return compile_rules(self.custom.schema)


# The same objects under two groups are stored once: events.k8s.io speaks of core events.
_SHARED_TABLES = {"events.events.k8s.io": "events"}


def table_name(group: str, plural: str) -> str:
    name = f"{plural}.{group}" if group else plural
    return _SHARED_TABLES.get(name, name)


# Versions a default server does not serve.
_OFF_BY_DEFAULT = ("alpha", "beta")
# The version in which a resource is stored where it has several.
_STORED_AS = {"horizontalpodautoscalers.autoscaling": "v2", "events": "v1"}


@dataclass
class GroupVersionEntry:
    """A served version of a group, with its resources by plural name."""

    group: str
    version: str
    resources: dict[str, Resource] = field(default_factory=dict)


class Registry:
    """All rows. Built-in ones are fixed; custom ones come and go. Thread-safe."""

    def __init__(self, strategies: Mapping[str, Strategy]) -> None:
        self._lock = threading.Lock()  # guards the maps; rows are immutable
        self._builtin: dict[tuple[str, str], GroupVersionEntry] = {}
        self._custom: dict[tuple[str, str], GroupVersionEntry] = {}
        self._revision = 0
        for resource in builtin_resources(strategies):
            self._entry(self._builtin, resource.group, resource.version).resources[resource.plural] = resource

    def fresh(self) -> Registry:
        """Another registry with the same built-in rows, and no custom ones."""
        other = Registry.__new__(Registry)
        other._lock = threading.Lock()
        other._builtin, other._custom, other._revision = self._builtin, {}, 0
        return other

    @staticmethod
    def _entry(entries: dict[tuple[str, str], GroupVersionEntry], group: str, version: str) -> GroupVersionEntry:
        return entries.setdefault((group, version), GroupVersionEntry(group, version))

    @property
    def revision(self) -> int:
        """Grows whenever the rows change; what is made of them can be kept until then."""
        with self._lock:
            return self._revision

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        with self._lock:
            for entries in (self._builtin, self._custom):
                entry = entries.get((group, version))
                if entry is not None and plural in entry.resources:
                    return entry.resources[plural]
        return None

    def has_group(self, group: str) -> bool:
        with self._lock:
            return any(key[0] == group for key in (*self._builtin, *self._custom))

    def is_custom_group(self, group: str) -> bool:
        """Whether all that is served of a group is custom."""
        with self._lock:
            return not any(key[0] == group for key in self._builtin)

    def has_version(self, group: str, version: str) -> bool:
        with self._lock:
            return (group, version) in self._builtin or (group, version) in self._custom

    def groups(self) -> dict[str, list[str]]:
        """Groups in the order of discovery, the core group first, each with its versions, the preferred first."""
        with self._lock:
            keys = [*self._builtin, *(key for key in self._custom if key not in self._builtin)]
        found: dict[str, list[str]] = {}
        for group, version in keys:
            found.setdefault(group, []).append(version)
        return {group: sorted(versions, key=version_order) for group, versions in found.items()}

    def resources(self, group: str | None = None, version: str | None = None) -> list[Resource]:
        """Rows of a version, of a group, or all of them."""
        with self._lock:
            entries = [*self._builtin.values(), *self._custom.values()]
            return [
                resource
                for entry in entries
                if (group is None or entry.group == group) and (version is None or entry.version == version)
                for resource in entry.resources.values()
            ]

    def for_kind(self, group: str, version: str, kind: str) -> Resource | None:
        """The row whose objects are of this kind."""
        for resource in self.resources(group, version):
            if resource.kind == kind and resource.plural:
                return resource
        return None

    def by_table(self, table: str) -> Resource | None:
        """The row in the stored version of what a table holds."""
        rows = [resource for resource in self.resources() if resource.table == table]
        return next((row for row in rows if row.stored_here), rows[0] if rows else None)

    def add(self, resources: Iterable[Resource]) -> None:
        with self._lock:
            for resource in resources:
                entry = self._entry(self._custom, resource.group, resource.version)
                entry.resources[resource.plural] = resource
            self._revision += 1

    def remove(self, group: str, plural: str) -> None:
        """Stop serving a custom resource in all its versions."""
        with self._lock:
            for key in [key for key in self._custom if key[0] == group]:
                self._custom[key].resources.pop(plural, None)
                if not self._custom[key].resources:
                    del self._custom[key]
            self._revision += 1


def version_order(version: str) -> tuple[int, int, int, str]:
    """Sorts versions by what one should prefer: v2, v1, v1beta2, v1beta1, v1alpha1, then anything else."""
    text = version.removeprefix("v")
    digits = len(text) - len(text.lstrip("0123456789"))
    if not version.startswith("v") or digits == 0:
        return (3, 0, 0, version)
    major, rest = int(text[:digits]), text[digits:]
    for rank, word in enumerate(("", "beta", "alpha")):
        tail = rest.removeprefix(word)
        if rest.startswith(word) and (tail.isdigit() if word else not rest):
            return (rank, -major, -int(tail or 0), "")
    return (3, 0, 0, version)


def builtin_resources(strategies: Mapping[str, Strategy]) -> list[Resource]:
    """A row for each generated class that names a resource."""
    rows = []
    for api_version, module_name in sorted(GROUP_VERSIONS.items(), key=_discovery_order):
        if any(word in api_version for word in _OFF_BY_DEFAULT):
            continue
        module = importlib.import_module(module_name)
        for cls in list(vars(module).values()):
            row = _row(cls, module_name, strategies)
            if row is not None:
                rows.append(row)
    return rows


def _row(cls: Any, module_name: str, strategies: Mapping[str, Strategy]) -> Resource | None:
    if not (isinstance(cls, type) and issubclass(cls, Object)) or cls.__module__ != module_name:
        return None
    info = cls.__info__
    if info is None or not info.resource:
        return None
    table = table_name(info.gvk.group, info.resource)
    return Resource(
        info,
        list_kind=f"{info.kind}List",
        strategy=strategies.get(table, PLAIN),
        model=cls,
        storage_version=_STORED_AS.get(table, ""),
    )


_GROUP_ORDER_TEXT = """
    apiregistration.k8s.io apps events.k8s.io authentication.k8s.io authorization.k8s.io autoscaling batch
    certificates.k8s.io networking.k8s.io policy rbac.authorization.k8s.io storage.k8s.io
    admissionregistration.k8s.io apiextensions.k8s.io scheduling.k8s.io coordination.k8s.io node.k8s.io
    discovery.k8s.io resource.k8s.io flowcontrol.apiserver.k8s.io
"""
_GROUP_ORDER = _GROUP_ORDER_TEXT.split()


def _discovery_order(item: tuple[str, str]) -> tuple[int, str]:
    group = item[0].rpartition("/")[0]
    if not group:
        return (-1, "")
    return (_GROUP_ORDER.index(group) if group in _GROUP_ORDER else len(_GROUP_ORDER), item[0])
