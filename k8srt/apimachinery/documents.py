"""Objects in whatever form somebody has them, as plain JSON values, and what is known of their kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from k8srt.apimachinery import scheme
from k8srt.apimachinery.model import Struct
from k8srt.apimachinery.object import Object
from k8srt.apimachinery.schema import GroupVersionKind
from k8srt.apimachinery.structure import ANY, Structure, structure_of
from k8srt.errors import DecodeError

Document = Object | Struct | Mapping[str, Any] | bytes | str
"""A typed object or part of one, an `Unstructured`, plain JSON values, or JSON text."""


def plain(source: Document) -> dict[str, Any]:
    """The plain JSON form. A dict comes back as it is: it is the caller's.

    Raises DecodeError for text that is no JSON object, TypeError for anything else.
    """
    if isinstance(source, dict):
        return source
    if isinstance(source, (Object, Struct)):
        return source.to_dict()
    if isinstance(source, Mapping):
        return dict(source)
    if not isinstance(source, (bytes, str)):
        raise TypeError(f"expected an API object, a dict or JSON text, got {type(source).__name__}")
    try:
        found = msgspec.json.decode(source)
    except msgspec.MsgspecError as err:
        raise DecodeError(f"expected a JSON object: {err}") from err
    if not isinstance(found, dict):
        raise DecodeError(f"expected a JSON object, got {type(found).__name__}")
    return found


def plain_value(source: Any) -> Any:
    """The same of what may be any JSON value, which comes back as it is."""
    return plain(source) if isinstance(source, (Object, Struct, bytes)) else source


def structure_for(source: Document) -> Structure:
    """What is known of the insides of an object: from its class, or from its kind if that is a known one; else ANY."""
    cls = type(source)
    if issubclass(cls, Struct) or (issubclass(cls, Object) and cls.__info__ is not None):
        return structure_of(cls)
    document = plain(source)
    api_version, kind = document.get("apiVersion"), document.get("kind")
    if not isinstance(api_version, str) or not isinstance(kind, str):
        return ANY
    known = scheme.default.lookup(GroupVersionKind.of(api_version, kind))
    return structure_of(known) if known is not None and issubclass(known, Object) else ANY
