"""Reading an OpenAPI v2 document as kube-apiserver serves it: definitions by package, and resources by path."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Schema = Mapping[str, Any]

_DEFINITION = re.compile(r"(?P<package>.+)\.(?P<name>[^.]+)")
_PACKAGE = re.compile(r"io\.k8s\..*?\bapis?\.(?P<folder>\w+)\.(?P<version>v\w+)")
_PATH = re.compile(
    r"/(?:api|apis/(?P<group>[^/]+))/(?P<version>[^/]+)"
    r"(?P<namespaced>/namespaces/\{namespace\})?"
    r"/(?P<plural>[a-z0-9]+)(?P<item>/\{name\}(?:/(?P<subresource>[a-z]+))?)?"
)

_COLLECTION_VERBS = {"get": "list", "post": "create", "delete": "deletecollection"}
_ITEM_VERBS = {"get": "get", "post": "create", "put": "update", "patch": "patch", "delete": "delete"}


class Name(NamedTuple):
    """A definition's name, taken apart: `io.k8s.api.core.v1.Pod` has folder "core" and version "v1"."""

    package: str
    name: str
    folder: str
    version: str

    @classmethod
    def parse(cls, text: str) -> Name:
        """Folder and version are empty for packages that aren't a group and version of Kubernetes' own."""
        match = _DEFINITION.fullmatch(text)
        package, name = (match["package"], match["name"]) if match else ("", text)
        place = _PACKAGE.fullmatch(package)
        return cls(package, name, place["folder"] if place else "", place["version"] if place else "")

    @classmethod
    def of_ref(cls, schema: Schema) -> Name:
        return cls.parse(schema["$ref"].removeprefix("#/definitions/"))


class Kind(NamedTuple):
    group: str
    version: str
    kind: str

    @classmethod
    def of(cls, raw: Mapping[str, str]) -> Kind:
        return cls(raw.get("group", ""), raw["version"], raw["kind"])

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def __str__(self) -> str:
        return f"{self.api_version}/{self.kind}"


@dataclass(slots=True)
class Served:
    """A resource or subresource as the paths show it."""

    kind: Kind | None = None
    namespaced: bool = False
    verbs: set[str] = field(default_factory=set)
    subresources: dict[str, Served] = field(default_factory=dict)


def definitions(document: Schema) -> Iterator[tuple[Name, Schema]]:
    """Every definition in the order of the document."""
    for text, schema in document["definitions"].items():
        yield Name.parse(text), schema


def kinds_of(schema: Schema) -> list[Kind]:
    return [Kind.of(raw) for raw in schema.get("x-kubernetes-group-version-kind", ())]


def resources(document: Schema) -> dict[Kind, tuple[str, Served]]:
    """Each kind that has a resource of its own → the resource's plural name and how it's served."""
    served: dict[tuple[str, str, str], Served] = {}
    for path, operations in document.get("paths", {}).items():
        match = _PATH.fullmatch(path.replace("/watch/", "/", 1))
        if match is None:
            continue
        resource = served.setdefault((match["group"] or "", match["version"], match["plural"]), Served())
        if "/watch/" in path:
            resource.verbs.add("watch")
        else:
            _note(resource, match, operations)
    return {one.kind: (plural, one) for (_, _, plural), one in served.items() if one.kind}


def _note(resource: Served, match: re.Match[str], operations: Schema) -> None:
    """Add to `resource` what one path of its own tells."""
    if name := match["subresource"]:
        target, verbs = resource.subresources.setdefault(name, Served()), _ITEM_VERBS
    else:
        target, verbs = resource, _ITEM_VERBS if match["item"] else _COLLECTION_VERBS
    target.namespaced |= bool(match["namespaced"])
    for method, operation in operations.items():
        if not isinstance(operation, Mapping) or "operationId" not in operation or method not in verbs:
            continue
        target.verbs.add(verbs[method])
        if raw := operation.get("x-kubernetes-group-version-kind"):
            target.kind = Kind.of(raw)
