"""CustomResourceDefinitions (apiextensions/v1) → modules of models, as data.

All served versions of every definition are read. Definitions of one group share a module per version; when the input
has several groups, each gets a folder of its own.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from k8srt.api._index import GROUP_VERSIONS
from k8srt.apimachinery.resource import USUAL_VERBS
from k8srt.codegen import naming
from k8srt.codegen.jsonschema import ClassMaker
from k8srt.codegen.sharing import share
from k8srt.codegen.tree import Class, Module, Resource, Subresource

API_VERSION = "apiextensions.k8s.io/v1"
KIND = "CustomResourceDefinition"

Document = Mapping[str, Any]

_DNS_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


class DefinitionError(ValueError):
    """A document isn't a definition that models can be made of; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Version:
    """One served version of a definition: its schema (empty: anything goes) and what lies below its objects.

    `deprecated` is the warning, if there's a text of its own for it. A schema that's a component of an OpenAPI
    document has a name, and may refer to the others.
    """

    name: str
    schema: Document
    subresources: tuple[Subresource, ...]
    deprecated: str | bool = False
    component: str = ""
    components: Mapping[str, Document] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Definition:
    """What a CustomResourceDefinition says, as far as models and clients need it."""

    group: str
    kind: str
    list_kind: str
    resource: Resource
    versions: tuple[Version, ...]

    @classmethod
    def read(cls, document: Document) -> Definition:
        """Raises DefinitionError when a needed field isn't there, or has another type or a name that can't be one."""
        try:
            spec = document["spec"]
            names = spec["names"]
            read = cls(
                spec["group"],
                names["kind"],
                names.get("listKind") or f"{names['kind']}List",
                _resource(names, spec["scope"]),
                tuple(_version(raw) for raw in spec["versions"] if raw.get("served", True)),
            )
            return read.checked()
        except KeyError as err:
            raise DefinitionError(f"{KIND} {_name(document)}: field {err.args[0]!r} is missing") from err
        except (TypeError, AttributeError) as err:
            raise DefinitionError(f"{KIND} {_name(document)}: not as the API has it: {err}") from err
        except ValueError as err:
            raise DefinitionError(f"{KIND} {_name(document)}: {err}") from err

    def checked(self) -> Definition:
        """The definition itself. Raises ValueError for a name that the API wouldn't take: names end up in code."""
        named = [("group", self.group), ("plural", self.resource.plural), ("kind", self.kind.lower())]
        named += [("listKind", self.list_kind.lower()), *(("version", version.name) for version in self.versions)]
        for what, name in named:
            if not _DNS_NAME.fullmatch(name):
                raise ValueError(f"{what} {name!r} is no name that the API takes")
        return self


def definitions(documents: Iterable[Any]) -> list[Definition]:
    """The definitions among `documents`, in the form of `in_order`; other kinds are passed over.

    Raises DefinitionError for one of an API version that isn't understood, or one that's incomplete.
    """
    return in_order(Definition.read(document) for document in _flattened(documents) if _is_definition(document))


def in_order(found: Iterable[Definition]) -> list[Definition]:
    """Definitions by group, kind and version; of several that describe the same, the last."""
    by_name = {(made.group, made.kind, tuple(version.name for version in made.versions)): made for made in found}
    return [by_name[name] for name in sorted(by_name)]


def _flattened(documents: Iterable[Any]) -> Iterator[Document]:
    """All objects, those inside of lists too."""
    for document in documents:
        if not isinstance(document, Mapping):
            continue
        if str(document.get("kind", "")).endswith("List") and isinstance(document.get("items"), Sequence):
            yield from _flattened(document["items"])
        else:
            yield document


def _is_definition(document: Document) -> bool:
    if document.get("kind") != KIND:
        return False
    if document.get("apiVersion", API_VERSION) != API_VERSION:
        found = f"apiVersion is {document['apiVersion']}, expected {API_VERSION}"
        raise DefinitionError(f"{KIND} {_name(document)}: {found}")
    return True


def _name(document: Document) -> str:
    return str((document.get("metadata") or {}).get("name", "(unnamed)"))


