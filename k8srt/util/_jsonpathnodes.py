"""What a JSONPath template is made of: each node takes the values found so far and gives those it leads to.

A map is any `Mapping`, a list is a `list` or `tuple`, null leads nowhere. Maps are walked in the order of their keys.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from k8srt.errors import K8srtError

Values = list[Any]


class JSONPathError(K8srtError, ValueError):
    """A template cannot be understood, or leads nowhere in the value it was asked of."""


class Node(Protocol):
    """One step. `lenient`: a key that is missing is no error."""

    def apply(self, values: Values, lenient: bool) -> Values: ...


@dataclass(frozen=True, slots=True)
class Steps:
    """What stands between two braces: steps that follow one another."""

    nodes: tuple[Node, ...]

    def apply(self, values: Values, lenient: bool) -> Values:
        for node in self.nodes:
            values = node.apply(values, lenient)
        return values


@dataclass(frozen=True, slots=True)
class Text:
    text: str

    def apply(self, values: Values, lenient: bool) -> Values:
        return [self.text]


@dataclass(frozen=True, slots=True)
class Literal:
    """A number or a truth, once for each value."""

    value: int | float | bool

    def apply(self, values: Values, lenient: bool) -> Values:
        return [self.value] * len(values)


@dataclass(frozen=True, slots=True)
class Word:
    """`range` or `end`, which whoever evaluates the template obeys."""

    name: str

    def apply(self, values: Values, lenient: bool) -> Values:
        return values if self.name == "range" else []


@dataclass(frozen=True, slots=True)
class Field:
    name: str

    def apply(self, values: Values, lenient: bool) -> Values:
        found = [value[self.name] for value in values if isinstance(value, Mapping) and self.name in value]
        if values and not found and not lenient:
            raise JSONPathError(f"{self.name} is not found")
        return found


@dataclass(frozen=True, slots=True)
class Wildcard:
    def apply(self, values: Values, lenient: bool) -> Values:
        return [inner for value in values for inner in _children(value)]


@dataclass(frozen=True, slots=True)
class Descent:
    """Every value below and including these that has something in it, each before what it holds."""

    def apply(self, values: Values, lenient: bool) -> Values:
        found = []
        for value in values:
            if inner := _children(value):
                found += [value, *self.apply(inner, lenient)]
        return found


def _children(value: Any) -> Values:
    if isinstance(value, Mapping):
        return [value[key] for key in sorted(value)]
    if isinstance(value, str):
        return list(value.encode())  # as upstream has it: a text is a list of bytes
    return list(value) if isinstance(value, (list, tuple)) else []


@dataclass(frozen=True, slots=True)
class Union:
    branches: tuple[Node, ...]

    def apply(self, values: Values, lenient: bool) -> Values:
        return [found for branch in self.branches for found in branch.apply(values, lenient)]


@dataclass(frozen=True, slots=True)
class Slice:
    """`[i]`, `[start:end:step]`. An index is a slice of one."""

    start: int | None
    end: int | None
    step: int | None
    single: bool = False

    def apply(self, values: Values, lenient: bool) -> Values:
        found: Values = []
        for value in values:
            if value is None:
                continue
            if not isinstance(value, (list, tuple)):
                raise JSONPathError(f"{kind_of(value)} is not array or slice")
            start, end = self._bounds(len(value))
            if start == end:
                return found
            _check_bounds(start, end, len(value))
            if self.step is not None and self.step <= 0:
                raise JSONPathError("step must be > 0")
            found += value[start : end : self.step or 1]
        return found

    def _bounds(self, length: int) -> tuple[int, int]:
        start = self.start or 0
        end = length if self.end is None else self.end
        if end < 0 or (end == 0 and self.single):
            end += length
        return start + length if start < 0 else start, end


def _check_bounds(start: int, end: int, length: int) -> None:
    if not 0 <= start < length:
        raise JSONPathError(f"array index out of bounds: index {start}, length {length}")
    if not 0 <= end <= length:
        raise JSONPathError(f"array index out of bounds: index {end - 1}, length {length}")
    if start > end:
        raise JSONPathError(f"starting index {start} is greater than ending index {end}")


_ORDERED = frozenset({"int", "float", "string"})
_EQUATED = _ORDERED | {"bool"}


class _Operand(NamedTuple):
    kind: str
    value: Any


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Filter:
    """`[?(left operator right)]`; without an operator, the items for which `left` leads anywhere."""

    left: Node
    operator: str = ""
    right: Node = Steps(())

    def apply(self, values: Values, lenient: bool) -> Values:
        found: Values = []
        for value in values:
            if not isinstance(value, (list, tuple)):
                raise JSONPathError(f"{value!r} is not array or slice and cannot be filtered")
            found += [item for item in value if self._passes(item, lenient)]
        return found

    def _passes(self, item: Any, lenient: bool) -> bool:
        if not self.operator:
            return self._leads_anywhere(item)
        left = _single(self.left.apply([item], lenient))
        right = _single(self.right.apply([item], lenient)) if left else None
        return left is not None and right is not None and self._compare(left, right)

    def _leads_anywhere(self, item: Any) -> bool:
        try:
            return bool(self.left.apply([item], True))
        except JSONPathError:
            return False

    def _compare(self, left: _Operand, right: _Operand) -> bool:
        compare = _COMPARISONS.get(self.operator)
        if compare is None:
            raise JSONPathError(f"unrecognized filter operator {self.operator}")
        comparable = _EQUATED if self.operator in ("==", "!=") else _ORDERED
        if left.kind != right.kind or left.kind not in comparable:
            wrong = "incompatible types" if {left.kind, right.kind} <= _EQUATED else "invalid type"
            raise JSONPathError(f"{wrong} for comparison: {left.kind} {self.operator} {right.kind}")
        return compare(left.value, right.value)


def _single(found: Values) -> _Operand | None:
    if len(found) > 1:
        raise JSONPathError("can only compare one element at a time")
    return _Operand(kind_of(found[0]), found[0]) if found else None


def kind_of(value: Any) -> str:
    """What a value is called in messages; values of different kinds cannot be compared."""
    if isinstance(value, Mapping):
        return "map"
    if isinstance(value, (list, tuple)):
        return "list"
    return {bool: "bool", int: "int", float: "float", str: "string", type(None): "null"}.get(type(value), "value")
