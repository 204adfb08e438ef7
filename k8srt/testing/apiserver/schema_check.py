"""Whether the schema of a CRD can be used: it is structural, and asks for nothing that servers refuse.

After apiextensions' validation. `path` is where the schema stands: a server says `spec.validation.openAPIV3Schema`
when all versions have the same schema, else `spec.versions[0].schema.openAPIV3Schema`.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

from k8srt.apimachinery.structure import structure_of_schema
from k8srt.testing.apiserver.failures import Cause, forbidden_field, invalid_value, not_supported, required
from k8srt.testing.apiserver.schema_formats import go_regex
from k8srt.testing.apiserver.schema_values import value_errors

Schema = Mapping[str, Any]

_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_UNSUPPORTED = ("$ref", "definitions", "dependencies")
_META_FIELDS = frozenset({"name", "generateName"})
_VALUE_SCHEMAS = ("allOf", "anyOf", "oneOf")
_INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]
_NOT_NESTED = {
    "type": "must be empty",
    "additionalProperties": "must be undefined",
    "default": "must be undefined",
    "title": "must be empty",
    "description": "must be empty",
    "nullable": "must be false",
    "x-kubernetes-preserve-unknown-fields": "must be false",
    "x-kubernetes-embedded-resource": "must be false",
    "x-kubernetes-int-or-string": "must be false",
    "x-kubernetes-list-map-keys": "must be empty",
    "x-kubernetes-list-type": "must be undefined",
    "x-kubernetes-map-type": "must be undefined",
}


def schema_errors(schema: Schema, path: str) -> list[Cause]:
    """What is wrong with a schema. Structure and defaults are looked at only where the rest allows it."""
    causes = list(_keyword_errors(schema, path, True))
    if any(cause.field.endswith(_UNSUPPORTED) for cause in causes):
        return causes
    structural = [*_structural_errors(schema, path, "root"), *_metadata_errors(schema, path)]
    causes += structural
    return causes or list(_default_errors(schema, path))


def _children(schema: Schema, path: str) -> Iterator[tuple[Schema, str, str]]:
    """The schemas of what is below: with where they stand, and what they are of."""
    for name, below in sorted((schema.get("properties") or {}).items()):
        yield below, f"{path}.properties[{name}]", "field"
    if isinstance(more := schema.get("additionalProperties"), Mapping):
        yield more, f"{path}.additionalProperties", "field"
    if isinstance(items := schema.get("items"), Mapping):
        yield items, f"{path}.items", "item"


# ---- keywords


def _keyword_errors(schema: Schema, path: str, structural: bool) -> Iterator[Cause]:
    yield from _refused(schema, path)
    if (kind := schema.get("type")) and kind not in _TYPES:
        yield not_supported(f"{path}.type", kind, _TYPES)
    if schema.get("properties") and schema.get("additionalProperties", True) is not True:
        yield forbidden_field(
            f"{path}.additionalProperties", "additionalProperties and properties are mutual exclusive"
        )
    if pattern := schema.get("pattern"):
        yield from _pattern_errors(pattern, f"{path}.pattern")
    yield from _list_type_errors(schema, path)
    if not structural:
        yield from _nested_errors(schema, path)
    for below, where, _ in _children(schema, path):
        yield from _keyword_errors(below, where, structural)
    either = schema.get("x-kubernetes-int-or-string")
    for keyword in _VALUE_SCHEMAS:
        for index, below in enumerate(schema.get(keyword) or ()):
            if either and (below in _INT_OR_STRING or below.get("anyOf") == _INT_OR_STRING):
                continue  # what generators write beside it
            yield from _keyword_errors(below, f"{path}.{keyword}[{index}]", False)
    if schema.get("not"):
        yield from _keyword_errors(schema["not"], f"{path}.not", False)


def _nested_errors(schema: Schema, path: str) -> Iterator[Cause]:
    """What only says how values are checked must not say anything else."""
    for keyword, why in _NOT_NESTED.items():
        if keyword in schema and (schema[keyword] or "undefined" in why):
            yield forbidden_field(f"{path}.{keyword}", f"{why} to be structural")
    if "metadata" in (schema.get("properties") or {}):
        yield forbidden_field(f"{path}.properties[metadata]", "must not be specified in a nested context")


def _refused(schema: Schema, path: str) -> Iterator[Cause]:
    if schema.get("uniqueItems"):
        why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield forbidden_field(f"{path}.uniqueItems", why)
    for keyword in _UNSUPPORTED:
        if schema.get(keyword):
            yield forbidden_field(f"{path}.{keyword}", f"{keyword} is not supported")
    if schema.get("patternProperties"):
        yield forbidden_field(f"{path}.patternProperties", "patternProperties is not supported")
    if schema.get("additionalItems"):
        yield forbidden_field(f"{path}.additionalItems", "additionalItems is not supported")
    if isinstance(schema.get("items"), list):
        yield forbidden_field(f"{path}.items", "items must be a schema object and not an array")


def _pattern_errors(pattern: str, path: str) -> Iterator[Cause]:
    try:
        go_regex(pattern)
    except re.error as err:
        yield invalid_value(path, pattern, f"must be a valid regular expression, but isn't: {err}")


def _list_type_errors(schema: Schema, path: str) -> Iterator[Cause]:
    list_type, keys = schema.get("x-kubernetes-list-type"), schema.get("x-kubernetes-list-map-keys")
    if list_type and schema.get("type") != "array":
        text = "must be array if x-kubernetes-list-type is specified"
        yield invalid_value(f"{path}.type", schema.get("type", ""), text)
    if list_type and list_type not in ("atomic", "set", "map"):
        yield not_supported(f"{path}.x-kubernetes-list-type", list_type, ("atomic", "set", "map"))
    if list_type == "map" and not keys:
        text = "must not be empty if x-kubernetes-list-type is map"
        yield required(f"{path}.x-kubernetes-list-map-keys", text)
    if keys and list_type != "map":
        where = f"{path}.x-kubernetes-list-type"
        if list_type:
            yield invalid_value(where, list_type, "must be map if x-kubernetes-list-map-keys is non-empty")
        else:
            yield required(where, "must be map if x-kubernetes-list-map-keys is non-empty")
    if isinstance(items := schema.get("items"), Mapping) and list_type in ("set", "map"):
        if list_type == "set":
            yield from _set_errors(items, path)
        elif keys:
            yield from _map_key_errors(items, keys, path)
        if items.get("nullable"):
            why = f"cannot be nullable when x-kubernetes-list-type is {list_type}"
            yield forbidden_field(f"{path}.items.nullable", why)
    yield from _map_type_errors(schema, path)


def _map_type_errors(schema: Schema, path: str) -> Iterator[Cause]:
    map_type = schema.get("x-kubernetes-map-type")
    if map_type and schema.get("type") != "object":
        text = "must be object if x-kubernetes-map-type is specified"
        kind = schema.get("type")
        yield invalid_value(f"{path}.type", kind, text) if kind else required(f"{path}.type", text)
    if map_type and map_type not in ("atomic", "granular"):
        yield not_supported(f"{path}.x-kubernetes-map-type", map_type, ("atomic", "granular"))


def _set_errors(items: Schema, path: str) -> Iterator[Cause]:
    """The items of a set are compared as a whole."""
    text = "must be atomic as item of a list with x-kubernetes-list-type=set"
    within = items.get("x-kubernetes-list-type")
    if items.get("type") == "array" and within not in (None, "atomic"):
        yield invalid_value(f"{path}.items.x-kubernetes-list-type", within, text)
    if items.get("type") == "object" and items.get("x-kubernetes-map-type") != "atomic":
        yield invalid_value(f"{path}.items.x-kubernetes-map-type", within, text)


def _map_key_errors(items: Schema, keys: list[str], path: str) -> Iterator[Cause]:
    if items.get("type") != "object":
        text = "must be object if parent array's x-kubernetes-list-type is map"
        yield invalid_value(f"{path}.items.type", items.get("type", ""), text)
        return
    properties, needed = items.get("properties") or {}, items.get("required") or ()
    for key in keys:
        below = properties.get(key)
        if below is None:
            where = f"{path}.x-kubernetes-list-map-keys"
            yield invalid_value(where, keys, "entries must all be names of item properties")
        elif below.get("type") in ("array", "object"):
            text = "must be a scalar type if parent array's x-kubernetes-list-type is map"
            yield invalid_value(f"{path}.items.properties[{key}].type", below["type"], text)
        elif key not in needed and "default" not in below:
            text = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"
            yield required(f"{path}.items.properties[{key}].default", text)
        elif below.get("nullable"):
            text = "this property is in x-kubernetes-list-map-keys, so it cannot be nullable"
            yield forbidden_field(f"{path}.items.properties[{key}].nullable", text)
    if len(set(keys)) < len(keys):
        yield invalid_value(f"{path}.x-kubernetes-list-map-keys", keys, "must not contain duplicate entries")


# ---- structure


_NEEDED = {
    "root": "must not be empty at the root",
    "field": "must not be empty for specified object fields",
    "item": "must not be empty for specified array items",
}


def _structural_errors(schema: Schema, path: str, what: str) -> Iterator[Cause]:
    for below, where, of in _children(schema, path):
        yield from _structural_errors(below, where, of)
    kind = schema.get("type")
    free = schema.get("x-kubernetes-int-or-string") or schema.get("x-kubernetes-preserve-unknown-fields")
    if not kind and (what == "root" or not free):
        yield required(f"{path}.type", _NEEDED[what])
    elif what == "root" and kind != "object":
        yield invalid_value(f"{path}.type", kind, "must be object at the root")
    if kind == "array" and not isinstance(schema.get("items"), Mapping):
        yield required(f"{path}.items", "must be specified")
    if what == "root" and "additionalProperties" in schema:
        yield forbidden_field(f"{path}.additionalProperties", "must not be used at the root")
    embedded = schema.get("x-kubernetes-embedded-resource")
    if embedded and not schema.get("properties") and not schema.get("x-kubernetes-preserve-unknown-fields"):
        why = "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields"
        yield required(f"{path}.properties", why)
    if embedded and kind != "object":
        yield invalid_value(f"{path}.type", kind or "", "must be object if x-kubernetes-embedded-resource is true")
    if schema.get("x-kubernetes-preserve-unknown-fields") is False:
        yield invalid_value(f"{path}.x-kubernetes-preserve-unknown-fields", False, "must be true or undefined")


def _metadata_errors(schema: Schema, path: str) -> Iterator[Cause]:
    meta = (schema.get("properties") or {}).get("metadata")
    if not isinstance(meta, Mapping):
        return
    where = f"{path}.properties[metadata]"
    if meta.get("type") not in (None, "", "object"):
        yield invalid_value(f"{where}.type", meta["type"], "must be object")
    others = set(meta) - {"type", "properties", "description", "title"}
    if others or set(meta.get("properties") or {}) - _META_FIELDS:
        text = "must not specify anything other than name and generateName, but metadata is implicitly specified"
        yield forbidden_field(where, text)


# ---- defaults


def _default_errors(schema: Schema, path: str) -> Iterator[Cause]:
    """Defaults must be valid themselves, once what they leave open has been filled in."""
    from k8srt.testing.apiserver.structural import default, prune  # which stand on the values, as this does

    for below, where, _ in _children(schema, path):
        if "default" in below:
            holder = {"value": copy.deepcopy(below["default"])}  # what is stored stays as it was given
            structure = structure_of_schema({"type": "object", "properties": {"value": below}})
            if prune(holder, structure):
                yield invalid_value(f"{where}.default", below["default"], "must not have unknown fields")
            default(holder, structure)
            for cause in value_errors(holder["value"], below):
                found = f"{where}.default" + (f".{cause.field}" if cause.field else "")
                yield Cause(cause.reason, found, cause.text)
        yield from _default_errors(below, where)
