"""What a server serves, read from its OpenAPI v3 documents and its discovery → definitions.

For custom resources whose definition may not be read, and for aggregated APIs, which have none. The documents have the
schemas; names, scope, verbs and subresources are what discovery tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from k8srt.apimachinery.meta import APIResource
from k8srt.apimachinery.resource import USUAL_VERBS
from k8srt.codegen.crd import Definition, DefinitionError, Version
from k8srt.codegen.tree import Resource, Subresource

Document = Mapping[str, Any]


class Served(NamedTuple):
    """A resource in one version of its group, and its subresources by name."""

    group: str
    version: str
    resource: APIResource
    below: dict[str, APIResource]

    @property
    def name(self) -> str:
        """`foos.example.com`."""
        return f"{self.resource.name}.{self.group}" if self.group else str(self.resource.name)

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version


def served(api_version: str, resources: Iterable[APIResource]) -> list[Served]:
    """The resources of one group-version, each with what's below it."""
    group, _, version = api_version.rpartition("/")
    known = list(resources)
    return [
        Served(group, version, each, {sub.name.partition("/")[2]: sub for sub in known if _is_below(sub, each)})
        for each in known
        if "/" not in each.name
    ]


def _is_below(sub: APIResource, resource: APIResource) -> bool:
    return str(sub.name).startswith(f"{resource.name}/")


def definition(each: Served, document: Document) -> Definition:
    """The definition of one resource in one version. Raises DefinitionError when the document hasn't its kind."""
    components = (document.get("components") or {}).get("schemas") or {}
    component = _component(each, each.resource.kind, components)
    if not component:
        raise DefinitionError(f"{each.name}: the OpenAPI document of {each.api_version} has no {each.resource.kind}")
    below = tuple(_subresource(each, name, sub) for name, sub in sorted(each.below.items()))
    version = Version(each.version, components[component], below, component=component, components=components)
    kind = each.resource.kind
    return Definition(each.group, kind, f"{kind}List", _resource(each.resource), (version,)).checked()


def _component(each: Served, kind: str, components: Document) -> str:
    """The name of the schema of a kind; of several, the first by letter."""
    wanted = {"group": each.group, "version": each.version, "kind": kind}
    found = (name for name, schema in sorted(components.items()) if wanted in _kinds(schema))
    return next(found, "")


def _kinds(schema: Document) -> Sequence[Document]:
    kinds: Sequence[Document] = schema.get("x-kubernetes-group-version-kind") or ()
    return kinds


def _resource(resource: APIResource) -> Resource:
    return Resource(
        resource.name,
        bool(resource.namespaced),
        tuple(verb for verb in USUAL_VERBS if verb in resource.verbs),
        singular=resource.singular_name or "",
        short_names=tuple(resource.short_names or ()),
        categories=tuple(resource.categories or ()),
    )


def _subresource(parent: Served, name: str, sub: APIResource) -> Subresource:
    group = parent.group if sub.group is None else sub.group
    version = sub.version or parent.version
    own = (group, version, sub.kind) == (parent.group, parent.version, parent.resource.kind)
    gvk = "" if own else "/".join(filter(None, (group, version, sub.kind)))
    return Subresource(name, tuple(sorted(sub.verbs)), gvk)
