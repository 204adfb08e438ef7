"""The OpenAPI v2 document in the binary form that older kubectl insists on (gnostic's protobuf messages).

Only what the document made here contains is written: definitions with their extensions, and the operations of paths.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

JSON = dict[str, Any]
MEDIA_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
ASKED_AS = (MEDIA_TYPE, "application/com.github.proto-openapi.spec.v2@v1.0+protobuf")  # the latter parses nowhere


# ---- the wire format: a number and a type before each value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _bytes(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _text(number: int, value: Any) -> bytes:
    return _bytes(number, str(value).encode()) if value else b""


def _flag(number: int, value: Any) -> bytes:
    return _varint(number << 3) + b"\x01" if value else b""


def _texts(number: int, values: Iterable[Any]) -> bytes:
    return b"".join(_bytes(number, str(value).encode()) for value in values)


# ---- messages


def encode_document(document: JSON) -> bytes:
    info = document["info"]
    definitions = b"".join(_bytes(1, _named(name, _schema(s))) for name, s in document["definitions"].items())
    paths = b"".join(_bytes(2, _named(path, _path_item(item))) for path, item in document["paths"].items())
    return b"".join(
        (
            _text(1, document["swagger"]),
            _bytes(2, _text(1, info["title"]) + _text(2, info["version"])),
            _bytes(8, paths),
            _bytes(9, definitions),
        )
    )


def _named(name: str, message: bytes) -> bytes:
    return _text(1, name) + _bytes(2, message)


def _extensions(number: int, source: JSON) -> bytes:
    """Fields that begin with `x-`, each as YAML (of which JSON is a part)."""
    found = [(name, value) for name, value in source.items() if name.startswith("x-")]
    return b"".join(_bytes(number, _named(name, _text(2, json.dumps(value)))) for name, value in found)


def _schema(schema: JSON) -> bytes:
    parts = [
        _text(1, schema.get("$ref")),
        _text(2, schema.get("format")),
        _text(4, schema.get("description")),
        _texts(19, schema.get("required") or ()),
    ]
    additional = schema.get("additionalProperties")
    if isinstance(additional, dict):
        parts.append(_bytes(21, _bytes(1, _schema(additional))))
    elif additional:
        parts.append(_bytes(21, _flag(2, True)))
    if schema.get("type"):
        parts.append(_bytes(22, _text(1, schema["type"])))
    if isinstance(schema.get("items"), dict):
        parts.append(_bytes(23, _bytes(1, _schema(schema["items"]))))
    properties = schema.get("properties")
    if properties:
        parts.append(_bytes(25, b"".join(_bytes(1, _named(n, _schema(s))) for n, s in properties.items())))
    parts.append(_extensions(31, schema))
    return b"".join(parts)


_METHODS = {"get": 2, "put": 3, "post": 4, "delete": 5, "patch": 8}


def _path_item(item: JSON) -> bytes:
    return b"".join(_bytes(_METHODS[method], _operation(operation)) for method, operation in item.items())


def _operation(operation: JSON) -> bytes:
    parameters = b"".join(
        _bytes(8, _bytes(1, _bytes(2, _bytes(3, _query(parameter))))) for parameter in operation.get("parameters") or ()
    )
    return _text(5, operation["operationId"]) + parameters + _extensions(13, operation)


def _query(parameter: JSON) -> bytes:
    return b"".join(
        (
            _text(2, parameter["in"]),
            _text(4, parameter["name"]),
            _text(6, parameter.get("type")),
        )
    )
