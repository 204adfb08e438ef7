"""Values at run time: plain Python ones, and a few classes for what Python has no type of its own for.

int → int    uint → UInt    double → float    string → str    bytes → bytes    bool → bool    null → None
list → list    map and object → dict    duration → timedelta    timestamp → datetime    type → TypeName
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from k8srt.testing.apiserver.cel.failures import EvaluationError


class UInt(int):
    """An unsigned number."""


@dataclass(frozen=True, slots=True)
class TypeName:
    """A type as a value: what `type(x)` gives."""

    name: str


@dataclass(frozen=True, slots=True)
class Optional:
    """A value, or none; `has` tells."""

    has: bool
    value: Any = None


NONE = Optional(False)


class SetList(list[Any]):
    """A list whose order does not matter."""


class MapList(list[Any]):
    """A list of objects told apart by keys; its order does not matter."""

    def __init__(self, items: Any, keys: tuple[str, ...]) -> None:
        super().__init__(items)
        self.keys = keys

    def key(self, item: Any) -> tuple[Any, ...]:
        return tuple(item.get(key) for key in self.keys) if isinstance(item, Mapping) else ()


_NAMES: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "bool"), (UInt, "uint"), (int, "int"), (float, "double"), (str, "string"), (bytes, "bytes"),
    (list, "list"), (Mapping, "map"), (timedelta, "duration"), (datetime, "timestamp"), (TypeName, "type"),
    (Optional, "optional_type"),
)  # fmt: skip


def kind_of(value: Any) -> str:
    """The name of a value's type, without its parameters."""
    if value is None:
        return "null_type"
    for kind, name in _NAMES:
        if isinstance(value, kind):
            return name
    return str(getattr(value, "cel_kind", type(value).__name__))


_NUMBERS = ("int", "uint", "double")


def equal(left: Any, right: Any) -> bool:
    """Whether two values are the same: numbers by value, lists and maps by what is in them; never an error."""
    kinds = kind_of(left), kind_of(right)
    if kinds[0] != kinds[1]:
        return all(kind in _NUMBERS for kind in kinds) and bool(left == right)
    if isinstance(left, list):
        return _equal_lists(left, right)
    if isinstance(left, Mapping):
        return left.keys() == right.keys() and all(equal(left[key], right[key]) for key in left)
    if isinstance(left, Optional):
        return left.has == right.has and (not left.has or equal(left.value, right.value))
    return bool(left == right)


def _equal_lists(left: list[Any], right: list[Any]) -> bool:
    if len(left) != len(right):
        return False
    if isinstance(left, (SetList, MapList)):
        return all(contains(right, each) for each in left)
    return all(equal(a, b) for a, b in zip(left, right, strict=True))


def contains(items: list[Any], value: Any) -> bool:
    return any(equal(each, value) for each in items)


def compare(left: Any, right: Any) -> int:
    """-1, 0 or 1. Raises EvaluationError where there is no order."""
    try:
        return 0 if left == right else -1 if left < right else 1
    except TypeError:
        raise EvaluationError("no such overload") from None


_INT_LOW, _INT_HIGH, _UINT_HIGH = -(2**63), 2**63 - 1, 2**64 - 1


def whole(value: int) -> int:
    """An int in its range. Raises EvaluationError."""
    if not _INT_LOW <= value <= _INT_HIGH:
        raise EvaluationError("integer overflow")
    return int(value)


def unsigned(value: int) -> UInt:
    """A uint in its range. Raises EvaluationError."""
    if not 0 <= value <= _UINT_HIGH:
        raise EvaluationError("unsigned integer overflow")
    return UInt(value)
