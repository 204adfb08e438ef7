"""What a schema says about `self`: the type that the checker knows, and the value that expressions see."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from k8srt.testing.apiserver.cel.times import read_duration, read_timestamp
from k8srt.testing.apiserver.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    Type,
    list_of,
    map_of,
)
from k8srt.testing.apiserver.cel.values import MapList, SetList

Schema = Mapping[str, Any]

_WORDS_TEXT = """
    true false null in as break const continue else for function if import let loop package namespace return
    var void while
"""
_KEYWORDS = frozenset(_WORDS_TEXT.split())
_NAME = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*$")
_ESCAPED = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}
_SCALARS = {"boolean": BOOL, "integer": INT, "number": DOUBLE}
_TEXTS = {"byte": BYTES, "date": TIMESTAMP, "date-time": TIMESTAMP, "duration": DURATION}
_META: Schema = {"type": "object", "properties": {"name": {"type": "string"}, "generateName": {"type": "string"}}}
_HEADERS: Schema = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": _META}


def escaped(name: str) -> str | None:
    """The name of a property in expressions; None for one that cannot be named there."""
    if name in _KEYWORDS:
        return f"__{name}__"
    found = re.sub(r"__|[./-]", lambda match: _ESCAPED[match.group()], name)
    return found if _NAME.match(found) else None


def with_headers(schema: Schema) -> Schema:
    """The schema of a whole object: kind, apiVersion and the name are always there."""
    return {**schema, "type": "object", "properties": {**(schema.get("properties") or {}), **_HEADERS}}


def _open(schema: Schema) -> bool:
    """Whether a schema says nothing about what is inside."""
    return bool(schema.get("x-kubernetes-int-or-string")) or not schema.get("type")


def type_of_schema(schema: Schema) -> Type:
    """The type of values of this schema."""
    kind = schema.get("type")
    if _open(schema):
        return DYN
    if kind == "string":
        return _TEXTS.get(schema.get("format") or "", STRING)
    if kind == "array":
        return list_of(type_of_schema(schema.get("items") or {}))
    if kind != "object":
        return _SCALARS.get(kind or "", DYN)
    more = schema.get("additionalProperties")
    if isinstance(more, Mapping):
        return map_of(STRING, type_of_schema(more))
    if more is True or (schema.get("x-kubernetes-preserve-unknown-fields") and not schema.get("properties")):
        return map_of(STRING, DYN) if more is True else DYN
    if schema.get("x-kubernetes-embedded-resource"):
        schema = with_headers(schema)
    return Type("object", fields=lambda: _field_types(schema))


def _field_types(schema: Schema) -> dict[str, Type]:
    found: dict[str, Type] = {}
    for name, below in (schema.get("properties") or {}).items():
        known = escaped(name)
        if known is not None:
            found[known] = type_of_schema(below)
    return found


def value_of(value: Any, schema: Schema) -> Any:
    """A document's value as expressions see it. Raises EvaluationError for a time that is none."""
    if value is None or _open(schema):
        return value
    if isinstance(value, list):
        return _list(value, schema)
    if isinstance(value, Mapping):
        return _object(value, schema)
    if schema["type"] == "number":
        return float(value)
    if schema["type"] == "integer":
        return int(value)
    if isinstance(value, str) and schema.get("format") in _TEXTS:
        return _text(value, schema["format"])
    return value


def _text(text: str, form: str) -> Any:
    if form == "byte":
        from k8srt.testing.apiserver.cel.evaluator import call_function

        return call_function("base64.decode", [text])
    if form == "duration":
        return read_duration(text)
    if form == "date":
        return read_timestamp(f"{text}T00:00:00Z")
    return read_timestamp(text)


def _list(value: list[Any], schema: Schema) -> list[Any]:
    items = schema.get("items") or {}
    made = [value_of(each, items) for each in value]
    kind = schema.get("x-kubernetes-list-type")
    if kind == "set":
        return SetList(made)
    if kind == "map":
        return MapList(made, tuple(escaped(key) or key for key in schema.get("x-kubernetes-list-map-keys") or ()))
    return made


def _object(value: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    if schema.get("x-kubernetes-embedded-resource"):
        schema = with_headers(schema)
    properties, more = schema.get("properties") or {}, schema.get("additionalProperties")
    if isinstance(more, Mapping):
        return {name: value_of(each, more) for name, each in value.items() if each is not None or more.get("nullable")}
    if more is True or not properties:
        return dict(value)
    found: dict[str, Any] = {}
    for name, each in value.items():
        below, known = properties.get(name), escaped(name)
        if below is not None and known is not None and (each is not None or below.get("nullable")):
            found[known] = value_of(each, below)
    return found
