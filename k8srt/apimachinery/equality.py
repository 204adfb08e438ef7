"""Whether two values mean the same, as upstream's `equality.Semantic` has it. Contract: MACH-38.

Empty lists and maps are as good as none, though a key of a map that is there is not as good as one that is not.
Quantities are compared by their amounts, times by their instants, selectors by their texts. Structs, whole objects and
plain values may be mixed at will; in plain values nothing tells that a text is a quantity.
"""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import Any

from k8srt.apimachinery.fields import FieldSelector
from k8srt.apimachinery.labels import Selector as LabelSelector
from k8srt.apimachinery.model import Struct, fields_of, format_of
from k8srt.apimachinery.object import Object, parts_of
from k8srt.apimachinery.quantity import Quantity, QuantityError

Fields = list[tuple[Any, Any, Any]]


def deep_equal(a: Any, b: Any) -> bool:
    """Whether both mean the same."""
    return _equal(Any, a, b, derived=False)


def deep_derivative(a: Any, b: Any) -> bool:
    """Whether `b` means the same as `a` in everything that `a` says: what is unset or empty there does not count."""
    return _equal(Any, a, b, derived=True)


def _equal(annotation: Any, a: Any, b: Any, *, derived: bool) -> bool:
    if _is_empty(a):
        return derived or _is_empty(b)
    if _is_empty(b):
        return False
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        inner = _inner(annotation)
        return len(a) == len(b) and all(_equal(inner, x, y, derived=derived) for x, y in zip(a, b, strict=True))
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return _equal_maps(_inner(annotation), a, b, derived=derived)
    if isinstance(a, (Struct, Object)):
        return type(a) is type(b) and all(_equal(kind, x, y, derived=derived) for kind, x, y in _fields(a, b))
    return _equal_values(annotation, a, b)


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, (list, tuple, Mapping)) and not value)


def _inner(annotation: Any) -> Any:
    args = typing.get_args(annotation)
    return args[-1] if args and typing.get_origin(annotation) in (list, dict) else Any


def _equal_maps(inner: Any, a: Mapping[Any, Any], b: Mapping[Any, Any], *, derived: bool) -> bool:
    if not derived and a.keys() != b.keys():
        return False
    return all(_equal(inner, a[key], b.get(key), derived=derived) for key in a)


def _fields(a: Any, b: Any) -> Fields:
    """Type and both values of each field that two of a class have."""
    if isinstance(a, Struct):
        return [(info.type, getattr(a, name), getattr(b, name)) for name, info in fields_of(type(a)).items()]
    cls: type[Object] = type(a)
    if not cls.__info__:  # of any kind: parts by their wire names
        return [(Any, a.to_dict(), b.to_dict())]
    return [(part.type, getattr(a, name), getattr(b, name)) for name, part in parts_of(cls).items()]


def _equal_values(annotation: Any, a: Any, b: Any) -> bool:
    if isinstance(a, (LabelSelector, FieldSelector)):
        return str(a) == str(b)
    if format_of(annotation) == "quantity":
        try:
            return Quantity(a) == Quantity(b)
        except QuantityError:
            return bool(a == b)
    return bool(a == b)
