"""JSON schemas as custom resources have them (structural OpenAPI v3) → classes and types.

An object with properties becomes a struct named by its place (`FooSpecTemplate`; an item of a list in the singular).
What a schema says beyond types is kept beside the field: list type, keys, default and required by name, the keywords
of validation as they stand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from k8srt.codegen import naming
from k8srt.codegen.build import library_type
from k8srt.codegen.tree import (
    ANY,
    BOOL,
    BYTES,
    FLOAT,
    INT,
    INT_OR_STRING,
    META,
    MODEL,
    QUANTITY,
    STR,
    TIME,
    UNSTRUCTURED,
    Class,
    Field,
    Resource,
    Type,
    list_of,
    map_of,
    ref,
)

Schema = Mapping[str, Any]

DURATION = ref("Duration", MODEL)
OBJECT_META = ref("ObjectMeta", META)

_HEADERS = ("apiVersion", "kind", "metadata")
_PLAIN = {"boolean": BOOL, "integer": INT, "number": FLOAT, "string": STR}
_FORMATS = {
    "byte": BYTES,
    "date-time": TIME,
    "duration": DURATION,
    "int-or-string": INT_OR_STRING,
    "quantity": QUANTITY,
}
_NUMBER = r"(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))"
_QUANTITY_PATTERN = rf"^(\+|-)?{_NUMBER}(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?{_NUMBER}))?$"

# Types of meta/v1 that definitions repeat in full: known again by their properties.
_META_SHAPES = {
    frozenset({"lastTransitionTime", "message", "observedGeneration", "reason", "status", "type"}): "Condition",
    frozenset({"matchExpressions", "matchLabels"}): "LabelSelector",
}

# Keywords that types, names and the other arguments of `field(...)` already say, or that only people read.
_SAID = frozenset(
    {
        "$ref",
        "additionalProperties",
        "default",
        "description",
        "example",
        "externalDocs",
        "items",
        "properties",
        "required",
    }
    | {"title", "type", "x-kubernetes-embedded-resource", "x-kubernetes-int-or-string", "x-kubernetes-list-map-keys"}
    | {"x-kubernetes-list-type", "x-kubernetes-map-type", "x-kubernetes-preserve-unknown-fields"}
    | {"x-kubernetes-group-version-kind", "x-kubernetes-selectable-fields"}
)
_SAID_FORMATS = frozenset(_FORMATS) | {"int32", "int64"}


class ClassMaker:
    """Makes the classes of one module; those of nested objects gather until they're taken.

    `reserved` are names that are taken, `components` the schemas that others refer to by name, and `kinds` those
    among them that have a class already.
    """

    def __init__(
        self,
        module: str,
        reserved: Iterable[str],
        components: Mapping[str, Schema] = MappingProxyType({}),
        kinds: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._module = module
        self._taken = set(reserved)
        self._parts: list[Class] = []
        self._components = components
        self._named = {component: ref(name, module) for component, name in kinds.items()}

    def object_class(self, kind: str, schema: Schema, gvk: str, resource: Resource) -> Class:
        """The class of a kind. Its parts are ready for `take_parts` afterwards."""
        name = naming.class_name(kind)
        fields = self._fields(name, schema, naming.OBJECT_ATTRIBUTES, leave=_HEADERS)
        metadata = Field("metadata", "metadata", OBJECT_META, _with_schema({}, _metadata_keywords(schema)))
        fields = (metadata, *(fields or _free_form(schema)))
        return Class(name, fields, gvk, resource=resource, schema=keywords(schema), doc=doc_of(schema))

    def take_parts(self) -> list[Class]:
        """The structs made since the last call, each before those inside of it."""
        parts, self._parts = self._parts, []
        return parts

    # ---- fields

    def _fields(
        self, owner: str, schema: Schema, reserved: frozenset[str], leave: tuple[str, ...] = ()
    ) -> tuple[Field, ...]:
        properties = {
            wire: unwrapped(sub) for wire, sub in sorted(schema.get("properties", {}).items()) if wire not in leave
        }
        names = naming.field_names(properties, reserved)
        required = schema.get("required", ())
        return tuple(
            Field(
                names[wire],
                wire,
                self._type(sub, owner + naming.class_name(wire), naming.class_name(wire)),
                _facts(sub, wire in required),
                doc_of(sub),
            )
            for wire, sub in properties.items()
        )

    # ---- types

    def _type(self, schema: Schema, name: str, word: str) -> Type:
        """The type of a value; `name` is what its class is called if it needs one, and `word` the end of that."""
        schema = unwrapped(schema)
        if "$ref" in schema:
            return self._referred(schema["$ref"].rpartition("/")[2])
        if schema.get("x-kubernetes-embedded-resource"):
            return UNSTRUCTURED
        if schema.get("x-kubernetes-int-or-string"):
            return QUANTITY if schema.get("pattern") == _QUANTITY_PATTERN else INT_OR_STRING
        match schema.get("type"):
            case "array":
                return list_of(self._type(schema.get("items") or {}, naming.singular(name), naming.singular(word)))
            case "object":
                return self._object(schema, name, word)
            case None:
                return self._object(schema, name, word) if schema.get("properties") else ANY
            case plain:
                return _literals(schema) or _FORMATS.get(schema.get("format", "")) or _PLAIN.get(plain, ANY)

    def _object(self, schema: Schema, name: str, word: str) -> Type:
        if schema.get("properties"):
            return _meta_type(schema) or self._struct(schema, name, word)
        values = schema.get("additionalProperties")
        if not isinstance(values, Mapping):
            return map_of(ANY)
        return map_of(self._type(values, naming.singular(name), naming.singular(word)))

    def _referred(self, component: str) -> Type:
        """The type of a schema that has a name: the library's, if it has it, or one of the module's own."""
        if component not in self._named:
            name = naming.class_name(component.rpartition(".")[2])
            schema = self._components.get(component, {})
            made = library_type(component)
            if made is None and schema.get("properties"):
                name = self._free_name(name)
                made = self._named[component] = ref(name, self._module)  # before its fields, that may refer to it
                self._add_struct(schema, name, "")
            self._named[component] = made or self._type(schema, name, name)
        return self._named[component]

    def _struct(self, schema: Schema, name: str, word: str) -> Type:
        name = self._free_name(name)
        self._add_struct(schema, name, word)
        return ref(name, self._module)

    def _add_struct(self, schema: Schema, name: str, word: str) -> None:
        made = Class(name, map_type=schema.get("x-kubernetes-map-type", ""), doc=doc_of(schema), word=word)
        place = len(self._parts)
        self._parts.append(made)  # before the structs inside of it
        self._parts[place] = replace(made, fields=self._fields(name, schema, naming.STRUCT_ATTRIBUTES))

    def _free_name(self, name: str) -> str:
        free, number = name, 2
        while free in self._taken:
            free, number = f"{name}{number}", number + 1
        self._taken.add(free)
        return free


def unwrapped(schema: Schema) -> Schema:
    """A reference in the form that can't have facts beside it (`allOf` of one) as one that has."""
    within = schema.get("allOf")
    if isinstance(within, Sequence) and len(within) == 1 and within[0].keys() == {"$ref"}:
        schema = {**{key: value for key, value in schema.items() if key != "allOf"}, **within[0]}
    if "$ref" in schema and schema.get("default") == {}:
        return {key: value for key, value in schema.items() if key != "default"}  # Go's zero value
    return schema