def _resource(names: Document, scope: str) -> Resource:
    return Resource(
        names["plural"],
        scope == "Namespaced",
        USUAL_VERBS,
        singular=names.get("singular") or "",
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
    )


def _version(raw: Document) -> Version:
    below = raw.get("subresources") or {}
    subresources = []
    if "scale" in below:
        subresources.append(Subresource("scale", ("get", "patch", "update"), "autoscaling/v1/Scale"))
    if "status" in below:
        subresources.append(Subresource("status", ("get", "patch", "update")))
    schema = (raw.get("schema") or {}).get("openAPIV3Schema") or {}
    deprecated = raw.get("deprecated", False) and (raw.get("deprecationWarning") or True)
    return Version(raw["name"], schema, tuple(subresources), deprecated)


# ---- modules


def modules(found: Sequence[Definition], package: str) -> list[Module]:
    """The modules of models: `<package>.api.<version>`, or `<package>.api.<group>.<version>` for several groups."""
    folders = group_names(definition.group for definition in found)
    by_module: dict[str, list[tuple[Definition, Version]]] = {}
    for definition in found:
        for version in definition.versions:
            folder = f"{folders[definition.group]}." if len(folders) > 1 else ""
            name = f"{package}.api.{folder}{naming.module_name(version.name)}"
            by_module.setdefault(name, []).append((definition, version))
    return [_module(name, members) for name, members in sorted(by_module.items())]


def group_names(groups: Iterable[str]) -> dict[str, str]:
    """A Python name for each group: its first word ("cert-manager.io" → "cert_manager").

    Where that's also the word of another group, or of a built-in one ("apps.example.com"), it's the whole name, and
    for built-in groups themselves ("apps") one that a clientset hasn't.
    """
    words: dict[str, set[str]] = {}
    for group in groups:
        words.setdefault(naming.module_name(group.partition(".")[0]), set()).add(group)
    built_in = {module.split(".")[2] for module in GROUP_VERSIONS.values()}
    return {
        group: _whole_name(group, built_in) if len(same) > 1 or word in built_in else word
        for word, same in words.items()
        for group in same
    }


def _whole_name(group: str, built_in: Container[str]) -> str:
    name = naming.module_name(group)
    return f"{name}_group" if name in built_in else name


def _module(name: str, members: Sequence[tuple[Definition, Version]]) -> Module:
    api_version = f"{members[0][0].group}/{members[0][1].name}"
    kinds = (kind for definition, _ in members for kind in (definition.kind, definition.list_kind))
    reserved = map(naming.class_name, kinds)
    classes_of = {version.component: naming.class_name(made.kind) for made, version in members if version.component}
    components: dict[str, Document] = {}
    for documents in {id(version.components): version.components for _, version in members}.values():
        components |= documents
    maker = ClassMaker(name, reserved, components, classes_of)
    classes: list[Class] = []
    for definition, version in members:
        classes += _classes(definition, version, maker)
    kept, aliases = share(classes, name)
    doc = f"{api_version}. Generated by `k8srt generate`; do not edit."
    return Module(name, api_version, kept, doc, aliases, loose=True)


def _classes(definition: Definition, version: Version, maker: ClassMaker) -> Iterator[Class]:
    """The class of a kind, that of its lists, and those of its parts, from the top down."""
    prefix = f"{definition.group}/{version.name}"
    resource = Resource(
        definition.resource.plural,
        definition.resource.namespaced,
        definition.resource.verbs,
        definition.resource.singular,
        definition.resource.short_names,
        definition.resource.categories,
        version.subresources,
    )
    made = maker.object_class(definition.kind, version.schema, f"{prefix}/{definition.kind}", resource)
    yield replace(made, doc=_class_doc(definition.kind, version, made.doc))
    yield Class(naming.class_name(definition.list_kind), gvk=f"{prefix}/{definition.list_kind}", item=made.name)
    yield from maker.take_parts()


def _class_doc(kind: str, version: Version, doc: str) -> str:
    """The description of a kind, and that its version is deprecated."""
    warning = version.deprecated if isinstance(version.deprecated, str) else f"{version.name} {kind} is deprecated."
    return "\n\n".join(filter(None, [doc, warning if version.deprecated else ""]))
