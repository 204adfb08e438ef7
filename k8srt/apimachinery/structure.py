"""What a document may look like, node by node: the one form of schema that everything generic works with.

`structure_of(Deployment)` comes from a model class, `structure_of_schema(openAPIV3Schema)` from a CRD. Strategic
merge, server-side apply, pruning, defaulting and validation walk a plain JSON document and its `Structure` side by
side. Nodes are built when first asked for (schemas refer to themselves), cached per class, and not changed after;
any thread may use them.
"""

from __future__ import annotations

import typing
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal

import msgspec

from k8srt.apimachinery import _inline
from k8srt.apimachinery._structurenode import (
    ABSENT,
    ANY,
    STRING,
    Absent,
    Fields,
    Kind,
    Lazy,
    ListType,
    Schema,
    Structure,
)
from k8srt.apimachinery.choice import Choice
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.model import FieldInfo, Struct, fields_of, format_of, is_model

__all__ = ["ABSENT", "ANY", "STRING", "Absent", "Kind", "ListType", "Structure", "structure_of", "structure_of_schema"]

_SCALARS: dict[Any, tuple[Kind, str]] = {
    str: ("string", ""),
    int: ("integer", ""),
    float: ("number", ""),
    bool: ("boolean", ""),
    bytes: ("string", "byte"),
    datetime: ("string", "date-time"),
}


@cache
def structure_of(cls: Any) -> Structure:
    """The structure of a model class: a `Struct`, or a whole kind such as `Pod`."""
    if issubclass(cls, Struct):
        made = Structure("object", fields=lambda: _struct_fields(cls))
        made.map_type = getattr(cls, "__map_type__", None)
        return made
    return Structure("object", fields=lambda: _object_fields(cls))


def _struct_fields(cls: type[Struct]) -> Fields:
    return {info.wire: _of_field(cls.__name__, info) for info in fields_of(cls).values()}


def _object_fields(cls: Any) -> Fields:
    from k8srt.apimachinery.object import parts_of  # whole kinds stand above this module

    fields = {"apiVersion": STRING, "kind": STRING}
    for part in parts_of(cls).values():
        node = _with_facts(_of_annotation(part.type), part)
        node.inline = node.kind == "object" and part.wire in _inline.ROOT
        fields[part.wire] = node
    return fields


def _of_field(owner: str, info: FieldInfo) -> Structure:
    node = _with_facts(_of_annotation(info.type), info)
    if node.kind == "object":
        pointer = info.wire in _inline.POINTERS.get(owner, ())
        node.inline = (info.required and not pointer) or info.wire in _inline.STRUCTS.get(owner, ())
    return node


def _with_facts(node: Structure, info: FieldInfo) -> Structure:
    """A private copy of the type's node, with what is known of the field alone."""
    if info.type is msgspec.Raw and info.list_type:
        node = Structure("list", items=ANY)
    made = node.but(
        required=info.required,
        map_type=info.map_type or node.map_type,
        patch=info.patch,
        patch_key=info.patch_key,
        default=ABSENT if info.default is None else info.default,
    )
    if made.kind == "list":
        made.list_type, made.keys = _list_relation(info)
    return made


def _list_relation(info: FieldInfo) -> tuple[ListType | None, tuple[str, ...]]:
    """The declared list type; where there is none, what the patch strategy implies (as kube-openapi has it)."""
    if info.list_type in ("atomic", "set", "map"):
        return typing.cast(ListType, info.list_type), info.keys
    if "merge" not in info.patch:
        return None, ()
    return ("map", (info.patch_key,)) if info.patch_key else ("set", ())


def _of_annotation(annotation: Any) -> Structure:
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        form = format_of(annotation)
        return Structure("string", form) if form else _of_annotation(args[0])
    if origin is list:
        return Structure("list", items=_of_annotation(args[0]))
    if origin is dict:
        return Structure("map", values=_of_annotation(args[1]))
    if origin is Literal:
        return Structure("string" if isinstance(args[0], str) else "integer")
    if isinstance(annotation, type) and issubclass(annotation, Choice):
        return Structure("string" if annotation.kinds == (str,) else "integer" if annotation.kinds == (int,) else "any")
    if set(args) == {int, str}:
        return Structure("int-or-string")
    if annotation in _SCALARS:
        return Structure(*_SCALARS[annotation])
    if getattr(annotation, "__info__", True) is None:
        return ANY.but(embedded=True)  # Unstructured: a whole object of any kind
    # What has no fields of its own (RawExtension, JSON) is owned as one.
    return structure_of(annotation) if is_model(annotation) else ANY.but(map_type="atomic")


_SCHEMA_TYPES: dict[str, Kind] = {
    "array": "list",
    "boolean": "boolean",
    "integer": "integer",
    "number": "number",
    "string": "string",
}

# ---- CRDs ---------------------------------------------------------------------------------------------------------


def structure_of_schema(schema: Schema) -> Structure:
    """The structure of a custom resource's `openAPIV3Schema`; its metadata is ObjectMeta's."""
    return _of_schema(schema).but(_fields=Lazy(lambda: _resource_fields(schema)), kind="object", values=None)


def _of_schema(schema: Schema) -> Structure:
    kind = _schema_kind(schema)
    made = Structure(
        kind,
        schema.get("format", ""),
        fields=lambda: _schema_fields(schema),
        values=_of_additional(schema.get("additionalProperties")) if kind == "map" else None,
        items=_of_schema(_items(schema)) if kind == "list" else None,
        schema=schema,
    )
    made.preserve_unknown = bool(schema.get("x-kubernetes-preserve-unknown-fields"))
    made.embedded = bool(schema.get("x-kubernetes-embedded-resource"))
    made.nullable = bool(schema.get("nullable"))
    made.default = schema.get("default", ABSENT)
    made.map_type = schema.get("x-kubernetes-map-type")
    made.list_type = schema.get("x-kubernetes-list-type")
    made.keys = tuple(schema.get("x-kubernetes-list-map-keys") or ())
    return made


def _schema_kind(schema: Schema) -> Kind:
    if schema.get("x-kubernetes-int-or-string"):
        return "int-or-string"
    if schema.get("type") == "object":
        return "map" if schema.get("additionalProperties") and not schema.get("properties") else "object"
    return _SCHEMA_TYPES.get(schema.get("type", ""), "any")


def _items(schema: Schema) -> Schema:
    items = schema.get("items")
    return items if isinstance(items, Mapping) else {"x-kubernetes-preserve-unknown-fields": True}


def _of_additional(additional: Any) -> Structure:
    return _of_schema(additional) if isinstance(additional, Mapping) else ANY


def _schema_fields(schema: Schema) -> Fields:
    required = schema.get("required") or ()
    fields = {
        name: _of_schema(below).but(required=name in required)
        for name, below in (schema.get("properties") or {}).items()
    }
    return {**fields, **_headers()} if schema.get("x-kubernetes-embedded-resource") else fields


def _resource_fields(schema: Schema) -> Fields:
    return {**_schema_fields(schema), **_headers()}


def _headers() -> dict[str, Structure]:
    return {"apiVersion": STRING, "kind": STRING, "metadata": structure_of(ObjectMeta)}
