"""What a document may look like, node by node: the one form of schema that everything generic works with.

`structure_of(Deployment)` comes from a model class, `structure_of_schema(openAPIV3Schema)` from a CRD. Strategic
merge, server-side apply, pruning, defaulting and validation walk a plain JSON document and its `Structure` side by
side. Nodes are built when first asked for (schemas refer to themselves), cached per class, and not changed after;
any thread may use them.
"""

from __future__ import annotations

import copy
import typing
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum, auto
from functools import cache
from typing import Annotated, Any, Final, Literal

import msgspec

from k8srt.apimachinery import _inline
from k8srt.apimachinery.meta import ObjectMeta
from k8srt.apimachinery.model import FieldInfo, Struct, fields_of

Kind = Literal["object", "map", "list", "string", "integer", "number", "boolean", "int-or-string", "any"]
ListType = Literal["atomic", "set", "map"]
Schema = Mapping[str, Any]
Fields = Mapping[str, "Structure"]


class Absent(Enum):
    """The type of ABSENT: there is no value, which null would be."""

    ABSENT = auto()

    def __bool__(self) -> bool:
        return False


ABSENT: Final = Absent.ABSENT


class Structure:
    """One node.

    kind: "object" has `fields` by wire name, "map" has `values`, "list" has `items`; "any" takes whatever comes.
    format: of a text: "byte", "date-time", "micro-time", "duration", "quantity", or a CRD's; else "".
    list_type, keys: how server-side apply tells a list's items apart; None is "atomic".
    map_type: "atomic" if server-side apply owns the node as a whole.
    patch, patch_key: strategic-merge strategies ("merge", "replace", "retainKeys") and merge key.
    default: what a server fills in, or ABSENT.
    preserve_unknown: fields that are not declared are kept. nullable: null is a value.
    embedded: holds a whole API object. inline: a struct that Go always writes, even empty (see `_inline`).
    schema: the JSON schema of a CRD, with its validation keywords; None for models.
    """

    __slots__ = (
        "_fields", "default", "embedded", "format", "inline", "items", "keys", "kind", "list_type", "map_type",
        "nullable", "patch", "patch_key", "preserve_unknown", "required", "schema", "values",
    )  # fmt: skip

    def __init__(
        self,
        kind: Kind,
        format: str = "",
        *,
        fields: Fields | Callable[[], Fields] | None = None,
        values: Structure | None = None,
        items: Structure | None = None,
        schema: Schema | None = None,
    ) -> None:
        self.kind: Kind = kind
        self.format = format
        self._fields: _Lazy = fields if isinstance(fields, _Lazy) else _Lazy(fields or {})
        self.values = values
        self.items = items
        self.schema = schema
        self.required = False
        self.list_type: ListType | None = None
        self.keys: tuple[str, ...] = ()
        self.map_type: str | None = None
        self.patch: tuple[str, ...] = ()
        self.patch_key: str | None = None
        self.default: Any = ABSENT
        self.preserve_unknown = False
        self.embedded = False
        self.nullable = False
        self.inline = False

    @property
    def fields(self) -> Fields:
        """The declared fields of an object by wire name."""
        return self._fields.get()

    @property
    def atomic(self) -> bool:
        """Whether server-side apply owns the node as one: scalars, atomic lists and maps."""
        if self.kind == "list":
            return self.list_type not in ("set", "map")
        return self.kind not in ("object", "map", "any") or self.map_type == "atomic"

    def child(self, name: str) -> Structure | None:
        """The node below an object, map or anything under a wire name; None where the name is not declared."""
        found = self.fields.get(name) if self.kind == "object" else self.values
        if found is not None:
            return found
        return ANY if self.preserve_unknown or self.kind == "any" else None

    def but(self, **changes: Any) -> Structure:
        """A copy with some facts changed; the fields are shared."""
        made = copy.copy(self)
        for name, value in changes.items():
            setattr(made, name, value)
        return made

    def __repr__(self) -> str:
        return f"Structure({self.kind}{f', {self.format}' if self.format else ''})"


class _Lazy:
    """Fields that are worked out when first looked at. Two threads may both do so; they get equal answers."""

    __slots__ = ("_source",)

    def __init__(self, source: Fields | Callable[[], Fields]) -> None:
        self._source = source

    def get(self) -> Fields:
        source = self._source
        if callable(source):
            self._source = source = source()
        return source


ANY: Final = Structure("any")
ANY.preserve_unknown = True
ANY.nullable = True
STRING: Final = Structure("string")

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
        return _of_annotated(args[0], args[1:])
    if origin is list:
        return Structure("list", items=_of_annotation(args[0]))
    if origin is dict:
        return Structure("map", values=_of_annotation(args[1]))
    if origin is Literal:
        return Structure("string" if isinstance(args[0], str) else "integer")
    if set(args) == {int, str}:
        return Structure("int-or-string")
    if annotation in _SCALARS:
        return Structure(*_SCALARS[annotation])
    if getattr(annotation, "__info__", True) is None:
        return ANY.but(embedded=True)  # Unstructured: a whole object of any kind
    return structure_of(annotation) if _is_model(annotation) else ANY


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and (issubclass(annotation, Struct) or hasattr(annotation, "__wires__"))


def _of_annotated(annotation: Any, metadata: tuple[Any, ...]) -> Structure:
    formats = [meta.extra["format"] for meta in metadata if isinstance(meta, msgspec.Meta) and meta.extra]
    return Structure("string", formats[0]) if formats else _of_annotation(annotation)


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
    return _of_schema(schema).but(_fields=_Lazy(lambda: _resource_fields(schema)), kind="object", values=None)


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