def _free_form(schema: Schema) -> tuple[Field, ...]:
    """What an object is given whose schema allows anything and names nothing: the two parts that nearly all have."""
    if not schema.get("x-kubernetes-preserve-unknown-fields") and schema.get("type"):
        return ()
    return Field("spec", "spec", ANY), Field("status", "status", ANY)


def doc_of(schema: Schema) -> str:
    """The description of a schema, or its title."""
    text = schema.get("description") or schema.get("title") or ""
    return text.strip() if isinstance(text, str) else ""


def canonical(value: Any) -> Any:
    """A value of JSON with its keys sorted, at any depth."""
    if isinstance(value, Mapping):
        return {key: canonical(value[key]) for key in sorted(value)}
    return [canonical(item) for item in value] if isinstance(value, list) else value


def _literals(schema: Schema) -> Type | None:
    """The choice that an enum of texts or whole numbers gives; None for other enums and for none."""
    values = [value for value in schema.get("enum", ()) if value is not None]
    if values and all(isinstance(value, (str, int)) and not isinstance(value, bool) for value in values):
        return Type("literal", tuple(values))
    return None


def _meta_type(schema: Schema) -> Type | None:
    """The class of meta/v1 that a schema repeats; None for a shape of its own."""
    name = _META_SHAPES.get(frozenset(schema["properties"]))
    atomic = schema.get("x-kubernetes-map-type") == "atomic"
    return ref(name, META) if name and (name != "LabelSelector" or atomic) else None


# ---- facts


def _facts(schema: Schema, required: bool) -> dict[str, Any]:
    """The arguments of `field(...)` that one property gives."""
    facts: dict[str, Any] = {}
    if required:
        facts["required"] = True
    if list_type := schema.get("x-kubernetes-list-type"):
        facts["list_type"] = list_type
    if keys := schema.get("x-kubernetes-list-map-keys"):
        facts["keys"] = tuple(keys)
    if (map_type := schema.get("x-kubernetes-map-type")) and not schema.get("properties"):
        facts["map_type"] = map_type
    if schema.get("default") is not None:
        facts["default"] = canonical(schema["default"])
    return _with_schema(facts, keywords(schema))


def _with_schema(facts: dict[str, Any], schema: Schema) -> dict[str, Any]:
    return {**facts, "schema": schema} if schema else facts


def keywords(schema: Schema) -> dict[str, Any]:
    """What a schema demands beyond its type; for lists and maps, also of their items and values."""
    found = dict(sorted(_own_keywords(schema)))
    for inside in ("items", "additionalProperties"):
        if isinstance(schema.get(inside), Mapping) and (demands := _inside(schema[inside])):
            found[inside] = demands
    return found


def _inside(schema: Schema) -> dict[str, Any]:
    """Keywords of an item or value, with the default and list facts that no `field(...)` can hold for it."""
    schema = unwrapped(schema)
    found = keywords(schema)
    for name in ("default", "x-kubernetes-list-map-keys", "x-kubernetes-list-type"):
        if name in schema:
            found[name] = canonical(schema[name])
    return found


def _own_keywords(schema: Schema) -> Iterator[tuple[str, Any]]:
    literal = _literals(schema) is not None
    quantity = schema.get("pattern") == _QUANTITY_PATTERN
    for name, value in schema.items():
        if name in _SAID or (name == "enum" and literal) or (name == "format" and value in _SAID_FORMATS):
            continue
        if name == "pattern" and quantity:
            continue
        if name == "anyOf" and schema.get("x-kubernetes-int-or-string"):
            continue
        yield name, canonical(value)


def _metadata_keywords(schema: Schema) -> dict[str, Any]:
    """What a kind demands of its objects' metadata (name patterns), as a schema of its own."""
    metadata = unwrapped(schema.get("properties", {}).get("metadata", {}))
    properties = {wire: keywords(sub) for wire, sub in sorted(metadata.get("properties", {}).items())}
    found = keywords(metadata)
    if properties := {wire: sub for wire, sub in properties.items() if sub}:
        found["properties"] = properties
    return found
